"""``bench data remove``: give back what the cache of data sets takes."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.data_options import mebibytes
from bench.errors import BenchError


def remove(
    name: Annotated[str, typer.Argument(help="Name of a data set, or the path of one of your own.")] = "",
    all: Annotated[bool, typer.Option("--all", help="Everything that is cached, your own data sets included.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a data set from the cache. Files of your own are never touched; what is needed is decoded anew.

    Exits with 1 if you decline.
    """
    from bench.datasets.cache import Shelf, shelves

    if bool(name) == all:
        raise BenchError("name one data set, or say --all.", "See what is cached: bench data list")
    chosen = shelves() if all else [Shelf(_shelf_name(name))]
    held = sum(shelf.size for shelf in chosen)
    what = "the cache" if all else name
    if not held:
        typer.echo(f"nothing of {what} is cached" if name else "nothing is cached")
        return
    if not yes:
        _ask(f"Remove {'all cached data sets' if all else f'{name} from the cache'} ({mebibytes(held)})?")
    for shelf in chosen:
        shelf.remove()
    typer.echo(f"removed: {mebibytes(held)}")


def _shelf_name(name: str) -> str:
    """Raises UnknownName for what is neither catalogued nor a path."""
    from bench.datasets.catalog import DATASETS, definition_of
    from bench.datasets.own import is_path, own_name

    if name not in DATASETS and is_path(name):
        return f"own/{own_name(Path(name), frozenset(DATASETS))}"
    return definition_of(name).name


def _ask(question: str) -> None:
    """Raises BenchError where nobody can answer, and ends with 1 on a no."""
    if not sys.stdin.isatty():
        raise BenchError("nobody can be asked here.", "To remove without being asked, add: --yes")
    if not typer.confirm(question):
        raise typer.Exit(1)
