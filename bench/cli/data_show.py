"""``bench data show``: data sets at a glance, in the terminal or as one picture."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.data_options import DataDir, Offline, check_target, joined
from bench.cli.data_progress import resolved
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.datasets.dataset import Dataset, DatasetInfo

TERMINAL_IMAGES = 10
PNG_IMAGES = 50


def show(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME...", help="Names of data sets, or paths of your own.", show_default=False),
    ],
    data_dir: DataDir = None,
    offline: Offline = False,
    images: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="How many images of each.", show_default="10; 50 of one in a PNG file"),
    ] = None,
    png: Annotated[Path | None, typer.Option(help="Write the images to this PNG file, not to the terminal.")] = None,
    via: Annotated[str, typer.Option(help="As another library's loader gives it: keras or torchvision.")] = "",
) -> None:
    """Show data sets: shapes, ranges, counts per class, and the first training images with their labels."""
    from bench.cli.report import print_text
    from bench.cli.screen import colors, columns
    from bench.report.dataset_sheet import Glance
    from bench.report.picture_file import write_png

    _check(names, png)
    wanted = images or (PNG_IMAGES if png and len(names) == 1 else TERMINAL_IMAGES)
    seen = [
        Glance(*(_via(via, name, data_dir, offline) if via else _found(name, data_dir, offline)), wanted)
        for name in names
    ]
    if png:
        write_png(png, [one.sheet() for one in seen])

    def render(color: bool) -> str:
        shown = (one.text(columns(), color=color, colors=colors(color), pictures=png is None) for one in seen)
        return "\n".join(shown) + (f"\nwritten: {png}\n" if png else "")

    print_text(render)


def _check(names: list[str], png: Path | None) -> None:
    """Raises BenchError for what would fail, before anything is decoded."""
    from bench.datasets.catalog import definition_of, is_own
    from bench.datasets.own import own_source

    for name in names:
        if is_own(name):
            own_source(Path(os.path.expanduser(name)))
        else:
            definition_of(name)
    if png is None:
        return
    if png.suffix.lower() not in ("", ".png"):
        raise BenchError(f"{str(png)!r} would hold PNG.", f"Name it so: --png {png.with_suffix('.png')}")
    check_target(png, "--png")


def _found(name: str, data_dir: list[Path] | None, offline: bool) -> "tuple[DatasetInfo, Dataset]":
    from bench.datasets.cache import load

    cached = resolved(name, data_dir, offline)
    return cached.info, load(cached.folder)


def _via(library: str, name: str, data_dir: list[Path] | None, offline: bool) -> "tuple[DatasetInfo, Dataset]":
    """The data from another library's loader; verified if they decode to the published data."""
    from bench.adapters.loaders import load_via
    from bench.datasets.cache import cache_root
    from bench.datasets.catalog import definition_of, search_for
    from bench.datasets.dataset import DatasetInfo
    from bench.datasets.fingerprint import fingerprint
    from bench.datasets.places import TORCHVISION_ROOTS, named_folders

    definition = definition_of(name)
    usual = [base / root for base in (Path(), Path(os.path.expanduser("~"))) for root in TORCHVISION_ROOTS]
    roots, own = (*named_folders(joined(data_dir)), *usual), cache_root() / "downloads" / name / library
    offline = search_for(name, offline=offline).offline
    dataset = load_via(library, name, definition.title, definition.class_names, roots, own, offline=offline)
    dataset = replace(dataset, split=definition.split_of(len(dataset.train), len(dataset.test)))
    found = fingerprint(dataset)
    verified = found in definition.fingerprints
    return DatasetInfo.of(dataset, found, verified=verified, source=f"the loader of {library}"), dataset
