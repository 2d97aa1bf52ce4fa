"""Dropout by its properties: random streams differ between frameworks, so no numbers can be compared.

It is observed through the adapter alone, in batches as large as the timed ones. In a network of dropout on an image,
dropout on the flattened image, and one dense layer whose kernel is zero, all classes are equally likely. Each row of a
batch has a class of its own, and one class has no row: the gradients of the kernel then show, row by row, which inputs
either dropout dropped and by what the others were scaled.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bench.adapters.base import Adapter, Epoch, Learner, TrainingPlan
from bench.case import Case, Optimizer, Training
from bench.datasets.dataset import Split
from bench.models.model import CLASSES, Dense, Dropout, Flatten, Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.certificate import Conditions

SHAPE = (10, 10, 4)
BATCH = 128
ROWS = 2 * BATCH + 40
"""Two full batches and a short one."""
EPOCHS = 12
"""36 steps: dropout may stop, or repeat its masks, only after more than a few."""
SEEDS = (11, 12)
CLASS_COUNT = BATCH + 1
"""Each row of a batch has a class of its own; the last class has none."""
FALSE_ALARM = 1e-7
"""Probability that correct dropout is rejected for its share of zeros: none in 50 runs of a few rates."""
TOLERANCE = {"float32": 1e-4, "float64": 1e-4, "bfloat16": 2e-2, "float16": 5e-3}
"""Relative, for the scale of the survivors: the gradient of a batch in the precision of the forward pass."""


def dropout_findings(adapter: Adapter, conditions: Conditions, rate: float) -> list[str]:
    """Findings on dropout at ``rate``, one clause each; empty if all is well."""
    learner = _build(adapter, conditions, rate, SEEDS[0])
    tolerance = TOLERANCE[conditions.precision]
    batches = _masks(learner, tolerance, EPOCHS)
    other = _masks(_build(adapter, conditions, rate, SEEDS[1]), tolerance, 1)
    masks = np.concatenate(batches)
    dropped = masks == 0
    found = []
    if dropped.any() and not dropped.all():
        found = _whole_channels(dropped, rate) or _repeats([batch == 0 for batch in batches], rate)
        if not found and (dropped[:BATCH] == (other[0] == 0)).all():
            found = [f"dropout {rate:g} drops the same inputs whatever the seed"]
    if not found:  # shares of repeated masks mean nothing
        found = _shares([batch == 0 for batch in batches], rate)
    scaled = masks[~dropped]
    expected = 1 / (1 - rate) ** 2
    if scaled.size and np.max(np.abs(scaled / expected - 1)) > tolerance:
        found.append(f"dropout {rate:g}, twice, scales what stays by {np.median(scaled):.6g}: {expected:.6g} expected")
    found += _evaluation(learner, rate, tolerance)
    return found


def _shares(batches: list[NDArray[np.bool_]], rate: float) -> list[str]:
    """A finding if too many or too few inputs, ``(rows, inputs)``, are dropped in a batch."""
    either = 1 - (1 - rate) ** 2
    for number, dropped in enumerate(batches, start=1):
        low, high = binomial_bounds(dropped.size, either, FALSE_ALARM / len(batches))
        if not low <= dropped.sum() <= high:
            size = dropped.size
            return [
                f"dropout {rate:g}, twice, drops {dropped.mean():.1%} of {size:,} in step {number}: "
                f"{low / size:.1%} to {high / size:.1%} expected"
            ]
    return []


def _whole_channels(dropped: NDArray[np.bool_], rate: float) -> list[str]:
    """A finding if whole channels are dropped, which dropping single pixels at this share would not do."""
    pixels, channels = math.prod(SHAPE[:-1]), SHAPE[-1]
    whole = dropped.reshape(-1, pixels, channels).all(axis=1)
    if whole.any() and whole.size * dropped.mean() ** pixels < FALSE_ALARM:
        return [f"dropout {rate:g} drops whole channels of an image: {whole.sum():,} of {whole.size:,}"]
    return []


def binomial_bounds(trials: int, share: float, alpha: float) -> tuple[int, int]:
    """The narrowest counts with at most ``alpha / 2`` of the binomial distribution outside them on either side.

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


