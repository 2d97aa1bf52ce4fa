import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.datasets.grouped import grouped_rows, grouped_sample

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), min_size=20, max_size=200)


@given(ROWS)
@settings(max_examples=100, deadline=None)
def test_every_row_is_in_one_part_and_no_group_is_in_both(rows: list[tuple[int, int]]) -> None:
    labels = np.array([label for label, _ in rows])
    groups = np.unique([group for _, group in rows], return_inverse=True)[1]
    if groups.max() == 0:
        return
    train, test = grouped_rows(labels, groups)
    assert sorted([*train, *test]) == list(range(len(rows)))
    assert train.tolist() == sorted(train)
    assert test.tolist() == sorted(test)
    assert set(groups[train]).isdisjoint(groups[test])


def test_with_many_groups_of_one_class_each_class_gives_a_fifth() -> None:
    drawn = np.random.default_rng(0)
    of_group = drawn.choice(3, size=900, p=[0.6, 0.3, 0.1])
    groups = np.repeat(np.arange(900), drawn.integers(1, 5, 900))
    labels = of_group[groups]
    _, test = grouped_rows(labels, groups)
    for class_id in range(3):
        assert abs((labels[test] == class_id).sum() - (labels == class_id).sum() / 5) < 2


def test_groups_of_every_size_go_to_the_test_part() -> None:
    sizes = np.repeat([1, 2, 6], 300)
    groups = np.repeat(np.arange(900), sizes)
    _, test = grouped_rows(np.zeros(len(groups), dtype=np.int64), groups)
    shares = [np.isin(np.flatnonzero(sizes == size), groups[test]).mean() for size in (1, 2, 6)]
    assert all(0.12 < share < 0.28 for share in shares)


def test_with_ten_groups_the_choice_nearest_to_a_fifth_is_taken() -> None:
    # Two classes of 50; no group holds 10 of each, but groups 0 and 1 do together, and 3 and 7
    held = {
        0: (9, 1),
        1: (1, 9),
        2: (8, 4),
        3: (7, 2),
        4: (2, 8),
        5: (9, 3),
        6: (4, 6),
        7: (3, 8),
        8: (5, 1),
        9: (2, 8),
    }
    groups = np.concatenate([np.full(a + b, group) for group, (a, b) in held.items()])
    labels = np.concatenate([np.repeat([0, 1], pair) for pair in held.values()])
    _, test = grouped_rows(labels, groups)
    assert np.bincount(labels[test]).tolist() == [10, 10]


def test_a_class_in_one_group_only_stays_in_training() -> None:
    groups = np.repeat(np.arange(5), 10)
    labels = np.where(groups == 2, 1, 0)
    train, test = grouped_rows(labels, groups)
    assert 1 in labels[train]
    assert labels[test].tolist() == [0] * 10


@pytest.mark.parametrize("few", [True, False])
def test_the_split_is_the_same_for_ever(few: bool) -> None:
    number = 10 if few else 60
    groups = np.arange(number * 3) % number
    labels = groups % 2
    _, test = grouped_rows(labels, groups)
    taken = sorted(set(groups[test].tolist()))
    if few:
        assert taken == [0, 1]  # the first pair of one group a class, in the order of the choices' bit masks
    else:
        assert taken == [2, 24, 27, 33, 35, 39, 40, 41, 44, 48, 50, 53]


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@given(ROWS, st.integers(1, 15))
@settings(max_examples=100, deadline=None)
def test_a_sample_is_of_whole_groups_whatever_their_numbers(rows: list[tuple[int, int]], wanted: int) -> None:
    labels = np.array([label for label, _ in rows])
    groups = np.array([1000 - 7 * group for _, group in rows])
    if len(set(groups.tolist())) == 1:
        with pytest.raises(ValueError, match="one group"):
            grouped_sample(labels, groups, wanted, generator())
        return
    chosen = grouped_sample(labels, groups, wanted, generator())
    assert len(chosen) > 0
    assert np.all(np.diff(chosen) > 0)
    assert set(groups[chosen]).isdisjoint(np.delete(groups, chosen))


def test_a_sample_of_small_groups_has_about_the_rows_asked_for_and_each_class_its_share() -> None:
    drawn = np.random.default_rng(0)
    of_group = drawn.choice(3, size=900, p=[0.6, 0.3, 0.1])
    groups = np.repeat(np.arange(900), drawn.integers(1, 5, 900))
    labels = of_group[groups]
    chosen = grouped_sample(labels, groups, 300, generator())
    for class_id in range(3):
        assert abs((labels[chosen] == class_id).sum() - (labels == class_id).sum() * 300 / len(labels)) < 2


def test_another_seed_draws_other_groups_and_the_same_seed_the_same() -> None:
    labels, groups = np.arange(400) % 4, np.arange(400) // 2
    first, again, other = (grouped_sample(labels, groups, 40, generator(seed)).tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_where_every_group_is_too_large_the_nearest_one_is_taken() -> None:
    groups = np.repeat([0, 1, 2], [50, 40, 60])
    assert set(groups[grouped_sample(np.zeros(150, np.int64), groups, 5, generator())].tolist()) == {1}
