"""The learning rate of every step, as an array: a schedule is data, the same in every framework."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.case import Schedule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def learning_rates(peak: float, schedule: Schedule, steps_per_epoch: int, epochs: int) -> NDArray[np.float64]:
    """``(steps_per_epoch * epochs,)``: the rate of each optimiser step.

    ``step`` multiplies the rate after each ``every_epochs`` epochs. ``one-cycle`` climbs along half a cosine from
    ``start`` times the peak to the peak and falls along another to ``end`` times the peak (Smith and Topin 2018; the
    cosines are those of PyTorch's ``OneCycleLR``).
    """
    import numpy as np

    steps = steps_per_epoch * epochs
    if schedule.name == "step":
        drops = np.arange(steps) // steps_per_epoch // schedule.every_epochs
        return np.asarray(peak * schedule.factor**drops, np.float64)
    if schedule.name == "one-cycle":
        return peak * _one_cycle(schedule, steps)
    return np.full(steps, peak)


def _one_cycle(schedule: Schedule, steps: int) -> NDArray[np.float64]:
    import numpy as np

    # the step, counted from 0 and not always whole, on which the peak is reached
    top = min(max(schedule.warm_up * steps - 1, 0.0), steps - 1.0)
    at = np.arange(steps, dtype=np.float64)
    climbed = at / top if top > 0 else np.ones(steps)
    fallen = (at - top) / max(steps - 1 - top, 1.0)
    up = _along_cosine(schedule.start, 1.0, np.clip(climbed, 0, 1))
    down = _along_cosine(1.0, schedule.end, np.clip(fallen, 0, 1))
    return np.where(at <= top, up, down)


def _along_cosine(start: float, end: float, share: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    return end + (start - end) / 2.0 * (1.0 + np.cos(math.pi * share))
