"""Intervals agree with scipy's, cover what they promise, and are left out where they cannot."""

import math
import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats.interval import (
    mean_figure,
    mean_interval,
    median_figure,
    median_interval,
    t_quantile,
    value_range,
    wilson_interval,
)

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


@settings(max_examples=200, deadline=None)
@given(st.floats(0.55, 0.9995), st.integers(1, 400))
def test_the_t_quantile_is_scipys(p: float, degrees: int) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is the reference here")
    assert t_quantile(p, degrees) == pytest.approx(stats.t.ppf(p, degrees), rel=1e-9)


@pytest.mark.parametrize(("p", "degrees"), [(0.4, 3), (1.0, 3), (0.975, 0)])
def test_a_t_quantile_that_does_not_exist_is_refused(p: float, degrees: int) -> None:
    with pytest.raises(ValueError, match="no t quantile"):
        t_quantile(p, degrees)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30).filter(lambda found: statistics.stdev(found) > 1e-3))
def test_the_interval_of_a_mean_is_scipys(found: list[float]) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is the reference here")
    expected = stats.ttest_1samp(found, 0.0).confidence_interval(0.95)
    assert mean_interval(found) == pytest.approx((expected.low, expected.high), rel=1e-7, abs=1e-9)


def test_the_interval_of_a_mean_covers_the_truth_in_95_percent_of_experiments() -> None:
    draw = random.Random(1)
    covered = 0
    for _ in range(4000):
        low, high = mean_interval([draw.gauss(0.97, 0.001) for _ in range(3)])
        assert low is not None
        assert high is not None
        covered += low <= 0.97 <= high
    # Four standard errors of a share of 0.95 in 4,000 are 0.014.
    assert covered / 4000 == pytest.approx(0.95, abs=0.014)


@pytest.mark.parametrize("n", [6, 7, 10, 15, 30])
def test_the_interval_of_a_median_covers_at_least_as_often_as_it_says(n: int) -> None:
    draw = random.Random(n)
    covered = 0
    for _ in range(3000):
        # Skewed, as times are: the interval may not lean on symmetry.
        low, high = median_interval([draw.expovariate(1.0) for _ in range(n)])
        assert low is not None
        assert high is not None
        covered += low <= math.log(2) <= high
    assert covered / 3000 >= 0.95 - 0.016


@pytest.mark.parametrize("n", range(6, 41))
def test_the_interval_of_a_median_takes_the_innermost_pair_whose_binomial_coverage_suffices(n: int) -> None:
    binom = pytest.importorskip("scipy.stats", reason="scipy is the reference here").binom
    low, high = median_interval([float(rank) for rank in range(1, n + 1)])
    assert low is not None
    assert high == n + 1 - low
    assert 1 - 2 * binom.cdf(low - 1, n, 0.5) >= 0.95
    assert 1 - 2 * binom.cdf(low, n, 0.5) < 0.95


@pytest.mark.parametrize("n", range(1, 6))
def test_below_six_values_a_median_has_no_interval_at_95_percent(n: int) -> None:
    assert median_interval([1.0] * n) == (None, None)


def test_at_a_lower_confidence_fewer_values_suffice() -> None:
    assert median_interval([3.0, 1.0, 2.0, 5.0, 4.0], confidence=0.9) == (1.0, 5.0)


@settings(max_examples=200)
@given(values)
def test_an_interval_holds_its_median_and_lies_within_the_range(found: list[float]) -> None:
    figure = median_figure(found)
    assert figure.value == statistics.median(found)
    if figure.low is not None and figure.high is not None:
        smallest, largest = value_range(found)
        assert smallest <= figure.low <= figure.value <= figure.high <= largest


@settings(max_examples=100)
@given(values, st.randoms())
def test_the_order_of_the_trials_does_not_matter(found: list[float], draw: random.Random) -> None:
    shuffled = list(found)
    draw.shuffle(shuffled)
    assert median_figure(shuffled) == median_figure(found)


@settings(max_examples=200)
@given(st.integers(1, 20_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_proportion_is_scipys_wilson_interval(counts: tuple[int, int]) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is the reference here")
    expected = stats.binomtest(*counts).proportion_ci(0.95, method="wilson")
    assert wilson_interval(*counts) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize(("successes", "trials"), [(-1, 5), (6, 5), (0, 0)])
def test_a_proportion_that_is_none_is_refused(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson_interval(successes, trials)


def test_figures_say_what_their_spread_is() -> None:
    assert median_figure([2.0]).kind == "single"
    assert median_figure([1.0, 2.0, 4.0, 8.0, 16.0]).kind == "range"
    assert median_figure([1.0, 2.0, 4.0, 8.0, 16.0, 32.0]).kind == "interval"
    assert mean_figure([0.9]).kind == "single"
    assert mean_figure([0.9, 0.91]).kind == "interval"
    assert mean_figure([0.9688], deterministic=True).kind == "deterministic"


def test_a_single_or_deterministic_figure_has_no_bounds() -> None:
    for figure in (median_figure([2.0]), mean_figure([2.0]), mean_figure([2.0, 2.0], deterministic=True)):
        assert (figure.value, figure.low, figure.high) == (2.0, None, None)


@pytest.mark.parametrize("summarise", [mean_figure, median_figure, mean_interval, median_interval, value_range])
@pytest.mark.parametrize("wrong", [[], [1.0, math.nan]])
def test_nothing_and_not_a_number_cannot_be_summarised(summarise: object, wrong: list[float]) -> None:
    assert callable(summarise)
    with pytest.raises(ValueError, match=r"no values|NaN"):
        summarise(wrong)
