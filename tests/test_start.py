"""The command starts as quickly as a command that does nothing."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.cli.app import Commands

FOREIGN = {"numpy", "pandas", "scipy", "torch", "torchvision", "tensorflow", "keras", "jax", "sklearn", "rich", "PIL"}

EMPTY = f"""
import typer

app = typer.Typer()
for number in range({len(Commands.table)}):
    @app.command(f"command-{{number}}")
    def empty() -> None:
        "Do nothing."
app()
"""


@pytest.fixture
def empty(tmp_path: Path) -> list[str]:
    """A typer command with as many subcommands as bench, which do nothing."""
    (tmp_path / "empty.py").write_text(EMPTY)
    return [sys.executable, str(tmp_path / "empty.py")]


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


@pytest.mark.alone
@pytest.mark.parametrize(
    ("arguments", "nothing"), [(["--help"], ["--help"]), (["list", "suites"], ["command-1"])], ids=["help", "list"]
)
def test_starting_takes_at_most_half_as_long_again_as_an_empty_command(
    arguments: list[str], nothing: list[str], empty: list[str]
) -> None:
    ratios = []
    for _ in range(15):  # in turn, so that both meet the same machine
        ratios.append(seconds([sys.executable, "-m", "bench", *arguments]) / seconds([*empty, *nothing]))
    assert statistics.median(ratios) <= 1.5


@pytest.mark.parametrize(
    "arguments", [["--help"], ["list", "suites"], ["list", "models"], ["schema"], ["run", "--help"]]
)
def test_starting_imports_no_array_library_and_no_framework(arguments: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "bench", *arguments]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in ended.stderr.splitlines()}
    assert "bench" in imported
    assert imported.isdisjoint(FOREIGN), imported & FOREIGN


def test_importing_the_package_imports_nothing_of_it() -> None:
    code = (
        "import sys, bench; print([name for name in sys.modules if name.startswith(('bench.', 'pydantic', 'numpy'))])"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ended.stdout == "[]\n"


def test_the_package_offers_what_it_says_and_nothing_else() -> None:
    import bench

    assert callable(bench.run)
    assert callable(bench.open_run)
    with pytest.raises(AttributeError, match="'bench' has no attribute 'rum'"):
        bench.rum  # noqa: B018
