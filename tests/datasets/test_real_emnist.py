"""EMNIST as NIST stores it: counts and hashes of every part at hand, made from other copies with other code."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from bench.datasets.cache import CachedDataset
from bench.datasets.catalog import definition_of, load, resolve
from bench.datasets.dataset import Dataset, Split

pytestmark = pytest.mark.data

FIRST_LABEL = {"letters": 1}
# Split, part, SHA-256 over the images as stored (transposed) and the labels as stored, as little-endian int64, and
# rows by class; the hashes and counts came with the files
PARTS = [
    (
        "byclass",
        "test",
        "b96272040aa55844c64fc2519a215d0324a598d99fcfc57e9f87e72631885ff9",
        "5778 6330 5869 5969 5619 5190 5705 6139 5633 5686 1062 648 1739 779 851 1440 447 521 2048 626 382 "
        "810 1485 1351 4156 1397 413 809 3508 1576 2002 796 806 432 798 464 1644 853 432 1683 4092 400 589 "
        "1479 427 317 466 2535 464 1898 466 368 505 2320 437 2965 482 468 467 470 381 451",
    ),
    (
        "mnist",
        "train",
        "33a36e254a3f8007ed620c45fb4b9a18947c20f6ee3edd0201fa52e0bc34147a",
        "1734 1736 1751 1684 1749 1731 1721 1737 1731 1794",
    ),
    (
        "mnist",
        "test",
        "1d238a16d2e2b62ce1c1dd74ca6057bdc5090d67b15ddcaa1a9e11a86045a88c",
        "1000 " * 10,
    ),
    (
        "balanced",
        "train",
        "2cc669ca72768434b626d4b718b92690e93ff1eedb072a207dedb220d9e8409c",
        "189 187 191 196 190 208 188 188 204 174 212 177 208 192 197 194 202 195 188 190 198 204 204 177 197 "
        "207 192 190 200 197 178 188 191 193 188 193 193 202 186 193 210 202 191 196 195 188 197",
    ),
    (
        "balanced",
        "test",
        "99ce208f70cb8d92f435eeec53eb7a33848f0656f33beccad6cfc4ea18841204",
        "11 4 4 5 5 8 5 3 8 7 7 6 8 6 8 9 7 5 6 8 10 7 10 5 5 3 7 4 4 4 7 12 10 10 6 5 3 6 3 7 7 5 11 9 2 6 6",
    ),
    (
        "letters",
        "train",
        "5171fa7b80633f86509c0632c36f14fe30e73cb87b71272f2cbdfea8e2e94ed0",
        "132 135 153 118 138 124 121 145 132 131 141 119 147 125 118 133 141 133 138 158 160 128 127 164 142 133",
    ),
    (
        "letters",
        "test",
        "2f25d87c83b019c63293f53b68680a758b7f3701318055aa2b4532f8dfc8ced6",
        "800 " * 18 + "400" + " 0" * 7,
    ),
    (
        "digits",
        "train",
        "4de3068c666153f93e461b434a81cd741a1577174ed35cff372124e30b53d0d7",
        "1206 1185 1164 1229 1152 1196 1193 1190 1226 1163",
    ),
    (
        "digits",
        "test",
        "1d197fa0d895abefd7964841fed88d9c6a184ce096852dc1d2243f1c41b4f96a",
        "26 30 27 22 23 22 22 26 23 17",
    ),
]


def found(split: str, data_dir: Path) -> tuple[CachedDataset, Dataset]:
    cached = resolve(f"emnist-{split}", data_dir=data_dir, offline=True)
    return cached, load(cached.folder)


def as_stored(split: str, *parts: Split) -> str:
    images = np.concatenate([part.images[..., 0] for part in parts]).transpose(0, 2, 1)
    labels = np.concatenate([part.labels for part in parts]) + FIRST_LABEL.get(split, 0)
    return hashlib.sha256(images.tobytes() + labels.astype("<i8").tobytes()).hexdigest()


@pytest.mark.parametrize(("split", "part", "expected", "counts"), PARTS, ids=[f"{row[0]}-{row[1]}" for row in PARTS])
def test_every_stored_part_is_exact(data_dir: Path, split: str, part: str, expected: str, counts: str) -> None:
    cached, data = found(split, data_dir)
    if cached.info.split.startswith("own split"):
        parts = [data.train, data.test]
    else:
        parts = [data.train if part == "train" else data.test]
    labels = np.concatenate([each.labels for each in parts])
    assert np.bincount(labels, minlength=len(data.class_names)).tolist() == [int(count) for count in counts.split()]
    assert as_stored(split, *parts) == expected


def test_byclass_without_its_training_part_is_divided_at_row_100000_and_unverified(data_dir: Path) -> None:
    cached, data = found("byclass", data_dir)
    assert (cached.info.train_rows, cached.info.test_rows) == (100_000, 16_323)
    assert (cached.info.verified, cached.info.split) == (False, "own split of the test part, by row, version 1")
    assert set(data.test.labels.tolist()) == set(range(62))


def test_a_part_of_the_rows_is_neither_verified_nor_called_official(data_dir: Path) -> None:
    cached, data = found("letters", data_dir)
    assert not cached.info.verified
    assert cached.info.split == "rows of the official split: 3,536 of 124,800 and 14,800 of 20,800"
    absent = np.setdiff1d(data.train.labels, data.test.labels)
    assert "".join(data.class_names[label] for label in absent) == "TUVWXYZ"


@pytest.mark.parametrize("split", ["letters", "balanced", "digits", "byclass", "mnist"])
def test_class_names_are_those_of_the_mapping_file(data_dir: Path, split: str) -> None:
    lines = (data_dir / "emnist" / f"emnist-{split}-mapping.txt").read_text().split("\n")
    assert definition_of(f"emnist-{split}").class_names == tuple(chr(int(line.split()[1])) for line in lines if line)


def test_pictures_are_upright(data_dir: Path) -> None:
    """A T has its bar above, an L below; lying down they would differ from left to right instead."""
    _, data = found("byclass", data_dir)
    means = {
        letter: data.train.images[data.train.labels == data.class_names.index(letter), :, :, 0].mean(axis=0)
        for letter in "TL7"
    }
    assert means["T"][:14].sum() > 1.3 * means["T"][14:].sum()
    assert means["L"][14:].sum() > 1.3 * means["L"][:14].sum()
    assert means["L"][:, :14].sum() > means["L"][:, 14:].sum()
    assert means["7"][:, 14:].sum() > means["7"][:, :14].sum()
