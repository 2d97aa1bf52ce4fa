import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.datasets.stratified import stratified_rows


@given(st.lists(st.integers(0, 4), min_size=2, max_size=200))
@settings(max_examples=150, deadline=None)
def test_every_row_is_in_one_part_and_no_class_is_off_by_more_than_one(labels: list[int]) -> None:
    ids = np.array(labels)
    train, test = stratified_rows(ids)
    assert sorted([*train, *test]) == list(range(len(ids)))
    assert len(test) == -(-len(ids) // 5)
    for class_id in set(labels):
        assert abs((ids[test] == class_id).sum() - (ids == class_id).sum() / 5) < 1


def test_the_split_is_the_same_for_ever() -> None:
    _, test = stratified_rows(np.array([0, 1] * 10))
    drawn = np.random.RandomState(1)
    expected = sorted([*drawn.permutation(range(0, 20, 2))[:2], *drawn.permutation(range(1, 20, 2))[:2]])
    assert test.tolist() == expected
