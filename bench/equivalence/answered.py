"""Softmax regression trained for a few epochs, and its answers, compared with a short numpy version given here.

Its weights show whether all batches of all epochs were trained on, on the framework's own path for neutral networks,
in the timed precision. The digits of its first update show the precision of the computation. Its answers show whether
each timed predictor uses these weights.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bench.adapters.base import Epoch, Learner, Scores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bench.case import Precision
    from bench.datasets.dataset import Split

    Weights = dict[str, NDArray[np.float32]]

SHAPE = (28, 28, 1)
CLASSES = 10
BATCH = 128
RATE = 2.0**-7
"""A power of two: multiplying by it is exact."""
EPOCHS = 5
TRAINED = 1180
"""Rows of each epoch, drawn from the data set: nine full batches and a short one."""
TOLERANCE = {"float64": 1e-9, "float32": 1e-4, "float16": 5e-2, "bfloat16": 2e-1}
"""Limits on weights and answers, relative to the largest: step rounding, which a convex loss does not amplify."""
EXACT_SHARE = 0.99
"""Share of correctly rounded values in a first update above which it was computed in more digits."""
PREDICTIONS = ((128, 256, False), (128, 256, True), (128, 200, True), (0, 128, True), (1, 3, True))
"""Batch size, rows, decisions alone: the predictors that a trial times, and more rows than a batch has."""


def zeros() -> Weights:
    """Initial weights of zero, so that adding the first update does not round it."""
    kernel = np.zeros((math.prod(SHAPE), CLASSES), np.float32)
    return {"dense_1/kernel": kernel, "dense_1/bias": np.zeros(CLASSES, np.float32)}


class Answered:
    """A learner of softmax regression on ``train``, watched from its first step to its answers."""

    def __init__(self, learner: Learner, train: Split) -> None:
        self._learner = learner
        self._train = train
        generator = np.random.Generator(np.random.PCG64(8))
        rows = np.sort(generator.choice(len(train), TRAINED, replace=False))
        self._orders = [generator.permutation(rows).astype(np.int64) for _ in range(EPOCHS)]
        self._pauses: list[Weights] = []
        self._changes: list[str] = []

    def train(self) -> None:
        """Train as a trial does; in each pause, check that training has stopped."""
        batches = math.ceil(TRAINED / BATCH)
        ends = [(1, batches - 1, batches), *[(batches,)] * (EPOCHS - 1)]
        self._learner.train(map(Epoch, self._orders, ends), self._look)

    def _look(self) -> None:
        learner, two = self._learner, self._train.images[:2]
        before = learner.weights()
        self._pauses.append(before)
        for words, read in (
            ("is asked for what it has counted", learner.progress),
            ("predicts", lambda: learner.predictor(BATCH)(two)),
        ):
            read()
            after = learner.weights()
            if any(not np.array_equal(before[name], after[name]) for name in before):
                self._changes.append(f"trains off the clock: its weights change when it {words} in a pause")
                before = after

    def findings(self, precision: Precision) -> list[str]:
        """Findings, one clause each; empty if all is well."""
        found = list(dict.fromkeys(self._changes))
        states = list(self._states())
        first, last = states[1]["dense_1/kernel"], states[-1]["dense_1/kernel"]
        if precision == "float32" and self._pauses:
            exact = self._pauses[0]["dense_1/kernel"] == first.astype(np.float32)
            moved = first != 0
            if np.mean(exact[moved]) > EXACT_SHARE:
                found.append("computes in more digits than float32, which was asked for")
        apart = relative(last, self._learner.weights()["dense_1/kernel"])
        if not apart <= TOLERANCE[precision]:
            found.append(
                f"trains softmax regression to other weights: {apart:.1g} off after {EPOCHS} epochs of {TRAINED:,} rows"
            )
        return [*found, *self._answers(TOLERANCE[precision])]

    def _states(self) -> Iterator[dict[str, NDArray[np.float64]]]:
        """Weights before the first step and after each, in float64."""
        kernel, bias = (value.astype(np.float64) for value in zeros().values())
        yield {"dense_1/kernel": kernel, "dense_1/bias": bias}
        for order in self._orders:
            for rows in np.split(order, range(BATCH, TRAINED, BATCH)):
                inputs = _inputs(self._train.images[rows])
                errors = _softmax(inputs @ kernel + bias)
                errors[np.arange(len(rows)), self._train.labels[rows]] -= 1
                errors /= len(rows)
                kernel, bias = kernel - RATE * (inputs.T @ errors), bias - RATE * errors.sum(axis=0)
                yield {"dense_1/kernel": kernel, "dense_1/bias": bias}

    def _answers(self, tolerance: float) -> list[str]:
        weights = self._learner.weights()
        kernel, bias = (weights[name].astype(np.float64) for name in ("dense_1/kernel", "dense_1/bias"))
        images = self._train.images
        for size, rows, decisions_only in PREDICTIONS:
            predict = self._learner.predictor(size, decisions_only=decisions_only)
            asked = images[:rows].copy()
            for start in (0, rows):  # the same memory with other images
                asked[...] = images[start : start + rows]
                if not _alike(predict(asked), _inputs(asked) @ kernel + bias, tolerance):
                    way = f"in batches of {size}" if size else "at once"
                    alone = ", decisions alone," if decisions_only else ""
                    return [f"answers {rows} rows {way}{alone} otherwise than its weights do"]
        return []


def relative(wanted: NDArray[np.float64], found: NDArray[np.float32]) -> float:
    """The largest difference over the largest value."""
    return float(np.max(np.abs(wanted - found)) / np.max(np.abs(wanted)))


def _inputs(images: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float64]:
    return images.reshape(len(images), -1).astype(np.float64) / 255


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def _alike(answers: Scores, logits: NDArray[np.float64], tolerance: float) -> bool:
    """True if the answers match ``logits``; either class counts if two are too close."""
    if answers.labels.shape != (len(logits),):
        return False
    chosen = logits[np.arange(len(logits)), answers.labels]
    near = logits.max(axis=1) - chosen <= 2 * tolerance * np.max(np.abs(logits))
    if not near.all():
        return False
    if answers.values is None:
        return True
    wanted = _softmax(logits) if answers.kind == "probabilities" else logits
    return relative(wanted, answers.values) <= tolerance
