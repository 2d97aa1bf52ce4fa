"""One adapter and one proof: does it compute what the definition does, and if not, what explains the difference."""

from __future__ import annotations

from bench.adapters.base import Adapter
from bench.case import Precision
from bench.certificate import Conditions
from bench.equivalence.compare import compare
from bench.equivalence.definition import DEFINITION, define
from bench.equivalence.evidence import Evidence, Observed
from bench.equivalence.explain import explain
from bench.equivalence.proof import Material, Proof
from bench.equivalence.trace import Trace, make_trace
from bench.equivalence.verdict import Miss, first_misses


def judge(adapter: Adapter, proof: Proof, conditions: Conditions, precision: Precision = "float64") -> Miss | None:
    """The first quantity in which ``adapter`` misses the definition, explained; None where it computes the same.

    To be called where the adapter is prepared: in a process of its own framework.
    """
    trace = make_trace(adapter, proof, conditions, precision)
    found = compare(proof, precision, (DEFINITION, define(proof)), (conditions.framework, trace))
    misses = first_misses(found)
    if not misses:
        return None
    return Miss(misses[0], explanations(proof, trace) if precision == "float64" else ())


def explanations(proof: Proof, trace: Trace) -> tuple[str, ...]:
    """The constants and rules that would make the definition compute what ``trace`` shows; empty where none does."""
    material = Material(proof)
    mean, std = material.normalization or (None, None)
    evidence = Evidence(
        material.placed,
        material.weights,
        proof.training.optimizer,
        material.train.images,
        material.train.labels,
        proof.scale,
        material.batches,
        material.rates,
        evaluated=material.evaluated,
        label_smoothing=proof.training.label_smoothing,
        class_weights=material.class_weights,
        mean=mean,
        std=std,
    )
    observed = Observed(
        logits=trace.logits,
        logits_again=trace.repeated,
        initial=trace.initial or None,
        first=trace.first or None,
        losses=trace.losses if trace.losses.size else None,
        final=trace.final or None,
        last_logits=trace.after if trace.after.size else None,
        whole=trace.whole or None,
        probabilities=trace.kind == "probabilities",
    )
    return tuple(explain(evidence, observed))
