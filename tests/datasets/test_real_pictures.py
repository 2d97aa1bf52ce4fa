"""Sign language, tissues and lesions: the stored files themselves, read through the readers."""

import csv
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.datasets.cache import CachedDataset
from bench.datasets.catalog import definition_of, load, resolve
from bench.datasets.colorectal import CLASS_FOLDERS, TIFF, TILES
from bench.datasets.dataset import Dataset
from bench.datasets.grouped import grouped_rows
from bench.datasets.hmnist import GREY_8, RGB_8, RGB_28, read_table
from bench.datasets.lesions import check_order, read_metadata, resemblance
from bench.datasets.pictures import Picture, PictureFormat, decoded
from bench.datasets.skin_cancer import METADATA, SkinCancer
from bench.datasets.source import BrokenFile
from bench.datasets.stratified import stratified_rows

pytestmark = pytest.mark.data

# SHA-256 over the images and labels (little-endian int64) as stored, and counts by stored label, made with other code
SIGN_LANGUAGE = {
    "train": "0ce7a1f94b1f0700cecbbad03378b733262ca6e56f445d9f02f5ae956f531a7b",
    "test": "068c381839061d772d05ee68df07435ceacb99f9e5536be03641d1f57fdc3978",
}
SIGN_COUNTS = {
    "train": "1126 1010 1144 1196 957 1204 1090 1013 1162 0 1114 1241 1055 1151 1196 1088 1279 1294 1199 1186 1161 "
    "1082 1225 1164 1118",
    "test": "331 432 310 245 498 247 348 436 288 0 331 209 394 291 246 347 164 144 246 248 266 346 206 267 332",
}
SKIN_28 = "808f43713102d3f7117dc461d239e9781497f456e00e78c74d6c5039f18e8192"
SKIN_8_GREY = "a93f315a82c19cc56bad6bc2d1a5c10f81494f3efa08830a6df83d478b98de45"
SKIN_COUNTS = [327, 514, 1099, 115, 6705, 142, 1113]
COLORECTAL_8 = "ac1037c098d0433975f944d7e1cd9d4b50a3396275f4ed4706043ff2e6cd1556"
COLORECTAL_8_GREY = "eb231ac60d44ce2a2ceb07a470002d3ea8d5e1018c91efde9318a8360aa46ad0"
SMALL_JPEG = PictureFormat("JPEG", frozenset({".jpg"}), (200, 150))


