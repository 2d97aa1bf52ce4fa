"""Labels outside a data set's classes, and the location of the first one."""

from pathlib import Path

import numpy as np
import pytest

from bench.datasets.labels import check_counts, check_images, checked, line_of, problem, row_of
from bench.datasets.pixel_csv import PixelTable
from bench.datasets.source import BrokenFile

TABLE = PixelTable(np.zeros((3, 1), np.uint8), np.array([1, 7, 2]), np.array([2, 5, 6]))


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.uint64, np.float64])
def test_labels_that_are_allowed_come_back_as_int64(dtype: type) -> None:
    found = checked(Path("f"), np.array([3, 0, 9], dtype), range(10))
    assert (found.tolist(), str(found.dtype)) == ([3, 0, 9], "int64")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.array([0, 10, 11], np.uint8), "holds label 10 in row 1; 0 to 9 expected"),
        (np.array([-1]), "holds label -1 in row 0; 0 to 9 expected"),
        (np.array([2**63], np.uint64), f"holds label {2**63} in row 0; 0 to 9 expected"),
        (np.array([1.0, 0.5]), "holds label 0.5 in row 1; 0 to 9 expected"),
        (np.array([np.nan]), "holds label nan in row 0; 0 to 9 expected"),
        (np.array([np.inf]), "holds label inf in row 0; 0 to 9 expected"),
        (np.array([4, 5]), ""),
    ],
)
def test_the_first_that_is_not_is_named_with_its_row_from_0(labels: np.ndarray, said: str) -> None:
    assert problem(labels, range(10)) == said


def test_lines_of_text_are_counted_as_editors_do_and_rows_of_an_array_from_where_it_begins() -> None:
    assert problem(TABLE.labels, (1, 2), line_of(TABLE)) == "holds label 7 in line 5; one of 1, 2 expected"
    words = problem(TABLE.labels, range(1, 3), row_of("y_test", 1000), "1 or 2")
    assert words == "holds label 7 in row 1,001 of y_test; 1 or 2 expected"


def test_images_of_another_size_or_number_are_refused() -> None:
    images = np.zeros((2, 8, 9))
    with pytest.raises(BrokenFile, match=r"^f holds images of 8x9 pixels; 28x28 expected\.\n"):
        check_images(Path("f"), images, 28)
    with pytest.raises(BrokenFile, match=r"^f holds 2 images, but g holds 3 labels\.$"):
        check_counts(Path("f"), images, np.zeros(3), Path("g"))
