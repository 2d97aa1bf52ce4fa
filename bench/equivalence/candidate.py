"""A named departure from the definition: a sentence with both values, and what was asked, changed to be it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from bench.equivalence.evidence import Evidence

Reach = Literal["answers", "gradients", "update"]
"""The first that changes: the answers before training, the loss and gradients of a batch, or the update alone."""

MULTIPLES = (10.0, 0.1, 8.0, 0.125, 2.0, 0.5, 100.0, 0.01)
"""Of a constant that was asked for."""


@dataclass(frozen=True)
class Candidate:
    """One departure."""

    sentence: str
    reach: Reach
    evidence: Evidence
    """What was asked, changed so that the definition computes the departure."""


def other(asked: Evidence, sentence: str, reach: Reach, **fields: Any) -> Candidate:
    """Something else is asked: fields of ``Evidence``."""
    return Candidate(sentence, reach, replace(asked, **fields))


def flag(asked: Evidence, sentence: str, reach: Reach, **fields: Any) -> Candidate:
    """A different formula: fields of ``Deviations``."""
    return other(asked, sentence, reach, deviations=replace(asked.deviations, **fields))


def constant(asked: Evidence, sentence: str, **fields: Any) -> Candidate:
    """Other constants of the optimiser. What its own checks refuse is allowed: an epsilon of 0."""
    return other(asked, sentence, "update", optimizer=asked.optimizer.model_copy(update=fields))
