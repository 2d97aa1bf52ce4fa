"""``skin-cancer-mnist`` (HAM10000): 10,015 pictures of pigmented skin lesions in seven classes; 28x28 in colour.

Kaggle has tables made from them beside the JPEG files. Many lesions were photographed more than once, so the split is
by lesion, which only the metadata name: the tables hold only pixels and labels, in the metadata's order.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.datasets.dataset import Dataset
from bench.datasets.definition import DatasetDefinition
from bench.datasets.download import Bundle, RemoteFile, kaggle_file
from bench.datasets.hmnist import (
    GREY_8,
    GREY_28,
    RGB_8,
    RGB_28,
    Form,
    find_packed,
    form_of,
    rank_of,
    read_pictures,
    read_table,
)
from bench.datasets.lesions import Lesions, check_order, read_metadata
from bench.datasets.pictures import Picture, PictureFormat, pictures_in
from bench.datasets.source import BESIDE, BrokenFile, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

METADATA = "HAM10000_metadata.csv"
ARCHIVES = ("skin-cancer-mnist-ham10000.zip", "archive.zip")
PICTURE_PLACES = (
    "HAM10000_images_part_1",
    "HAM10000_images_part_2",
    "HAM10000_images",
    "ISIC2018_Task3_Training_Input",
)
KNOWN = {"hmnist 8x8 L": "68afa69b6a46caca696d5148d8be49fbe1eae6c3b2b918d6f22ca4ea1b003a78"}
"""Fingerprint by format."""
KAGGLE = "kmader/skin-cancer-mnist-ham10000/versions/2"
DATAVERSE = "https://dataverse.harvard.edu/api/access/datafile"
DOI = "doi:10.7910/DVN/DBW86T"
PICTURES_DOWNLOAD = Bundle(
    # Numbers and MD5: Dataverse, version 4.0 of the data set. It hashes the metadata's original, not its own .tab
    (
        RemoteFile(METADATA, (f"{DATAVERSE}/4338392?format=original",), 0, "", "8f85fb1aa29d80a2797247e434deb79d"),
        *(
            RemoteFile(f"{name}.zip", (f"{DATAVERSE}/{number}", f"{DOI}/{name}.zip"), 0, "", md5)
            for name, number, md5 in zip(
                PICTURE_PLACES[:2],
                (3172585, 3172584),
                ("4639bfa73ab251610530a97c898e6e46", "da43d6cc50f6613013be07e8986b384b"),
                strict=True,
            )
        ),
    ),
    shared="ham10000-pictures",
)
"""The pictures themselves, some 2.7 GB, from which every form can be made; the tables are preferred."""


def table_download(form: Form) -> Bundle:
    """The table of one form and the metadata, from Kaggle."""
    return Bundle((kaggle_file(KAGGLE, METADATA), kaggle_file(KAGGLE, form.table)))


class SkinCancer(DatasetDefinition):
    """Tschandl, Rosendahl and Kittler's HAM10000, two thirds of it moles: balanced accuracy tells more than accuracy.

    There is no official split; the harness cuts its own, with no lesion on both sides.
    """

    name = "skin-cancer-mnist"
    title = "Skin Cancer MNIST (HAM10000)"
    licence = "CC BY-NC-SA 4.0 (non-commercial use only)"
    restricted = True
    citation = "P. Tschandl, C. Rosendahl, H. Kittler, Scientific Data 5:180161, 2018; doi:10.7910/DVN/DBW86T"
    class_names = ("akiec", "bcc", "bkl", "df", "nv", "vasc", "mel")
    rows = (8_010, 2_005)
    fingerprints = frozenset(KNOWN.values())
    known_formats = frozenset(KNOWN)
    folders = ("skin-cancer-mnist", "skin-cancer-mnist-ham10000", "skin_cancer_mnist", "HAM10000", "ham10000")
    forms: ClassVar[tuple[Form, ...]] = (RGB_28, GREY_28, RGB_8, GREY_8)
    """Accepted forms, the preferred one first."""
    images: ClassVar[int] = 10_015
    picture_format: ClassVar[PictureFormat] = PictureFormat("JPEG", frozenset({".jpg", ".jpeg"}), (600, 450))
    downloads = (table_download(RGB_28), PICTURES_DOWNLOAD)

    def rank(self, source: str) -> int:
        """Rank by form."""
        return rank_of(source, self.forms)

    def find(self, folder: Path) -> Iterator[Source]:
        """For each form its table, then the JPEG files. Raises BrokenFile for missing metadata."""
        metadata = find_packed(folder, METADATA, ARCHIVES)
        tables = {form: find_packed(folder, form.table, ARCHIVES) for form in self.forms}
        pictures = _pictures(folder, self.picture_format)
        present = [table for table in tables.values() if table] + [picture.file for picture in pictures[:1]]
        if present and metadata is None:
            raise BrokenFile(
                folder / METADATA,
                f"is missing: without it nothing tells which pictures in {present[0].name} show one lesion.",
                BESIDE,
            )
        if metadata is None:
            return
        for form, table in tables.items():
            if table:
                yield Source((table, metadata), f"hmnist {form.title}")
            if len(pictures) >= self.images:
                files = dict.fromkeys(picture.file for picture in pictures)
                yield Source((metadata, *files), f"JPEG as {form.title}")
        if pictures and not any(tables.values()) and len(pictures) < self.images:
            raise BrokenFile(
                pictures[0].file.parent,
                f"and its like hold {len(pictures):,} pictures, {self.images:,} expected.",
                "Add the others, or omit --data-dir.",
            )

    def read(self, source: Source) -> Dataset:
        """Images uint8 ``(n, side, side, 1 or 3)``; labels 0 to 6; groups are lesions."""
        form = form_of(source, self.forms)
        made = self._read_pictures(source, form) if source.format.startswith("JPEG") else self._read_table(source, form)
        return replace(made, title=f"{self.title}, {form.title}")

    def _read_table(self, source: Source, form: Form) -> Dataset:
        from bench.datasets.grouped import grouped_rows

        file, metadata = source.files
        lesions = read_metadata(metadata, METADATA, self.class_names, self.images)
        table = read_table(file, form, self.images)
        check_order(file, metadata, table, lesions, self.class_names)
        train, test = grouped_rows(lesions.labels, lesions.lesions)
        return self._made(lesions, (train, test), (table.pixels[train], table.pixels[test]))

    def _read_pictures(self, source: Source, form: Form) -> Dataset:
        from bench.datasets.grouped import grouped_rows

        metadata, *files = source.files
        lesions = read_metadata(metadata, METADATA, self.class_names, self.images)
        by_name = {_stem(picture): picture for file in files for picture in self._expanded(file)}
        missing = next((name for name in lesions.pictures if name not in by_name), None)
        if missing:
            raise BrokenFile(metadata, f"names {missing}, but no such picture exists.", "Unpack the pictures again.")
        parts = grouped_rows(lesions.labels, lesions.lesions)
        train, test = (
            read_pictures([by_name[lesions.pictures[row]] for row in rows], self.picture_format, form) for rows in parts
        )
        return self._made(lesions, parts, (train, test))

    def _expanded(self, file: Path) -> list[Picture]:
        return pictures_in(file, self.picture_format) if file.suffix == ".zip" else [Picture(file)]

    def _made(
        self,
        lesions: Lesions,
        rows: tuple[NDArray[np.int64], NDArray[np.int64]],
        images: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    ) -> Dataset:
        from bench.datasets.grouped import split_name

        train, test = rows
        return self.dataset(
            train=(images[0], lesions.labels[train]),
            test=(images[1], lesions.labels[test]),
            scale=255,
            split=split_name("lesion"),
            groups=(lesions.lesions[train], lesions.lesions[test]),
        )


def _pictures(folder: Path, wanted: PictureFormat) -> list[Picture]:
    """Every picture below ``folder`` once, in folders as Kaggle, Dataverse and ISIC name them, or such zips."""
    found: dict[str, Picture] = {}
    for name in PICTURE_PLACES:
        for place in (folder / name, folder / f"{name}.zip"):
            if os.path.isdir(place) or os.path.isfile(place):
                for picture in pictures_in(place, wanted):
                    found.setdefault(_stem(picture), picture)
    return list(found.values())


def _stem(picture: Picture) -> str:
    return picture.name.rpartition(".")[0]


class SkinCancer8(SkinCancer):
    """8x8 in colour."""

    name = "skin-cancer-mnist-8x8"
    forms = (RGB_8,)
    downloads = (table_download(RGB_8), PICTURES_DOWNLOAD)
    fingerprints = frozenset()


class SkinCancer8Grey(SkinCancer):
    """8x8 in grey."""

    name = "skin-cancer-mnist-8x8-grey"
    forms = (GREY_8,)
    downloads = (table_download(GREY_8), PICTURES_DOWNLOAD)


class SkinCancer28Grey(SkinCancer):
    """28x28 in grey."""

    name = "skin-cancer-mnist-28x28-grey"
    forms = (GREY_28,)
    downloads = (table_download(GREY_28), PICTURES_DOWNLOAD)
    fingerprints = frozenset()
