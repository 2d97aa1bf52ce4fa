"""The difference allowed between two frameworks of one row at the same seed, in float32.

Rounding makes honest frameworks diverge: by 1e-7 at the first step, then at each unit that one of them switches off
and the other does not, faster for deeper networks and larger rates. So a limit grows with the steps taken. It ends at
the natural scale of the row, the spread of its own seeds: other weights and another order of the data must change
more than another framework does. With fewer than three seeds this scale is unknown, and the growth alone counts, up
to a bound.

The constants lie above the largest differences of honest runs (``tests/benchmarks/honest_runs.toml``: 37 rows of
digits, MNIST and Fashion-MNIST by Adam, AdamW, SGD and momentum). One seed of each in up to five frameworks, 151
trials, largest difference of log losses by the steps taken:

=======  ======  ======  ======  ======  ======  ======  =======
steps    12      48      96      200     400     800     1,600
shallow  6e-7    4e-6    1.6e-5  4e-4    3.4e-3  1.2e-2  4.7e-2
deep     2.9e-6  2.9e-2  2.0e-2  3.9e-2  2.4e-2  3.8e-2  –
random   5.9e-3  0.22    0.095   0.11    0.23    0.21    0.17
=======  ======  ======  ======  ======  ======  ======  =======

At the first step 2e-7, 1.6e-5 and 1.3e-2. Three seeds of the same rows in PyTorch, scikit-learn and, in part, Keras
on TensorFlow, some 230 trials of the protocol before: at most 0.43 (shallow, deep) and 1.64 (random) of
the range of the seeds, and 0.75 for BatchNorm under SGD of rate 0.1 and momentum 0.9; answers at most 0.50, 0.73 and
1.12 of the share in which two seeds differ. None of these was accused, and none of the kept runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.case import Case

SEEDS_FOR_A_SCALE = 3
"""Two seeds are too often close by chance to give a scale."""


@dataclass(frozen=True)
class Drift:
    """Limits for honest frameworks on one kind of network; for losses, differences of their logarithms."""

    first: float
    """At the first step."""
    per_step: float
    power: int
    """After ``t`` updates ``per_step * t ** power`` is added."""
    most: float
    """Cap on the growth."""
    spreads: float
    """Factor for the seeds' standard deviation."""
    least: float
    """Floor for losses, if the seeds happen to be closer."""
    between: float
    """Factor for the share of answers in which one framework's seeds differ."""
    wrong: float
    """Factor for the share of wrong answers, if too few seeds or no stored answers give the other share."""

    def loss_limit(self, steps: int, spread: float | None) -> float:
        """The difference allowed after ``steps`` updates; ``spread`` is the standard deviation over the seeds."""
        grown = min(self.first + self.per_step * math.pow(steps, self.power), self.most)
        return grown if spread is None else min(grown, max(self.spreads * spread, self.least))

    def answers_limit(self, rows: int, wrong: float, between: float | None) -> float:
        """The share of ``rows`` answers that may differ, of which the share ``wrong`` is wrong."""
        return FEW_ROWS / rows + (self.wrong * wrong if between is None else self.between * between)


FEW_ROWS = 5
"""Answers that may always differ: a few rows of a test part lie at a border between two classes."""

SHALLOW = Drift(first=1e-5, per_step=3e-7, power=2, most=0.15, spreads=5, least=0.05, between=1, wrong=1)
"""At most one hidden layer, dense, nothing drawn at random."""

DEEP = Drift(first=1e-4, per_step=2e-4, power=2, most=1.5, spreads=5, least=0.05, between=1.5, wrong=2)
"""Convolutions, BatchNorm or more layers, nothing drawn at random."""

RANDOM = Drift(first=0.05, per_step=8e-3, power=1, most=0.8, spreads=10, least=0.05, between=2, wrong=2)
"""Dropout: each framework draws its own masks. Also for networks unknown here."""


def drift_of(case: Case) -> Drift:
    """The drift of a case's network, found by its name if that still stands for the same network."""
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
    """Standard deviation over seeds; None for too few of them."""
    import statistics

    return statistics.stdev(values) if len(values) >= SEEDS_FOR_A_SCALE else None
