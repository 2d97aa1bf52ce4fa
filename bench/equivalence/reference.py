"""The definition: what a neutral network with a recipe computes, in plain numpy, without a framework.

Frameworks are compared with it. With ``Deviations`` it computes what an implementation that departs from the definition
would, so that a difference can be explained.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bench.case import Optimizer
from bench.equivalence.deviations import NONE, Deviations
from bench.equivalence.reference_clipping import clipped, held_to_norm
from bench.equivalence.reference_layers import Array, Arrays, Backward, forward
from bench.equivalence.reference_losses import LOSSES, cross_entropy, log_softmax
from bench.equivalence.reference_optimizers import Updater, covers
from bench.models.network import PlacedNetwork

EVALUATED_AT_ONCE = 128
"""Images per forward pass in evaluation, which bounds the memory for windows of images."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Results of one batch before the weights change."""

    loss: float
    """The reported loss, without penalties."""
    statistics: Arrays
    """BatchNorm's moving statistics after this batch."""
    rows: int
    _backwards: tuple[Backward, ...]
    _error: Array
    """The gradient of the descended loss by the logits, ``(n, k)``."""

    @cached_property
    def gradients(self) -> Arrays:
        """Gradients of the loss by each trained weight, by neutral name; computed on demand."""
        found: Arrays = {}
        error = self._error
        for index, backward in reversed(list(enumerate(self._backwards))):
            onward, of_layer = backward(error, index > 0)
            found |= of_layer
            if onward is not None:
                error = onward
        return found


