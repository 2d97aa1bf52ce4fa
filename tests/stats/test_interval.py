"""Intervals agree with scipy's, cover what they promise, and are left out where they cannot."""

import math
import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats.interval import (
    best_share_interval,
    independent_median_figure,
    is_too_wide,
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
    figure = independent_median_figure(found)
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
    assert independent_median_figure(shuffled) == independent_median_figure(found)


@settings(max_examples=200)
@given(st.integers(1, 20_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_proportion_is_scipys_wilson_interval(counts: tuple[int, int]) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is the reference here")
    expected = stats.binomtest(*counts).proportion_ci(0.95, method="wilson")
    assert wilson_interval(*counts) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize(("successes", "trials"), [(-1, 5), (6, 5), (0, 0)])
def test_a_proportion_that_is_none_is_refused(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="not a proportion"):
        wilson_interval(successes, trials)


def test_the_median_of_trials_has_its_range_however_many_they_are() -> None:
    for n in (2, 5, 6, 40):
        figure = median_figure([float(2**rank) for rank in range(n)])
        assert (figure.kind, figure.low, figure.high, figure.n) == ("range", 1.0, 2.0 ** (n - 1), n)
    assert median_figure([2.0]).kind == "single"


def test_the_median_of_independent_values_has_an_interval_from_six_on() -> None:
    five, six = [1.0, 2.0, 4.0, 8.0, 16.0], [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    assert independent_median_figure(five) == median_figure(five)
    assert independent_median_figure(six).kind == "interval"
    assert independent_median_figure([2.0]).kind == "single"


def test_a_mean_has_an_interval_from_three_values_on_and_their_range_below() -> None:
    assert mean_figure([0.9688], deterministic=True).kind == "deterministic"
    assert mean_figure([0.9]).kind == "single"
    two = mean_figure([0.91, 0.9])
    assert (two.kind, two.low, two.high) == ("range", 0.9, 0.91)
    assert mean_figure([0.9, 0.91, 0.92]).kind == "interval"


def test_values_that_are_all_the_same_have_no_interval() -> None:
    figure = mean_figure([0.98, 0.98, 0.98])
    assert (figure.kind, figure.low, figure.high) == ("range", 0.98, 0.98)


def test_a_share_whose_interval_covers_more_than_half_of_what_is_possible_has_its_range() -> None:
    # t(0.975, 2) = 4.302653: half widths of 4.302653 * s / sqrt(3), s = 0.1 and 0.101, are 0.2484 and 0.2509.
    narrow, wide = [0.4, 0.5, 0.6], [0.399, 0.5, 0.601]
    assert mean_figure(narrow, is_share=True).kind == "interval"
    assert mean_figure(wide, is_share=True) == median_figure(wide)
    assert mean_figure(wide).kind == "interval"


@pytest.mark.parametrize(
    ("low", "high", "wide"), [(0.2, 0.7, False), (0.2, 0.71, True), (0.6, 1.4, False), (-1.0, 0.49, False)]
)
def test_only_what_lies_between_0_and_1_counts_as_the_width_of_an_interval(low: float, high: float, wide: bool) -> None:
    assert is_too_wide(low, high) is wide


def test_the_best_of_one_has_wilsons_interval_and_the_best_of_nine_a_lower_lower_bound() -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is the reference here")
    alone = stats.binomtest(970, 1000).proportion_ci(0.95, method="wilson")
    together = stats.binomtest(970, 1000).proportion_ci(1 - 0.05 / 9, method="wilson")
    assert best_share_interval(0.97, 1000, 1) == pytest.approx((alone.low, alone.high))
    assert best_share_interval(0.97, 1000, 9) == pytest.approx((together.low, alone.high))


def test_a_single_or_deterministic_figure_has_no_bounds() -> None:
    for figure in (median_figure([2.0]), mean_figure([2.0]), mean_figure([2.0, 2.0], deterministic=True)):
        assert (figure.value, figure.low, figure.high) == (2.0, None, None)


@pytest.mark.parametrize(
    "summarise",
    [mean_figure, median_figure, independent_median_figure, mean_interval, median_interval, value_range],
)
@pytest.mark.parametrize("wrong", [[], [1.0, math.nan]])
def test_nothing_and_not_a_number_cannot_be_summarised(summarise: object, wrong: list[float]) -> None:
    assert callable(summarise)
    with pytest.raises(ValueError, match=r"no values|NaN"):
        summarise(wrong)
