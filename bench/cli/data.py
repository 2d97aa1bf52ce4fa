"""``bench data``: which data sets are here, fetching one, checking it against what was published, looking at it."""

from typing import TYPE_CHECKING

import typer

from bench.cli.data_inspect import inspect
from bench.cli.data_options import DataDir, Name, Offline, mebibytes
from bench.cli.data_remove import remove
from bench.cli.data_show import show
from bench.cli.lazy import new_app

if TYPE_CHECKING:
    from bench.datasets.cache import CachedDataset
    from bench.datasets.search import Search

app = new_app(help="List, fetch, check, show, inspect and remove the data sets.")


@app.command("list")
def list_all(data_dir: DataDir = None) -> None:
    """List the data sets: their rows, and whether they are cached, lie on this machine, or are not here."""
    from rich.console import Console
    from rich.table import Column, Table

    from bench.datasets.cache import own_versions, shelves
    from bench.datasets.catalog import DATASETS, definition_of, search_for
    from bench.errors import BenchError

    table = Table(Column("name", no_wrap=True), "train / test rows", "where", box=None, pad_edge=False)
    for name in DATASETS:
        try:
            definition = definition_of(name)
        except BenchError as error:  # one broken plug-in hides no other data set
            table.add_row(name, "-", error.message)
            continue
        rows = definition.rows
        where = _where(search_for(name, data_dir=data_dir, offline=True))
        table.add_row(name, f"{rows[0]:,} / {rows[1]:,}" if rows else "-", where)
    for cached in own_versions():
        rows_text = f"{cached.info.train_rows:,} / {cached.info.test_rows:,}"
        table.add_row(cached.info.name, rows_text, f"cached, {mebibytes(cached.size)}")
    console = Console()
    console.print(table)
    held = sum(shelf.size for shelf in shelves())
    console.print(f"\ncached: {mebibytes(held)} in all. To get one: bench data fetch NAME", highlight=False)


@app.command()
def fetch(name: Name, data_dir: DataDir = None, offline: Offline = False) -> None:
    """Find or download a data set, decode it and cache it."""
    from bench.datasets.catalog import resolve

    cached = resolve(name, data_dir=data_dir, offline=offline, say=typer.echo)
    info = cached.info
    typer.echo(
        f"{info.name}: {info.train_rows:,} train and {info.test_rows:,} test rows of "
        f"{'x'.join(map(str, info.shape))}, {len(info.class_names)} classes; {mebibytes(cached.size)} cached; "
        f"{_verdict(cached)}"
    )


@app.command()
def check(name: Name, data_dir: DataDir = None, offline: Offline = False) -> None:
    """Compute a data set's fingerprint anew and compare it with the published one. Exit code 1 if it differs."""
    from bench.datasets.catalog import DATASETS, definition_of, load, resolve
    from bench.datasets.fingerprint import fingerprint

    cached = resolve(name, data_dir=data_dir, offline=offline)
    found = fingerprint(load(cached.folder))
    typer.echo(f"{cached.info.name}: SHA-256 over the decoded arrays {found}\n    from: {cached.info.source}")
    if found != cached.info.fingerprint:
        typer.echo(
            f"damaged: {cached.info.fingerprint} was cached. Delete {cached.folder} and run: bench data fetch {name}"
        )
        raise typer.Exit(1)
    published = name in DATASETS and bool(definition_of(name).fingerprints)
    typer.echo(_verdict(cached) if published else "unverified: nothing is published to compare it with")
    if published and not cached.info.verified:
        raise typer.Exit(1)


def _where(search: "Search") -> str:
    """Where a data set is, in words."""
    if size := sum(cached.size for cached in search.shelf.versions()):
        return f"cached, {mebibytes(size)}"
    source, place = next(search.seen(), (None, None))
    return f"{place.label}, {source.format}" if source and place else "not here"


def _verdict(cached: "CachedDataset") -> str:
    return "verified" if cached.info.verified else "unverified: not the published data"


app.command()(show)
app.command()(inspect)
app.command()(remove)
