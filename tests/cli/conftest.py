"""``bench data`` as a user calls it: the real command, in a process of its own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.alone import environment

ROOT = Path(__file__).parents[2]
Bench = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Runs the command with a cache and a home of its own, and no network."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bench", "data", *arguments]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment(tmp_path, tmp_path / "cache"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
