"""Steady throughput leaves out the first epoch, drift is seen, and percentiles are not guessed."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.record import EpochFigures, Phases, PredictPass, Record
from bench.stats.steady import (
    drift,
    is_steady,
    latency_ms,
    percentile,
    predict_throughput,
    steady_throughput,
    values_needed,
)
from tests.report.builder import case


def trained(*seconds: float, samples: int = 100, **phases: object) -> Record:
    """A record whose epochs took ``seconds``."""
    asked = case("digits", "mlp", "pytorch")
    epochs = tuple(EpochFigures(seconds=one, samples=samples) for one in seconds)
    measured = Phases.model_validate({"import_s": 1, "load_s": 0, "build_s": 0, "epochs": epochs} | phases)
    return Record(case_id=asked.id, case=asked, status="ok", phases=measured)


def test_throughput_is_all_samples_over_all_seconds_from_the_second_epoch_on() -> None:
    assert steady_throughput(trained(10.0, 1.0, 3.0)) == 200 / 4.0


def test_a_single_fit_has_no_steady_throughput() -> None:
    assert steady_throughput(trained(10.0)) is None
    assert drift(trained(10.0)) is None


def test_a_record_without_phases_has_no_figures() -> None:
    asked = case("digits", "mlp", "pytorch")
    record = Record(case_id=asked.id, case=asked, status="timeout", reason="no end after 300 s")
    assert steady_throughput(record) is None
    assert drift(record) is None
    assert predict_throughput(record) is None
    assert latency_ms(record, 0.5) is None


def test_drift_compares_the_last_third_of_the_steady_epochs_with_the_first() -> None:
    # The warm-up epoch and the middle third do not count.
    assert drift(trained(99.0, 1.0, 1.0, 7.0, 7.0, 2.0, 2.0)) == pytest.approx(0.5)


def test_two_steady_epochs_are_compared_with_each_other_and_one_with_nothing() -> None:
    assert drift(trained(9.0, 1.1, 1.0)) == pytest.approx(1.1)
    assert drift(trained(9.0, 1.0)) is None


@pytest.mark.parametrize(
    ("drifts", "steady"),
    [
        ((1.10, 1.12, 1.08), False),
        ((0.90, 0.92, 0.88), False),
        ((1.04, 1.041, 1.042), True),  # sure, and too small to matter
        ((1.06, 1.061, 1.062), False),
        ((1.0, 1.0, 1.9), True),  # one hiccup
        ((1.3, 0.8, 1.2), True),  # either way
        ((1.5, 1.5), None),
        ((), None),
    ],
)
def test_a_case_is_not_steady_where_its_trials_agree_on_a_change_of_five_percent_or_more(
    drifts: tuple[float, ...], steady: bool | None
) -> None:
    assert is_steady(drifts) is steady


def test_the_first_pass_of_prediction_is_a_warm_up_unless_it_is_the_only_one() -> None:
    slow, quick = PredictPass(samples=1000, seconds=10.0), PredictPass(samples=1000, seconds=0.5)
    assert predict_throughput(trained(1.0, predict=(slow, quick, quick))) == 2000.0
    assert predict_throughput(trained(1.0, predict=(slow,))) == 100.0
    assert predict_throughput(trained(1.0)) is None


@pytest.mark.parametrize(("p", "needed"), [(0.5, 20), (0.9, 100), (0.95, 200), (0.99, 1000)])
def test_a_percentile_needs_ten_values_beyond_it(p: float, needed: int) -> None:
    assert values_needed(p) == needed
    assert percentile([1.0] * needed, p) == 1.0
    assert percentile([1.0] * (needed - 1), p) is None


def test_latencies_are_given_in_milliseconds() -> None:
    assert latency_ms(trained(1.0, latency_us=(250.0,) * 20), 0.5) == 0.25


@settings(max_examples=150)
@given(st.lists(st.floats(0, 1e6), min_size=200, max_size=400), st.sampled_from([0.25, 0.5, 0.9, 0.95]))
def test_a_percentile_is_numpys(found: Sequence[float], p: float) -> None:
    assert percentile(found, p) == pytest.approx(float(np.percentile(found, 100 * p)), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("p", [0.0, 1.0, 50])
def test_a_percentile_outside_zero_to_one_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="not between 0 and 1"):
        percentile([1.0] * 2000, p)
