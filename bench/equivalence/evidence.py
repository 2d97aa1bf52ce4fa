"""What was asked of a framework and what it was seen to compute, and how far the definition is from that."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bench.case import Optimizer
from bench.equivalence.deviations import NONE, Deviations
from bench.equivalence.reference import Batch, Reference
from bench.models.network import PlacedNetwork

Array = NDArray[Any]
Weights = Mapping[str, NDArray[Any]]

LOGITS = "logits before training"
LOSS = "loss"
FIRST_UPDATE = "first update"
FINAL_WEIGHTS = "final weights"
LAST_LOGITS = "logits after training"

TINY = 1e-3
"""An array of updates is compared by its largest value, but by no less than this share of the largest of all arrays."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was asked: network, initial weights, data, the rows and the rate of each step."""

    network: PlacedNetwork
    weights: Weights
    optimizer: Optimizer
    images: Array
    """``(n, *spatial, channels)``, as stored."""
    labels: NDArray[np.int64]
    scale: float
    """The pixel value that means 1.0."""
    order: Sequence[NDArray[np.int64]]
    """The rows of each step; none of a step that takes no rows changes nothing."""
    rates: NDArray[np.float64]
    """``(steps,)``"""
    evaluated: Array | None = None
    """The images answered before and after training, as stored; None: ``images``."""
    label_smoothing: float = 0.0
    class_weights: NDArray[np.float64] | None = None
    mean: NDArray[np.float64] | None = None
    std: NDArray[np.float64] | None = None
    """``(channels,)``, of scaled pixels."""
    deviations: Deviations = NONE

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
    """What one framework computed; None for what was not looked at. Weights have neutral names and layout."""

    logits: Array | None = None
    """``(n, k)`` before training, in evaluation mode."""
    logits_again: Array | None = None
    """The same, asked for a second time."""
    initial: Weights | None = None
    """Weights as read back before training."""
    first: Weights | None = None
    """Weights after the first step."""
    losses: NDArray[np.float64] | None = None
    """``(steps,)``; NaN where none was given."""
    final: Weights | None = None
    last_logits: Array | None = None
    """``(n, k)`` after training."""
    whole: Weights | None = None
    """Final weights of a second run that was trained in calls of whole epochs, where the others were by batches."""
    probabilities: bool = False
    """The framework gives probabilities where logits stand above, and rightly so."""


@dataclass(frozen=True, eq=False)
class Opening:
    """What a reference computes before its first update, where it is known already."""

    logits: Array | None = None
    batch: Batch | None = None


@dataclass(frozen=True)
class Difference:
    """How far what was observed is from a reference in one quantity."""

    quantity: str
    step: int
    """Updates made before; the steps over which rounding could grow."""
    relative: float


def relative(found: Array, expected: Array, scale: float | None = None) -> float:
    """``max|found - expected|`` divided by ``scale`` or else by ``max|found|``; infinite where shapes differ.

    Values that are finite in neither are equal.
    """
    if found.shape != expected.shape:
        return math.inf
    finite = np.isfinite(found)
    if not np.array_equal(finite, np.isfinite(expected)):
        return math.inf
    if not finite.any():
        return 0.0
    largest = float(np.abs(found[finite]).max()) if scale is None else scale
    apart = float(np.abs(found[finite] - expected[finite]).max())
    return 0.0 if apart == 0 else apart / largest if largest else math.inf


def relative_update(found: Weights, expected: Weights, start: Weights) -> float:
    """The largest relative difference of two sets of weights, counted from where they started.

    Infinite where names or shapes differ. What has no start of its name and shape is counted from 0.
    """
    if {name: value.shape for name, value in found.items()} != {name: value.shape for name, value in expected.items()}:
        return math.inf
    starts = {name: array for name, array in start.items() if name in found and found[name].shape == array.shape}
    zero = np.zeros(())
    moves = {
        name: (value - starts.get(name, zero), expected[name] - starts.get(name, zero)) for name, value in found.items()
    }
    sizes = {name: float(np.abs(move).max(initial=0.0)) for name, (move, _) in moves.items()}
    floor = TINY * max((size for size in sizes.values() if math.isfinite(size)), default=0.0)
    scales = {name: max(size, floor) if math.isfinite(size) else None for name, size in sizes.items()}
    return max((relative(*move, scales[name]) for name, move in moves.items()), default=0.0)


def differences(evidence: Evidence, observed: Observed, known: Opening | None = None) -> Iterator[Difference]:
    """What a reference of ``evidence`` differs by from ``observed``, the quantities cheapest to compute first.

    Each is computed as it is asked for; ``known`` spares what is known.
    """
    known = known or Opening()
    reference = evidence.reference()
    start = {name: value.astype(np.float64) for name, value in evidence.weights.items()}
    if observed.logits is not None:
        answers = reference.logits(evidence.answered) if known.logits is None else known.logits
        yield Difference(LOGITS, 0, relative(observed.logits, answers))
    taken = 0
    losses = np.zeros(0) if observed.losses is None else np.asarray(observed.losses, np.float64)
    finite = np.isfinite(losses)
    largest = float(np.abs(losses[finite]).max(initial=0.0))
    for step, rows in enumerate(evidence.order):
        if not len(rows):
            continue
        batch = (None if taken else known.batch) or reference.begin(*evidence.batch(step))
        if step < len(losses) and finite[step]:
            yield Difference(LOSS, taken, relative(losses[step], np.asarray(reference.reported(batch)), largest))
        reference.update(batch, evidence.rates[step])
        if not taken and observed.first is not None:
            yield Difference(FIRST_UPDATE, 0, relative_update(observed.first, reference.weights, start))
        taken += 1
    if observed.final is not None:
        yield Difference(FINAL_WEIGHTS, taken, relative_update(observed.final, reference.weights, start))
    if observed.last_logits is not None:
        answers = reference.logits(evidence.answered)
        yield Difference(LAST_LOGITS, taken, relative(observed.last_logits, answers))


def opening(evidence: Evidence) -> Opening:
    """What a reference of ``evidence`` computes before its first update."""
    reference = evidence.reference()
    first = next(step for step, rows in enumerate(evidence.order) if len(rows))
    return Opening(reference.logits(evidence.answered), reference.begin(*evidence.batch(first)))


def observe(evidence: Evidence, dtype: DTypeLike = np.float64) -> Observed:
    """Everything that a reference of ``evidence`` computes in ``dtype``, as if a framework had."""
    reference = evidence.reference(dtype)
    logits, initial = reference.logits(evidence.answered), reference.weights
    losses = np.full(len(evidence.order), np.nan)
    first = None
    for step, rows in enumerate(evidence.order):
        if len(rows):
            losses[step] = reference.step(*evidence.batch(step), evidence.rates[step])
            first = first or reference.weights
    return Observed(
        logits=logits,
        logits_again=logits,
        initial=initial,
        first=first,
        losses=losses,
        final=reference.weights,
        last_logits=reference.logits(evidence.answered),
    )
