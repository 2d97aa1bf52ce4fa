"""From the raw figures of one record to one number: steady throughput, drift, latency percentiles."""

import math
import statistics
from collections.abc import Sequence

from bench.record import EpochFigures, Record
from bench.stats.interval import FEWEST_SEEDS, mean_interval

STEADY_RATIO = 1.05
"""A trend that changes the throughput by less than this factor, from first to last third, is too small to matter."""


def steady_epochs(record: Record) -> tuple[EpochFigures, ...]:
    """Epochs from the second on: the first still holds warm-up. Empty for a single one (one ``fit``)."""
    return record.phases.epochs[1:] if record.phases else ()


def steady_throughput(record: Record) -> float | None:
    """Training samples per second over the steady epochs; None without any."""
    return _rate(steady_epochs(record))


def drift(record: Record) -> float | None:
    """Throughput of the last third of the steady epochs divided by that of the first; None below two epochs.

    Above 1 the trial became faster over time. With two epochs each counts as a third.
    """
    epochs = steady_epochs(record)
    if len(epochs) < 2:
        return None
    third = max(1, len(epochs) // 3)
    first, last = _rate(epochs[:third]), _rate(epochs[-third:])
    return last / first if first and last else None


def is_steady(drifts: Sequence[float]) -> bool | None:
    """True if the drifts of a case's trials show no trend; None below three trials, which cannot show one.

    A trend is shown if the trials agree on it: the mean of the drifts' logarithms is 5 % or more away from 0, and
    its 95 % t interval excludes 0. One trial cannot tell a trend from a change of the machine's speed; several
    can, because such changes go either way.

    Without a trend at most 5 % of the cases are called not steady, also where the epochs of a trial and neighbouring
    trials are correlated, or the machine switches between two speeds. Three trials of 5 timed epochs find a trend of
    10 % in 82 of 100 cases where epochs vary by 2 %, and one of 20 % in 64 where they vary by 5 % (docs/statistics.md).
    """
    if len(drifts) < FEWEST_SEEDS:
        return None
    logs = [math.log(one) for one in drifts]
    low, high = mean_interval(logs)
    is_large = abs(statistics.fmean(logs)) >= math.log(STEADY_RATIO)
    return not (is_large and low is not None and high is not None and not low <= 0 <= high)


def predict_throughput(record: Record) -> float | None:
    """Predicted samples per second; the first pass is a warm-up unless it is the only one. None where not measured."""
    passes = record.phases.predict if record.phases else ()
    counted = passes[1:] or passes
    seconds = sum(one.seconds for one in counted)
    return sum(one.samples for one in counted) / seconds if seconds > 0 else None


def latency_ms(record: Record, p: float) -> float | None:
    """Percentile ``p`` (0 to 1) of the latency of one sample, in ms; None with too few calls to know it."""
    return percentile([us / 1000 for us in record.phases.latency_us], p) if record.phases else None


def percentile(values: Sequence[float], p: float) -> float | None:
    """Percentile ``p`` (0 to 1) by linear interpolation between order statistics (numpy's default, type 7).

    None with fewer than ``10 / (1 - p)`` values: fewer than ten lie beyond it, and it would be a guess.
    """
    if not 0 < p < 1:
        raise ValueError(f"percentile {p} is not between 0 and 1")
    if len(values) < values_needed(p):
        return None
    ordered = sorted(values)
    position = p * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def values_needed(p: float) -> int:
    """Values that percentile ``p`` needs: 20 for the median, 200 for p95, 1,000 for p99."""
    # Rounded first: 10 / (1 - 0.95) is 200.00000000000017 in floating point.
    return math.ceil(round(10 / (1 - p), 6))


def _rate(epochs: Sequence[EpochFigures]) -> float | None:
    seconds = sum(epoch.seconds for epoch in epochs)
    return sum(epoch.samples for epoch in epochs) / seconds if seconds > 0 else None
