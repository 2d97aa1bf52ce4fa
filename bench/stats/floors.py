"""A figure compared with the floors of its data set, and a test for classes of unequal size."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Literal

from bench.datasets.inspection import class_ratio
from bench.manifest import FloorMethod, Floors
from bench.record import Scores
from bench.stats.interval import mean_interval, wilson_interval
from bench.stats.metrics import METRICS
from bench.stats.summary import CaseSummary

UNEQUAL = 1.5
"""Classes are called unequal if the largest has more than this many times the training rows of the smallest.

From this ratio on the KEEL repository lists a data set as imbalanced (Alcalá-Fdez et al. 2011, "KEEL data-mining
software tool: data set repository"; Fernández et al. 2008). MNIST, with 1.24, is below it.
"""

QualityMetric = Literal["accuracy", "balanced_accuracy"]
Shortfall = Literal["below", "not shown to beat"]


def are_unequal(counts: Sequence[int]) -> bool:
    """True if accuracy alone says little, because it is mostly that of the large classes: see ``UNEQUAL``."""
    return class_ratio(counts) > UNEQUAL


def shortfalls(summary: CaseSummary, floors: Floors, metric: QualityMetric) -> Mapping[FloorMethod, Shortfall]:
    """The floors that a case is below, and the majority where it is not shown to beat it.

    Seeds and the finite test part are both accounted for: see ``difference_interval``. An equally good method
    is called below in 5 % of cases at most. Nothing for a case without ``metric``.
    """
    values = [value for record in summary.ok if (value := METRICS[metric].read(record)) is not None]
    scores = next((record.scores for record in summary.ok if record.scores), None)
    if not values or scores is None:
        return {}
    rows = effective_rows(scores, metric, summary.independent_test_rows)
    found: dict[FloorMethod, Shortfall] = {}
    for floor in floors.floors:
        # A constant answer scores what the classes of the test part say, whichever rows they hold.
        floor_rows = math.inf if floor.method == "majority" else rows * floor.tested_rows / scores.rows
        low, high = difference_interval(values, rows, getattr(floor, metric), floor_rows)
        if high < 0:
            found[floor.method] = "below"
        elif floor.method == "majority" and low <= 0:
            found[floor.method] = "not shown to beat"
    return found


def effective_rows(scores: Scores, metric: QualityMetric, independent_rows: int | None = None) -> float:
    """The number of independent test rows that ``metric`` rests on.

    ``independent_rows`` stands for all rows where these come in groups. A mean of recalls rests mostly on the smallest
    classes: it varies like a share of ``k^2 / sum(1 / n_c)`` rows, ``n_c`` those of each of ``k`` classes.
    """
    rows = independent_rows or scores.rows
    sizes = [size for row in scores.confusion if (size := sum(row))]
    if metric == "accuracy" or not sizes:
        return rows
    return rows / scores.rows * len(sizes) ** 2 / sum(1 / size for size in sizes)


def difference_interval(values: Sequence[float], rows: float, floor: float, floor_rows: float) -> tuple[float, float]:
    """95 % interval of the mean of ``values`` minus ``floor``.

    ``values``: the shares of a method's seeds on ``rows`` independent test rows. ``floor``: the share of another
    method on ``floor_rows``, infinite where it is exact. The distances of three intervals' bounds are added in
    quadrature (MOVER: Zou and Donner 2008, Statistics in Medicine 27:1693-1702): Wilson's for each share (for two
    shares alone Newcombe's method 10: 1998, Statistics in Medicine 17:873-890) and Student's over the seeds. Two
    methods on the same rows mostly err on the same ones; as that is not known here, the interval is wider than needed.

    With one value the difference is that of one trained model, not of its seeds.
    """
    share = statistics.fmean(values)
    low, high = _share_interval(share, rows)
    floor_low, floor_high = _share_interval(floor, floor_rows)
    seeds_low, _ = mean_interval(values)
    seeds = 0.0 if seeds_low is None else share - seeds_low
    difference = share - floor
    return (
        difference - math.hypot(share - low, floor_high - floor, seeds),
        difference + math.hypot(high - share, floor - floor_low, seeds),
    )


def _share_interval(share: float, rows: float) -> tuple[float, float]:
    """Wilson's interval; the share itself where it rests on infinitely many rows."""
    return (share, share) if math.isinf(rows) else wilson_interval(share * rows, rows)
