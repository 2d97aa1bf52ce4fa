"""Scores, against scikit-learn's metrics and by hand."""

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.record import ScoreKind
from bench.score import PROBABILITY_FLOOR, Diverged, score

Answers = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], int]


@st.composite
def answers(draw: st.DrawFn) -> Answers:
    """True labels, predicted labels, logits, number of classes: some classes may be absent from either."""
    classes = draw(st.integers(2, 12))
    rows = draw(st.integers(1, 60))
    present = draw(st.integers(1, classes))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = generator.integers(0, present, rows)
    predicted = generator.integers(0, classes, rows)
    logits = generator.normal(scale=draw(st.sampled_from([0.01, 1.0, 30.0])), size=(rows, classes))
    return truth, predicted, logits.astype(np.float32), classes


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shares = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float32] = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities


@settings(max_examples=150, deadline=None)
@given(answers())
def test_labels_are_scored_as_scikit_learn_scores_them(given_answers: Answers) -> None:
    from sklearn import metrics

    truth, predicted, _, classes = given_answers
    result = score(truth, predicted, None, None, classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "y_pred contains classes not in y_true"
        expected = metrics.balanced_accuracy_score(truth, predicted)
    assert result.rows == len(truth)
    assert result.accuracy == pytest.approx(metrics.accuracy_score(truth, predicted), abs=1e-12)
    assert result.balanced_accuracy == pytest.approx(expected, abs=1e-12)
    assert result.macro_f1 == pytest.approx(metrics.f1_score(truth, predicted, average="macro"), abs=1e-12)
    assert result.confusion == tuple(
        map(tuple, metrics.confusion_matrix(truth, predicted, labels=range(classes)).tolist())
    )
    assert result.log_loss is None


@settings(max_examples=150, deadline=None)
@given(answers())
def test_the_log_loss_of_probabilities_is_scikit_learns(given_answers: Answers) -> None:
    from sklearn import metrics

    truth, predicted, logits, classes = given_answers
    probabilities = softmax(logits)
    result = score(truth, predicted, probabilities, "probabilities", classes)
    expected = metrics.log_loss(truth, probabilities, labels=range(classes))
    assert result.log_loss == pytest.approx(expected, rel=1e-4, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(answers(), st.floats(-1e4, 1e4))
def test_the_log_loss_of_logits_ignores_what_is_added_to_a_row(given_answers: Answers, shift: float) -> None:
    truth, predicted, logits, classes = given_answers
    exact = logits.astype(np.float64)
    one = score(truth, predicted, exact, "logits", classes).log_loss
    other = score(truth, predicted, exact + shift, "logits", classes).log_loss
    assert one == pytest.approx(other, rel=1e-9, abs=1e-9)
    assert one is not None
    assert one >= 0


def test_equal_logits_cost_the_logarithm_of_the_number_of_classes() -> None:
    truth = np.arange(10)
    result = score(truth, truth, np.zeros((10, 10), np.float32), "logits", 10)
    assert result.log_loss == pytest.approx(math.log(10))


def test_huge_logits_give_a_finite_log_loss() -> None:
    logits = np.array([[1e30, 0.0], [0.0, 1e30]], np.float32)
    assert score(np.array([0, 1]), np.array([0, 1]), logits, "logits", 2).log_loss == 0.0


def test_a_probability_of_zero_for_the_true_class_costs_the_floor_and_not_infinity() -> None:
    certain = np.array([[1.0, 0.0]], np.float32)
    assert score(np.array([1]), np.array([0]), certain, "probabilities", 2).log_loss == pytest.approx(
        -math.log(PROBABILITY_FLOOR)
    )
    assert pytest.approx(2**-23) == PROBABILITY_FLOOR


def test_margins_have_no_log_loss() -> None:
    result = score(np.array([0, 1]), np.array([0, 1]), np.array([[3.0, -3.0], [-2.0, 2.0]]), "margins", 2)
    assert result.log_loss is None
    assert result.accuracy == 1.0


def test_the_models_own_decision_counts_and_not_the_largest_value() -> None:
    margins = np.array([[3.0, -3.0]], np.float32)
    assert score(np.array([1]), np.array([1]), margins, "margins", 2).accuracy == 1.0


def test_always_guessing_one_of_two_uneven_classes_is_worth_a_half_balanced() -> None:
    truth = np.array([0] * 9 + [1])
    result = score(truth, np.zeros(10, np.int64), None, None, 2)
    assert result.accuracy == 0.9
    assert result.balanced_accuracy == 0.5
    assert result.macro_f1 == pytest.approx((18 / 19 + 0) / 2)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([[0.0, np.nan], [1.0, 0.0], [np.nan, np.nan]], "the model gave logits with NaN for 2 of 3 samples."),
        ([[0.0, np.inf], [1.0, 0.0], [0.0, 1.0]], "the model gave infinite logits for 1 of 3 samples."),
        ([[0.0, -np.inf], [1.0, np.nan], [0.0, 1.0]], "the model gave logits with NaN for 2 of 3 samples."),
    ],
)
def test_nan_and_infinity_are_a_model_that_diverged(values: list[list[float]], sentence: str) -> None:
    labels = np.zeros(3, np.int64)
    with pytest.raises(Diverged) as caught:
        score(labels, labels, np.array(values, np.float32), "logits", 2)
    assert str(caught.value) == sentence


def test_nan_among_labels_is_a_model_that_diverged() -> None:
    with pytest.raises(Diverged, match=r"^the model gave labels with NaN for 1 of 2 samples\.$"):
        score(np.zeros(2, np.int64), np.array([0.0, np.nan]), None, None, 2)


@pytest.mark.parametrize(
    ("predicted", "values", "kind", "sentence"),
    [
        ([0, 1, 1], None, None, r"labels of shape \(3,\), expected \(2,\)"),
        ([[0, 1]], None, None, r"labels of shape \(1, 2\), expected \(2,\)"),
        ([0, 2], None, None, "label 2, but the classes are 0 to 1"),
        ([-1, 0], None, None, "label -1, but the classes are 0 to 1"),
        ([0.0, 0.5], None, None, "labels that are not whole numbers"),
        ([0, 1], [[0.0, 0.0, 0.0]] * 2, "logits", r"values of shape \(2, 3\), expected \(2, 2\)"),
        ([0, 1], [[4.0, -2.0]] * 2, "probabilities", "a probability of -2, below 0"),
        ([0, 1], [[0.5, 0.5], [2.0, 3.0]], "probabilities", "for one sample sum to 5, expected 1"),
    ],
)
def test_impossible_answers_are_refused_in_a_sentence(
    predicted: list[Any], values: list[list[float]] | None, kind: ScoreKind | None, sentence: str
) -> None:
    array = None if values is None else np.array(values, np.float32)
    with pytest.raises(ValueError, match=sentence):
        score(np.array([0, 1]), np.array(predicted), array, kind, 2)


def test_an_empty_test_part_is_refused() -> None:
    with pytest.raises(ValueError, match="no samples to score"):
        score(np.zeros(0, np.int64), np.zeros(0, np.int64), None, None, 2)
