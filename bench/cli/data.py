"""``bench data``: which data sets are here, fetching one, checking it against what was published, looking at it."""

from typing import TYPE_CHECKING

import typer

from bench.cli.data_fetch import fetch
from bench.cli.data_inspect import inspect
from bench.cli.data_options import DataDir, Name, Offline, joined, mebibytes
from bench.cli.data_progress import resolved
from bench.cli.data_remove import remove
from bench.cli.data_show import show
from bench.cli.lazy import new_app
from bench.errors import BenchError

if TYPE_CHECKING:
    from rich.console import Console

    from bench.datasets.cache import CachedDataset
    from bench.datasets.definition import DatasetDefinition
    from bench.datasets.places import Place
    from bench.datasets.search import Search

ROOM = 24
"""Columns that a table leaves to where a data set is, at least."""

app = new_app(help="List, fetch, check, show, inspect and remove the data sets.")


@app.command("list")
def list_all(data_dir: DataDir = None) -> None:
    """List the data sets: their rows, and whether they are cached, lie on this machine, or are not here.

    "Files given before" are of a data folder that is not named now: a run would not take them. Sizes count decoded
    arrays and downloads; archives that are kept for several data sets stand below.
    """
    from rich.console import Console

    from bench.datasets.cache import own_versions, shelves
    from bench.datasets.catalog import DATASETS, definition_of, search_for
    from bench.datasets.places import check_named, named_folders

    folder = joined(data_dir)
    try:
        check_named(named_folders(folder))
    except BenchError as error:
        if folder:
            raise
        typer.echo(error, err=True)  # of the environment: what lies elsewhere is listed all the same
    lines: list[tuple[str, str, str]] = []
    for name in DATASETS:
        try:
            definition = definition_of(name)
        except BenchError as error:  # one broken plug-in hides no other data set
            lines.append((name, "-", error.message))
            continue
        lines.append((name, *_held(definition, search_for(name, data_dir=folder, offline=True))))
    for cached in own_versions():
        lines.append((cached.info.name, _rows(cached), f"cached, {mebibytes(cached.size)}"))
    console = Console()
    _print(console, lines)
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

    Cached arrays that somebody changed are decoded anew first, as by every command. Exits with 1 where they are
    damaged all the same, or where the published data are known to be others. Of what nothing is known it says so, and
    exits with 0.
    """
    from bench.datasets.cache import load
    from bench.datasets.fingerprint import fingerprint
    from bench.datasets.verification import verdict

    cached = resolved(name, data_dir, offline)
    try:
        found = fingerprint(load(cached.folder))
    except BenchError as error:  # arrays that cannot even be opened are an answer, too
        typer.echo(error)
        raise typer.Exit(1) from None
    typer.echo(f"{cached.info.name}: SHA-256 over the decoded arrays {found}\n    from: {cached.info.source}")
    if found != cached.info.fingerprint:
        typer.echo(f"damaged: {cached.info.fingerprint} was cached. Run: bench data remove {cached.info.name}")
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
        return rows, f"{_maybe(search, place)}{place.label}, {source.format}"
    if others := sum(version.size for version in search.shelf.versions()):
        return rows, f"not here; {mebibytes(others)} of files given before"
    begun = search.shelf.size
    return rows, f"begun, {mebibytes(begun)}" if begun else "not here"


def _maybe(search: "Search", place: "Place") -> str:
    """Files tell the data sets that share their names only by what they hold, which a list does not read."""
    from bench.datasets.places import NAMED

    is_told = place.label != NAMED or place.folder not in search.named or place.folder.name in search.folders
    return "" if is_told else "maybe "


def _print(console: "Console", lines: list[tuple[str, str, str]]) -> None:
    """A table; two lines a data set where the terminal is too narrow for one."""
    from rich.padding import Padding
    from rich.table import Column, Table
    from rich.text import Text

    head = ("name", "train / test rows", "where")
    names, rows, _ = (max(map(len, column)) for column in zip(head, *lines, strict=True))
    if names + rows + ROOM <= console.width:
        table = Table(*(Column(name, no_wrap=name != "where") for name in head), box=None, pad_edge=False)
        for line in lines:
            table.add_row(*map(Text, line))
        console.print(table)
        return
    for name, held, where in (head, *lines):
        console.print(Text(name))
        console.print(Padding(Text(f"{held}  {where}"), (0, 0, 0, 4), expand=False))


def _rows(cached: "CachedDataset") -> str:
    return f"{cached.info.train_rows:,} / {cached.info.test_rows:,}"


app.command()(fetch)
app.command()(show)
app.command()(inspect)
app.command()(remove)
