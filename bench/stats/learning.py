"""Networks that were still learning when their training ended: judged on the validation part, never on the test part.

The evaluations of the last fifth of a training are compared with those of the fifth before it. A network is still
learning if the loss on the validation part fell by 5 % or more from one to the other, or the accuracy rose by half a
point or more, in the median of its trials, and moved that way in every one of them. Where neither has a trend
and the loss of a single evaluation varies by 3 %, three trials are marked in 1.4 % of the cases with one evaluation a
fifth (``tests/stats/test_learning.py`` simulates it), and in fewer with more.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

from bench.record import Checkpoint, Record

LOSS_FALL = 0.05
"""Relative."""
ACCURACY_RISE = 0.005
PARTS = 5


def still_learning(records: Sequence[Record]) -> bool | None:
    """True where the trials of a case ended while they were still learning; None where nothing was evaluated twice."""
    moves = [found for record in records if (found := last_moves(record)) is not None]
    if not moves:
        return None
    falls = [fall for fall, _ in moves if fall is not None]
    rises = [rise for _, rise in moves]
    return _moved(falls, LOSS_FALL) or _moved(rises, ACCURACY_RISE)


def last_moves(record: Record) -> tuple[float | None, float] | None:
    """Relative fall of the validation loss (None without one) and rise of the accuracy over the last two fifths.

    None where the training was evaluated less than twice.
    """
    points = [point for epoch in (record.phases.epochs if record.phases else ()) for point in epoch.checkpoints]
    if len(points) < 2:
        return None
    window = max(1, len(points) // PARTS)
    before, last = points[-2 * window : -window], points[-window:]
    rise = fmean(point.validation_accuracy for point in last) - fmean(point.validation_accuracy for point in before)
    return _fall(before, last), rise


def _fall(before: Sequence[Checkpoint], last: Sequence[Checkpoint]) -> float | None:
    losses = [[point.validation_loss for point in part if point.validation_loss is not None] for part in (before, last)]
    if not all(losses) or fmean(losses[0]) <= 0:
        return None
    return 1.0 - fmean(losses[1]) / fmean(losses[0])


def _moved(values: Sequence[float], least: float) -> bool:
    return bool(values) and median(values) >= least and min(values) > 0
