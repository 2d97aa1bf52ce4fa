"""``colorectal-histology-mnist``: 5,000 tiles of tissue from bowel cancer, in eight classes; 28x28 in colour.

The tiles are 150x150 TIFF files; Kaggle has tables made from them, at 28x28, 64x64 and 8x8 pixels. Scaled in the same
way, the tiles give every form of the tables. A tile's name gives the slide it was cut from; the tables do not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.datasets.dataset import Dataset
from bench.datasets.definition import DatasetDefinition
from bench.datasets.download import Bundle, RemoteFile, kaggle_file
from bench.datasets.hmnist import (
    GREY_8,
    GREY_28,
    GREY_64,
    RGB_8,
    RGB_28,
    Form,
    find_packed,
    form_of,
    rank_of,
    read_pictures,
    read_table,
)
from bench.datasets.pictures import Picture, PictureFormat, pictures_in
from bench.datasets.source import BrokenFile, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KNOWN = {
    "hmnist 8x8 RGB": "ff1ab574e53a3c5e36b837e8bceef70ddfaaee43ff757e5827a4fa64ad65902c",
    "hmnist 8x8 L": "cde95907b15fc3783d2c11e5add89f778f09c6807a59dfa90bb025d216ce7763",
}
"""Fingerprints by format."""
CLASSES = ("tumor", "stroma", "complex", "lympho", "debris", "mucosa", "adipose", "empty")
CLASS_FOLDERS = tuple(f"{number:02}_{name.upper()}" for number, name in enumerate(CLASSES, start=1))
ARCHIVES = ("colorectal-histology-mnist.zip", "archive.zip")
TILES = "Kather_texture_2016_image_tiles_5000"
TIFF = PictureFormat("TIFF", frozenset({".tif", ".tiff"}), (150, 150))
SLIDE = re.compile(r"CRC-Prim-HE-(\d+)")
ADVICE = "Put the whole data set there, or leave --data-dir out."
TILE_FORM = Form(150, "RGB")
TILES_DOWNLOAD = Bundle(
    (
        # Size and hash: tensorflow-datasets 4.9.10 (url_checksums); the MD5 beside them is Zenodo's own
        RemoteFile(
            f"{TILES}.zip",
            (
                f"https://zenodo.org/records/53169/files/{TILES}.zip",
                f"doi:10.5281/zenodo.53169/{TILES}.zip",
            ),
            258_098_431,
            "936d0b95ae0f04f1f7b18a2b7e8c55776c3e887d102f645bcee752d1a6626a32",
            "0ddbebfc56344752028fda72602aaade",
        ),
    ),
    shared="colorectal-tiles",
)
"""Source of every form, preferred to the tables, which name no slides."""


def table_download(form: Form) -> Bundle:
    """The table of one form, from Kaggle."""
    return Bundle((kaggle_file("kmader/colorectal-histology-mnist", form.table),))


class ColorectalHistology(DatasetDefinition):
    """The tiles of Kather et al. at 28x28, scaled or from a table of that size, else in another form.

    There is no official split. Tiles are split by slide, tables by class alone; both are the harness's own.
    """

    name = "colorectal-histology-mnist"
    title = "Colorectal Histology MNIST"
    licence = "CC BY 4.0"
    citation = "J. N. Kather et al., Scientific Reports 6:27988, 2016; doi:10.5281/zenodo.53169"
    class_names = CLASSES
    fingerprints = frozenset(KNOWN.values())
    known_formats = frozenset(KNOWN)
    ungrouped = "tiles of one slide may be in both parts: the table names no slides"
    folders = ("colorectal-histology-mnist", "colorectal_histology_mnist", "colorectal-histology")
    forms: ClassVar[tuple[Form, ...]] = (RGB_28, GREY_64, GREY_28, RGB_8, GREY_8)
    """Accepted forms, the preferred one first."""
    per_class: ClassVar[int] = 625
    downloads: ClassVar[tuple[Bundle, ...]] = (TILES_DOWNLOAD, table_download(RGB_28))

    def rank(self, source: str) -> int:
        """Rank by form."""
        return rank_of(source, self.forms)

    def find(self, folder: Path) -> Iterator[Source]:
        """For each form the tiles, then its table. Raises BrokenFile for some of the tiles and no table."""
        tiles = _tiles(folder)
        expected = self.per_class * len(CLASSES)
        held = False
        for form in self.forms:
            if len(tiles) == expected:
                held = True
                yield Source(tuple(dict.fromkeys(tile.file for tile in tiles)), f"TIFF tiles as {form.title}")
            if table := find_packed(folder, form.table, ARCHIVES):
                held = True
                yield Source((table,), f"hmnist {form.title}")
        if tiles and not held:
            place = tiles[0].file if tiles[0].member else tiles[0].file.parent.parent
            raise BrokenFile(place, f"holds {len(tiles):,} tiles, {expected:,} expected.", ADVICE)

    def read(self, source: Source) -> Dataset:
        """Images uint8 ``(n, side, side, 1 or 3)``; labels 0 to 7."""
        form = form_of(source, self.forms)
        made = self._read_tiles(source, form) if source.format.startswith("TIFF") else self._read_table(source, form)
        return replace(made, title=f"{self.title}, {form.title}")

    def _read_table(self, source: Source, form: Form) -> Dataset:
        from bench.datasets.labels import checked, line_of
        from bench.datasets.stratified import OWN_SPLIT, stratified_rows

        file = source.files[0]
        table = read_table(file, form, self.per_class * len(CLASSES))
        images = table.pixels
        labels = checked(file, table.labels, range(1, len(CLASSES) + 1), line_of(table)) - 1
        self._check_counts(file, labels)
        train, test = stratified_rows(labels, file)
        return self.dataset(
            train=(images[train], labels[train]), test=(images[test], labels[test]), scale=255, split=OWN_SPLIT
        )

    def _read_tiles(self, source: Source, form: Form) -> Dataset:
        import numpy as np

        from bench.datasets.grouped import grouped_rows, split_name
        from bench.datasets.stratified import OWN_SPLIT, stratified_rows

        zipped = len(source.files) == 1
        tiles = _in_class_folders(pictures_in(source.files[0], TIFF) if zipped else map(Picture, source.files))
        labels = np.array([CLASS_FOLDERS.index(tile.folder) for tile in tiles], dtype=np.int64)
        place = source.files[0] if zipped else source.files[0].parent.parent
        self._check_counts(place, labels)
        slides = slide_ids([tile.name for tile in tiles])
        rows = stratified_rows(labels, place) if slides is None else grouped_rows(labels, slides)
        train, test = ((read_pictures([tiles[row] for row in part], TIFF, form), labels[part]) for part in rows)
        return self.dataset(
            train=train,
            test=test,
            scale=255,
            split=OWN_SPLIT if slides is None else split_name("slide"),
            groups=(None, None) if slides is None else (slides[rows[0]], slides[rows[1]]),
        )

    def _check_counts(self, file: Path, labels: NDArray[np.int64]) -> None:
        import numpy as np

        for class_id, count in enumerate(np.bincount(labels, minlength=len(CLASSES)).tolist()):
            if count != self.per_class:
                raise BrokenFile(
                    file, f"holds {count:,} images of class {CLASSES[class_id]}, {self.per_class:,} expected.", ADVICE
                )


def slide_ids(names: Sequence[str]) -> NDArray[np.int64] | None:
    """Each tile's slide, numbered from 0 by slide number; None if a name lacks one or all are the same."""
    import numpy as np

    found = [SLIDE.search(name) for name in names]
    numbers = [int(match[1]) for match in found if match]
    if len(numbers) < len(names) or len(set(numbers)) < 2:
        return None
    return np.unique(numbers, return_inverse=True)[1].astype(np.int64)