def stored_hash(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> str:
    return hashlib.sha256(images.tobytes() + labels.astype("<i8").tobytes()).hexdigest()


def resolved(name: str, data_dir: Path) -> tuple[CachedDataset, Dataset]:
    cached = resolve(name, data_dir=data_dir, offline=True)
    return cached, load(cached.folder)


def joined(
    data: Dataset, rows: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Both parts as one, each image in the row it came from."""
    order = np.argsort(np.concatenate(rows))
    images = np.concatenate([data.train.images, data.test.images])[order]
    return images.astype(np.uint8), np.concatenate([data.train.labels, data.test.labels])[order]


def test_sign_language_is_exact_in_pixels_rows_and_labels(data_dir: Path) -> None:
    cached, data = resolved("sign-language-mnist", data_dir)
    assert (cached.info.train_rows, cached.info.test_rows, cached.info.shape) == (27_455, 7_172, (28, 28, 1))
    for name, part in (("train", data.train), ("test", data.test)):
        stored = part.labels + (part.labels >= 9)
        assert stored_hash(np.asarray(part.images), stored) == SIGN_LANGUAGE[name]
        assert np.bincount(stored, minlength=25).tolist() == list(map(int, SIGN_COUNTS[name].split()))
        assert [data.class_names[label] for label in part.labels[:200]] == [chr(65 + label) for label in stored[:200]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("colorectal-histology-mnist", COLORECTAL_8),
        ("colorectal-histology-mnist-8x8", COLORECTAL_8),
        ("colorectal-histology-mnist-8x8-grey", COLORECTAL_8_GREY),
    ],
)
def test_colorectal_tables_are_exact_verified_and_split_by_class(data_dir: Path, name: str, expected: str) -> None:
    cached, data = resolved(name, data_dir)
    labels = np.repeat([2, 5, 7, 6, 8, 1, 4, 3], 625) - 1
    images, held = joined(data, stratified_rows(labels, data_dir))
    assert stored_hash(images, held + 1) == expected
    assert cached.info.verified
    assert np.bincount(data.train.labels).tolist() == [500] * 8
    assert np.bincount(data.test.labels).tolist() == [125] * 8


@pytest.mark.parametrize(
    ("name", "expected", "verified"),
    [("skin-cancer-mnist", SKIN_28, False), ("skin-cancer-mnist-8x8-grey", SKIN_8_GREY, True)],
    ids=["28x28 RGB, remade", "8x8 L"],
)
def test_skin_cancer_tables_are_exact_and_split_by_lesion(
    data_dir: Path, name: str, expected: str, verified: bool
) -> None:
    cached, data = resolved(name, data_dir)
    with (data_dir / "skin-cancer-mnist" / METADATA).open(newline="") as file:
        rows = list(csv.DictReader(file))
    classes = np.array([data.class_names.index(row["dx"]) for row in rows])
    lesions = np.unique([row["lesion_id"] for row in rows], return_inverse=True)[1]
    parts = grouped_rows(classes, lesions)
    images, held = joined(data, parts)
    assert stored_hash(images, held) == expected
    assert cached.info.verified is verified
    assert np.bincount(held).tolist() == SKIN_COUNTS
    assert set(lesions[parts[0]]).isdisjoint(lesions[parts[1]])
    assert data.train.groups is not None
    assert data.test.groups is not None
    assert np.array_equal(data.test.groups, lesions[parts[1]])
    for count, test_count in zip(SKIN_COUNTS, np.bincount(data.test.labels), strict=True):
        assert abs(test_count - count / 5) <= 3  # half of the six pictures of the largest lesion


def test_the_metadata_name_7470_lesions_of_which_1956_have_several_pictures(data_dir: Path) -> None:
    lesions = read_metadata(data_dir / "skin-cancer-mnist" / METADATA, METADATA, SkinCancer.class_names, 10_015)
    pictures = np.bincount(lesions.lesions)
    assert (len(pictures), int((pictures > 1).sum()), int(pictures[pictures > 1].sum())) == (7_470, 1_956, 4_501)


def test_lesions_vouch_for_the_order_of_the_published_table_and_not_for_a_shuffled_one(data_dir: Path) -> None:
    folder = data_dir / "skin-cancer-mnist"
    lesions = read_metadata(folder / METADATA, METADATA, SkinCancer.class_names, 10_015)
    file = folder / "hmnist_8_8_L.csv.gz"
    table = read_table(file, GREY_8, 10_015)
    share, pairs = resemblance(table.pixels, lesions)
    assert pairs == 10_015 - 7_470
    assert share == pytest.approx(0.712, abs=0.001)
    drawn = np.random.default_rng(0)
    shuffled = np.arange(10_015)
    for class_id in range(7):
        rows = np.flatnonzero(lesions.labels == class_id)
        shuffled[rows] = drawn.permutation(rows)
    moved = replace(table, pixels=table.pixels[shuffled])
    with pytest.raises(BrokenFile, match="no more alike than others"):
        check_order(file, folder / METADATA, moved, lesions, SkinCancer.class_names)


def test_tiles_scaled_to_8x8_are_rows_of_the_tables_in_colour_and_in_grey(data_dir: Path) -> None:
    folder = data_dir / "colorectal-histology-mnist"
    colour = read_table(folder / "hmnist_8_8_RGB.csv.gz", RGB_8, 5_000)
    grey = read_table(folder / "hmnist_8_8_L.csv.gz", GREY_8, 5_000)
    tiles = [Picture(file) for file in sorted((folder / TILES).rglob("*.tif"))]
    assert len(tiles) == 24
    for tile, in_colour, in_grey in zip(
        tiles, decoded(tiles, TIFF, (8, 8), "RGB"), decoded(tiles, TIFF, (8, 8), "L"), strict=True
    ):
        rows = np.flatnonzero((colour.pixels == in_colour).all(axis=(1, 2, 3)))
        assert len(rows) == 1
        assert colour.labels[rows[0]] == CLASS_FOLDERS.index(tile.folder) + 1
        assert np.array_equal(grey.pixels[rows[0]], in_grey)


def test_jpeg_files_scaled_down_are_the_rows_that_the_metadata_give_them(data_dir: Path) -> None:
    folder = data_dir / "skin-cancer-mnist"
    lesions = read_metadata(folder / METADATA, METADATA, SkinCancer.class_names, 10_015)
    published = read_table(folder / "hmnist_8_8_L.csv.gz", GREY_8, 10_015)
    remade = read_table(folder / "hmnist_28_28_RGB.csv.gz", RGB_28, 10_015)
    pictures = [Picture(file) for file in sorted(folder.glob("HAM10000_images_part_*/*.jpg"))]
    assert len(pictures) == 35
    rows = [lesions.pictures.index(picture.file.stem) for picture in pictures]
    colour = np.stack(list(decoded(pictures, SMALL_JPEG, (28, 28), "RGB")))
    assert np.array_equal(colour, remade.pixels[rows])  # made of these same pictures, by Pillow alone
    grey = np.stack(list(decoded(pictures, SMALL_JPEG, (8, 8), "L"))).astype(int)
    assert np.abs(grey - published.pixels[rows]).max() <= 2  # made of the pictures at three times the size


def test_every_form_has_a_name_of_its_own_and_says_what_is_missing(data_dir: Path) -> None:
    folder = data_dir / "colorectal-histology-mnist"
    with pytest.raises(BrokenFile, match="holds 24 tiles, 5,000 expected"):
        list(definition_of("colorectal-histology-mnist-150x150").find(folder))
