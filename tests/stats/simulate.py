"""Simulations of every interval and mark that a report shows: how often each covers, and how often it is wrong.

Each function draws ``repeats`` experiments in which the truth is known, asks the code that reports use, and returns a
share. The tests run them at small size; the tables of docs/statistics.md are printed by

    python -m tests.stats.tables

Machine noise is modelled as an autoregressive process of lag 1, ``x' = rho x + sqrt(1 - rho^2) e``, with one step a
trial or an epoch. A machine whose speed was followed over 80 trials had ``rho`` between 0.78 and 0.87.
"""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from bench.record import Scores
from bench.stats.floors import difference_interval, effective_rows
from bench.stats.interval import (
    best_share_interval,
    independent_median_figure,
    mean_figure,
    mean_interval,
    median_figure,
    median_interval,
    wilson_interval,
)
from bench.stats.steady import is_steady

Values = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Values]
"""Draws values of one distribution."""

RHO = 0.8


def standard_error(share: float, repeats: int) -> float:
    """Binomial standard error of a share found in ``repeats`` experiments."""
    return math.sqrt(share * (1 - share) / repeats)


def autoregressive(rng: np.random.Generator, series: int, length: int, rho: float) -> Values:
    """Stationary series of variance 1 ``(series, length)``."""
    shocks = rng.standard_normal((series, length))
    values = np.empty_like(shocks)
    values[:, 0] = shocks[:, 0]
    for step in range(1, length):
        values[:, step] = rho * values[:, step - 1] + math.sqrt(1 - rho * rho) * shocks[:, step]
    return values


def mean_over_seeds(draw: Draw, truth: float, seeds: int, repeats: int, seed: int = 0) -> tuple[float, float, float]:
    """Fractions of t intervals of a share over ``seeds`` seeds: covering, shown in a report, shown but missing."""
    rng = np.random.default_rng(seed)
    covered = shown = wrong = 0
    for values in draw(rng, repeats * seeds).reshape(repeats, seeds).tolist():
        low, high = mean_interval(values)
        hit = low is not None and high is not None and low <= truth <= high
        visible = mean_figure(values, is_share=True).kind == "interval"
        covered += hit
        shown += visible
        wrong += visible and not hit
    return covered / repeats, shown / repeats, wrong / repeats


def median_of_trials(trials: int, rho: float, repeats: int, seed: int = 0) -> tuple[float | None, float]:
    """Fractions of order-statistics intervals and of ranges that cover the median of consecutive trials.

    The first is None with too few trials for an interval.
    """
    rng = np.random.default_rng(seed)
    interval = in_range = 0
    for values in autoregressive(rng, repeats, trials, rho).tolist():
        low, high = median_interval(values)
        interval += low is not None and high is not None and low <= 0 <= high
        figure = median_figure(values)
        in_range += figure.low is not None and figure.high is not None and figure.low <= 0 <= figure.high
    return (interval / repeats if median_interval(range(trials)) != (None, None) else None), in_range / repeats


def ratio_of_equals(
    rounds: int, cases: int, repeats: int, *, apart: int = 1, own: float = 0.05, rho: float = RHO, seed: int = 0
) -> float:
    """Fraction of ratio spreads that hold 1 for two equally fast systems.

    Each round has ``cases`` trials, every second round backwards; the systems are ``apart`` trials apart. A trial's
    log speed is the machine's (standard deviation 0.1, correlated) plus noise of its own.
    """
    rng = np.random.default_rng(seed)
    machine = 0.1 * autoregressive(rng, repeats, rounds * cases, rho)
    speeds = (machine + own * rng.standard_normal(machine.shape)).reshape(repeats, rounds, cases)
    speeds[:, 1::2] = speeds[:, 1::2, ::-1]
    held = 0
    for ratios in np.exp(speeds[:, :, apart] - speeds[:, :, 0]).tolist():
        figure = independent_median_figure(ratios)
        held += figure.low is not None and figure.high is not None and figure.low <= 1 <= figure.high
    return held / repeats


def grouped_answers(
    rng: np.random.Generator, share: float, groups: int, size: int, alike: float, repeats: int
) -> Values:
    """Accuracies on ``groups`` groups of ``size`` rows; a row is answered as its whole group with chance ``alike``."""
    common = rng.random((repeats, groups, 1)) < share
    each = rng.random((repeats, groups, size)) < share
    together = rng.random((repeats, groups, 1)) < alike
    return np.asarray(np.where(together, common, each).mean(axis=(1, 2)))


def accuracy_of_test_part(
    share: float, groups: int, repeats: int, *, size: int = 1, alike: float = 0.0, seed: int = 0
) -> float:
    """Fraction of Wilson intervals on effective rows (one a group) covering the true accuracy."""
    rng = np.random.default_rng(seed)
    held = 0
    for found in grouped_answers(rng, share, groups, size, alike, repeats).tolist():
        low, high = wilson_interval(found * groups, groups)
        held += low <= share <= high
    return held / repeats


