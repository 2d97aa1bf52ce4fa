"""The definition's own trace of a proof: what every framework is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.equivalence.proof import Material, Proof
from bench.equivalence.reference import Reference
from bench.equivalence.trace import Trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFINITION = "definition"
"""What the definition is called beside the frameworks."""


def define(proof: Proof) -> Trace:
    """The trace of ``proof`` by plain numpy in float64."""
    material, training = Material(proof), proof.training
    reference = Reference(
        material.placed,
        material.weights,
        training.optimizer,
        label_smoothing=training.label_smoothing,
        class_weights=material.class_weights,
    )
    evaluated = material.inputs(material.evaluated)
    logits = np.array(reference.logits(evaluated))
    trace = Trace(
        parameters=material.placed.parameters,
        initial=_copied(reference.weights),
        logits=logits,
        repeated=logits,
        first={},
    )
    batches = material.batches[:1] if proof.first_step_only else material.batches
    losses = []
    for number, batch in enumerate(batches):
        images = material.inputs(material.train.images[batch])
        losses.append(reference.step(images, material.train.labels[batch], float(material.rates[number])))
        if number == 0:
            trace.first = _copied(reference.weights)
    if not proof.first_step_only:
        trace.losses = np.array(losses)
        trace.final = trace.whole = _copied(reference.weights)
        trace.after = np.array(reference.logits(evaluated))
    return trace


def _copied(weights: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    return {name: np.array(value) for name, value in weights.items()}
