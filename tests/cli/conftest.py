"""``bench data`` as a user calls it: the real command, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Bench = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Runs the command with a cache and a home of its own, and no network."""
    kept = {name: value for name, value in os.environ.items() if name != "BENCH_DATA_DIR"}
    changed = {"BENCH_CACHE_DIR": str(tmp_path / "cache"), "HOME": str(tmp_path), "BENCH_OFFLINE": "1", "COLUMNS": "80"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bench", "data", *arguments]
        return subprocess.run(
            command,
            cwd=ROOT,
            env={**kept, **changed},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
