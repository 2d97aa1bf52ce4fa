"""``bench data``: which data sets are here, fetching one, and checking one against what was published."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.lazy import new_app

if TYPE_CHECKING:
    from bench.datasets.cache import CachedDataset
    from bench.datasets.search import Search

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder that holds data sets; else BENCH_DATA_DIR counts.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Ask no mirror. BENCH_OFFLINE=1 does the same.")]
Name = Annotated[str, typer.Argument(help="Name of a data set, or the path of one of your own.")]

app = new_app(help="Show, fetch and check the data sets.")


@app.command("list")
def list_all(data_dir: DataDir = None) -> None:
    """List the data sets: their rows, and whether they are cached, lie on this machine, or are not here."""
    from rich.console import Console
    from rich.table import Table

    from bench.datasets.catalog import DATASETS, definition_of, search_for
    from bench.errors import BenchError

    table = Table("name", "title", "train / test rows", "where", box=None, pad_edge=False)
    held = 0
    for name in DATASETS:
        try:
            definition = definition_of(name)
        except BenchError as error:  # one broken plug-in hides no other data set
            table.add_row(name, "-", "-", error.message)
            continue
        rows = definition.rows
        where, size = _where(search_for(name, data_dir=data_dir, offline=True))
        held += size
        table.add_row(name, definition.title, f"{rows[0]:,} / {rows[1]:,}" if rows else "-", where)
    console = Console()
    console.print(table)
    console.print(f"\ncached: {_mebibytes(held)}. To get one: bench data fetch NAME", highlight=False)


@app.command()
def fetch(name: Name, data_dir: DataDir = None, offline: Offline = False) -> None:
    """Find or download a data set, decode it and cache it."""
    from bench.datasets.catalog import resolve

    cached = resolve(name, data_dir=data_dir, offline=offline, say=typer.echo)
    info = cached.info
    typer.echo(
        f"{info.name}: {info.train_rows:,} train and {info.test_rows:,} test rows of "
        f"{'x'.join(map(str, info.shape))}, {len(info.class_names)} classes; {_mebibytes(cached.size)} cached; "
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


def _where(search: "Search") -> tuple[str, int]:
    """Where a data set is, in words, and the bytes it takes in the cache."""
    size = sum(cached.size for cached in search.shelf.versions())
    if size:
        return f"cached, {_mebibytes(size)}", size
    source, place = next(search.seen(), (None, None))
    return (f"{place.label}, {source.format}" if source and place else "not here"), 0


def _verdict(cached: "CachedDataset") -> str:
    return "verified" if cached.info.verified else "unverified: not the published data"


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"
