"""The training of a trial: one call of the learner, with pauses in which the clock stops.

A training is cut into stretches, each ending in a pause. The clock covers what the learner does between two pauses.
Off the clock, in the pauses: reading the framework's own counts, evaluation, drawing the order of the next epoch.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import SystemRandom
from time import process_time_ns
from typing import TYPE_CHECKING

import numpy as np

from bench.adapters.base import AdapterFault, Epoch, Learner, Predictor, Progress
from bench.adapters.base import Scores as Answers
from bench.case import Case, Training, order_seed
from bench.datasets.dataset import Split
from bench.measure.clock import Stopwatch
from bench.record import Checkpoint, EpochFigures, FirstStep
from bench.runner.closing import progress_of, weights_in_a_pause
from bench.runner.stretches import Stretch, stretches
from bench.score import Diverged, log_loss

if TYPE_CHECKING:
    from numpy.typing import NDArray

LATER_PAUSES = 6
"""One of this many pauses after the first is watched, too."""


@dataclass
class EpochClock:
    """Figures of one epoch so far: its stretches, and the evaluations between them."""

    seconds: float = 0.0
    samples: int = 0
    checkpoints: list[Checkpoint] = field(default_factory=list)
    _losses: list[tuple[int, float]] = field(default_factory=list)

    def note_loss(self, rows: int, loss: float | None) -> None:
        """Keep the mean loss of ``rows`` samples, if the framework gives it."""
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
    end_s: float = 0.0
    """Seconds from the last pause to the return of the learner: the framework's work at the end of a training."""
    steps: int | None = None
    """Updates of the optimiser, as the framework counted them; None where it counts none."""
    asked_s: list[float] = field(default_factory=list)
    """Seconds of reading the learner's counts, for each pause: off the clock."""
    cpu_s: float = 0.0
    """CPU seconds of this process on the clock of the epochs after the first."""
    last_weights: str | None = None
    """SHA-256 of the weights in the last pause; None where they were not read."""
    _watch: Stopwatch = field(init=False)
    _epoch: Epoch | None = None
    _clock: EpochClock = field(default_factory=EpochClock)
    _ahead: deque[Stretch] = field(default_factory=deque)
    """Stretches of the current epoch after which the learner has yet to pause."""
    _predict: Predictor | None = None
    _seconds: float = 0.0
    _samples: int = 0
    _cpu: int = 0
    _watched: frozenset[int] = frozenset()
    """Numbers of the pauses that check that counting changes no weight."""

    def __post_init__(self) -> None:
        self._watch = Stopwatch(self.learner.synchronize)

    def run(self) -> None:
        """Train to the end. Raises Diverged if a loss is not finite, AdapterFault if the learner does other work.

        Other work: pausing where not asked, or counting other rows or steps than it was given.
        """
        self._prepare_epoch()
        epochs = self._epochs()
        later = SystemRandom().randint(1, LATER_PAUSES)  # drawn each time: an adapter must not know it
        self._watched = frozenset({0, later})
        self._start()
        self.learner.train(epochs, self._pause)
        self.end_s = self._watch.stop()
        if self._epoch is not None:
            raise AdapterFault(f"training ended in epoch {len(self.epochs) + 1}, before all its rows were trained on.")

    def _start(self) -> None:
        self._watch.start()
        self._cpu = process_time_ns()

    @property
    def _training(self) -> Training | None:
        return self.case.training

    def _epochs(self) -> Iterator[Epoch]:
        """The epochs as the learner asks for them: each has been prepared in the pause before."""
        given: Epoch | None = None
        while (epoch := self._epoch) is not None:
            if epoch is given:
                raise AdapterFault(f"asks for epoch {len(self.epochs) + 2} before its last pause in the one before.")
            given = epoch
            yield epoch

    def _prepare_epoch(self) -> None:
        """Draw the next epoch; none after the last."""
        number, training = len(self.epochs), self._training
        self._epoch = None
        epochs = 1 if training is None else training.epochs_over(self.rows)
        if number >= epochs:
            return
        if training is None:
            found: tuple[Stretch, ...] = (Stretch(1, self.rows, "epoch"),)
            self.announce("fit")
        else:
            found = stretches(
                self.rows,
                training,
                first=number == 0 and self.case.track == "matched",
                calls_of=self.case.steps_per_execution,
            )
            self.announce(f"epoch {number + 1}/{epochs}")
        matched = training is not None and self.case.track == "matched"
        self._epoch = Epoch(self._order(number) if matched else None, tuple(one.batches for one in found))
        self._ahead = deque(found)
        self._clock = EpochClock()

    def _order(self, epoch: int) -> NDArray[np.int64]:
        seed = order_seed(str(self.case.data_fingerprint), self.seed_index, epoch)
        return np.random.Generator(np.random.PCG64(seed)).permutation(self.rows)

    def _pause(self) -> None:
        """Stop the clock, keep what it saw and what the framework counted, evaluate, start the clock again."""
        seconds = self._watch.stop()
        cpu_s = (process_time_ns() - self._cpu) / 1e9
        if not self._ahead:
            raise AdapterFault(f"pauses more often than asked in epoch {len(self.epochs) + 1}.")
        stretch = self._ahead.popleft()
        asking = Stopwatch(self.learner.synchronize)
        with asking:
            progress = progress_of(self.learner, watched=len(self.asked_s) in self._watched)
        self.asked_s.append(asking.seconds)
        self.cpu_s += cpu_s if self.epochs else 0.0
        self._keep(stretch, seconds, progress)
        if stretch.evaluated:
            self._evaluate()
        if not self._ahead:
            self.epochs.append(self._clock.figures())
            self._prepare_epoch()
        if self._epoch is None:
            self.last_weights = weights_in_a_pause(self.learner)
        self._start()

    def _keep(self, stretch: Stretch, seconds: float, progress: Progress) -> None:
        when = f"epoch {len(self.epochs) + 1}" if self._samples else "the first step"
        check_work(stretch, progress, when)
        check_loss(progress.loss, when)
        self._clock.note_loss(stretch.rows, progress.loss)
        self._seconds += seconds
        self._samples += stretch.rows
        if progress.steps is not None:
            self.steps = (self.steps or 0) + progress.steps
        if stretch.kind == "first step":
            self.first_steps.append(FirstStep(samples=stretch.rows, seconds=seconds, loss=progress.loss))
        else:
            self._clock.seconds += seconds
            self._clock.samples += stretch.rows

    def _evaluate(self) -> None:
        """Evaluate on the validation part. The next stretch's clock waits until the device is done."""
        if self.validation is None:
            return
        if self._predict is None:  # once: it is traced by its first call
            self._predict = self.learner.predictor(self.case.measuring.predict_batch_size)
        answers = self._predict(self.validation.images)
        accuracy = float(np.mean(answers.labels == self.validation.labels))
        checkpoint = Checkpoint(
            samples=self._samples,
            seconds=self._seconds,
            validation_accuracy=accuracy,
            validation_loss=_loss_of(answers, self.validation),
        )
        self._clock.checkpoints.append(checkpoint)


def _loss_of(answers: Answers, validation: Split) -> float | None:
    """Mean log loss on the validation part; None without probabilities, or if they are not finite."""
    if answers.values is None or not np.isfinite(answers.values).all():
        return None
    return log_loss(validation.labels, answers.values, answers.kind)


def check_work(stretch: Stretch, progress: Progress, when: str) -> None:
    """Raise AdapterFault if the framework has counted other rows or steps than those of ``stretch``."""
    for counted, asked, words in ((progress.rows, stretch.rows, "rows"), (progress.steps, stretch.steps, "steps")):
        if counted is not None and counted != asked:
            raise AdapterFault(f"{when} trained {counted:,} {words}, {asked:,} were given.")


def check_loss(loss: float | None, when: str) -> None:
    """Raise Diverged if the mean loss is NaN or infinite."""
    if loss is not None and not math.isfinite(loss):
        raise Diverged(f"the mean training loss of {when} is {loss}.")
