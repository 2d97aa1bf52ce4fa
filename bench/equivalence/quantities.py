"""The quantities that a reference computes for a request, one after the other, and their differences."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from bench.equivalence.evidence import (
    FINAL_WEIGHTS,
    FIRST_UPDATE,
    LAST_LOGITS,
    LOGITS,
    LOSS,
    Array,
    Evidence,
    Observed,
    Weights,
)
from bench.equivalence.reference import Batch, Reference

TINY = 1e-3
"""An array of updates is compared by its largest value, but by no less than this share of the largest of all arrays."""
ALL = frozenset((LOGITS, LOSS, FIRST_UPDATE, FINAL_WEIGHTS, LAST_LOGITS))
STEPPED = ("order", "rates", "starts_again", "factor", "multiplied", "stale")
"""Fields of ``Evidence`` that change something from a step on."""


@dataclass(frozen=True, eq=False)
class Course:
    """A reference stepped as requested up to, but not including, ``step``."""

    asked: Evidence
    step: int
    taken: int
    """Updates made."""
    reference: Reference

    def leads_to(self, evidence: Evidence) -> bool:
        """True if there are steps before ``step`` and they are those of ``evidence`` too."""
        return 0 < self.step <= first_change(self.asked, evidence)


@dataclass(frozen=True, eq=False)
class Known:
    """Results that remain valid if nothing before them changes."""

    logits: Array | None = None
    batch: Batch | None = None
    """The first batch."""
    course: Course | None = None
    """Steps before it are not computed: they are as requested."""


@dataclass(frozen=True, eq=False)
class Computed:
    """One quantity as a reference computes it."""

    quantity: str
    updates: int
    """Updates made before, over which rounding could grow."""
    value: Array | Weights
    number: int = 0
    """Index of a loss; steps that take no rows are counted too."""


@dataclass(frozen=True, eq=False)
class Difference:
    """Difference between an observation and a reference in one quantity."""

    computed: Computed
    relative: float

    @property
    def quantity(self) -> str:
        """Name of the quantity."""
        return self.computed.quantity

    @property
    def updates(self) -> int:
        """Updates made before."""
        return self.computed.updates


def relative(found: Array, expected: Array, scale: float | None = None) -> float:
    """``max|found - expected|`` divided by ``scale`` or else by ``max|found|``; infinite if shapes differ.

    Values that are finite in neither count as equal.
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
    """The largest relative difference of two sets of weights, measured from their start.

    Infinite if names or shapes differ. A weight without a start of its name and shape is measured from 0.
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
    evidence: Evidence, wanted: Container[str], known: Known | None = None, dtype: DTypeLike = np.float64
) -> Iterator[Computed]:
    """The quantities ``wanted`` of ``evidence``, the cheapest first, each computed on demand.

    What is ``known`` is not computed again.
    """
    known = known or Known()
    logits, course = known.logits, known.course
    if course is not None and course.leads_to(evidence):
        reference, start, taken = course.reference.copy(), course.step, course.taken
    else:
        reference, start, taken = evidence.reference(dtype), 0, 0
    if logits is None and (LOGITS in wanted or (evidence.stale and LAST_LOGITS in wanted)):
        logits = reference.logits(evidence.answered)
    if LOGITS in wanted and logits is not None and not start:
        yield Computed(LOGITS, 0, logits)
    numbers = range(len(evidence.order)) if evidence.reads is None else evidence.reads
    number_of = {step: number for number, step in enumerate(numbers)}
    total, seen = 0.0, 0
    for step in range(start, len(evidence.order)):
        if not len(evidence.order[step]):
            continue
        if step in evidence.starts_again:
            reference.start_optimizer_again()
        batch = (None if taken else known.batch) or reference.begin(*evidence.batch(step))
        if evidence.reported_after:
            _update(reference, evidence, step, batch)
            reported = reference.begin(*evidence.batch(step))
        else:
            reported = batch
        total, seen = total + reference.reported(reported) * batch.rows, seen + batch.rows
        if LOSS in wanted and step in number_of:  # before the update, which costs as much again
            yield Computed(LOSS, taken, np.asarray(total / seen), number_of[step])
            total, seen = 0.0, 0
        if not evidence.reported_after:
            _update(reference, evidence, step, batch)
        if not taken and FIRST_UPDATE in wanted:
            yield Computed(FIRST_UPDATE, 0, reference.weights)
        if evidence.average is not None:
            reference.average(evidence.average(taken))
        taken += 1
    yield from _at_the_end(evidence, wanted, reference, taken, logits if evidence.stale else None)


def _at_the_end(
    evidence: Evidence, wanted: Container[str], reference: Reference, taken: int, stale: Array | None
) -> Iterator[Computed]:
    """Weights and logits after the last step; ``stale`` logits are those before the first."""
    if evidence.average is not None and not evidence.average_answers:
        reference.end_as_average()
    if FINAL_WEIGHTS in wanted:
        yield Computed(FINAL_WEIGHTS, taken, reference.weights)
    if evidence.average_answers:
        reference.end_as_average()
    if LAST_LOGITS in wanted:
        yield Computed(LAST_LOGITS, taken, reference.logits(evidence.answered) if stale is None else stale)


def _update(reference: Reference, evidence: Evidence, step: int, batch: Batch) -> None:
    reference.update(batch, float(evidence.rates[step]))
    if step in evidence.multiplied:
        reference.multiply_weights(evidence.factor)


def course(asked: Evidence, step: int) -> Course:
    """A reference that has taken the steps of ``asked`` before ``step``."""
    reference, taken = asked.reference(), 0
    for one in range(step):
        if len(asked.order[one]):
            _update(reference, asked, one, reference.begin(*asked.batch(one)))
            taken += 1
    return Course(asked, step, taken, reference)


def first_change(asked: Evidence, other: Evidence) -> int:
    """The first step in which ``other`` differs from ``asked``: 0 if anything but rows, rates and events does.

    The number of steps if none differs.
    """
    whole = [one.name for one in fields(asked) if one.name not in STEPPED]
    if any(getattr(asked, name) is not getattr(other, name) for name in whole):
        return 0
    steps = range(min(len(asked.order), len(other.order)))
    return next((step for step in steps if _differ(asked, other, step)), len(steps))


def _differ(asked: Evidence, other: Evidence, step: int) -> bool:
    return (
        asked.rates[step] != other.rates[step]
        or step in asked.starts_again ^ other.starts_again
        or step in asked.multiplied | other.multiplied
        or not np.array_equal(asked.order[step], other.order[step])
    )


def differences(evidence: Evidence, observed: Observed, known: Known | None = None) -> Iterator[Difference]:
    """Differences of ``observed`` from a reference of ``evidence``, the quantities cheapest to compute first."""
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


def opening(evidence: Evidence) -> Known:
    """Results of a reference of ``evidence`` before its first update."""
    reference = evidence.reference()
    first = next(step for step, rows in enumerate(evidence.order) if len(rows))
    return Known(reference.logits(evidence.answered), reference.begin(*evidence.batch(first)))


def observe(evidence: Evidence, dtype: DTypeLike = np.float64) -> Observed:
    """All results of a reference of ``evidence`` in ``dtype``, as if a framework had computed them."""
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
