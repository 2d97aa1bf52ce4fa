"""``bench data``: which data sets are here, fetching one, checking it against what was published, looking at it."""

from typing import TYPE_CHECKING

import typer

from bench.cli.data_fetch import fetch
from bench.cli.data_inspect import inspect
from bench.cli.data_options import DataDir, Name, Offline, mebibytes
from bench.cli.data_progress import resolved
from bench.cli.data_remove import remove
from bench.cli.data_show import show
from bench.cli.lazy import new_app

if TYPE_CHECKING:
    from bench.datasets.cache import CachedDataset
    from bench.datasets.definition import DatasetDefinition
    from bench.datasets.search import Search

app = new_app(help="List, fetch, check, show, inspect and remove the data sets.")


@app.command("list")
def list_all(data_dir: DataDir = None) -> None:
    """List the data sets: their rows, and whether they are cached, lie on this machine, or are not here.

    "Files given before" are of a data folder that is not named now: a run would not take them. Sizes count decoded
    arrays and downloads; archives that are kept for several data sets stand below.
    """
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
        table.add_row(name, *_held(definition, search_for(name, data_dir=data_dir, offline=True)))
    for cached in own_versions():
        table.add_row(cached.info.name, _rows(cached), f"cached, {mebibytes(cached.size)}")
    console = Console()
    console.print(table)
    console.print()
    held = shelves()
    for shelf in held:
        if shelf.name not in DATASETS and not shelf.is_own:
            console.print(f"kept for several data sets: {shelf.name}, {mebibytes(shelf.size)}", highlight=False)
    in_all = mebibytes(sum(shelf.size for shelf in held))
    console.print(f"cached: {in_all} in all. To get one: bench data fetch NAME", highlight=False)


@app.command()
def check(name: Name, data_dir: DataDir = None, offline: Offline = False) -> None:
    """Compute a data set's fingerprint anew, and say whether it is the published one.

    Exits with 1 where the cached arrays are damaged, or where the published data are known to be others. Of what
    nothing is known it says so, and exits with 0.
    """
    from bench.datasets.cache import load
    from bench.datasets.fingerprint import fingerprint
    from bench.datasets.verification import verdict

    cached = resolved(name, data_dir, offline)
    found = fingerprint(load(cached.folder))
    typer.echo(f"{cached.info.name}: SHA-256 over the decoded arrays {found}\n    from: {cached.info.source}")
    if found != cached.info.fingerprint:
        typer.echo(
            f"damaged: {cached.info.fingerprint} was cached. Delete {cached.folder} and run: bench data fetch {name}"
        )
        raise typer.Exit(1)
    found_to_be = verdict(cached.info)
    typer.echo(found_to_be.words)
    if found_to_be.differs:
        raise typer.Exit(1)


def _held(definition: "DatasetDefinition", search: "Search") -> tuple[str, str]:
    """The rows of a data set, and where it is, in words: of what a run would take, else of what is published."""
    if ready := search.ready():
        return _rows(ready), f"cached, {mebibytes(search.shelf.size)}"
    rows = f"{definition.rows[0]:,} / {definition.rows[1]:,}" if definition.rows else "-"
    source, place = next(search.seen(), (None, None))
    if source and place:
        return rows, f"{place.label}, {source.format}"
    if others := sum(version.size for version in search.shelf.versions()):
        return rows, f"not here; {mebibytes(others)} of files given before"
    begun = search.shelf.size
    return rows, f"begun, {mebibytes(begun)}" if begun else "not here"


def _rows(cached: "CachedDataset") -> str:
    return f"{cached.info.train_rows:,} / {cached.info.test_rows:,}"


app.command()(fetch)
app.command()(show)
app.command()(inspect)
app.command()(remove)
