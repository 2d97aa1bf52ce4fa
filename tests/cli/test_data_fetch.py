"""``bench data fetch``: what it shows first, and licences that must be acknowledged."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.datasets.mirrors import closed_address, serving

Bench = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).parents[2]
SKIN = "Skin Cancer MNIST (HAM10000): licence CC BY-NC-SA 4.0 (non-commercial use only)"
BAR = """
import sys
from pathlib import Path
from bench.cli.data_progress import bar_on_terminal
from bench.datasets.download import Bundle, RemoteFile
from bench.datasets.fetch import fetch
watch = bar_on_terminal()
file = RemoteFile("data.bin", (sys.argv[1],), 1_500_000, "", exact=False)
print("a bar" if watch else "no bar", fetch(Bundle((file,)), Path(sys.argv[2]), print, watch))
"""


@pytest.fixture
def online(tmp_path: Path) -> dict[str, str]:
    """An environment that permits the network but has none: nothing listens at its proxy."""
    kept = {name: value for name, value in os.environ.items() if name not in ("BENCH_DATA_DIR", "BENCH_OFFLINE")}
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), closed_address())
    own = {"BENCH_CACHE_DIR": str(tmp_path / "cache"), "HOME": str(tmp_path), "COLUMNS": "80", "NO_PROXY": "127.0.0.1"}
    return {**kept, **proxies, **own, "no_proxy": "127.0.0.1"}


def fetch(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", "data", "fetch", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def on_terminal(environment: dict[str, str], command: list[str], typed: str = "") -> tuple[int, str]:
    """Exit code and terminal output of a command run on a terminal."""
    if os.name != "posix":
        pytest.skip("pseudo-terminals are POSIX systems'")
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    return process.wait(timeout=150), shown.decode()


def test_the_licence_and_what_to_cite_are_shown_first(bench: Bench) -> None:
    lines = bench("fetch", "mnist").stdout.splitlines()
    assert lines == [
        "MNIST: licence CC BY-SA 3.0",
        "    to cite: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Proceedings of the IEEE 86(11), 1998",
    ]


def test_a_licence_that_must_be_acknowledged_is_refused_where_nobody_can_be_asked(online: dict[str, str]) -> None:
    ended = fetch(online, "skin-cancer-mnist")
    assert ended.returncode == 2
    assert ended.stdout.splitlines()[0] == SKIN
    assert "To acknowledge it, once: bench data fetch skin-cancer-mnist --accept-licence" in ended.stderr
    assert "no connection" not in ended.stderr  # no mirror was asked


def test_an_acknowledged_licence_stays_so_for_all_sizes(online: dict[str, str]) -> None:
    assert "acknowledged" not in fetch(online, "skin-cancer-mnist", "--accept-licence").stderr
    ended = fetch(online, "skin-cancer-mnist-8x8")
    assert ended.returncode == 2
    assert "kaggle.com/kmader/skin-cancer-mnist-ham10000: no connection" in ended.stderr
    assert "dataverse.harvard.edu: no connection" in ended.stderr


def test_on_a_terminal_it_is_asked_and_a_no_ends_with_one(online: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "data", "fetch", "skin-cancer-mnist"]
    code, shown = on_terminal(online, command, "n\n")
    assert (code, "Do you accept this licence?" in shown) == (1, True)
    assert not (tmp_path / "cache" / "licences.json").exists()
    code, shown = on_terminal(online, command, "y\n")
    assert (code, "no connection" in shown) == (2, True)
    assert (tmp_path / "cache" / "licences.json").exists()


def test_a_download_has_a_bar_on_a_terminal_and_none_elsewhere(online: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(bytes(1_500_000))
    with serving(tmp_path) as (address, _):
        command = [sys.executable, "-c", BAR, f"{address}/slow/data.bin"]
        code, shown = on_terminal({**online, "TERM": "xterm"}, [*command, str(tmp_path / "a")])
        assert (code, "a bar 127.0.0.1" in shown, "1.4 MiB" in shown) == (0, True, True)
        piped = subprocess.run(
            [*command, str(tmp_path / "b")], cwd=ROOT, env=online, capture_output=True, text=True, check=True
        )
    assert "no bar 127.0.0.1" in piped.stdout
    assert piped.stderr == ""
