"""Arguments that the commands of ``bench data`` share, and how they write sizes."""

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder that holds data sets; else BENCH_DATA_DIR counts.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Ask no mirror. BENCH_OFFLINE=1 does the same.")]
Name = Annotated[str, typer.Argument(help="Name of a data set, or the path of one of your own.")]


def mebibytes(size: int) -> str:
    """A size in bytes as text."""
    return f"{size / 2**20:,.1f} MiB"
