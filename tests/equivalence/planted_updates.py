"""Departures in what a step descends and in what goes from step to step, as a careless port has them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bench.case import Optimizer
from bench.equivalence.evidence import Evidence
from tests.equivalence.planted_departures import (
    ADAM,
    ADAMW,
    DENSE,
    MOMENTUM,
    SGD,
    STEPS,
    Change,
    Plant,
    asked,
    with_flags,
)

EPOCH = STEPS // 2
NOT_ASKED = "which was not asked for"
WEIGHTS = np.array([0.5, 1.0, 2.0, 1.25])


def cosine(optimizer: Optimizer = SGD) -> Evidence:
    """Rates that change with each step."""
    rates = 2**-4 * (1 + np.cos(np.pi * np.arange(STEPS) / STEPS)) / 2
    return asked(DENSE, optimizer, rates=rates)


def with_rates(factors: NDArray[np.float64]) -> Change:
    return lambda e: replace(e, rates=e.rates * factors)


def averaged(momentum: float, **fields: object) -> Change:
    def share(before: int) -> float:
        return 1 - momentum if before else 1.0

    return lambda e: replace(e, average=share, **fields)  # type: ignore[arg-type]


def standardized(evidence: Evidence) -> Evidence:
    images, evaluated = np.asarray(evidence.images, float), np.asarray(evidence.evaluated, float)
    mean, deviation = images.mean(axis=0), images.std(axis=0)
    return replace(
        evidence,
        images=(images - mean) / deviation * evidence.scale,
        evaluated=(evaluated - mean) / deviation * evidence.scale,
    )


UPDATE_PLANTS: dict[str, Plant] = {
    "AMSGrad": (
        asked(DENSE),
        with_flags(amsgrad=True),
        "AMSGrad: the largest second moment so far divides, against the last",
    ),
    "first moment not corrected": (
        asked(),
        with_flags(uncorrected="first"),
        "the first moment of Adam is not corrected for its start",
    ),
    "second moment not corrected": (
        asked(),
        with_flags(uncorrected="second"),
        "the second moment of Adam is not corrected for its start",
    ),
    "steps of Adam counted by epoch": (
        asked(DENSE, ADAM),
        lambda e: with_flags(keeps_moments=True)(replace(e, starts_again=frozenset({0, EPOCH}))),
        "the steps of Adam's bias correction are counted from 1 again with each epoch",
    ),
    "gradients never set to zero": (
        asked(DENSE, MOMENTUM),
        with_flags(accumulates=True),
        "gradients are added to those of the steps before: they are never set to zero",
    ),
    "gradients of two batches": (
        asked(DENSE, SGD),
        with_flags(accumulated_steps=2),
        "gradients of 2 batches make one update",
    ),
    "decay after the update": (
        asked(optimizer=ADAMW),
        with_flags(decay_after=True),
        "weight decay after the update, against before it",
    ),
    "decay by the largest rate": (
        cosine(ADAMW),
        with_flags(decay_rate=2**-4),
        "weight decay is multiplied by the largest learning rate, whatever that of the step",
    ),
    "decay on gamma and beta": (
        asked(optimizer=ADAMW),
        with_flags(decay_on="all but biases"),
        "weight decay on gamma and beta too, against kernels alone",
    ),
    "rates by epoch": (
        cosine(),
        lambda e: replace(e, rates=np.repeat(e.rates[::EPOCH], EPOCH)),
        "learning rate changes with the epochs alone, against with each step",
    ),
    "inverse scaling": (
        asked(DENSE, SGD),
        with_rates(np.array([1.0] * EPOCH + [float(29**-0.5)] * EPOCH)),
        f"learning rate falls with the root of the rows seen (scikit-learn's invscaling), {NOT_ASKED}",
    ),
    "rates that fall once": (
        asked(DENSE, SGD),
        with_rates(np.repeat([1.0, 0.7], [3, STEPS - 3])),
        "learning rate 0.7 times the one asked for from step 4 on",
    ),
    "rates that fall with the steps": (
        asked(DENSE, SGD),
        with_rates(np.array([0.93**step for step in range(STEPS)])),
        f"learning rate is multiplied by 0.93 after each step, {NOT_ASKED}",
    ),
    "focal loss": (asked(), with_flags(loss="focal"), "focal loss (γ = 2), against cross-entropy"),
    "logits for probabilities": (
        asked(DENSE, SGD),
        with_flags(loss="clipped logits"),
        "the loss takes logits for probabilities",
    ),
    "shares of logits": (
        asked(DENSE, SGD),
        with_flags(loss="shares of logits"),
        "the loss takes logits for probabilities",
    ),
    "logits for logarithms": (
        asked(),
        with_flags(loss="negative logits"),
        "the loss takes logits for logarithms of probabilities",
    ),
    "weights by target": (
        asked(class_weights=WEIGHTS, label_smoothing=0.125),
        with_flags(weights_by_target=True, weighted_mean=True),
        "each class's share of a smoothed label is weighted by that class, against by the true one",
    ),
    "loss after the update": (
        asked(),
        lambda e: replace(e, reported_after=True),
        "the loss of a step is computed after its update",
    ),
    "moving average of the weights": (asked(), averaged(0.99), "weights end as their moving average (momentum 0.99)"),
    "prediction by a moving average": (
        asked(),
        averaged(0.95, average_answers=True),
        "prediction after training is by the moving average (momentum 0.95) of the weights",
    ),
    "norm of units": (
        asked(DENSE, SGD),
        with_flags(max_norm=0.5, max_norm_in=frozenset({"dense_1/kernel", "dense_2/kernel"})),
        "held to a norm of 0.5 for each unit: dense_1/kernel, dense_2/kernel",
    ),
    "pixels standardised": (asked(DENSE), standardized, f"each pixel is standardised over the rows, {NOT_ASKED}"),
}
