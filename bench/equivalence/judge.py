"""One adapter and one proof: the first difference from the definition, and its explanation."""

from __future__ import annotations

import re

from bench.adapters.base import Adapter
from bench.case import Precision
from bench.certificate import Conditions
from bench.equivalence.compare import compare
from bench.equivalence.definition import DEFINITION, define, evidence_of
from bench.equivalence.evidence import Observed
from bench.equivalence.explain import explain
from bench.equivalence.layer_candidates import rounded_up_poolings
from bench.equivalence.proof import Proof
from bench.equivalence.search import DOUBLE, SINGLE
from bench.equivalence.trace import Trace, make_trace
from bench.equivalence.verdict import Miss, first_misses
from bench.models.model import Flatten
from bench.models.network import PlacedNetwork

DIGITS = {"float64": DOUBLE, "float32": SINGLE}
"""By precision. With fewer digits a departure does not stand out."""


def judge(adapter: Adapter, proof: Proof, conditions: Conditions, precision: Precision = "float64") -> Miss | None:
    """The first quantity in which ``adapter`` misses the definition, explained; None if it computes the same.

    Call it where the adapter is prepared: in a process of its own framework.
    """
    trace = make_trace(adapter, proof, conditions, precision)
    found = compare(proof, precision, (DEFINITION, define(proof)), (conditions.framework, trace))
    misses = first_misses(found)
    return Miss(misses[0], explanations(proof, trace, precision)) if misses else None


def explanations(proof: Proof, trace: Trace, precision: Precision = "float64") -> tuple[str, ...]:
    """The constants and rules that would make the definition compute what ``trace`` shows; empty if none does."""
    digits = DIGITS.get(precision)
    return (
        () if digits is None else tuple(explain(evidence_of(proof), _observed(proof, trace, precision), digits=digits))
    )


def misfit(proof: Proof, words: str) -> str | None:
    """The reason why a framework refuses the shapes of ``proof`` with the error ``words``; None if unknown.

    A pooling that keeps what is left over makes a flattened image longer: the error names both lengths.
    """
    asked = evidence_of(proof)
    numbers = set(re.findall(r"\d+", words))
    for sentence, network in rounded_up_poolings(asked.network):
        lengths = {str(_flattened(one)) for one in (asked.network, network)}
        if len(lengths) == 2 and lengths <= numbers:
            return sentence
    return None


def _flattened(network: PlacedNetwork) -> int | None:
    """The length of the first flattened image."""
    return next((placed.output[0] for placed in network.layers if isinstance(placed.layer, Flatten)), None)


def _observed(proof: Proof, trace: Trace, precision: Precision) -> Observed:
    """The meaningful observations in ``trace``.

    In float32, weights show only a step so large that their own rounding is lost in it: rounding flips the sign of a
    gradient that is nearly zero, and with it the whole move of a weight under Adam.
    """
    exact = precision == "float64"
    return Observed(
        logits=trace.logits,
        logits_again=trace.repeated,
        initial=trace.initial or None,
        first=trace.first or None if exact or proof.first_step_only else None,
        losses=trace.losses if trace.losses.size else None,
        final=trace.final or None if exact else None,
        last_logits=trace.after if exact and trace.after.size else None,
        whole=trace.whole or None if exact else None,
        probabilities=trace.kind == "probabilities",
    )
