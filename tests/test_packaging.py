"""The installed package works from anywhere, with the suites and without any framework."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINNED = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.]+)")


def run(
    command: list[str], folder: Path = ROOT, environment: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    variables = {**os.environ, **(environment or {})}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=variables, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)])
    assert built.returncode == 0, built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture
def bare(wheel: Path, tmp_path: Path) -> Path:
    """The commands of an environment with the wheel and its dependencies, but no framework."""
    uv = [sys.executable, "-m", "uv", "--quiet"]
    assert run([*uv, "venv", "--python", sys.executable, str(tmp_path / "venv")]).returncode == 0
    commands = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    install = [*uv, "pip", "install", "--python", str(commands / "python")]
    reached = run([*install, "annotated-types"])
    if reached.returncode != 0:
        pytest.skip(f"no package index can be reached from here: {reached.stderr.strip()}")
    installed = run([*install, str(wheel)])
    assert installed.returncode == 0, installed.stderr
    return commands


def test_the_wheel_holds_the_package_its_types_and_every_suite_and_nothing_else(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "bench").rglob("*.py")}
    suites = {f"bench/suites/{path.name}" for path in (ROOT / "suites").glob("*.toml")}
    assert suites
    assert modules | suites | {"bench/py.typed"} <= held
    assert {name.split("/")[0] for name in held} == {"bench"}


def test_from_the_wheel_the_suites_are_found_in_any_folder(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = "from bench.suite_files import shipped_suites; print(*shipped_suites().values(), sep='\\n')"
    found = run([sys.executable, "-c", code], tmp_path, {"PYTHONPATH": str(tmp_path / "site")})
    assert found.returncode == 0, found.stderr
    expected = [tmp_path / "site" / "bench" / "suites" / path.name for path in sorted((ROOT / "suites").glob("*.toml"))]
    assert found.stdout.splitlines() == [str(path) for path in expected]


@pytest.mark.slow
def test_with_no_framework_the_command_works_and_says_how_to_install_each(bare: Path, tmp_path: Path) -> None:
    suites = run([str(bare / "bench"), "list", "suites"], tmp_path)
    assert suites.returncode == 0, suites.stderr
    assert [line.split()[0] for line in suites.stdout.splitlines()] == sorted(
        path.stem for path in (ROOT / "suites").glob("*.toml")
    )
    frameworks = run([str(bare / "bench"), "list", "frameworks"], tmp_path)
    assert frameworks.returncode == 0, frameworks.stderr
    for extra in ("pytorch", "keras-tensorflow", "scikit-learn"):
        assert f"pip install 'bench-mnist[{extra}]'" in frameworks.stdout
    for arguments in (["list", "models"], ["list", "datasets"], ["schema"], ["run", "--help"], ["report", "--help"]):
        ended = run([str(bare / "bench"), *arguments], tmp_path)
        assert ended.returncode == 0, ended.stderr


def test_each_adapter_names_an_extra_that_brings_its_packages() -> None:
    from bench.adapters.catalog import ADAPTERS

    extras = SETTINGS["project"]["optional-dependencies"]
    for name in ("pytorch", "keras-tensorflow", "scikit-learn"):
        adapter = ADAPTERS.get(name)
        brought = {re.split(r"[<>=!~ ;\[]", requirement)[0] for requirement in extras[adapter.extra]}
        assert set(adapter.packages) <= brought


def test_the_extra_all_holds_every_framework() -> None:
    extras = SETTINGS["project"]["optional-dependencies"]
    (all_of_them,) = extras["all"]
    assert set(all_of_them.removeprefix("bench-mnist[").rstrip("]").split(",")) == extras.keys() - {"all", "dev"}


def test_constraints_are_plain_pins_of_everything_asked_for() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if not PINNED.fullmatch(line)] == []
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines}
    asked = {re.split(r"[<>=!~ ;\[]", requirement)[0].lower() for requirement in requires("bench-mnist") or []}
    assert asked <= pinned


def test_the_version_is_written_once() -> None:
    import bench

    assert SETTINGS["tool"]["hatch"]["version"] == {"path": "bench/__init__.py"}
    assert "version" not in SETTINGS["project"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", bench.__version__)