def _repeats(batches: list[NDArray[np.bool_]], rate: float) -> list[str]:
    """A finding if masks, ``(rows, inputs)``, repeat instead of being redrawn: by chance no two rows are the same."""
    if all((batch == batch[0]).all() for batch in batches):
        return [f"dropout {rate:g} drops the same inputs in all rows of a batch"]
    if (batches[0] == batches[1]).all():
        return [f"dropout {rate:g} drops the same inputs in every step"]
    if (batches[0] == batches[len(batches) // EPOCHS]).all():
        return [f"dropout {rate:g} drops the same inputs in every epoch"]
    rows = np.concatenate(batches)
    rows = rows[rows.any(axis=1)]  # if nothing is dropped, the share shows it
    again = len(rows) - len(np.unique(rows, axis=0))
    return [f"dropout {rate:g} drops in {again} of {len(rows)} rows what it drops in another"] if again else []


def _build(adapter: Adapter, conditions: Conditions, rate: float, seed: int) -> Learner:
    training = Training(batch_size=BATCH, optimizer=Optimizer(name="sgd", learning_rate=1.0))
    case = Case.model_validate(
        {
            **conditions.model_dump(),
            "dataset": "mnist",
            "model": "mlp",
            "training": training,
            "steps_per_execution": 1,
        }
    )
    network = Network("mlp", "dropout alone", (Dropout(rate), Flatten(), Dropout(rate), Dense(CLASSES)))
    images = np.full((ROWS, *SHAPE), 255, np.uint8)
    train = Split(images, np.arange(ROWS) % BATCH, 255.0, CLASS_COUNT)
    rates = np.ones(math.ceil(ROWS / BATCH) * EPOCHS)
    plan = TrainingPlan(seed, conditions.threads, BATCH, rates, training.optimizer, _weights(None))
    return adapter.build(case, network, train, plan)


def _weights(kernel: NDArray[np.float32] | None) -> dict[str, NDArray[np.float32]]:
    inputs = math.prod(SHAPE)
    drawn = np.zeros((inputs, CLASS_COUNT), np.float32) if kernel is None else kernel
    return {"dense_1/kernel": drawn, "dense_1/bias": np.zeros(CLASS_COUNT, np.float32)}


def _masks(learner: Learner, tolerance: float, epochs: int) -> list[NDArray[np.float64]]:
    """``(rows, inputs)`` of each batch: the factor of each input in each row; 0 where it was dropped.

    Each pause predicts, as in a trial: training must go on in training mode after it.
    """
    found: list[NDArray[np.float64]] = []
    batches = math.ceil(ROWS / BATCH)
    answer = learner.predictor(2)

    def read() -> None:
        rows = min(BATCH, ROWS - BATCH * (len(found) % batches))
        kernel = np.asarray(learner.weights()["dense_1/kernel"], np.float64)
        # row r of class r pulls its inputs to that class by 1 - 1/k, and from every other by 1/k, a row in ``rows``
        mask = rows * (kernel[:, :rows] - kernel[:, -1:]).T
        mask[np.abs(mask) < tolerance] = 0
        found.append(mask)
        learner.set_weights(_weights(None))
        answer(np.full((2, *SHAPE), 255, np.uint8))

    epoch = Epoch(np.arange(ROWS), tuple(range(1, batches + 1)))
    learner.train([epoch] * epochs, read)
    return found


def _evaluation(learner: Learner, rate: float, tolerance: float) -> list[str]:
    """A finding unless evaluation ignores dropout: known dense weights then give a known answer."""
    generator = np.random.Generator(np.random.PCG64(12))
    kernel = generator.uniform(0.0, 1.0, (math.prod(SHAPE), CLASS_COUNT)).astype(np.float32)
    learner.set_weights(_weights(kernel))
    values = learner.predictor(2)(np.full((2, *SHAPE), 255, np.uint8)).values
    assert values is not None
    expected = kernel.astype(np.float64).sum(axis=0)
    if np.max(np.abs(np.asarray(values, np.float64) / expected - 1)) > tolerance:
        return [f"dropout {rate:g} is active in evaluation"]
    return []
