"""``bench data fetch``: get a data set, with its licence shown first and acknowledged where it asks for that."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.data_options import DataDir, Name, Offline, mebibytes
from bench.cli.data_progress import resolved

if TYPE_CHECKING:
    from bench.datasets.cache import CachedDataset
    from bench.datasets.definition import DatasetDefinition


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
    from bench.datasets.licences import LicenceNotAccepted, accept

    def fetched() -> "CachedDataset":
        return resolved(name, data_dir, offline, say=typer.echo)

    if is_own(name):
        _report(fetched())
        return
    definition = definition_of(name)
    _show_licence(definition)
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
