"""Independent rows of a data set's part whose rows come in groups."""

import numpy as np
import pytest

from bench.datasets.dataset import Split


def part(groups: list[int] | None, rows: int = 0) -> Split:
    rows = rows or len(groups or ())
    images, labels = np.zeros((rows, 2, 2, 1), np.uint8), np.zeros(rows, np.int64)
    return Split(images, labels, 255, 1, None if groups is None else np.array(groups, np.int64))


@pytest.mark.parametrize(
    ("groups", "worth"),
    [
        ([7, 3, 5, 4], 4),
        ([0, 0, 1, 1, 2, 2], 3),
        ([0, 0, 0, 0], 1),
        ([0, 1, 2, 2], 2),  # 4 * 4 / (1 + 1 + 4)
    ],
    ids=["each alone", "pairs", "one group", "unequal"],
)
def test_rows_of_one_group_are_worth_no_more_than_one_where_all_are_answered_alike(
    groups: list[int], worth: int
) -> None:
    assert part(groups).independent_rows == worth


def test_without_groups_nothing_is_known_of_it() -> None:
    assert part(None, rows=5).independent_rows is None
