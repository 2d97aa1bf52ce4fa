"""``bench data fetch``: get a data set, with its licence shown first and acknowledged where it asks for that."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.data_options import DataDir, Name, Offline, mebibytes

if TYPE_CHECKING:
    from bench.datasets.cache import CachedDataset
    from bench.datasets.definition import DatasetDefinition
    from bench.datasets.transfer import Watch


def fetch(
    name: Name,
    data_dir: DataDir = None,
    offline: Offline = False,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Acknowledge, once, a licence that does not allow every use.")
    ] = False,
) -> None:
    """Find or download a data set, decode it and cache it. Its licence and what to cite are shown first.

    A licence that does not allow every use must be acknowledged before anything is downloaded; on a terminal you are
    asked. Exits with 1 if you decline. Files you have already need no acknowledgement.
    """
    from bench.datasets.catalog import DATASETS, definition_of, resolve
    from bench.datasets.licences import LicenceNotAccepted, accept
    from bench.datasets.own import is_path

    def resolved() -> "CachedDataset":
        return resolve(name, data_dir=data_dir, offline=offline, say=typer.echo, watch=bar_on_terminal())

    if name not in DATASETS and is_path(name):
        _report(resolved())
        return
    definition = definition_of(name)
    _show_licence(definition)
    if accept_licence:
        accept(definition)
    try:
        cached = resolved()
    except LicenceNotAccepted:
        if not sys.stdin.isatty():
            raise
        if not typer.confirm("Do you accept this licence?"):
            raise typer.Exit(1) from None
        accept(definition)
        cached = resolved()
    _report(cached)


def bar_on_terminal() -> "Watch | None":
    """A progress bar on standard error, where that is a terminal; None elsewhere."""
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


def _show_licence(definition: "DatasetDefinition") -> None:
    typer.echo(f"{definition.title}: licence {definition.licence}")
    if definition.citation:
        typer.echo(f"    to cite: {definition.citation}")


def _report(cached: "CachedDataset") -> None:
    from bench.datasets.verification import verdict

    info = cached.info
    typer.echo(
        f"{info.name}: {info.train_rows:,} train and {info.test_rows:,} test rows of "
        f"{'x'.join(map(str, info.shape))}, {len(info.class_names)} classes; {mebibytes(cached.size)} cached; "
        f"{verdict(info).words}"
    )
