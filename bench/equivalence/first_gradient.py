"""The gradient that a first update shows: each optimiser's first step, solved for the gradient.

Every state is zero before the first step, so each weight moves by a function of its own gradient alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.case import Optimizer
from bench.equivalence.evidence import Evidence, Weights
from bench.equivalence.reference_optimizers import covers

Array = NDArray[Any]

TRUSTED, ENOUGH = 1e6, 1e-4
"""A gradient counts if its relative error is below ``TRUSTED`` times the rounding and below ``ENOUGH``."""


@dataclass(frozen=True, eq=False)
class Shown:
    """Gradients by neutral name, as far as the update shows them."""

    gradients: dict[str, Array]
    trusted: dict[str, NDArray[np.bool_]]
    """True where the update has enough digits."""

    def pairs(self, expected: Weights) -> dict[str, tuple[Array, Array]]:
        """The trusted gradients and those of ``expected``, each ``(n,)``, by name."""
        return {
            name: (value[self.trusted[name]], np.asarray(expected[name])[self.trusted[name]])
            for name, value in self.gradients.items()
        }


def shown(asked: Evidence, first: Weights, names: Iterable[str], rounding: float) -> Shown | None:
    """The gradients of the weights ``names`` behind the weights ``first`` after one step.

    ``rounding`` is the relative rounding of ``first``. None if its shapes are not the requested ones.
    """
    if {name: value.shape for name, value in first.items()} != asked.network.weight_shapes:
        return None
    optimizer, rate = asked.optimizer, float(asked.rates[0])
    gradients, trusted = {}, {}
    for name in names:
        start, end = asked.weights[name].astype(np.float64), np.asarray(first[name], np.float64)
        decay = optimizer.weight_decay if covers("kernels", name) else 0.0
        move = end - start + rate * decay * start
        with np.errstate(all="ignore"):
            gradients[name], gain = _solved(optimizer, rate, move)
            error = gain * rounding * np.maximum(np.abs(start), np.abs(end)) / np.abs(gradients[name])
            trusted[name] = np.isfinite(gradients[name]) & (error < min(TRUSTED * rounding, ENOUGH))
    return Shown(gradients, trusted)


def _solved(optimizer: Optimizer, rate: float, move: Array) -> tuple[Array, Array]:
    """The gradient behind a move, and the factor by which it enlarges an error."""
    epsilon, size = optimizer.epsilon, np.abs(move)
    match optimizer.name:
        case "sgd":
            factor = rate * (1 + optimizer.momentum * optimizer.nesterov)
            return -move / factor, np.full_like(move, 1 / factor)
        case "adam" | "adamw":  # |move| = rate r|g| / (r|g| + epsilon), r = √(1 - β₂)
            root, left = math.sqrt(1 - optimizer.beta_2), rate - size
            return -np.sign(move) * epsilon * size / (root * left), epsilon * rate / (root * left**2)
        case "rmsprop":  # move² = rate² g² / ((1 - ρ) g² + epsilon)
            return _under_root(move, epsilon, rate**2, 1 - optimizer.rho)
        case "adadelta":  # the same with rate² epsilon
            return _under_root(move, epsilon, rate**2 * epsilon, 1 - optimizer.rho)


def _under_root(move: Array, epsilon: float, square: float, share: float) -> tuple[Array, Array]:
    left = square - share * move**2
    root = np.where(left > 0, left, np.nan) ** 0.5
    return -move * math.sqrt(epsilon) / root, math.sqrt(epsilon) * square / root**3
