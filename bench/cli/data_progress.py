"""Getting a data set in a command of ``bench data``, with progress lines and a bar for each download."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bench.cli.data_options import joined

if TYPE_CHECKING:
    from bench.datasets.cache import CachedDataset
    from bench.datasets.source import Say
    from bench.datasets.transfer import Watch


def aside(line: str) -> None:
    """Print a line on standard error: progress is not part of the output."""
    typer.echo(line, err=True)


def resolved(name: str, data_dir: Sequence[Path] | None, offline: bool, say: "Say" = aside) -> "CachedDataset":
    """The data set, found or fetched, and cached. Raises as ``bench.datasets.catalog.resolve``."""
    from bench.datasets.catalog import resolve

    return resolve(name, data_dir=joined(data_dir), offline=offline, say=say, watch=bar_on_terminal())


def bar_on_terminal() -> "Watch | None":
    """A progress bar on standard error, if that is a terminal; else None."""
    from rich.console import Console

    return _bar if Console(stderr=True).is_terminal else None


@contextmanager
def _bar(name: str, size: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    columns = (
        TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", max_width=32)),
        BarColumn(bar_width=18),
        DownloadColumn(binary_units=True, table_column=Column(no_wrap=True)),
        TimeRemainingColumn(table_column=Column(no_wrap=True)),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(name, total=size or None)
        yield lambda received: shown.update(task, completed=received)
