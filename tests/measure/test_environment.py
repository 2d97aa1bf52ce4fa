"""Machine facts that the environment records or leaves out."""

import getpass
import os
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from bench.measure import environment
from bench.measure.environment import capture, governor, installed_versions, operating_system
from bench.measure.threads import clean_environment, thread_settings


def test_the_environment_holds_no_host_name_no_user_name_and_no_path() -> None:
    text = capture(["numpy", "pydantic", "no-such-package"], thread_settings(clean_environment(2))).model_dump_json()
    for private in (platform.node(), getpass.getuser(), os.environ.get("USER", "")):
        if private:
            assert not re.search(rf"\b{re.escape(private)}\b", text, re.IGNORECASE), private
    for folder in (str(Path.home()), sys.prefix, str(Path.cwd()), "/usr/", "/home/"):
        assert folder not in text


def test_versions_are_those_installed_and_missing_packages_are_left_out() -> None:
    assert installed_versions(["pydantic", "numpy", "no-such-package"]) == {
        "numpy": version("numpy"),
        "pydantic": version("pydantic"),
    }


def test_the_machine_is_described_as_other_tools_describe_it() -> None:
    found = capture([], {"OMP_NUM_THREADS": "2"}, accelerators=["A GPU"])
    assert found.memory_gib == pytest.approx(psutil.virtual_memory().total / 1024**3, abs=0.06)
    assert 1 <= found.cores <= (psutil.cpu_count() or 1)
    assert found.machine == platform.machine()
    assert found.python.startswith(".".join(map(str, sys.version_info[:3])))
    assert found.accelerators == ("A GPU",)
    assert found.threads == {"OMP_NUM_THREADS": "2"}


def test_capturing_twice_gives_the_same_hash() -> None:
    assert capture(["numpy"], {}).hash == capture(["numpy"], {}).hash


@pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="compares with lscpu on x86-64")
def test_the_processor_is_named_as_lscpu_names_it() -> None:
    try:
        listing = subprocess.run(
            ["lscpu"], capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"}
        )
    except OSError:
        pytest.skip("lscpu is not installed")
    match = re.search(r"^Model name:\s*(.+)$", listing.stdout, re.MULTILINE)
    assert match
    assert environment.cpu_model() == " ".join(match.group(1).split())


def test_a_board_stands_for_a_processor_that_has_no_name(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nCPU part\t: 0xd08\n\nHardware\t: BCM2835\nModel\t\t: Raspberry Pi 4: Model B\n")
    assert environment._linux_cpu(cpuinfo) == "Raspberry Pi 4: Model B"
    cpuinfo.write_text("model name\t: A CPU @ 3 GHz\nmodel name\t: A slower one\n")
    assert environment._linux_cpu(cpuinfo) == "A CPU @ 3 GHz"
    assert environment._linux_cpu(tmp_path / "nothing") == ""


@pytest.mark.skipif(sys.platform != "linux", reason="a Linux kernel's release")
@pytest.mark.parametrize(
    ("release", "kernel"),
    [
        ("6.1.0-13-amd64", "Linux 6.1.0"),
        ("5.15.153.1-microsoft-standard-WSL2", "Linux 5.15.153.1 (WSL)"),
        ("6.9.3-built-on-annas-laptop", "Linux 6.9.3"),
        ("custom", "Linux of unknown release"),
    ],
)
def test_of_a_kernels_release_only_numbers_are_told(monkeypatch: pytest.MonkeyPatch, release: str, kernel: str) -> None:
    monkeypatch.setattr(platform, "release", lambda: release)
    assert operating_system().rpartition(", ")[2] == kernel


def test_differing_governors_are_all_named_and_none_is_none(tmp_path: Path) -> None:
    assert governor(tmp_path) is None
    for cpu, name in enumerate(["powersave", "performance", "powersave"]):
        folder = tmp_path / f"cpu{cpu}" / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text(f"{name}\n")
    assert governor(tmp_path) == "performance, powersave"