class Reference:
    """A placed network with weights, an optimiser and a loss: cross-entropy on logits, the mean over the batch.

    ``weights`` are in the neutral layout, statistics included. ``class_weights`` ``(k,)`` multiply the loss of a
    sample; the mean stays one over the samples. Everything is computed in ``dtype``.
    """

    def __init__(
        self,
        placed: PlacedNetwork,
        weights: Mapping[str, NDArray[Any]],
        optimizer: Optimizer,
        *,
        label_smoothing: float = 0.0,
        class_weights: NDArray[np.float64] | None = None,
        dtype: DTypeLike = np.float64,
        deviations: Deviations = NONE,
    ) -> None:
        self.placed = placed
        self.optimizer = optimizer
        self.deviations = deviations
        self._dtype = np.dtype(dtype)
        self._smoothing = label_smoothing
        self._class_weights = None if class_weights is None else np.asarray(class_weights, self._dtype)
        self._weights = {
            name: np.array(value, self._dtype)
            for name, value in weights.items()
            if not (name.endswith("/bias") and name.rpartition("/")[0] in deviations.without_bias)
        }
        self._updater = Updater(optimizer, deviations)
        self._means: Arrays = {}
        self._sums: Arrays = {}
        self._gathering = 0

    @property
    def weights(self) -> Arrays:
        """All weights by neutral name, statistics included."""
        return dict(self._weights)

    def logits(self, images: NDArray[Any]) -> Array:
        """``(n, k)`` in evaluation mode. ``images`` ``(n, *spatial, channels)`` are floats, scaled."""
        rows = len(images) if self.deviations.norm_evaluates_by_batch else EVALUATED_AT_ONCE
        parts = (images[start : start + rows] for start in range(0, len(images), rows))
        values = np.concatenate([self._forward(part, training=False)[0] for part in parts])
        return np.exp(log_softmax(values)) if self.deviations.softmax_answers else values

    def step(self, images: NDArray[Any], labels: NDArray[np.int64], rate: float) -> float:
        """One update at ``rate``, in training mode. Returns the mean loss of the batch before it."""
        batch = self.begin(images, labels)
        loss = self.reported(batch)
        self.update(batch, rate)
        return loss

    def begin(self, images: NDArray[Any], labels: NDArray[np.int64]) -> Batch:
        """The first half of a step: the forward pass in training mode. No weight changes."""
        logits, backwards, statistics = self._forward(images, training=True)
        losses, error = self._losses(logits, labels)
        divisor = self._divisor(labels)
        loss = float(losses.mean()) if self.deviations.reported_mean else float(losses.sum()) / divisor
        return Batch(loss, statistics, len(labels), tuple(backwards), error / np.asarray(divisor, self._dtype))

    def reported(self, batch: Batch) -> float:
        """The reported loss of a batch, with penalties if they are part of it."""
        if not self.deviations.l2_reported:
            return batch.loss
        penalised = (value for name, value in self._weights.items() if self._is_penalised(name))
        return batch.loss + self._penalty(batch) / 2 * float(sum(np.vdot(value, value) for value in penalised))

    def update(self, batch: Batch, rate: float) -> None:
        """The second half of a step: the backward pass, and the optimiser's update at ``rate``."""
        gradients = self._gathered(self.descended(batch))
        updated = {} if gradients is None else self._updater.update(self._weights, gradients, float(rate))
        if self.deviations.max_norm:
            updated = held_to_norm(updated, self.deviations)
        self._weights |= updated | batch.statistics

    def _gathered(self, gradients: Arrays) -> Arrays | None:
        """``gradients`` with those of earlier steps if they accumulate; None if no update is due."""
        steps = self.deviations.accumulated_steps
        if steps == 1 and not self.deviations.accumulates:
            return gradients
        self._sums = {name: self._sums.get(name, 0) + value for name, value in gradients.items()}
        self._gathering += 1
        if self.deviations.accumulates:
            return self._sums
        if self._gathering % steps:
            return None
        means = {name: value / steps for name, value in self._sums.items()}
        self._sums = {}
        return means

    def descended(self, batch: Batch) -> Arrays:
        """The gradients passed to the optimiser, by neutral name: with penalties, clipped."""
        gradients = {name: value for name, value in batch.gradients.items() if name not in self.deviations.frozen}
        for name in gradients if self.deviations.l2 else ():
            if self._is_penalised(name):
                gradients[name] = gradients[name] + self._penalty(batch) * self._weights[name]
        if self.deviations.gradient_factor != 1:
            gradients = {name: self.deviations.gradient_factor * value for name, value in gradients.items()}
        return clipped(gradients, self.deviations) if self.deviations.clip else gradients

    def copy(self) -> Reference:
        """An independent copy. No array is ever written to, so none is copied."""
        other = copy(self)
        other._weights = dict(self._weights)
        other._updater = self._updater.copy()
        return other

    def start_optimizer_again(self) -> None:
        """Forget the optimiser's state; the weights stay."""
        self._updater.start_again()

    def average(self, share: float) -> None:
        """Move the mean of the trained weights by ``share`` of the way to their current values."""
        for name, value in self._weights.items():
            if "/moving_" not in name:
                before = self._means.get(name, value)
                self._means = self._means | {name: before + np.asarray(share, self._dtype) * (value - before)}

    def end_as_average(self) -> None:
        """Replace the weights with the mean."""
        self._weights |= self._means

    def multiply_weights(self, factor: float) -> None:
        """Multiply every trained weight by ``factor``."""
        for name, value in self._weights.items():
            if "/moving_" not in name:
                self._weights[name] = value * np.asarray(factor, self._dtype)

    def _penalty(self, batch: Batch) -> float:
        return self.deviations.l2 / (batch.rows if self.deviations.l2_per_batch else 1)

    def _is_penalised(self, name: str) -> bool:
        return covers(self.deviations.l2_on, name) and "/moving_" not in name

    def _forward(self, images: NDArray[Any], training: bool) -> tuple[Array, list[Backward], Arrays]:
        values: Array = np.asarray(images, self._dtype)
        backwards: list[Backward] = []
        statistics: Arrays = {}
        for placed in self.placed.layers:
            done = forward(placed, values, self._weights, training, self.deviations)
            values = done.output
            backwards.append(done.backward)
            statistics |= done.statistics
        return values, backwards, statistics

    def _losses(self, logits: Array, labels: NDArray[np.int64]) -> tuple[Array, Array]:
        """``(n,)`` the loss of each sample, weighted; ``(n, k)`` its gradient by the logits."""
        rows, classes = logits.shape
        targets = np.full((rows, classes), self._smoothing / classes, self._dtype)
        targets[np.arange(rows), labels] += 1 - self._smoothing
        if self.deviations.weights_by_target and self._class_weights is not None:
            return cross_entropy(logits, targets * self._class_weights)
        losses, error = LOSSES[self.deviations.loss](logits, targets)
        weights = np.ones(rows, self._dtype) if self._class_weights is None else self._class_weights[labels]
        return losses * weights, error * weights[:, None]

    def _divisor(self, labels: NDArray[np.int64]) -> float:
        if self.deviations.divisor:
            return float(self.deviations.divisor)
        if self.deviations.weighted_mean and self._class_weights is not None:
            return float(self._class_weights[labels].sum())
        return float(len(labels))
