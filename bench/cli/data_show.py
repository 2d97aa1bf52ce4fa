"""``bench data show``: a data set at a glance, in the terminal or as a picture."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.data_options import DataDir, Name, Offline

if TYPE_CHECKING:
    from bench.datasets.dataset import Dataset, DatasetInfo

TERMINAL_IMAGES = 10
PNG_IMAGES = 50


def show(
    name: Name,
    data_dir: DataDir = None,
    offline: Offline = False,
    images: Annotated[
        int | None, typer.Option(min=1, max=1000, help="How many images.", show_default="10; 50 in a PNG file")
    ] = None,
    png: Annotated[Path | None, typer.Option(help="Write the images to this PNG file, not to the terminal.")] = None,
    via: Annotated[str, typer.Option(help="As another library's loader gives it: keras or torchvision.")] = "",
) -> None:
    """Show a data set: shapes, ranges, counts per class, and the first training images with their labels."""
    from bench.cli.report import print_text
    from bench.datasets.catalog import DATASETS, definition_of
    from bench.report.dataset_sheet import document, first_rows
    from bench.report.document import Heading
    from bench.report.pictures import as_pictures, terminal_pictures, write_png
    from bench.report.terminal import text

    info, dataset = _via(via, name, data_dir, offline) if via else _found(name, data_dir, offline)
    blocks = document(info, dataset, definition_of(name) if name in DATASETS else None)
    rows, called = first_rows(dataset.train, images or (PNG_IMAGES if png else TERMINAL_IMAGES))
    pictures = as_pictures(dataset.train.images[rows], dataset.train.scale)
    labels = [dataset.class_names[label] for label in dataset.train.labels[rows].tolist()]
    if png:
        write_png(png, pictures, labels, f"{dataset.title}: {called}")

    def render(color: bool) -> str:
        drawn = f"written: {png}\n" if png else terminal_pictures(pictures, labels, colors=_colors(color))
        return f"{text([*blocks, Heading(called, 3)] if not png else blocks, color=color)}\n{drawn}"

    print_text(render)


def _found(name: str, data_dir: Path | None, offline: bool) -> "tuple[DatasetInfo, Dataset]":
    from bench.datasets.catalog import load, resolve

    cached = resolve(name, data_dir=data_dir, offline=offline, say=lambda line: typer.echo(line, err=True))
    return cached.info, load(cached.folder)


def _via(library: str, name: str, data_dir: Path | None, offline: bool) -> "tuple[DatasetInfo, Dataset]":
    """What another library's loader gives; verified where it decodes to the published data."""
    from bench.adapters.loaders import load_via
    from bench.datasets.cache import cache_root
    from bench.datasets.catalog import definition_of, search_for
    from bench.datasets.fingerprint import fingerprint
    from bench.datasets.places import TORCHVISION_ROOTS, named_folder
    from bench.datasets.search import describe

    definition, named = definition_of(name), named_folder(data_dir)
    usual = [base / root for base in (Path(), Path("~").expanduser()) for root in TORCHVISION_ROOTS]
    roots = (*([named] if named else []), *usual, cache_root() / "downloads" / name)
    offline = search_for(name, offline=offline).offline
    dataset = load_via(library, name, definition.title, definition.class_names, roots, offline=offline)
    found = fingerprint(dataset)
    verified = found in definition.fingerprints
    return describe(dataset, found, verified=verified, source=f"the loader of {library}"), dataset


def _colors(color: bool) -> int | None:
    """How many the terminal shows: it says so itself, or 256 are safe; None for none."""
    if not color:
        return None
    return 2**24 if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") else 256
