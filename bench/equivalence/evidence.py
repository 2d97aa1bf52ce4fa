"""The request to a framework, and what it was observed to compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bench.case import Optimizer
from bench.equivalence.deviations import NONE, Deviations
from bench.equivalence.reference import Reference
from bench.models.network import PlacedNetwork

Array = NDArray[Any]
Weights = Mapping[str, NDArray[Any]]

LOGITS = "logits before training"
LOSS = "loss"
FIRST_UPDATE = "first update"
FINAL_WEIGHTS = "final weights"
LAST_LOGITS = "logits after training"


@dataclass(frozen=True, eq=False)
class Evidence:
    """The request: network, initial weights, data, the rows and the rate of each step."""

    network: PlacedNetwork
    weights: Weights
    optimizer: Optimizer
    images: Array
    """``(n, *spatial, channels)``, as stored."""
    labels: NDArray[np.int64]
    scale: float
    """The pixel value that means 1.0."""
    order: Sequence[NDArray[np.int64]]
    """The rows of each step; a step that takes no rows changes nothing."""
    rates: NDArray[np.float64]
    """``(steps,)``"""
    reads: Sequence[int] | None = None
    """The steps after which a loss is read, the mean over the rows since the previous one; None: all."""
    evaluated: Array | None = None
    """The images answered before and after training, as stored; None: ``images``."""
    label_smoothing: float = 0.0
    class_weights: NDArray[np.float64] | None = None
    mean: NDArray[np.float64] | None = None
    std: NDArray[np.float64] | None = None
    """``(channels,)``, of scaled pixels."""
    deviations: Deviations = NONE
    starts_again: frozenset[int] = frozenset()
    """Steps before which the optimiser's state is forgotten."""
    factor: float = 1.0
    """Factor for trained weights after each step of ``multiplied``."""
    multiplied: frozenset[int] = frozenset()
    average: Callable[[int], float] | None = None
    """Share by which a mean moves to the updated weights, by the number of updates before. Weights end as this mean."""
    average_answers: bool = False
    """The mean replaces the weights in answers after training alone."""
    reported_after: bool = False
    """The loss of a step is that of its batch after the update."""
    stale: bool = False
    """Answers after training repeat those before."""

    def reference(self, dtype: DTypeLike = np.float64) -> Reference:
        """A reference at the initial weights."""
        return Reference(
            self.network,
            self.weights,
            self.optimizer,
            label_smoothing=self.label_smoothing,
            class_weights=self.class_weights,
            dtype=dtype,
            deviations=self.deviations,
        )

    def prepared(self, images: Array) -> NDArray[np.float64]:
        """Stored images as the network gets them: scaled and, if asked, normalised."""
        scaled = images.astype(np.float64) / self.scale
        return scaled if self.mean is None or self.std is None else (scaled - self.mean) / self.std

    def batch(self, step: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Images and labels of a step."""
        rows = self.order[step]
        return self.prepared(self.images[rows]), self.labels[rows]

    @property
    def answered(self) -> NDArray[np.float64]:
        """The images answered before and after training, as the network gets them."""
        return self.prepared(self.images if self.evaluated is None else self.evaluated)


@dataclass(frozen=True, eq=False)
class Observed:
    """Results of one framework; None for what was not observed. Weights have neutral names and layout."""

    logits: Array | None = None
    """``(n, k)`` before training, in evaluation mode."""
    logits_again: Array | None = None
    """The same, computed again."""
    initial: Weights | None = None
    """Weights as read back before training."""
    first: Weights | None = None
    """Weights after the first step."""
    losses: NDArray[np.float64] | None = None
    """``(reads,)``, usually of each step; NaN where none was given."""
    final: Weights | None = None
    last_logits: Array | None = None
    """``(n, k)`` after training."""
    whole: Weights | None = None
    """Final weights of a second run, trained by whole epochs; the others are trained by batches."""
    probabilities: bool = False
    """The framework gives probabilities for the logits above, and rightly so."""

    def value(self, quantity: str, number: int) -> Array | Weights | None:
        """The observed value of a quantity; of losses, that at ``number``."""
        if quantity == LOSS:
            if self.losses is None or number >= len(self.losses) or np.isnan(self.losses[number]):
                return None
            return np.asarray(self.losses[number], np.float64)
        return {
            LOGITS: self.logits,
            FIRST_UPDATE: self.first,
            FINAL_WEIGHTS: self.final,
            LAST_LOGITS: self.last_logits,
        }[quantity]

    @property
    def wanted(self) -> frozenset[str]:
        """The quantities that were observed."""
        return frozenset(
            quantity
            for quantity in (LOGITS, FIRST_UPDATE, FINAL_WEIGHTS, LAST_LOGITS)
            if self.value(quantity, 0) is not None
        ) | ({LOSS} if self.losses is not None else frozenset())
