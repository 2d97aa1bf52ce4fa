"""The definition's own trace of a proof: what every framework is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.equivalence.evidence import Evidence
from bench.equivalence.proof import Material, Proof
from bench.equivalence.quantities import observe
from bench.equivalence.trace import Trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFINITION = "definition"
"""Name of the definition among the frameworks."""


def evidence_of(proof: Proof) -> Evidence:
    """The request of ``proof`` to every framework."""
    material = Material(proof)
    mean, std = material.normalization or (None, None)
    return Evidence(
        material.placed,
        material.weights,
        proof.training.optimizer,
        material.train.images,
        material.train.labels,
        material.scale,
        material.batches,
        material.rates,
        evaluated=material.evaluated,
        label_smoothing=proof.training.label_smoothing,
        class_weights=material.class_weights,
        mean=mean,
        std=std,
    )


def define(proof: Proof) -> Trace:
    """The trace of ``proof`` by plain numpy in float64."""
    asked = evidence_of(proof)
    seen = observe(asked)
    logits = np.array(seen.logits)
    trace = Trace(
        parameters=asked.network.parameters,
        initial=_copied(seen.initial),
        logits=logits,
        repeated=logits,
        first=_copied(seen.first),
    )
    if not proof.first_step_only:
        trace.losses = np.array(seen.losses)
        trace.final = trace.whole = _copied(seen.final)
        trace.after = np.array(seen.last_logits)
    return trace


def _copied(weights: Mapping[str, NDArray[Any]] | None) -> dict[str, NDArray[np.float64]]:
    return {name: np.array(value) for name, value in (weights or {}).items()}
