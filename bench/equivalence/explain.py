"""Which constant or formula explains that a framework computed something else than was asked.

Departures are tried one at a time: each is computed, in numpy, against what was observed, the quantities cheapest to
compute first, and given up at the first that it does not reproduce. Only one that reproduces them all is named; where
none does, what the differences are like (``bench.equivalence.likeness``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from bench.equivalence.activation_candidates import activation_candidates
from bench.equivalence.allowance import Allowance
from bench.equivalence.candidate import Candidate, other
from bench.equivalence.data_candidates import data_candidates
from bench.equivalence.deviations import Rounding
from bench.equivalence.evidence import (
    FINAL_WEIGHTS,
    FIRST_UPDATE,
    LOGITS,
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
from bench.equivalence.fitted import factor_candidates, fitted_candidates, target
from bench.equivalence.image_candidates import image_candidates
from bench.equivalence.implied import implied_candidates
from bench.equivalence.layer_candidates import layer_candidates, pooling_candidates
from bench.equivalence.likeness import like_another_order, shorter_formats
from bench.equivalence.loss_candidates import loss_candidates
from bench.equivalence.rows_read import sentence_of_rows
from bench.equivalence.state_candidates import late_candidates, state_candidates
from bench.equivalence.update_candidates import clipping_candidates, update_candidates

GROWTH, GROWN = 2.0, 1e2
"""Rounding grows from step to step: so does the tolerance, and by no more than this in all."""
IMPROVEMENT = 10.0
"""How many times nearer than the definition an explanation must come."""
ROUNDING = 1e-3
"""A share of the tolerance below which a difference is rounding, whichever explanation it belongs to."""
FORMATS: tuple[Rounding, ...] = ("float32", "bfloat16", "TF32", "float16")
"""Shorter than float64, the longest first."""
Family = Callable[[Evidence], Iterator[Candidate]]
LIKE_FLOAT32 = 100.0
"""Rounding in float32 differs between libraries by no more than this factor."""


@dataclass(frozen=True)
class Digits:
    """How near a computation in some precision comes to the exact one. All values are relative."""

    rounding: float
    """Of one number."""
    tolerance: float
    """Above what rounding makes of one step, and far below what a wrong constant does."""
    update: float
    """The same for the first update."""
    near: float
    """A constant that is so near to a short decimal is that."""
    as_good: float
    """Explanations whose differences are within this factor of the best's cannot be told apart."""


DOUBLE = Digits(2.0**-53, 1e-11, 1e-9, 1e-6, 100.0)
SINGLE = Digits(2.0**-24, 1e-5, 1e-4, 1e-3, 10.0)
"""For logits and the first update alone, which is what is held in float32."""


def explain(asked: Evidence, observed: Observed, *, digits: Digits = DOUBLE, seconds: float = 60.0) -> list[str]:
    """What explains the differences of ``observed`` from the definition, one sentence for each explanation.

    Empty where there is nothing to explain, or where no single departure that is known reproduces what was observed.
    More than one where they cannot be told apart. No new departure is tried after ``seconds`` of this thread's own
    time, so that what is found does not depend on what else the machine does.
    """
    allowed = Allowance(seconds)
    if observed.probabilities:
        asked = replace(asked, deviations=replace(asked.deviations, softmax_answers=True))
    found = _explained(asked, observed, digits, allowed)
    if found or observed.whole is None or _agree(asked, observed.final, observed.whole, digits):
        return found
    found = _explained(asked, Observed(initial=observed.initial, final=observed.whole), digits, allowed)
    return [f"trained by whole epochs: {sentence}" for sentence in found]


def _agree(asked: Evidence, first: Weights | None, second: Weights, digits: Digits) -> bool:
    return first is not None and relative_update(first, second, asked.weights) <= digits.tolerance * GROWN


def _explained(asked: Evidence, observed: Observed, digits: Digits, allowed: Allowance) -> list[str]:
    if sentence := _not_repeatable(observed, digits):
        return [sentence]
    known = opening(asked)
    missed = next((one for one in differences(asked, observed, known) if _share(one, digits) > 1), None)
    if missed is None:
        return []
    parts = _exact_in_float32(observed) if digits is DOUBLE else []
    if parts and _like_float32(asked, observed, known):
        return [f"computed in float32: {', '.join(parts)}"]
    limit = min(1.0, _share(missed, digits) / IMPROVEMENT)
    for stage in _stages(asked, observed, known, missed, digits, allowed):
        scores = _scores(stage, observed, known, digits, limit, allowed)
        if scores:
            enough = max(digits.as_good * min(scores.values()), ROUNDING)
            return [sentence for sentence, score in scores.items() if score <= enough]
    return _likeness(asked, observed, known, missed, digits)


