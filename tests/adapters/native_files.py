"""Models of a user's own, written to a file as they would."""

import sys
from pathlib import Path


def write(folder: Path, source: str, attribute: str) -> str:
    """A file with ``source``; returns the reference of ``attribute`` in it."""
    path = folder / "net.py"
    path.write_text(source)
    return f"{path}:{attribute}"


def forget_own_model() -> None:
    """A worker builds one model and ends; here the next test builds another."""
    sys.modules.pop("bench_own_model", None)
