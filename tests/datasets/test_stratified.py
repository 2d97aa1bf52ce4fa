from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.datasets.source import BrokenFile
from bench.datasets.stratified import stratified_rows

FILE = Path("tiny.csv")


@given(st.lists(st.integers(0, 4), min_size=2, max_size=200))
@settings(max_examples=150, deadline=None)
def test_every_row_is_in_one_part_and_no_class_is_off_by_more_than_one(labels: list[int]) -> None:
    ids = np.array(labels)
    if len(set(labels)) == len(labels):
        with pytest.raises(BrokenFile, match=r"tiny\.csv holds no class with two rows: too few"):
            stratified_rows(ids, FILE)
        return
    train, test = stratified_rows(ids, FILE)
    assert sorted([*train, *test]) == list(range(len(ids)))
    assert set(ids[train]) == set(labels)
    alone = [class_id for class_id in set(labels) if labels.count(class_id) == 1]
    able = len(set(labels)) - len(alone)
    wanted, at_least = -(-len(ids) // 5), sum(labels.count(class_id) // 5 for class_id in set(labels))
    assert len(test) == min(wanted, at_least + able)
    for class_id in set(labels):
        assert abs((ids[test] == class_id).sum() - (ids == class_id).sum() / 5) <= 1


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 1] * 10, [4, 11, 18, 19]),
        ([0, 0, 1, 2, 1, 0, 2, 2, 2, 0, 1, 0, 0, 3, 2, 0, 1], [5, 7, 15, 16]),
    ],
)
def test_the_split_is_the_same_for_ever(labels: list[int], expected: list[int]) -> None:
    assert stratified_rows(np.array(labels), FILE)[1].tolist() == expected


def test_a_class_of_one_row_keeps_it_for_training() -> None:
    # Two of six are test rows; class 1 gives one without a remainder, so the other would be that of class 0
    train, test = stratified_rows(np.array([0, 1, 1, 1, 1, 1]), FILE)
    assert (train[0], len(test)) == (0, 2)
