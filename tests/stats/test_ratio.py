"""Ratios are taken within rounds, against the like of a case, and against nothing else."""

import random
import statistics
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.case import Case, Training
from bench.record import EpochFigures, Phases, Record
from bench.stats.metrics import METRICS
from bench.stats.ratio import comparison_key, ratio_figure, reference_framework, round_ratios
from tests.report.builder import case, failure

THROUGHPUT = METRICS["train_samples_per_s"]
PYTORCH = case("mnist", "cnn", "pytorch")
KERAS = case("mnist", "cnn", "keras-tensorflow")


def ran(asked: Case, seed: int, rate: float) -> Record:
    """A trial that trained ``rate`` samples a second."""
    epoch = EpochFigures(seconds=100 / rate, samples=100)
    phases = Phases(import_s=1, load_s=0, build_s=0, epochs=(epoch, epoch))
    return Record(case_id=asked.id, case=asked, status="ok", seed_index=seed, round=seed, phases=phases)


def test_a_machine_that_slows_down_between_rounds_does_not_change_the_ratio() -> None:
    regimes = [100.0, 100.0, 20.0, 20.0, 55.0]
    mine = [ran(KERAS, seed, 2 * speed) for seed, speed in enumerate(regimes)]
    base = [ran(PYTORCH, seed, speed) for seed, speed in enumerate(regimes)]
    figure = ratio_figure(mine, base, THROUGHPUT)
    assert figure is not None
    assert (figure.value, figure.low, figure.high, figure.kind) == pytest.approx((2.0, 2.0, 2.0, "range"))


def test_a_round_in_which_either_failed_does_not_count() -> None:
    mine = [ran(KERAS, 0, 30.0), failure(KERAS, 1, "timeout", "slow"), ran(KERAS, 2, 50.0)]
    base = [ran(PYTORCH, 0, 10.0), ran(PYTORCH, 1, 10.0), failure(PYTORCH, 2, "crashed", "signal 11")]
    assert round_ratios(mine, base, THROUGHPUT) == pytest.approx([3.0])


def test_without_a_common_round_there_is_no_ratio() -> None:
    assert ratio_figure([ran(KERAS, 0, 1.0)], [ran(PYTORCH, 1, 1.0)], THROUGHPUT) is None
    assert ratio_figure([], [], THROUGHPUT) is None


@settings(max_examples=100)
@given(st.lists(st.tuples(st.floats(1, 1e5), st.floats(1, 1e5)), min_size=1, max_size=12), st.randoms())
def test_the_figure_is_the_median_of_the_rounds_whatever_the_order_of_the_records(
    rates: list[tuple[float, float]], draw: random.Random
) -> None:
    mine = [ran(KERAS, seed, rate) for seed, (rate, _) in enumerate(rates)]
    base = [ran(PYTORCH, seed, rate) for seed, (_, rate) in enumerate(rates)]
    draw.shuffle(mine)
    draw.shuffle(base)
    figure = ratio_figure(mine, base, THROUGHPUT)
    assert figure is not None
    assert figure.value == pytest.approx(statistics.median(above / below for above, below in rates))
    assert figure.n == len(rates)


def test_pytorch_is_the_reference_where_the_run_has_it() -> None:
    cases = [case("mnist", "cnn", name) for name in ("scikit-learn", "keras-tensorflow", "pytorch")]
    assert reference_framework(cases) == "pytorch"
    assert reference_framework(cases[:2]) == "scikit-learn"


def test_one_framework_has_nothing_to_be_compared_with() -> None:
    assert reference_framework([PYTORCH, case("digits", "mlp", "pytorch")]) is None
    assert reference_framework([]) is None


@pytest.mark.parametrize(
    "changed",
    [
        lambda: KERAS.model_copy(update={"dataset": "digits"}),
        lambda: KERAS.model_copy(update={"model": "mlp"}),
        lambda: KERAS.model_copy(update={"device": "cuda:0"}),
        lambda: KERAS.model_copy(update={"track": "idiomatic"}),
        lambda: KERAS.model_copy(update={"threads": 1}),
        lambda: KERAS.model_copy(update={"train_rows": 100}),
        lambda: KERAS.model_copy(update={"training": Training(epochs=3, batch_size=64)}),
    ],
)
def test_cases_on_different_work_are_not_compared(changed: Callable[[], Case]) -> None:
    assert comparison_key(KERAS) == comparison_key(PYTORCH)
    assert comparison_key(changed()) != comparison_key(PYTORCH)
