"""Arguments shared by the commands of ``bench data``, and their format of sizes."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bench.errors import BenchError

DataDir = Annotated[
    list[Path] | None,
    typer.Option("--data-dir", help="Folder that holds data sets; else BENCH_DATA_DIR counts. May be repeated."),
]
Offline = Annotated[bool, typer.Option("--offline", help="Ask no mirror. BENCH_OFFLINE=1 does the same.")]
Name = Annotated[str, typer.Argument(help="Name of a data set, or the path of one of your own.")]


def joined(folders: Sequence[Path] | None) -> Path | None:
    """All values of --data-dir in one path, as ``bench.datasets.places.named_folders`` takes it."""
    return Path(os.pathsep.join(map(str, folders))) if folders else None


def check_target(file: Path, option: str) -> None:
    """Raises BenchError for a file that cannot be written, before the work for it is done."""
    if os.path.isdir(file):
        problem = "it is a folder"
    elif not os.path.isdir(file.parent):
        problem = f"no folder {str(file.parent)!r}"
    elif not os.access(file if os.path.exists(file) else file.parent, os.W_OK):
        problem = "permission denied"
    else:
        return
    raise BenchError(f"{str(file)!r} cannot be written: {problem}.", f"Name another file: {option} FILE")


def mebibytes(size: int) -> str:
    """A size in bytes as text."""
    return f"{size / 2**20:,.1f} MiB"
