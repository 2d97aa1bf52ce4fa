"""From a case's training settings to the plan an adapter gets: rates, class weights, normalisation as arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from bench.adapters.base import TrainingPlan
from bench.case import Case, Normalization, Training, framework_seed
from bench.datasets.dataset import Split
from bench.models.model import Model, Network
from bench.models.network import initial_weights, place
from bench.schedule import learning_rates

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS_AT_ONCE = 1_000
"""Images converted at once for the statistics: a copy of all would add a memory peak of our own."""


def training_plan(case: Case, model: Model, train: Split, seed_index: int) -> TrainingPlan:
    """The harness's plan for one trial on the rows of ``train``; little more than the seed for an estimator."""
    seed = framework_seed(seed_index, case.model)
    training = case.training
    if training is None:
        return TrainingPlan(seed, case.threads)
    weights = None
    if isinstance(model, Network) and case.track == "matched":
        weights = initial_weights(place(model, train.shape, train.classes), seed_index)
    mean, std = normalization(training.normalize, train)
    return TrainingPlan(
        seed=seed,
        threads=case.threads,
        batch_size=training.batch_size,
        learning_rates=learning_rates(
            training.optimizer.learning_rate,
            training.schedule,
            training.steps_per_epoch(len(train)),
            training.epochs_over(len(train)),
        ),
        optimizer=training.optimizer,
        initial_weights=weights,
        label_smoothing=training.label_smoothing,
        class_weights=_class_weights(training, train),
        mean=mean,
        std=std,
    )


def _class_weights(training: Training, train: Split) -> NDArray[np.float64] | None:
    return balanced_weights(train.labels, train.classes) if training.class_weights == "balanced" else None


def balanced_weights(labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """``(classes,)``: ``n / (k n_class)`` (King and Zeng 2001); a class without a row, which no sample has, gets 0."""
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    shares = counts * classes / len(labels)
    return np.divide(1.0, shares, out=np.zeros(classes), where=counts > 0)


def normalization(
    asked: Normalization | str | None, train: Split
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Mean and deviation ``(channels,)`` of scaled pixels: those given, those of ``train``, or None twice."""
    if asked is None:
        return None, None
    if isinstance(asked, Normalization):
        channels = train.shape[-1]
        return np.full(channels, asked.mean), np.full(channels, asked.std)
    return channel_statistics(train)


def channel_statistics(train: Split) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation (over all ``n`` pixels) of each channel of the scaled images, in float64.

    A channel that never changes has no deviation to divide by: it gets 1.
    """
    pixels = math.prod(train.images.shape[:-1])
    mean = sum(part.sum(axis=0) for part in _pixels(train)) / pixels
    variance = sum(((part - mean) ** 2).sum(axis=0) for part in _pixels(train)) / pixels
    std = np.sqrt(variance)
    return np.asarray(mean), np.where(std > 0, std, 1.0)


def _pixels(train: Split) -> Iterator[NDArray[np.float64]]:
    """The scaled pixels ``(pixels, channels)``, some images at a time."""
    for start in range(0, len(train), ROWS_AT_ONCE):
        images = train.images[start : start + ROWS_AT_ONCE]
        yield images.reshape(-1, images.shape[-1]).astype(np.float64) / train.scale
