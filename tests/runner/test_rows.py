"""The rows a trial gets: every class in proportion, every row at most once, the same for every framework."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.datasets.dataset import Split
from bench.runner.rows import capped, cut_validation, stratified_sample

FINGERPRINT = "ab" * 32


def split(labels: NDArray[np.int64]) -> Split:
    """Images whose pixels are their row's number."""
    rows = np.arange(len(labels), dtype=np.float32)
    return Split(rows.reshape(-1, 1, 1, 1) * np.ones((1, 2, 2, 1), np.float32), labels, 1.0, int(labels.max()) + 1)


def row_numbers(part: Split) -> list[int]:
    return [int(value) for value in part.images[:, 0, 0, 0]]


@st.composite
def labels_and_rows(draw: st.DrawFn) -> tuple[NDArray[np.int64], int]:
    counts = draw(st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(any))
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int64)
    np.random.default_rng(draw(st.integers(0, 5))).shuffle(labels)
    return labels, draw(st.integers(1, len(labels)))


@settings(max_examples=200, deadline=None)
@given(labels_and_rows(), st.integers(0, 2**32 - 1))
def test_a_sample_has_as_many_rows_as_asked_each_once_in_order(asked: tuple[NDArray[np.int64], int], seed: int) -> None:
    labels, rows = asked
    chosen = stratified_sample(labels, rows, seed)
    assert len(chosen) == rows
    assert np.all(np.diff(chosen) > 0)
    assert 0 <= chosen[0] <= chosen[-1] < len(labels)


@settings(max_examples=200, deadline=None)
@given(labels_and_rows(), st.integers(0, 2**32 - 1))
def test_a_sample_has_every_class_in_proportion_to_within_a_row(
    asked: tuple[NDArray[np.int64], int], seed: int
) -> None:
    labels, rows = asked
    found = np.bincount(labels[stratified_sample(labels, rows, seed)], minlength=labels.max() + 1)
    exact = np.bincount(labels) * rows / len(labels)
    assert np.abs(found - exact).max() < 1


@settings(max_examples=50, deadline=None)
@given(labels_and_rows(), st.integers(0, 2**32 - 1))
def test_a_sample_is_the_same_for_the_same_seed(asked: tuple[NDArray[np.int64], int], seed: int) -> None:
    assert np.array_equal(stratified_sample(*asked, seed), stratified_sample(*asked, seed))


def test_another_seed_gives_other_rows() -> None:
    labels = np.arange(1000) % 10
    assert not np.array_equal(stratified_sample(labels, 100, 1), stratified_sample(labels, 100, 2))


def test_every_row_has_the_same_chance() -> None:
    """5 of each class's 20 rows are taken: over 400 seeds each row 100 times, within 5 standard errors."""
    labels = np.arange(60) % 3
    taken = np.bincount(np.concatenate([stratified_sample(labels, 15, seed) for seed in range(400)]), minlength=60)
    assert np.abs(taken - 100).max() < 5 * np.sqrt(400 * 0.25 * 0.75)


def test_a_cap_takes_rows_with_their_own_labels_and_needs_no_seed_of_the_trial() -> None:
    train = split(np.arange(200) % 4)
    part = capped(train, 40, FINGERPRINT)
    assert np.array_equal(part.labels, train.labels[row_numbers(part)])
    assert np.bincount(part.labels).tolist() == [10, 10, 10, 10]
    assert row_numbers(part) == row_numbers(capped(train, 40, FINGERPRINT))


@pytest.mark.parametrize("rows", [None, 200, 201])
def test_a_cap_that_takes_nothing_away_copies_nothing(rows: int | None) -> None:
    train = split(np.arange(200) % 4)
    assert capped(train, rows, FINGERPRINT) is train


@settings(max_examples=100, deadline=None)
@given(labels_and_rows(), st.integers(0, 9))
def test_training_and_validation_rows_share_none_and_leave_none_out(
    asked: tuple[NDArray[np.int64], int], seed_index: int
) -> None:
    labels, rows = asked
    train = split(labels)
    if rows == len(labels):
        with pytest.raises(ValueError, match="leave none"):
            cut_validation(train, rows, FINGERPRINT, seed_index)
        return
    rest, validation = cut_validation(train, rows, FINGERPRINT, seed_index)
    assert len(validation) == rows
    assert sorted(row_numbers(rest) + row_numbers(validation)) == list(range(len(labels)))
    assert np.array_equal(rest.labels, labels[row_numbers(rest)])
    assert np.array_equal(validation.labels, labels[row_numbers(validation)])


def with_pairs(labels: NDArray[np.int64]) -> Split:
    """Two neighbouring rows are copies of one thing."""
    return replace(split(labels), groups=np.arange(len(labels)) // 2)


@pytest.mark.parametrize("seed_index", range(5))
def test_no_copy_of_a_validation_row_is_trained_on(seed_index: int) -> None:
    train = with_pairs(np.repeat(np.arange(100) % 4, 2))
    rest, validation = cut_validation(train, 40, FINGERPRINT, seed_index)
    assert rest.groups is not None
    assert validation.groups is not None
    assert set(rest.groups.tolist()).isdisjoint(validation.groups.tolist())
    assert sorted(row_numbers(rest) + row_numbers(validation)) == list(range(200))
    assert np.bincount(validation.labels).tolist() == [10, 10, 10, 10]


def test_a_cap_may_part_a_group_and_the_validation_part_still_keeps_what_is_left_together() -> None:
    capped_rows = capped(with_pairs(np.repeat(np.arange(100) % 4, 2)), 120, FINGERPRINT)
    rest, validation = cut_validation(capped_rows, 20, FINGERPRINT, 0)
    assert rest.groups is not None
    assert validation.groups is not None
    assert set(rest.groups.tolist()).isdisjoint(validation.groups.tolist())


def test_the_last_rows_are_taken_as_they_come() -> None:
    rest, validation = cut_validation(with_pairs(np.zeros(10, np.int64)), 3, FINGERPRINT, 0, "last")
    assert row_numbers(validation) == [7, 8, 9]
    assert row_numbers(rest) == list(range(7))


def test_a_validation_part_that_would_take_every_group_is_refused() -> None:
    with pytest.raises(ValueError, match="cut by group, leave none"):
        cut_validation(replace(split(np.zeros(6, np.int64)), groups=np.arange(6) // 3), 5, FINGERPRINT, 0)
    alone = replace(split(np.zeros(4, np.int64)), groups=np.zeros(4, np.int64))
    with pytest.raises(ValueError, match="one group"):
        cut_validation(alone, 1, FINGERPRINT, 0)


def test_another_seed_index_holds_out_other_rows() -> None:
    train = split(np.arange(200) % 4)
    parts = [row_numbers(cut_validation(train, 40, FINGERPRINT, index)[1]) for index in (0, 1)]
    assert parts[0] != parts[1]
