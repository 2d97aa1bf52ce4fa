import gzip
from pathlib import Path

import numpy as np
import pytest

from bench.datasets.catalog import definition_of
from bench.datasets.dataset import Dataset
from bench.datasets.emnist import EmnistDigits, EmnistLetters
from bench.datasets.row_split import training_rows
from bench.datasets.search import Search
from bench.datasets.source import BrokenFile
from tests.datasets.small import idx_bytes
from tests.datasets.small_emnist import LETTERS_MAPPING, digits_split, lay, letters, part_files, upright


def read(folder: Path, definition: EmnistLetters | EmnistDigits | None = None) -> Dataset:
    wanted = definition or EmnistLetters()
    return wanted.read(next(wanted.find(folder)))


def message(folder: Path) -> str:
    with pytest.raises(BrokenFile) as caught:
        read(folder)
    return caught.value.message


def unpacked(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name.removesuffix(".gz"): gzip.decompress(body) if ".gz" in name else body for name, body in files.items()}


@pytest.mark.parametrize("wrap", [dict, unpacked], ids=["gzipped", "plain"])
def test_letters_come_out_upright_with_labels_from_0(tmp_path: Path, wrap: type[dict[str, bytes]]) -> None:
    data = read(lay(tmp_path, wrap(letters())))
    assert data.train.images.shape == (40, 28, 28, 1)
    assert (data.train.images[..., 0] == upright(40, 1)).all()
    assert (data.test.images[..., 0] == upright(30, 2)).all()
    assert data.train.labels.tolist() == [row % 26 for row in range(40)]
    assert data.class_names == tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def test_more_images_than_are_turned_at_once_come_out_upright(tmp_path: Path) -> None:
    images = np.arange(8200, dtype=np.uint16).view(np.uint8).reshape(-1, 2)  # the row's number, in two pixels
    pictures = np.zeros((8200, 28, 28), np.uint8)
    pictures[:, 0, 5], pictures[:, 3, 0] = images[:, 0], images[:, 1]
    stored = pictures.transpose(0, 2, 1).tobytes()
    files = letters() | {"emnist-letters-train-images-idx3-ubyte.gz": gzip.compress(idx_bytes((8200, 28, 28), stored))}
    labels = idx_bytes((8200,), bytes([1]) * 8200)
    data = read(lay(tmp_path, files | {"emnist-letters-train-labels-idx1-ubyte.gz": labels}))
    assert (data.train.images[..., 0] == pictures).all()


# Classes and rows: Cohen et al. 2017, table II, and the files' own headers (torchvision's and NIST's page)
@pytest.mark.parametrize(
    ("name", "classes", "rows", "last"),
    [
        ("emnist-byclass", 62, (697_932, 116_323), "z"),
        ("emnist-bymerge", 47, (697_932, 116_323), "t"),
        ("emnist-balanced", 47, (112_800, 18_800), "t"),
        ("emnist-letters", 26, (124_800, 20_800), "Z"),
        ("emnist-digits", 10, (240_000, 40_000), "9"),
        ("emnist-mnist", 10, (60_000, 10_000), "9"),
    ],
)
def test_each_split_has_its_classes_and_rows(name: str, classes: int, rows: tuple[int, int], last: str) -> None:
    definition = definition_of(name)
    assert (len(set(definition.class_names)), definition.rows) == (classes, rows)
    assert definition.class_names[-1] == last


@pytest.mark.parametrize("label", [0, 27])
def test_a_label_outside_1_to_26_is_refused_among_letters(tmp_path: Path, label: int) -> None:
    wrong = part_files("emnist-letters", "test", upright(3, 2), [1, label, 26])
    said = message(lay(tmp_path, letters() | wrong))
    assert said == f"emnist-letters-test-labels-idx1-ubyte.gz holds label {label} in row 1; 1 to 26 expected."


def test_a_label_above_9_is_refused_among_digits(tmp_path: Path) -> None:
    wrong = part_files("emnist-digits", "test", upright(2, 2), [9, 10])
    with pytest.raises(BrokenFile, match="holds label 10 in row 1; 0 to 9 expected"):
        read(lay(tmp_path, digits_split() | wrong), EmnistDigits())


def test_images_of_another_size_and_counts_that_differ_are_refused(tmp_path: Path) -> None:
    small = idx_bytes((30, 8, 8), bytes(30 * 64))
    said = message(lay(tmp_path / "a", letters() | {"emnist-letters-test-images-idx3-ubyte.gz": small}))
    assert "holds images of 8x8 pixels; 28x28 expected" in said
    fewer = idx_bytes((29,), bytes([1] * 29))
    said = message(lay(tmp_path / "b", letters() | {"emnist-letters-test-labels-idx1-ubyte.gz": fewer}))
    assert "holds 30 images, but emnist-letters-test-labels-idx1-ubyte.gz holds 29 labels" in said