def mean_of_recalls(sizes: Sequence[int], recalls: Sequence[float], repeats: int, seed: int = 0) -> float:
    """Fraction of Wilson intervals on the effective rows covering the balanced accuracy of unequal classes."""
    rng = np.random.default_rng(seed)
    confusion = tuple(
        tuple(size if row == column else 0 for column in range(len(sizes))) for row, size in enumerate(sizes)
    )
    scores = Scores(rows=sum(sizes), accuracy=1, balanced_accuracy=1, macro_f1=1, confusion=confusion)
    rows = effective_rows(scores, "balanced_accuracy")
    truth, held = sum(recalls) / len(recalls), 0
    for found in (rng.binomial(sizes, recalls, (repeats, len(sizes))) / sizes).mean(axis=1).tolist():
        low, high = wilson_interval(found * rows, rows)
        held += low <= truth <= high
    return held / repeats


def correlated_answers(rng: np.random.Generator, shares: Sequence[float], rows: int, agreement: float) -> Values:
    """Accuracies of methods with true ``shares`` on the same ``rows`` rows, alike in how hard they find each row.

    A row is answered where a normal variable lies below the quantile of the share; those of two methods correlate by
    ``agreement``.
    """
    limits = np.array([NormalDist().inv_cdf(share) for share in shares])[:, None]
    hard = rng.standard_normal(rows)
    own = rng.standard_normal((len(shares), rows))
    return np.asarray((math.sqrt(agreement) * hard + math.sqrt(1 - agreement) * own < limits).mean(axis=1))


def best_of_many(
    shares: Sequence[float], rows: int, repeats: int, *, agreement: float = 0.0, corrected: bool = True, seed: int = 0
) -> float:
    """Fraction of intervals of the most accurate of several methods that cover its true score."""
    rng = np.random.default_rng(seed)
    held = 0
    for _ in range(repeats):
        found = correlated_answers(rng, shares, rows, agreement)
        best = int(found.argmax())
        low, high = best_share_interval(float(found[best]), rows, len(shares) if corrected else 1)
        held += low <= shares[best] <= high
    return held / repeats


def against_a_floor(
    method: float, floor: float, rows: int, repeats: int, *, seeds: int = 3, spread: float = 0.003,
    agreement: float = 0.0, floor_rows: int | None = None, seed: int = 0,
) -> float:  # fmt: skip
    """Fraction of methods with mean ``method`` over all seeds called below a floor of true share ``floor``.

    ``spread``: standard deviation of the true shares of its seeds. The floor is tested on the first ``floor_rows``.
    """
    rng = np.random.default_rng(seed)
    tested = floor_rows or rows
    called = 0
    for _ in range(repeats):
        true = np.clip(method + spread * rng.standard_normal(seeds), 1e-6, 1 - 1e-6)
        found = correlated_answers(rng, [floor, *true], rows, agreement)
        low = float(found[0]) if tested == rows else float(rng.binomial(tested, floor)) / tested
        called += difference_interval(found[1:].tolist(), rows, low, tested)[1] < 0
    return called / repeats


def against_the_majority(method: float, majority: float, rows: int, repeats: int, *, seed: int = 0) -> float:
    """Fraction of one-seed methods shown to beat the constant answer, whose share of the test part is fixed."""
    rng = np.random.default_rng(seed)
    right = rng.binomial(rows, method, repeats) / rows
    return sum(difference_interval([share], rows, majority, math.inf)[0] > 0 for share in right.tolist()) / repeats


def log_drifts(seconds: Values) -> Values:
    """Log of last third against first third of the throughput of epochs of ``seconds`` ``(…, epochs)``."""
    third = max(1, seconds.shape[-1] // 3)
    return np.asarray(np.log(seconds[..., :third].mean(-1) / seconds[..., -third:].mean(-1)))


def called_not_steady(seconds: Values) -> float:
    """Share of the cases ``(cases, trials, epochs)`` of epoch times that are called not steady."""
    drifts = np.exp(log_drifts(seconds)).tolist()
    return sum(is_steady(case) is False for case in drifts) / len(drifts)


def noisy_epochs(
    trials: int, epochs: int, variation: float, repeats: int, *, rho: float = 0.0, trend: float = 0.0, seed: int = 0
) -> Values:
    """Epoch times ``(repeats, trials, epochs)``; ``trend``: relative growth of throughput from first to last epoch.

    The epochs of a trial and the trials of a case follow each other in one series of correlation ``rho``, the worst
    case: in a run the trials of other cases lie between.
    """
    rng = np.random.default_rng(seed)
    noise = variation * autoregressive(rng, repeats, trials * epochs, rho).reshape(repeats, trials, epochs)
    return np.exp(noise - np.linspace(0, math.log(1 + trend), epochs))


def switching_epochs(trials: int, epochs: int, switch: float, repeats: int, *, seed: int = 0) -> Values:
    """Epoch times on a machine of two speeds, 20 % apart, that changes between epochs with chance ``switch``."""
    rng = np.random.default_rng(seed)
    changes = rng.random((repeats, trials * epochs)) < switch
    slow = (np.cumsum(changes, axis=1) + rng.integers(0, 2, (repeats, 1))) % 2
    return np.asarray(np.exp(0.2 * slow + 0.02 * rng.standard_normal(slow.shape)).reshape(repeats, trials, epochs))
