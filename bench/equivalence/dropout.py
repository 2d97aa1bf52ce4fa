"""Dropout by its properties: random streams differ between frameworks, so that no number can be compared.

It is watched through the adapter alone. In a network of dropout and one dense layer whose kernel is zero, all classes
are equally likely, and the gradient of the kernel is the dropped input times a known error: one step of SGD at rate 1
shows which inputs were dropped and by what the others were scaled.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bench.adapters.base import Adapter, Learner, TrainingPlan
from bench.case import Case, Optimizer, Training
from bench.datasets.dataset import Split
from bench.models.model import CLASSES, Dense, Dropout, Flatten, Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.certificate import Conditions

SHAPE = (20, 20, 1)
CLASS_COUNT = 4
STEPS = 8
FALSE_ALARM = 1e-7
"""Probability with which an honest dropout is accused by its share of zeros: none in 50 runs of a few rates."""
TOLERANCE = {"float32": 1e-4, "float64": 1e-4, "bfloat16": 2e-2, "float16": 5e-3}
"""Relative, of the scale of the survivors: a gradient of one sample in the precision of the forward pass."""


def dropout_findings(adapter: Adapter, conditions: Conditions, rate: float) -> list[str]:
    """What is wrong with dropout at ``rate``, a clause each; nothing where all is well."""
    learner = _build(adapter, conditions, rate)
    tolerance = TOLERANCE[conditions.precision]
    masks = np.stack([_mask(learner, step, tolerance) for step in range(STEPS)])
    dropped = masks == 0
    found = []
    low, high = binomial_bounds(dropped.size, rate, FALSE_ALARM)
    if not low <= dropped.sum() <= high:
        share = dropped.mean()
        found.append(f"dropout {rate:g} drops {share:.1%} of {dropped.size:,}: {low / dropped.size:.1%} to "
                     f"{high / dropped.size:.1%} expected")  # fmt: skip
    scaled = masks[~dropped]
    expected = 1 / (1 - rate)
    if scaled.size and np.max(np.abs(scaled / expected - 1)) > tolerance:
        found.append(f"dropout {rate:g} scales what stays by {np.median(scaled):.6g}: {expected:.6g} expected")
    if dropped.any() and not dropped.all() and (dropped == dropped[0]).all():
        found.append(f"dropout {rate:g} drops the same inputs in every step")
    found += _evaluation(learner, rate, tolerance)
    return found


def binomial_bounds(trials: int, share: float, alpha: float) -> tuple[int, int]:
    """The narrowest counts outside which, on either side, lies at most ``alpha / 2`` of the binomial distribution.

    Summed exactly, term by term, from the logarithms of factorials.
    """
    if share in (0.0, 1.0):
        return int(trials * share), int(trials * share)
    count = np.arange(trials + 1)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])
    logs = factorials[trials] - factorials[count] - factorials[trials - count]
    weights = np.exp(logs + count * math.log(share) + (trials - count) * math.log1p(-share))
    low = int(np.searchsorted(np.cumsum(weights), alpha / 2, side="right"))
    high = trials - int(np.searchsorted(np.cumsum(weights[::-1]), alpha / 2, side="right"))
    return low, high


def _build(adapter: Adapter, conditions: Conditions, rate: float) -> Learner:
    training = Training(batch_size=1, optimizer=Optimizer(name="sgd", learning_rate=1.0))
    case = Case.model_validate(
        {**conditions.model_dump(), "dataset": "proof", "model": "dropout", "training": training}
    )
    network = Network("dropout", "dropout alone", (Flatten(), Dropout(rate), Dense(CLASSES)))
    images = np.full((STEPS, *SHAPE), 255, np.uint8)
    train = Split(images, np.arange(STEPS) % CLASS_COUNT, 255.0, CLASS_COUNT)
    plan = TrainingPlan(11, conditions.threads, 1, np.ones(STEPS), training.optimizer, _weights(None))
    return adapter.build(case, network, train, plan)


def _weights(kernel: NDArray[np.float32] | None) -> dict[str, NDArray[np.float32]]:
    inputs = math.prod(SHAPE)
    drawn = np.zeros((inputs, CLASS_COUNT), np.float32) if kernel is None else kernel
    return {"dense_1/kernel": drawn, "dense_1/bias": np.zeros(CLASS_COUNT, np.float32)}


def _mask(learner: Learner, step: int, tolerance: float) -> NDArray[np.float64]:
    """``(inputs,)``: by what each input was multiplied in one training step; 0 where it was dropped."""
    learner.set_weights(_weights(None))
    learner.train(np.array([step], np.int64))
    kernel = np.asarray(learner.weights()["dense_1/kernel"], np.float64)
    error = np.full(CLASS_COUNT, 1 / CLASS_COUNT)
    error[step % CLASS_COUNT] -= 1
    mask: NDArray[np.float64] = -(kernel @ error) / (error @ error)
    mask[np.abs(mask) < tolerance] = 0
    return mask


def _evaluation(learner: Learner, rate: float, tolerance: float) -> list[str]:
    """In evaluation it must be the identity: then a dense layer of known weights gives a known answer."""
    generator = np.random.Generator(np.random.PCG64(12))
    kernel = generator.uniform(0.0, 1.0, (math.prod(SHAPE), CLASS_COUNT)).astype(np.float32)
    learner.set_weights(_weights(kernel))
    values = learner.predictor(2)(np.full((2, *SHAPE), 255, np.uint8)).values
    assert values is not None
    expected = kernel.astype(np.float64).sum(axis=0)
    if np.max(np.abs(np.asarray(values, np.float64) / expected - 1)) > tolerance:
        return [f"dropout {rate:g} is active in evaluation"]
    return []
