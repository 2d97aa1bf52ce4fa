"""``bench data``: list the data sets, fetch one, check it against the published data, show, inspect or remove it."""

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
"""Least number of columns for the location of a data set."""

app = new_app(help="List, fetch, check, show, inspect and remove the data sets.")


@app.command("list")
def list_all(data_dir: DataDir = None) -> None:
    """List the data sets: their rows, and whether they are cached, on this machine, or not here.

    "Files given before" are from a data folder that is not named now: a run would not use them. Sizes count decoded
    arrays and downloads; archives kept for several data sets are listed below.
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
        typer.echo(error, err=True)  # named by the environment: data elsewhere are still listed
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
    """Recompute a data set's fingerprint, and say whether it is the published one.

    Cached arrays that were changed are decoded again first, as by every command. Exits with 1 if they are still
    damaged, or if the published data are known to differ. Says so and exits with 0 if nothing is known of them.
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
    """The rows of a data set and its location, in words: those a run would use, else the published ones."""
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
    """``maybe`` for file names that several data sets share: a list does not read the files' content."""
    from bench.datasets.places import NAMED

    is_told = place.label != NAMED or place.folder not in search.named or place.folder.name in search.folders
    return "" if is_told else "maybe "


def _print(console: "Console", lines: list[tuple[str, str, str]]) -> None:
    """Print a table; two lines per data set if the terminal is too narrow."""
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
