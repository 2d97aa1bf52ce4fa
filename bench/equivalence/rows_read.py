"""The rows that a first step was trained on, read off its gradient.

Without BatchNorm the gradient of a batch is the mean of the gradients of its rows: a system of linear equations, one
for each weight, in the number of times each row was taken. The rows are then checked: the loss and the update of the
step must follow from them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bench.equivalence.evidence import FIRST_UPDATE, LOSS, Evidence, Observed
from bench.equivalence.first_gradient import shown
from bench.equivalence.quantities import differences
from bench.models.model import BatchNorm

EQUATIONS = 3
"""Equations per unknown."""
MOST_ROWS = 4000
WHOLE = 0.01
"""Tolerance for a count to be a whole number."""


def sentence_of_rows(asked: Evidence, observed: Observed, *, tolerance: float, rounding: float) -> str | None:
    """Sentence if the first step's rows differ from those given; None if not, or if they cannot be read."""
    rows = rows_of_first_step(asked, observed, rounding=rounding)
    given = asked.order[0]
    if rows is None or Counter(rows.tolist()) == Counter(given.tolist()):
        return None
    alone = replace(asked, order=[rows])
    seen = replace(observed, logits=None, final=None, last_logits=None)
    checked = {one.quantity: one.relative <= tolerance for one in differences(alone, seen)}
    if not (checked and all(checked.values()) and checked.keys() <= {LOSS, FIRST_UPDATE}):
        return None
    others = sum((Counter(rows.tolist()) - Counter(given.tolist())).values())
    words = "rows of a step are not those given"
    return f"{words}: the first is trained on {len(rows)}, of which {others} are not among its {len(given)}"


def rows_of_first_step(asked: Evidence, observed: Observed, *, rounding: float) -> NDArray[np.int64] | None:
    """``(n,)``: the rows of the first update, each as often as it was taken; None if they cannot be read."""
    batches = any(isinstance(placed.layer, BatchNorm) for placed in asked.network.layers)
    if observed.first is None or batches or len(asked.images) > MOST_ROWS:
        return None
    names = [name for placed in asked.network.layers for name in placed.trained]
    seen = shown(asked, observed.first, names, rounding)
    if seen is None:
        return None
    trusted = np.concatenate([seen.trusted[name].ravel() for name in names])
    found = np.concatenate([seen.gradients[name].ravel() for name in names])
    places = np.flatnonzero(trusted)
    if len(places) < len(asked.images):
        return None
    wanted = min(len(places), EQUATIONS * len(asked.images))
    taken = np.random.Generator(np.random.PCG64(0)).permutation(places)[:wanted]
    shares = np.linalg.lstsq(_gradients(asked, names, taken).T, found[taken], rcond=None)[0]
    return _counted(shares)


def _gradients(asked: Evidence, names: list[str], taken: NDArray[np.int64]) -> NDArray[np.float64]:
    """``(rows, taken)``: some entries of the gradient of each row."""
    reference = asked.reference()
    gradients = np.empty((len(asked.images), len(taken)))
    inputs = asked.prepared(asked.images)
    for row in range(len(asked.images)):
        of_row = reference.begin(inputs[row : row + 1], asked.labels[row : row + 1]).gradients
        gradients[row] = np.concatenate([of_row[name].ravel() for name in names])[taken]
    return gradients


def _counted(shares: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """Rows repeated in proportion to their shares; None unless all are multiples of one."""
    once = shares[shares > WHOLE * shares.max(initial=0.0)]
    if not len(once):
        return None
    times = shares / once.min()
    whole = np.rint(times)
    if np.abs(times - whole).max() > WHOLE or whole.min() < 0:
        return None
    return np.repeat(np.arange(len(shares)), whole.astype(np.int64))
