"""How far two frameworks of one row may be apart at the same seed, in float32, before one of them is called different.

Rounding makes honest frameworks part: by 1e-7 at the first step, then at each unit that one of them switches off and
the other does not, the faster the deeper the network and the larger the rate. So a limit grows with the steps taken.
It ends at the natural scale of the row, how far its own seeds are apart: other weights and another order of the data
must change more than another framework does. With fewer than three seeds there is no such scale, and the growth alone
counts up to a bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.case import Case

SEEDS_FOR_A_SCALE = 3
"""Two seeds are near to each other by chance too often for a scale."""


@dataclass(frozen=True)
class Drift:
    """How honest frameworks part on one kind of network; all of losses is in differences of their logarithms."""

    first: float
    """At the first step."""
    per_step: float
    power: int
    """After ``t`` updates ``per_step * t ** power`` is added."""
    most: float
    """However many steps."""
    spreads: float
    """Times the standard deviation over the seeds."""
    least: float
    """For losses, where the seeds happen to be nearer to each other."""
    between: float
    """Times the share of answers in which two seeds of one framework differ."""
    wrong: float
    """Times the share of answers that are wrong, where too few seeds or no stored answers give the other share."""

    def loss_limit(self, steps: int, spread: float | None) -> float:
        """The difference allowed after ``steps`` updates; ``spread`` is the standard deviation over the seeds."""
        grown = min(self.first + self.per_step * math.pow(steps, self.power), self.most)
        return grown if spread is None else min(grown, max(self.spreads * spread, self.least))

    def answers_limit(self, rows: int, wrong: float, between: float | None) -> float:
        """The share of ``rows`` answers that may differ, of which the share ``wrong`` is wrong."""
        return FEW_ROWS / rows + (self.wrong * wrong if between is None else self.between * between)


FEW_ROWS = 5
"""So many answers may differ in any case: a few rows of a test part lie at a border between two classes."""

SHALLOW = Drift(first=1e-5, per_step=3e-7, power=2, most=0.1, spreads=3, least=0.03, between=1, wrong=1)
"""At most one hidden layer, dense, nothing drawn at random."""

DEEP = Drift(first=1e-4, per_step=2e-4, power=2, most=1.5, spreads=3, least=0.03, between=1.5, wrong=2)
"""Convolutions, BatchNorm or more layers, nothing drawn at random."""

RANDOM = Drift(first=0.05, per_step=5e-3, power=1, most=0.8, spreads=6, least=0.05, between=2, wrong=2)
"""Dropout: each framework draws masks of its own. Networks that are not known here too."""


def drift_of(case: Case) -> Drift:
    """The drift of a case's network, found by its name where that still stands for the same network."""
    from bench.errors import BenchError
    from bench.models.catalog import find_model
    from bench.models.model import Dense, Dropout, Flatten, Network

    try:
        network = find_model(case.model)
    except BenchError:  # of a package that is not installed here
        return RANDOM
    if not isinstance(network, Network) or network.digest != case.model_digest:
        return RANDOM
    if any(isinstance(layer, Dropout) for layer in network.layers):
        return RANDOM
    dense = [layer for layer in network.layers if isinstance(layer, Dense)]
    is_shallow = len(dense) <= 2 and all(isinstance(layer, Dense | Flatten) for layer in network.layers)
    return SHALLOW if is_shallow else DEEP


def deviation(values: Sequence[float]) -> float | None:
    """Standard deviation over seeds; None where there are too few."""
    import statistics

    return statistics.stdev(values) if len(values) >= SEEDS_FOR_A_SCALE else None
