"""A data set at a glance."""

import numpy as np
import pytest

from bench.datasets.dataset import Dataset, DatasetInfo, Split
from bench.report import dataset_sheet
from bench.report.dataset_sheet import Glance, first_rows, spread
from bench.report.picture_file import drawn


def labelled(labels: list[int], classes: int) -> Split:
    return Split(np.zeros((len(labels), 2, 2, 1), np.uint8), np.array(labels), 255, classes)


def test_the_first_rows_are_shown_as_they_stand() -> None:
    assert first_rows(labelled([1, 0, 1, 2, 0], 3), 4) == ([0, 1, 2, 3], "the first training images")


def test_of_rows_sorted_by_class_the_first_of_each_class_are_shown_in_turn() -> None:
    part = labelled([0] * 5 + [1] * 5 + [2] * 2, 3)
    assert first_rows(part, 5) == ([0, 5, 10, 1, 6], "the first training images of each class")
    ten = labelled([label for label in range(10) for _ in range(5)], 10)
    assert first_rows(ten, 4) == ([0, 5, 10, 15], "the first training images of 4 of the 10 classes")


def test_the_picture_says_that_its_credit_is_the_licence() -> None:
    part = labelled([0, 1], 47)
    dataset = Dataset("emnist-balanced", "EMNIST balanced", part, part, tuple(map(str, range(47))), "official")
    sheet = Glance(DatasetInfo.of(dataset, "f" * 64, verified=True, source="IDX"), dataset, 2).sheet()
    assert sheet.attribution.startswith("licence: none stated (NIST, derived from Special Database 19) · G. Cohen")


def test_mean_and_deviation_are_in_units_of_the_scale_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_sheet, "BLOCK", 8)
    images = np.array([0, 8, 16, 8] * 3, np.uint8).reshape(3, 2, 2, 1)
    low, high, mean, deviation = spread(Split(images, np.zeros(3, np.int64), 16, 1))
    assert (low, high, mean) == (0, 16, 0.5)
    assert deviation == pytest.approx(0.125**0.5)


def test_names_of_a_foreign_file_cannot_control_the_terminal_nor_stop_the_picture() -> None:
    owned = "n\x1b]0;owned\x07v\n\x9b2J"
    part = Split(np.zeros((2, 2, 2, 1), np.uint8), np.array([0, 1]), 255, 2)
    dataset = Dataset("mine", f"{owned}.npz", part, part, (owned, "b"), "official")
    info = DatasetInfo.of(dataset, "f" * 64, verified=False, source=owned)
    glance = Glance(info, dataset, 2)
    shown = glance.text(80, color=False, colors=None, pictures=True)
    assert shown.count("n ]0;owned v 2J") >= 3  # the title, the source, the class
    assert shown.replace("\n", "").isprintable()
    sheet = glance.sheet()
    assert (sheet.title, sheet.labels[0]) == ("n ]0;owned v 2J.npz: the first training images", "n ]0;owned v 2J")
    drawn(sheet)  # letters are measured line by line: a name of several lines would be refused
