"""Which constant or formula explains that a framework computed something else than was asked.

Departures are tried one at a time: each is computed, in numpy, against what was observed, the quantities cheapest to
compute first, and given up at the first that it does not reproduce. Only one that reproduces them all is named.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bench.equivalence.candidate import Candidate, other
from bench.equivalence.data_candidates import data_candidates, loss_candidates
from bench.equivalence.evidence import (
    Array,
    Difference,
    Evidence,
    Observed,
    Opening,
    Weights,
    differences,
    observe,
    opening,
    relative,
    relative_update,
)
from bench.equivalence.implied import implied_candidates
from bench.equivalence.layer_candidates import layer_candidates
from bench.equivalence.update_candidates import update_candidates

TOLERANCE = 1e-9
"""Relative, in float64: above what rounding makes of one step, and far below what a wrong constant does."""
GROWTH, GROWN = 2.0, 1e3
"""Rounding grows from step to step: so does the tolerance, and by no more than this in all."""
IMPROVEMENT = 10.0
"""How many times nearer than the definition an explanation must come."""
AS_GOOD = 100.0
"""Explanations whose differences are within this factor of the best's cannot be told apart."""
ROUNDING = 1e-3
"""A share of the tolerance below which a difference is rounding, whichever explanation it belongs to."""
LIKE_FLOAT32 = 100.0
"""Rounding in float32 differs between libraries by no more than this factor."""


def explain(asked: Evidence, observed: Observed, *, tolerance: float = TOLERANCE, seconds: float = 60.0) -> list[str]:
    """What explains the differences of ``observed`` from the definition, one sentence for each explanation.

    Empty where there is nothing to explain, or where no single departure that is known reproduces what was observed.
    More than one where they cannot be told apart. ``tolerance`` is relative. No new departure is tried after
    ``seconds``.
    """
    end = time.monotonic() + seconds
    if observed.probabilities:
        asked = replace(asked, deviations=replace(asked.deviations, softmax_answers=True))
    found = _explained(asked, observed, tolerance, end)
    if found or observed.whole is None or _agree(asked, observed.final, observed.whole, tolerance):
        return found
    by_epochs = _explained(asked, Observed(initial=observed.initial, final=observed.whole), tolerance, end)
    return [f"trained by whole epochs: {sentence}" for sentence in by_epochs]


def _agree(asked: Evidence, first: Weights | None, second: Weights, tolerance: float) -> bool:
    return first is not None and relative_update(first, second, asked.weights) <= tolerance * GROWN


def _explained(asked: Evidence, observed: Observed, tolerance: float, end: float) -> list[str]:
    if sentence := _not_repeatable(observed, tolerance):
        return [sentence]
    known = opening(asked)
    missed = next((found for found in differences(asked, observed, known) if found.relative > tolerance), None)
    if missed is None:
        return []
    parts = _exact_in_float32(observed)
    if parts and _like_float32(asked, observed, known):
        return [f"computed in float32: {', '.join(parts)}"]
    limit = min(1.0, _share(missed, tolerance) / IMPROVEMENT)
    scores: dict[str, float] = {}
    for candidate in _candidates(asked, observed, known):
        if time.monotonic() > end:
            break
        if candidate.sentence not in scores:
            score = _score(candidate, observed, known, tolerance, limit)
            if score is not None:
                scores[candidate.sentence] = score
    if scores:
        enough = max(AS_GOOD * min(scores.values()), ROUNDING)
        return [sentence for sentence, score in scores.items() if score <= enough]
    if _starts_like_float32(missed) and _like_float32(asked, observed, known):
        return [f"differs as rounding in float32 does (by {missed.relative:.0e} in the {missed.quantity})"]
    return []


def departures(asked: Evidence) -> Iterator[Candidate]:
    """All that are known to have a meaning for what was asked, whatever was observed."""
    yield from layer_candidates(asked)
    yield from update_candidates(asked)
    yield from loss_candidates(asked)
    yield from data_candidates(asked)


def _candidates(asked: Evidence, observed: Observed, known: Opening) -> Iterator[Candidate]:
    yield from _not_loaded(asked, observed)
    if observed.losses is None:  # whole runs alone: each costs all its steps, and the rows are the likeliest
        yield from data_candidates(asked)
    yield from departures(asked)
    yield from implied_candidates(asked, observed, known)


def _score(candidate: Candidate, observed: Observed, known: Opening, tolerance: float, limit: float) -> float | None:
    """The worst difference as a share of what is tolerated; None as soon as it is above ``limit``."""
    match candidate.reach:
        case "answers":
            spared = Opening()
        case "gradients":
            spared = Opening(logits=known.logits)
        case "update":
            spared = known
    worst = 0.0
    for difference in _quietly(differences(candidate.evidence, observed, spared)):
        worst = max(worst, _share(difference, tolerance))
        if worst > limit:
            return None
    return worst


def _quietly(found: Iterator[Difference]) -> Iterator[Difference]:
    """Departures may diverge, and say so by an infinite difference, not by warnings."""
    while True:
        with np.errstate(all="ignore"):
            difference = next(found, None)
        if difference is None:
            return
        yield difference


def _share(difference: Difference, tolerance: float) -> float:
    return difference.relative / (tolerance * min(GROWTH**difference.step, GROWN))


def _not_repeatable(observed: Observed, tolerance: float) -> str | None:
    if observed.logits is None or observed.logits_again is None:
        return None
    apart = relative(observed.logits, observed.logits_again)
    if apart <= tolerance:
        return None
    return f"two evaluations of the same images differ by {apart:.0e}: dropout, or something else random, is active"


def _not_loaded(asked: Evidence, observed: Observed) -> Iterator[Candidate]:
    """The weights read back before training, where they are not those given."""
    initial = observed.initial
    if initial is None or {name: value.shape for name, value in initial.items()} != asked.network.weight_shapes:
        return
    names = [name for name, value in initial.items() if not np.array_equal(value, asked.weights[name])]
    if names:
        sentence = f"initial weights are not those given: {', '.join(names)}"
        yield other(asked, sentence, "answers", weights=initial)


def _like_float32(asked: Evidence, observed: Observed, known: Opening) -> bool:
    """Whether no quantity differs by more than rounding in float32 makes of it."""
    sizes: dict[str, float] = {}
    for difference in differences(asked, observe(asked, np.float32), known):
        sizes[difference.quantity] = max(sizes.get(difference.quantity, 0.0), difference.relative)
    return all(
        difference.relative <= LIKE_FLOAT32 * sizes[difference.quantity]
        for difference in differences(asked, observed, known)
    )


def _starts_like_float32(missed: Difference) -> bool:
    """Whether the first difference is there from the start, and large enough to be rounding in float32."""
    return missed.step <= 1 and missed.relative >= float(np.finfo(np.float32).eps) / LIKE_FLOAT32


def _exact_in_float32(observed: Observed) -> list[str]:
    """Quantities whose every value is a float32: in float64 none of them would be, by chance."""
    weights = observed.final or observed.first or {}
    parts: dict[str, Array | None] = {"logits": observed.logits, "loss": observed.losses}
    parts["weights"] = np.concatenate([value.ravel() for value in weights.values()]) if weights else None
    return [name for name, values in parts.items() if values is not None and _float32_exact(np.asarray(values))]


def _float32_exact(values: NDArray[np.float64]) -> bool:
    found = values[np.isfinite(values) & (values != 0)]
    return len(found) >= 4 and bool((found.astype(np.float32) == found).all())
