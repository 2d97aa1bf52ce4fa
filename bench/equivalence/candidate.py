"""A named departure from the definition: a sentence with both values, and the request changed accordingly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.equivalence.evidence import Evidence
from bench.equivalence.quantities import Known

Reach = Literal["answers", "gradients", "update"]
"""The first to change: the answers before training, the loss and gradients of a batch, or the update alone."""

Rows = NDArray[np.int64]

MULTIPLES = (10.0, 0.1, 8.0, 0.125, 2.0, 0.5, 100.0, 0.01)
"""Factors for a requested constant."""


@dataclass(frozen=True)
class Candidate:
    """One departure."""

    sentence: str
    reach: Reach
    evidence: Evidence
    """The request, changed so that the definition computes the departure."""


def other(asked: Evidence, sentence: str, reach: Reach, **fields: Any) -> Candidate:
    """A different request: fields of ``Evidence``."""
    return Candidate(sentence, reach, replace(asked, **fields))


def flag(asked: Evidence, sentence: str, reach: Reach, **fields: Any) -> Candidate:
    """A different formula: fields of ``Deviations``."""
    return other(asked, sentence, reach, deviations=replace(asked.deviations, **fields))


def constant(asked: Evidence, sentence: str, **fields: Any) -> Candidate:
    """Other constants of the optimiser. Values its own checks refuse are allowed: an epsilon of 0."""
    return other(asked, sentence, "update", optimizer=asked.optimizer.model_copy(update=fields))


def reordered(asked: Evidence, sentence: str, order: Sequence[Rows]) -> Iterator[Candidate]:
    """Other rows in each step. If steps become empty, an optimiser may take its rates by its own steps."""
    steps = np.arange(len(order))
    own = np.maximum(np.cumsum([len(rows) > 0 for rows in order]) - 1, 0)
    last = len(asked.rates) - 1
    given = asked.rates[np.minimum(steps, last)]
    counted = asked.rates[np.minimum(own, last)]
    yield other(asked, sentence, "gradients", order=order, rates=given)
    if not np.array_equal(given, counted):
        yield other(asked, sentence, "gradients", order=order, rates=counted)


def all_and_each(names: Sequence[str]) -> list[list[str]]:
    """All names together, then one at a time."""
    each = [[name] for name in names]
    return [list(names), *each] if len(names) > 1 else each


def epochs(asked: Evidence) -> Iterator[range]:
    """The steps of each epoch: as many as hold all rows once."""
    start, rows = 0, 0
    for step, taken in enumerate(asked.order):
        rows += len(taken)
        if rows >= len(asked.images):
            yield range(start, step + 1)
            start, rows = step + 1, 0
    if start < len(asked.order):
        yield range(start, len(asked.order))


def rows_of(asked: Evidence, steps: range) -> Rows:
    """The rows of some steps in their order."""
    return np.concatenate([asked.order[step] for step in steps])


def cut(rows: Rows, sizes: Sequence[int]) -> list[Rows]:
    """``rows`` in batches of ``sizes``; the last are short or empty if the rows run out."""
    ends = np.cumsum(sizes)
    return [rows[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def spared(known: Known, candidate: Candidate) -> Known:
    """The part of ``known`` that holds for ``candidate``."""
    match candidate.reach:
        case "answers":
            return Known()
        case "gradients":
            return replace(known, batch=None)
        case "update":
            return known
