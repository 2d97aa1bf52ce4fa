"""``bench data remove``: remove data sets from the cache."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.data_options import mebibytes
from bench.cli.data_progress import aside
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.datasets.cache import Shelf


def remove(
    name: Annotated[str, typer.Argument(help="Name of a data set; of your own also the path.")] = "",
    all: Annotated[bool, typer.Option("--all", help="Everything that is cached, your own data sets included.")] = False,
    downloads: Annotated[
        bool, typer.Option("--downloads", help="With NAME: also an archive that other cached data sets are read from.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a data set from the cache, with its downloads. Files of your own are never touched.

    An archive that several data sets are read from (EMNIST's six) is removed with its last cached data set, or at once
    with --downloads. Data needed later are decoded or fetched again; an accepted licence stays accepted. Exits with 1
    if you decline.
    """
    from bench.datasets.cache import shelves

    if bool(name) == all or (all and downloads):
        raise BenchError("name one data set, or say --all.", "See what is cached: bench data list")
    chosen = shelves() if all else _shelves_of(name, downloads)
    held = sum(shelf.size for shelf in chosen)
    what = "the cache" if all else name
    if not held:
        typer.echo(f"nothing of {what} is cached" if name else "nothing is cached")
        return
    if not yes:
        _ask(f"Remove {'all cached data sets' if all else f'{name} from the cache'} ({mebibytes(held)})?")
    for shelf in chosen:
        shelf.remove(partial(aside, f"waiting for another process that uses {shelf.name}"))
    typer.echo(f"removed: {mebibytes(held)}")


def _shelves_of(name: str, downloads: bool) -> "list[Shelf]":
    """The data set's own, and those of archives removed with it. Raises UnknownName if neither name nor path."""
    from bench.datasets.cache import Shelf, own_versions
    from bench.datasets.catalog import DATASETS, definition_of, is_own, shared_downloads
    from bench.datasets.own import own_name

    if is_own(name):
        return [Shelf(f"own/{own_name(Path(name), frozenset(DATASETS))}")]
    if name not in DATASETS and name in {cached.info.name for cached in own_versions()}:  # as the list calls it
        return [Shelf(f"own/{name}")]
    archives = [
        Shelf(shared)
        for shared, others in shared_downloads(name).items()
        if downloads or not any(Shelf(other).versions() for other in others)
    ]
    return [Shelf(definition_of(name).name), *archives]


def _ask(question: str) -> None:
    """Raise BenchError without a terminal to ask on; exit with 1 on a no."""
    if not sys.stdin.isatty():
        raise BenchError("cannot ask for confirmation: not a terminal.", "To remove without confirmation, add: --yes")
    if not typer.confirm(question):
        raise typer.Exit(1)
