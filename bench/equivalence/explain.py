"""The constant or formula that explains why a framework departs from the definition.

Departures are tried one at a time. Each is computed in numpy and compared with what was observed, the cheapest
quantities first, and dropped at the first that it does not reproduce. Only one that reproduces them all is named; if
none does, the differences are described (``bench.equivalence.likeness``).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bench.equivalence.allowance import Allowance
from bench.equivalence.deviations import Rounding
from bench.equivalence.evidence import FINAL_WEIGHTS, FIRST_UPDATE, LOGITS, Array, Evidence, Observed, Weights
from bench.equivalence.likeness import like_another_order, shorter_formats
from bench.equivalence.quantities import Difference, Known, differences, observe, opening, relative, relative_update
from bench.equivalence.rows_read import sentence_of_rows
from bench.equivalence.search import DOUBLE, GROWN, SINGLE, Digits, Search, share

FORMATS: tuple[Rounding, ...] = ("float32", "bfloat16", "TF32", "float16")
"""Formats shorter than float64, the longest first."""
LIKE_FLOAT32 = 100.0
"""Rounding in float32 differs between libraries by no more than this factor."""


def explain(asked: Evidence, observed: Observed, *, digits: Digits = DOUBLE, seconds: float = 60.0) -> list[str]:
    """Explanations of the differences of ``observed`` from the definition, one sentence each.

    Empty if there is nothing to explain, or if neither a known single departure nor a likeness fits. Several if they
    cannot be distinguished. No new departure is tried after ``seconds`` of this thread's own time, so that the result
    does not depend on other load on the machine.
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
    missed = next((one for one in differences(asked, observed, known) if share(one, digits) > 1), None)
    if missed is None:
        return []
    parts = _exact_in_float32(observed) if digits is DOUBLE else []
    if parts and _like_float32(asked, observed, known):
        return [f"computed in float32: {', '.join(parts)}"]
    search = Search(asked, observed, known, missed, digits, allowed)
    return search.explanations() or _likeness(asked, observed, known, missed, digits)


def _likeness(asked: Evidence, observed: Observed, known: Known, missed: Difference, digits: Digits) -> list[str]:
    """Description of differences that nothing reproduces."""
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


def _not_repeatable(observed: Observed, digits: Digits) -> str | None:
    if observed.logits is None or observed.logits_again is None:
        return None
    apart = relative(observed.logits, observed.logits_again)
    if apart <= digits.tolerance:
        return None
    return f"two evaluations of the same images differ by {apart:.0e}: dropout, or something else random, is active"


def _like_float32(asked: Evidence, observed: Observed, known: Known) -> bool:
    """True if no quantity differs by more than ``LIKE_FLOAT32`` times float32 rounding."""
    sizes: dict[str, float] = {}
    for difference in differences(asked, observe(asked, np.float32), known):
        sizes[difference.quantity] = max(sizes.get(difference.quantity, 0.0), difference.relative)
    return all(
        difference.relative <= LIKE_FLOAT32 * sizes[difference.quantity]
        for difference in differences(asked, observed, known)
    )


def _starts_like_float32(missed: Difference) -> bool:
    """True if the first difference exists from the start and is large enough to be float32 rounding."""
    return missed.updates <= 1 and missed.relative >= float(np.finfo(np.float32).eps) / LIKE_FLOAT32


def _exact_in_float32(observed: Observed) -> list[str]:
    """Quantities whose values are all float32 numbers: in float64 none would be, by chance."""
    weights = observed.final or observed.first or {}
    parts: dict[str, Array | None] = {"logits": observed.logits, "loss": observed.losses}
    parts["weights"] = np.concatenate([value.ravel() for value in weights.values()]) if weights else None
    return [name for name, values in parts.items() if values is not None and _float32_exact(np.asarray(values))]


def _float32_exact(values: NDArray[np.float64]) -> bool:
    found = values[np.isfinite(values) & (values != 0)]
    return len(found) >= 4 and bool((found.astype(np.float32) == found).all())