def _tiles(folder: Path) -> list[Picture]:
    """All tiles below ``folder``: in class folders, as unpacked from the zip or as on Kaggle, or in the zip."""
    for base in (folder / TILES / TILES, folder / TILES, folder):
        groups = [base / name for name in CLASS_FOLDERS]
        if any(os.path.isdir(group) for group in groups):
            return [tile for group in groups if os.path.isdir(group) for tile in pictures_in(group, TIFF)]
    packed = folder / f"{TILES}.zip"
    return _in_class_folders(pictures_in(packed, TIFF)) if os.path.isfile(packed) else []


def _in_class_folders(pictures: Iterator[Picture] | Sequence[Picture] | map[Picture]) -> list[Picture]:
    return [picture for picture in pictures if picture.folder in CLASS_FOLDERS]


class ColorectalHistology8(ColorectalHistology):
    """8x8 in colour."""

    name = "colorectal-histology-mnist-8x8"
    forms = (RGB_8,)
    downloads = (TILES_DOWNLOAD, table_download(RGB_8))
    fingerprints = frozenset({KNOWN["hmnist 8x8 RGB"]})


class ColorectalHistology8Grey(ColorectalHistology):
    """8x8 in grey."""

    name = "colorectal-histology-mnist-8x8-grey"
    forms = (GREY_8,)
    downloads = (TILES_DOWNLOAD, table_download(GREY_8))
    fingerprints = frozenset({KNOWN["hmnist 8x8 L"]})


class ColorectalHistology28Grey(ColorectalHistology):
    """28x28 in grey."""

    name = "colorectal-histology-mnist-28x28-grey"
    forms = (GREY_28,)
    downloads = (TILES_DOWNLOAD, table_download(GREY_28))
    fingerprints = frozenset()


class ColorectalHistology64Grey(ColorectalHistology):
    """64x64 in grey."""

    name = "colorectal-histology-mnist-64x64-grey"
    forms = (GREY_64,)
    downloads = (TILES_DOWNLOAD, table_download(GREY_64))
    fingerprints = frozenset()


class ColorectalHistology150(ColorectalHistology):
    """The tiles as they are, 150x150 in colour: 337 MB."""

    name = "colorectal-histology-mnist-150x150"
    forms = (TILE_FORM,)
    downloads = (TILES_DOWNLOAD,)
    fingerprints = frozenset()