def _likeness(asked: Evidence, observed: Observed, known: Opening, missed: Difference, digits: Digits) -> list[str]:
    """What the differences are like where nothing reproduces them."""
    by = f"by {missed.relative:.0e} in the {missed.quantity}"
    formats = () if missed.quantity == FINAL_WEIGHTS else FORMATS[digits is SINGLE :]
    if found := shorter_formats(asked, observed, missed.quantity, by, formats):
        return found
    if digits is not DOUBLE:
        return []
    if _starts_like_float32(missed) and _like_float32(asked, observed, known):
        return [f"differs as rounding in float32 does ({by})"]
    if missed.quantity == LOGITS or (missed.quantity == FIRST_UPDATE and observed.losses is not None):
        return []  # the loss is right, and with it the rows
    if sentence := sentence_of_rows(asked, observed, tolerance=digits.update, rounding=digits.rounding):
        return [sentence]
    if like_another_order(asked, observed):
        return ["differs by as much as another order of the rows would"]
    return []


def _scores(
    candidates: Iterable[Candidate],
    observed: Observed,
    known: Opening,
    digits: Digits,
    limit: float,
    allowed: Allowance,
) -> dict[str, float]:
    """The worst difference of each sentence that explains all of ``observed``."""
    scores: dict[str, float] = {}
    with np.errstate(all="ignore"):  # departures may diverge, and say so by an infinite difference
        for candidate in candidates:
            if allowed.spent():
                break
            if candidate.sentence not in scores:
                score = _score(candidate, observed, known, digits, limit)
                if score is not None:
                    scores[candidate.sentence] = score
    return scores


LIKELIEST = (
    layer_candidates,
    activation_candidates,
    data_candidates,
    loss_candidates,
    update_candidates,
    image_candidates,
    state_candidates,
)
"""All departures that are known, those first that are the cheapest to try and the likeliest."""
LIKELIEST_BY_EPOCHS = (
    data_candidates,
    clipping_candidates,
    state_candidates,
    update_candidates,
    loss_candidates,
    layer_candidates,
    activation_candidates,
    image_candidates,
)
"""The same where a run differs from another of the same framework: in how it is driven."""


def departures(asked: Evidence, families: Iterable[Family] = LIKELIEST) -> Iterator[Candidate]:
    """All that have a meaning for what was asked, whatever was observed."""
    return chain.from_iterable(family(asked) for family in families)


def _stages(
    asked: Evidence, observed: Observed, known: Opening, missed: Difference, digits: Digits, allowed: Allowance
) -> Iterator[Iterable[Candidate]]:
    """Candidates in the order in which they are tried; a later stage only where none before it explains anything."""
    aim = target(observed, missed.computed, known, allowed)
    late = late_candidates(asked, observed, missed.updates - 1)
    if missed.quantity == FINAL_WEIGHTS:  # each candidate costs a whole run: the likeliest first, one at a time
        yield iter(()) if aim is None else factor_candidates(asked, aim, digits.near)
        yield from ([one] for one in departures(asked, LIKELIEST_BY_EPOCHS))
        yield iter(()) if aim is None else fitted_candidates(asked, aim, digits.near)
        yield late
        return
    yield chain(_not_loaded(asked, observed), pooling_candidates(asked, observed), departures(asked))
    yield implied_candidates(asked, observed, known, near=digits.near, rounding=digits.rounding)
    yield late
    yield iter(()) if aim is None else fitted_candidates(asked, aim, digits.near)


def _score(candidate: Candidate, observed: Observed, known: Opening, digits: Digits, limit: float) -> float | None:
    """The worst difference as a share of what is tolerated; None as soon as it is above ``limit``."""
    match candidate.reach:
        case "answers":
            spared = Opening()
        case "gradients":
            spared = Opening(logits=known.logits)
        case "update":
            spared = known
    worst = 0.0
    for difference in differences(candidate.evidence, observed, spared):
        worst = max(worst, _share(difference, digits))
        if not worst <= limit:
            return None
    return worst


def _share(difference: Difference, digits: Digits) -> float:
    tolerance = digits.update if difference.quantity == FIRST_UPDATE else digits.tolerance
    return difference.relative / (tolerance * min(GROWTH**difference.updates, GROWN))


def _not_repeatable(observed: Observed, digits: Digits) -> str | None:
    if observed.logits is None or observed.logits_again is None:
        return None
    apart = relative(observed.logits, observed.logits_again)
    if apart <= digits.tolerance:
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
    return missed.updates <= 1 and missed.relative >= float(np.finfo(np.float32).eps) / LIKE_FLOAT32


def _exact_in_float32(observed: Observed) -> list[str]:
    """Quantities whose every value is a float32: in float64 none of them would be, by chance."""
    weights = observed.final or observed.first or {}
    parts: dict[str, Array | None] = {"logits": observed.logits, "loss": observed.losses}
    parts["weights"] = np.concatenate([value.ravel() for value in weights.values()]) if weights else None
    return [name for name, values in parts.items() if values is not None and _float32_exact(np.asarray(values))]


def _float32_exact(values: NDArray[np.float64]) -> bool:
    found = values[np.isfinite(values) & (values != 0)]
    return len(found) >= 4 and bool((found.astype(np.float32) == found).all())
