"""``bench data fetch``: get a data set, with its licence shown first and acknowledged if it requires that."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.data_options import DataDir, Name, Offline, mebibytes
from bench.cli.data_progress import resolved

if TYPE_CHECKING:
    from bench.datasets.cache import CachedDataset


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
    from bench.datasets.catalog import definition_of, is_own
    from bench.datasets.licences import LicenceNotAccepted, accept, notice

    if is_own(name):
        _report(resolved(name, data_dir, offline, say=typer.echo))
        return
    definition = definition_of(name)
    shown = notice(definition)
    typer.echo("\n".join(shown))

    def fetched() -> "CachedDataset":
        return resolved(name, data_dir, offline, say=lambda line: None if line in shown else typer.echo(line))

    if accept_licence:
        accept(definition)
    try:
        cached = fetched()
    except LicenceNotAccepted:
        if not sys.stdin.isatty():
            raise
        if not typer.confirm("Do you accept this licence?"):
            raise typer.Exit(1) from None
        accept(definition)
        cached = fetched()
    _report(cached)


def _report(cached: "CachedDataset") -> None:
    from bench.datasets.verification import verdict

    info = cached.info
    typer.echo(
        f"{info.name}: {info.train_rows:,} train and {info.test_rows:,} test rows of "
        f"{'x'.join(map(str, info.shape))}, {len(info.class_names)} classes; {mebibytes(cached.size)} cached; "
        f"{verdict(info).words}"
    )
