"""One ``fit`` for a whole training: where it pauses, when it ends, and what Keras has counted meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bench.adapters.base import Epoch, Progress

MANY = 2**31 - 1
"""Epochs requested from ``fit``: the harness ends it after its own last epoch."""


def pausing(
    model: Any, counted: Counted, epochs: tuple[Epoch, Iterator[Epoch]], pause: Callable[[], None], *, alone: bool
) -> Any:
    """The ``callbacks`` of a ``fit`` that pauses where its epochs (first, following) say and ends with the last.

    ``alone``: nothing else is called back, and Keras reads no losses. Otherwise it reads the loss of every step for
    its callbacks, in a thread beside the training or, if one is called for every batch, in the training itself.
    """
    import keras

    class EpochEnds(keras.callbacks.Callback):  # type: ignore[misc]
        """Pauses at the end of each epoch."""

        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            counted.restart()

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            _end_epoch(model, course, pause)

    class Pauses(keras.callbacks.CallbackList):  # type: ignore[misc]
        """Pauses after batches too, and calls nothing else back."""

        def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
            return

        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            if batch + 1 in course.inner:
                pause()

    course = Course(*epochs)
    if not alone:
        return [EpochEnds()]
    return Pauses([EpochEnds()], add_history=True, model=model)


class Course:
    """The current epoch and those to come."""

    def __init__(self, first: Epoch, following: Iterator[Epoch]) -> None:
        self._following = following
        self._enter(first)

    def _enter(self, epoch: Epoch) -> None:
        self.inner = frozenset(epoch.pauses[:-1])
        """Batches after which to pause, except the last."""

    def goes_on(self) -> bool:
        """Enter the next epoch; False after the last."""
        epoch = next(self._following, None)
        if epoch is not None:
            self._enter(epoch)
        return epoch is not None


def _end_epoch(model: Any, course: Course, pause: Callable[[], None]) -> None:
    pause()
    if not course.goes_on():
        model.stop_training = True


class Counted:
    """Loss, rows and steps as Keras itself counts them: from its mean loss and its optimiser's steps."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._total, self._rows, self._steps = 0.0, 0.0, 0

    def restart(self) -> None:
        """Note that Keras has reset its mean, as it does for every epoch."""
        self._total, self._rows = 0.0, 0.0

    def progress(self) -> Progress:
        """Counts since the last call, or since the epoch began."""
        mean = next((metric for metric in self._model.metrics if metric.name == "loss"), None)
        if mean is None:  # a model with a ``train_step`` of its own may keep none
            return Progress(steps=self._taken())
        total, rows = float(mean.total.numpy()), float(mean.count.numpy())
        counted, summed = rows - self._rows, total - self._total
        self._total, self._rows = total, rows
        return Progress(summed / counted if counted else None, round(counted), self._taken())

    def _taken(self) -> int | None:
        """New optimiser steps; None with loss scaling, which skips some."""
        optimizer = self._model.optimizer
        if hasattr(optimizer, "inner_optimizer"):
            return None
        before, self._steps = self._steps, int(optimizer.iterations.numpy())
        return self._steps - before
