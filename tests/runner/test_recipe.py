"""The plan an adapter gets: rates, class weights and normalisation as arrays, against figures worked out by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.adapters.base import TrainingPlan
from bench.case import Case, Normalization, Optimizer, Schedule, Training
from bench.datasets.dataset import Split
from bench.models.catalog import find_model
from bench.runner.recipe import balanced_weights, channel_statistics, training_plan


def split(images: NDArray[Any], labels: NDArray[Any] | None = None, scale: float = 255.0, classes: int = 3) -> Split:
    found = np.arange(len(images)) % classes if labels is None else labels
    return Split(images, found.astype(np.int64), scale, classes)


def small(rows: int = 10) -> Split:
    return split(np.random.default_rng(0).integers(0, 256, (rows, 8, 8, 1), dtype=np.uint8))


def plan(train: Split, model: str = "mlp-plain", **changes: Any) -> TrainingPlan:
    case = Case.model_validate({"dataset": "mine", "model": model, "framework": "fake", **changes})
    return training_plan(case, find_model(model), train, 0)


def test_rates_follow_the_schedule_step_by_step() -> None:
    """Ten rows in batches of four are three steps an epoch."""
    training = Training(
        epochs=3,
        batch_size=4,
        optimizer=Optimizer(learning_rate=0.8),
        schedule=Schedule(name="step", every_epochs=1, factor=0.5),
    )
    rates = plan(small(), training=training).learning_rates
    assert rates is not None
    assert rates.tolist() == [0.8] * 3 + [0.4] * 3 + [0.2] * 3


def test_balanced_weights_are_those_of_the_formula() -> None:
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2])
    assert balanced_weights(labels, 3).tolist() == pytest.approx([10 / 15, 10 / 9, 10 / 6])


def test_a_class_without_a_row_has_no_weight_and_harms_no_other() -> None:
    assert balanced_weights(np.array([0, 0, 1, 1]), 3).tolist() == pytest.approx([4 / 6, 4 / 6, 0.0])


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_balanced_weights_give_every_class_the_same_say(labels: list[int]) -> None:
    found = np.array(labels)
    weights = balanced_weights(found, 5)
    says = [weights[label] * (found == label).sum() for label in set(labels)]
    assert says == pytest.approx([len(labels) / 5] * len(says))


def test_weights_are_asked_for_or_not_there() -> None:
    assert plan(small(), training=Training()).class_weights is None
    weights = plan(small(9), training=Training(class_weights="balanced")).class_weights
    assert weights is not None
    assert weights.tolist() == pytest.approx([1.0, 1.0, 1.0])


@pytest.mark.parametrize("rows", [1, 999, 1000, 1001])
def test_the_statistics_of_the_training_rows_are_those_of_each_channel(rows: int) -> None:
    images = np.random.default_rng(1).integers(0, 256, (rows, 3, 4, 2), dtype=np.uint8)
    mean, std = channel_statistics(split(images))
    scaled = images / 255.0
    assert mean == pytest.approx(scaled.mean(axis=(0, 1, 2)), rel=1e-12)
    assert std == pytest.approx(scaled.std(axis=(0, 1, 2)), rel=1e-12)


def test_a_channel_that_never_changes_is_not_divided_by_zero() -> None:
    mean, std = channel_statistics(split(np.full((4, 2, 2, 1), 51, np.uint8)))
    assert mean.tolist() == pytest.approx([0.2])
    assert std.tolist() == [1.0]


def test_given_numbers_hold_for_every_channel() -> None:
    train = split(np.zeros((6, 4, 4, 3), np.uint8))
    found = plan(train, training=Training(normalize=Normalization(mean=0.1307, std=0.3081)))
    assert found.mean is not None
    assert found.std is not None
    assert (found.mean.tolist(), found.std.tolist()) == ([0.1307] * 3, [0.3081] * 3)


def test_pixels_are_left_as_they_are_unless_asked() -> None:
    found = plan(small(), training=Training())
    assert (found.mean, found.std, found.label_smoothing) == (None, None, 0.0)


def test_the_idiomatic_track_keeps_the_frameworks_own_initial_weights() -> None:
    assert plan(small(), training=Training(), track="idiomatic").initial_weights is None
    assert plan(small(), training=Training()).initial_weights


def test_an_estimator_gets_a_seed_and_threads_alone() -> None:
    found = plan(small(), "knn", threads=2)
    assert found.threads == 2
    assert (found.batch_size, found.learning_rates, found.optimizer, found.initial_weights) == (0, None, None, None)
