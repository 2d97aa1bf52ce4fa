"""The training phase of a trial: every epoch on the clock, every evaluation off it.

On the training clock: gathering the rows of a batch in the given order, conversion to float32 and scaling, copying to
the device, forward, loss, backward, update. Off it: evaluation, reading figures, bookkeeping.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bench.adapters.base import Learner, Predictor
from bench.case import Case, Training, order_seed
from bench.datasets.dataset import Split
from bench.measure.clock import Stopwatch
from bench.record import Checkpoint, EpochFigures, FirstStep
from bench.score import Diverged

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class EpochClock:
    """What one epoch has taken so far: the pieces it was trained in, and the evaluations between them."""

    seconds: float = 0.0
    samples: int = 0
    checkpoints: list[Checkpoint] = field(default_factory=list)
    _losses: list[tuple[int, float]] = field(default_factory=list)

    def note_loss(self, rows: int, loss: float | None) -> None:
        """Keep the mean loss of ``rows`` samples, where the framework gives it."""
        if loss is not None:
            self._losses.append((rows, loss))

    def figures(self) -> EpochFigures:
        """The epoch as the record keeps it; its loss is the mean over all its samples, first steps included."""
        known = sum(rows for rows, _ in self._losses)
        loss = sum(rows * loss for rows, loss in self._losses) / known if known else None
        last = self.checkpoints[-1].validation_accuracy if self.checkpoints else None
        return EpochFigures(
            seconds=self.seconds,
            samples=self.samples,
            loss=loss,
            validation_accuracy=last,
            checkpoints=tuple(self.checkpoints),
        )


@dataclass
class TrainingPhase:
    """Trains one learner on ``rows`` rows as its case says, and keeps what the clock saw."""

    learner: Learner
    case: Case
    seed_index: int
    rows: int
    validation: Split | None
    announce: Callable[[str], None]
    first_steps: list[FirstStep] = field(default_factory=list)
    epochs: list[EpochFigures] = field(default_factory=list)
    _predict: Predictor | None = None
    _seconds: float = 0.0
    _samples: int = 0

    def run(self) -> None:
        """Train to the end. Raises Diverged where a loss is no number."""
        training = self.case.training
        if training is None:
            self.announce("fit")
            self._fit()
            return
        for epoch in range(training.epochs):
            self.announce(f"epoch {epoch + 1}/{training.epochs}")
            clock = EpochClock()
            if self.case.track == "idiomatic":
                self._trained(clock, None, self.rows, f"epoch {epoch + 1}")
                self._evaluate(clock)
            else:
                self._epoch(epoch, training, clock)
            self.epochs.append(clock.figures())

    def _epoch(self, epoch: int, training: Training, clock: EpochClock) -> None:
        """One pass over the rows in the harness's order, in as many pieces as there are evaluations.

        Of the first epoch, the first batch and the short batch are steps of their own, on their own clock. So tracing
        and compiling are told apart from training, and yet every epoch is exactly one pass: of the first epoch only
        the order of batches differs, and it differs alike for every framework.
        """
        order = self._order(epoch)
        start, stop = self._first_steps(order, training.batch_size, clock) if epoch == 0 else (0, len(order))
        for end in piece_ends(len(order), training.batch_size, training.evaluations_per_epoch):
            piece = order[start : min(end, stop)]
            if len(piece):
                self._trained(clock, piece, len(piece), f"epoch {epoch + 1}")
                start += len(piece)
            self._evaluate(clock)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        seed = order_seed(str(self.case.data_fingerprint), self.seed_index, epoch)
        return np.random.Generator(np.random.PCG64(seed)).permutation(self.rows)

    def _first_steps(self, order: NDArray[np.int64], batch_size: int, clock: EpochClock) -> tuple[int, int]:
        """Train the first full batch, then the short one; returns where in ``order`` the rest begins and ends."""
        short = len(order) % batch_size if len(order) > batch_size else 0
        split = len(order) - short
        for rows in (order[:batch_size], order[split:]):
            if len(rows):
                seconds = self._on_the_clock(rows, clock, len(rows), "the first step")
                self.first_steps.append(FirstStep(samples=len(rows), seconds=seconds))
        return min(batch_size, split), split

    def _trained(self, clock: EpochClock, order: NDArray[np.int64] | None, rows: int, when: str) -> None:
        clock.seconds += self._on_the_clock(order, clock, rows, when)
        clock.samples += rows

    def _on_the_clock(self, order: NDArray[np.int64] | None, clock: EpochClock, rows: int, when: str) -> float:
        watch = Stopwatch(self.learner.synchronize)
        with watch:
            read_loss = self.learner.train(order)
        loss = None if read_loss is None else read_loss()
        check_loss(loss, when)
        clock.note_loss(rows, loss)
        self._seconds += watch.seconds
        self._samples += rows
        return watch.seconds

    def _evaluate(self, clock: EpochClock) -> None:
        """Answer the validation part. The next piece's clock waits until the device has done with it."""
        if self.validation is None:
            return
        if self._predict is None:  # once: it is traced by its first call
            self._predict = self.learner.predictor(self.case.measuring.predict_batch_size)
        answers = self._predict(self.validation.images)
        accuracy = float(np.mean(answers.labels == self.validation.labels))
        clock.checkpoints.append(Checkpoint(samples=self._samples, seconds=self._seconds, validation_accuracy=accuracy))

    def _fit(self) -> None:
        watch = Stopwatch(self.learner.synchronize)
        with watch:
            self.learner.train(None)
        self.epochs.append(EpochFigures(seconds=watch.seconds, samples=self.rows))


def piece_ends(rows: int, batch_size: int, pieces: int) -> list[int]:
    """Where each of ``pieces`` runs of whole batches ends, as equal as can be; only the last may end in a short batch.

    With fewer batches than pieces there are only as many.
    """
    batches = math.ceil(rows / batch_size)
    ends = dict.fromkeys(number * batches // pieces for number in range(1, pieces + 1))
    return [min(end * batch_size, rows) for end in ends if end]


def check_loss(loss: float | None, when: str) -> None:
    """Raise Diverged where the mean loss is NaN or infinite."""
    if loss is not None and not math.isfinite(loss):
        raise Diverged(f"the mean training loss of {when} is {loss}.")
