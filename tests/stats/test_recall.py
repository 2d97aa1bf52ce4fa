"""Recalls of single classes, from the confusion counts of the trials."""

import pytest

from bench.record import Scores
from bench.stats.recall import class_recalls
from bench.stats.summary import CaseSummary
from tests.report.builder import case, trial

FIRST = ((6, 2, 0), (1, 3, 0), (0, 0, 0))
SECOND = ((8, 0, 0), (3, 1, 0), (0, 0, 0))


def summary(*tables: tuple[tuple[int, ...], ...], model: str = "random-forest") -> CaseSummary:
    asked = case("digits", model, "scikit-learn")
    scored = [Scores(rows=12, accuracy=0.75, balanced_accuracy=0.75, macro_f1=0.7, confusion=table) for table in tables]
    return CaseSummary(asked.id, asked, tuple(trial(asked, seed, scores=scores) for seed, scores in enumerate(scored)))


def test_the_recall_of_a_class_is_the_mean_over_the_trials_with_its_spread() -> None:
    zero, one, _ = class_recalls(summary(FIRST, SECOND))
    assert zero.recall is not None
    assert zero.recall.value == pytest.approx((6 / 8 + 8 / 8) / 2)
    assert (zero.recall.kind, zero.recall.low, zero.recall.high) == ("range", 0.75, 1.0)
    assert one.recall is not None
    assert one.recall.value == pytest.approx((3 / 4 + 1 / 4) / 2)
    assert (zero.rows, one.rows) == (8, 4)


def test_a_class_without_a_test_row_has_no_recall() -> None:
    absent = class_recalls(summary(FIRST))[2]
    assert (absent.rows, absent.recall, absent.confused_with) == (0, None, None)


def test_what_a_class_is_most_often_taken_for_is_counted_over_all_trials() -> None:
    zero, one, _ = class_recalls(summary(FIRST, SECOND))
    assert (zero.confused_with, zero.confused_share) == (1, 2 / 16)
    assert (one.confused_with, one.confused_share) == (0, 4 / 8)


def test_a_class_of_which_nothing_was_missed_is_taken_for_none() -> None:
    assert class_recalls(summary(SECOND))[0].confused_with is None


def test_trials_without_counts_give_nothing() -> None:
    assert class_recalls(summary(())) == ()
