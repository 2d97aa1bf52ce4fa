"""One figure and how sure it is: means, medians and proportions with their intervals.

Every formula is exact or names its source, and needs no scipy, which the base install does not bring. What each
interval covers, by simulation, is in docs/statistics.md.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

Kind = Literal["interval", "range", "single", "deterministic"]

CONFIDENCE = 0.95
"""The confidence of every interval that is shown."""

FEWEST_SEEDS = 3
"""Two values have an interval of 9 standard deviations to either side of their mean: it says nothing."""

WIDEST = 0.5
"""An interval that covers more of the possible values than this share of them is not shown."""


class Interval(NamedTuple):
    """Bounds in the unit of the values; ``None`` where the values cannot support a bound."""

    low: float | None
    high: float | None


@dataclass(frozen=True)
class Figure:
    """A summarised figure: its value, its spread, what kind of spread that is, and how many trials it rests on.

    ``interval``: bounds of a 95 % interval. ``range``: smallest and largest trial, with no confidence attached.
    ``single``: one trial, no bounds. ``deterministic``: every trial gives the same, no bounds.
    """

    value: float
    low: float | None
    high: float | None
    kind: Kind
    n: int


def mean_figure(values: Sequence[float], *, deterministic: bool = False, is_share: bool = False) -> Figure:
    """Mean of independent values with its t interval, or with their range where the interval says nothing.

    It says nothing below three values, where all of them are the same, and where it covers more than half of what a
    share (``is_share``) can be. A single or a deterministic value has no bounds.

    Raises ValueError if ``values`` is empty or holds a NaN.
    """
    _check(values)
    mean, n = statistics.fmean(values), len(values)
    if deterministic:
        return Figure(mean, None, None, "deterministic", n)
    if n == 1:
        return Figure(mean, None, None, "single", 1)
    low, high = mean_interval(values)
    if n < FEWEST_SEEDS or min(values) == max(values) or (is_share and is_too_wide(low, high)):
        return Figure(mean, *value_range(values), "range", n)
    return Figure(mean, low, high, "interval", n)


def is_too_wide(low: float | None, high: float | None) -> bool:
    """True if a share's interval, cut to 0..1, covers more than half of that range."""
    return low is None or high is None or min(1.0, high) - max(0.0, low) > WIDEST


def median_figure(values: Sequence[float]) -> Figure:
    """Median with the range of the values: for trials of one case, which are not independent.

    A machine changes speed in regimes of many trials, so that an interval made for independent values misses the
    median far more often than it says (docs/statistics.md).

    Raises ValueError if ``values`` is empty or holds a NaN.
    """
    _check(values)
    median = statistics.median(values)
    if len(values) == 1:
        return Figure(median, None, None, "single", 1)
    return Figure(median, *value_range(values), "range", len(values))


def independent_median_figure(values: Sequence[float]) -> Figure:
    """Median of independent values, such as ratios within rounds, with its order-statistics interval.

    With fewer values than the interval needs (six) the bounds are the range.

    Raises ValueError if ``values`` is empty or holds a NaN.
    """
    low, high = median_interval(values)
    if low is None or high is None:
        return median_figure(values)
    return Figure(statistics.median(values), low, high, "interval", len(values))


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Student's t interval of the mean of ``values``; no bounds for a single value.

    Raises ValueError if ``values`` is empty or holds a NaN.
    """
    _check(values)
    n = len(values)
    if n == 1:
        return Interval(None, None)
    mean = statistics.fmean(values)
    half = t_quantile((1 + confidence) / 2, n - 1) * statistics.stdev(values) / math.sqrt(n)
    return Interval(mean - half, mean + half)


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Distribution-free interval of the median of ``values``, from order statistics.

    The bounds are the innermost symmetric pair of order statistics whose exact binomial coverage reaches
    ``confidence`` (Conover, Practical Nonparametric Statistics, 3rd ed., section 3.2). The values must be
    independent. Few pairs exist for few values, so that an interval at 95 % covers 96.9 % at 6 values, 97.9 % at 10
    and 95.1 % at 30. With too few values to reach ``confidence`` (fewer than 6 at 95 %) the bounds are ``None``: no
    interval is better than a wrong one.

    Raises ValueError if ``values`` is empty or holds a NaN.
    """
    _check(values)
    n = len(values)
    # Exact in integers: the pair (k, n + 1 - k) misses the median with probability 2 * sum(C(n, 0..k-1)) / 2**n.
    tail, rank = 0, 0
    for k in range(1, n // 2 + 1):
        tail += math.comb(n, k - 1)
        if 1 - 2 * tail / 2**n < confidence:
            break
        rank = k
    if rank == 0:
        return Interval(None, None)
    ordered = sorted(values)
    return Interval(ordered[rank - 1], ordered[n - rank])


def wilson_interval(successes: float, trials: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Score interval of a proportion (Wilson 1927, JASA 22:209-212, without continuity correction).

    For an accuracy on a test part of ``trials`` rows: its uncertainty from the finite test part alone. Neither has to
    be whole: a mean over seeds need not be a whole number of rows, and rows in groups count for less than one.

    Raises ValueError unless ``0 <= successes <= trials`` and ``trials > 0``.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"{successes} successes in {trials} trials are not a proportion")
    z = statistics.NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    # At the ends the formula gives the end itself up to rounding.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def best_share_interval(share: float, rows: float, best_of: int) -> tuple[float, float]:
    """Wilson's interval of a share of ``rows`` that is the highest of ``best_of`` shares of the same rows.

    The highest is often the luckiest. The lower bound is corrected for that (Bonferroni: it holds for all of them
    together, and so for the highest). The upper bound needs no correction: where it is too low, so is that of the
    truly best, whose share is not higher. Raises ValueError unless ``0 <= share <= 1`` and ``rows > 0``.
    """
    low, _ = wilson_interval(share * rows, rows, 1 - (1 - CONFIDENCE) / best_of)
    _, high = wilson_interval(share * rows, rows)
    return low, high


def value_range(values: Sequence[float]) -> tuple[float, float]:
    """Smallest and largest of ``values``. Raises ValueError if ``values`` is empty or holds a NaN."""
    _check(values)
    return min(values), max(values)


@lru_cache(maxsize=256)  # a report asks for few of them, many times
def t_quantile(p: float, degrees: int) -> float:
    """Quantile of Student's t for a whole number of ``degrees`` of freedom and ``0.5 <= p < 1``.

    Inverts the finite trigonometric series of Abramowitz and Stegun, 26.7.3 and 26.7.4, in the angle
    ``atan(t / sqrt(degrees))``, where it is well conditioned for every ``degrees``.
    """
    if degrees < 1 or not 0.5 <= p < 1:
        raise ValueError(f"no t quantile for p={p}, degrees={degrees}")
    low, high = 0.0, math.pi / 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _two_sided_t(middle, degrees) < 2 * p - 1:
            low = middle
        else:
            high = middle
    return math.tan(low) * math.sqrt(degrees)


def _two_sided_t(angle: float, degrees: int) -> float:
    """``P(|T| < tan(angle) * sqrt(degrees))``."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(2 + odd, degrees - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    if odd:
        return 2 / math.pi * (angle + sine * total)
    return sine * total


def _check(values: Sequence[float]) -> None:
    if not values:
        raise ValueError("no values to summarise")
    if any(math.isnan(value) for value in values):
        raise ValueError("a NaN cannot be summarised")