def test_images_without_their_labels_are_refused_by_name(tmp_path: Path) -> None:
    (lay(tmp_path, letters()) / "emnist-letters-test-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(BrokenFile, match=r"test-labels-idx1-ubyte.gz is missing; emnist-letters-test-images"):
        next(EmnistLetters().find(tmp_path))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((b"\r\n3 67 99", b"\r\n3 68 100"), "says that label 3 stands for 'D'; 'C' expected."),
        ((b"26 90 122\r\n", b""), "says that label 26 stands for nothing; 'Z' expected."),
        ((b"1 65 97", b"0 64\r\n1 65 97"), "says that label 0 stands for '@'; nothing expected."),
        ((b"2 66 98", b"two"), "has 'two' in line 2; a label and codes of characters expected."),
        ((b"2 66 98", b"2 -1"), "has '2 -1' in line 2; a label and codes of characters expected."),
        ((b"2 66 98", b"2 \xff"), "is not plain text."),
    ],
)
def test_a_mapping_file_that_names_other_characters_is_refused(
    tmp_path: Path, change: tuple[bytes, bytes], said: str
) -> None:
    files = letters() | {"emnist-letters-mapping.txt": LETTERS_MAPPING.replace(*change)}
    assert message(lay(tmp_path, files)) == f"emnist-letters-mapping.txt {said}"


def test_files_without_a_mapping_are_enough(tmp_path: Path) -> None:
    (lay(tmp_path, letters()) / "emnist-letters-mapping.txt").unlink()
    assert len(read(tmp_path).train) == 40


def test_a_training_part_that_is_missing_is_made_of_the_first_test_rows(tmp_path: Path) -> None:
    lay(tmp_path / "data" / "emnist", part_files("emnist-letters", "test", upright(70, 2), [1, 2] * 35))
    cached = Search(EmnistLetters(), tmp_path / "data", True, print).run()
    data = read(tmp_path / "data" / "emnist")
    assert cached.info.split == "own split of the test part, by row, version 1"
    assert (cached.info.verified, cached.info.source) == (False, "IDX, test part only, the user's folder")
    assert (data.train.images[..., 0] == upright(70, 2)[:60]).all()
    assert (data.test.images[..., 0] == upright(70, 2)[60:]).all()
    assert data.test.labels.tolist() == [0, 1] * 5


def test_rows_in_the_order_of_their_classes_are_divided_within_each_class(tmp_path: Path) -> None:
    lay(tmp_path, part_files("emnist-letters", "train", upright(60, 2), [1] * 20 + [2] * 20 + [3] * 20))
    data = read(tmp_path)
    assert data.split == "own split of the train part, stratified, version 1"
    assert [np.bincount(part.labels).tolist() for part in (data.train, data.test)] == [[16] * 3, [4] * 3]


def test_a_part_without_two_rows_of_any_class_cannot_be_divided(tmp_path: Path) -> None:
    lay(tmp_path, part_files("emnist-letters", "train", upright(3, 2), [1, 2, 3]))
    assert message(tmp_path).endswith("no class with two rows: too few to cut a test part from.")


@pytest.mark.parametrize(
    ("rows", "expected"), [(116_323, 100_000), (697_932, 600_000), (10_000, 8_600), (70, 60), (8, 6), (2, 1)]
)
def test_six_sevenths_in_round_numbers_are_training_rows(rows: int, expected: int) -> None:
    assert training_rows(rows) == expected


def test_a_part_of_the_published_rows_is_not_called_the_official_split(tmp_path: Path) -> None:
    assert read(lay(tmp_path, letters())).split == "rows of the official split: 40 of 124,800 and 30 of 20,800"


@pytest.mark.parametrize(
    ("place", "label"),
    [
        ("home/data/EMNIST/raw", "torchvision's folder"),
        ("home/.keras/datasets/emnist", "Keras' folder"),
        ("kaggle/emnist/emnist_source_files", "Kaggle input"),
    ],
)
def test_files_are_found_where_other_software_puts_them(tmp_path: Path, place: str, label: str) -> None:
    lay(tmp_path / place, unpacked(letters()))
    assert Search(EmnistLetters(), None, True, print).run().info.source == f"IDX, {label}"


def test_each_split_in_a_folder_of_all_reads_its_own_files(tmp_path: Path) -> None:
    lay(tmp_path, letters() | digits_split())
    assert len(read(tmp_path, EmnistDigits()).train) == 20
    assert len(read(tmp_path).train) == 40
    assert list(definition_of("emnist-balanced").find(tmp_path)) == []
