"""What was asked of a framework and what it was seen to compute, and how far the definition is from that."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
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
    """The rows of each step; a step that takes no rows changes nothing."""
    rates: NDArray[np.float64]
    """``(steps,)``"""
    reads: Sequence[int] | None = None
    """The steps after which a loss is seen, the mean over the rows since the one before; None: after each."""
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
    """Trained weights are multiplied by it after each step of ``multiplied``."""
    multiplied: frozenset[int] = frozenset()
    stale: bool = False
    """What is answered after training is what was answered before."""

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
    """``(reads,)``, of each step as a rule; NaN where none was given."""
    final: Weights | None = None
    last_logits: Array | None = None
    """``(n, k)`` after training."""
    whole: Weights | None = None
    """Final weights of a second run that was trained by whole epochs, where the others were by batches."""
    probabilities: bool = False
    """The framework gives probabilities where logits stand above, and rightly so."""

    def value(self, quantity: str, number: int) -> Array | Weights | None:
        """What was seen of a quantity; of losses the one of that number."""
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
        """The quantities that were looked at."""
        return frozenset(
            quantity
            for quantity in (LOGITS, FIRST_UPDATE, FINAL_WEIGHTS, LAST_LOGITS)
            if self.value(quantity, 0) is not None
        ) | ({LOSS} if self.losses is not None else frozenset())


@dataclass(frozen=True, eq=False)
class Opening:
    """What a reference computes before its first update, where it is known already."""

    logits: Array | None = None
    batch: Batch | None = None


@dataclass(frozen=True, eq=False)
class Computed:
    """One quantity as a reference computes it."""

    quantity: str
    updates: int
    """Made before; the steps over which rounding could grow."""
    value: Array | Weights
    number: int = 0
    """Of a loss: those of steps that take no rows are counted too."""


@dataclass(frozen=True, eq=False)
class Difference:
    """How far what was observed is from a reference in one quantity."""

    computed: Computed
    relative: float

    @property
    def quantity(self) -> str:
        """Its name."""
        return self.computed.quantity

    @property
    def updates(self) -> int:
        """Made before."""
        return self.computed.updates


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


def computed(
    evidence: Evidence, wanted: Container[str], known: Opening | None = None, dtype: DTypeLike = np.float64
) -> Iterator[Computed]:
    """The quantities ``wanted`` of ``evidence``, the cheapest first, each computed as it is asked for.

    ``known`` spares what is known.
    """
    known = known or Opening()
    reference = evidence.reference(dtype)
    logits = known.logits
    if LOGITS in wanted or (evidence.stale and LAST_LOGITS in wanted):
        logits = reference.logits(evidence.answered) if logits is None else logits
        yield Computed(LOGITS, 0, logits)
    numbers = range(len(evidence.order)) if evidence.reads is None else evidence.reads
    number_of = {step: number for number, step in enumerate(numbers)}
    taken, total, seen = 0, 0.0, 0
    for step, rows in enumerate(evidence.order):
        if not len(rows):
            continue
        if step in evidence.starts_again:
            reference.start_optimizer_again()
        batch = (None if taken else known.batch) or reference.begin(*evidence.batch(step))
        total, seen = total + reference.reported(batch) * batch.rows, seen + batch.rows
        if LOSS in wanted and step in number_of:  # before the update, which costs as much again
            yield Computed(LOSS, taken, np.asarray(total / seen), number_of[step])
            total, seen = 0.0, 0
        reference.update(batch, float(evidence.rates[step]))
        if step in evidence.multiplied:
            reference.multiply_weights(evidence.factor)
        if not taken and FIRST_UPDATE in wanted:
            yield Computed(FIRST_UPDATE, 0, reference.weights)
        taken += 1
    if FINAL_WEIGHTS in wanted:
        yield Computed(FINAL_WEIGHTS, taken, reference.weights)
    if LAST_LOGITS in wanted:
        before = logits if evidence.stale else None
        yield Computed(LAST_LOGITS, taken, reference.logits(evidence.answered) if before is None else before)


def differences(evidence: Evidence, observed: Observed, known: Opening | None = None) -> Iterator[Difference]:
    """What a reference of ``evidence`` differs by from ``observed``, the quantities cheapest to compute first."""
    losses = np.zeros(0) if observed.losses is None else np.asarray(observed.losses, np.float64)
    largest = float(np.abs(losses[np.isfinite(losses)]).max(initial=0.0))
    start = {name: value.astype(np.float64) for name, value in evidence.weights.items()}
    for one in computed(evidence, observed.wanted, known):
        found = observed.value(one.quantity, one.number)
        if found is None:
            continue
        if isinstance(found, Mapping):
            assert isinstance(one.value, Mapping)
            apart = relative_update(found, one.value, start)
        else:
            assert not isinstance(one.value, Mapping)
            apart = relative(found, one.value, largest if one.quantity == LOSS else None)
        yield Difference(one, apart)


def opening(evidence: Evidence) -> Opening:
    """What a reference of ``evidence`` computes before its first update."""
    reference = evidence.reference()
    first = next(step for step, rows in enumerate(evidence.order) if len(rows))
    return Opening(reference.logits(evidence.answered), reference.begin(*evidence.batch(first)))


ALL = frozenset((LOGITS, LOSS, FIRST_UPDATE, FINAL_WEIGHTS, LAST_LOGITS))


def observe(evidence: Evidence, dtype: DTypeLike = np.float64) -> Observed:
    """Everything that a reference of ``evidence`` computes in ``dtype``, as if a framework had."""
    losses = np.full(len(evidence.order if evidence.reads is None else evidence.reads), np.nan)
    seen: dict[str, Any] = {}
    for one in computed(evidence, ALL, dtype=dtype):
        if one.quantity == LOSS:
            losses[one.number] = one.value
        else:
            seen[one.quantity] = one.value
    return Observed(
        logits=seen[LOGITS],
        logits_again=seen[LOGITS],
        initial=evidence.reference(dtype).weights,
        first=seen.get(FIRST_UPDATE),
        losses=losses,
        final=seen[FINAL_WEIGHTS],
        last_logits=seen[LAST_LOGITS],
    )
