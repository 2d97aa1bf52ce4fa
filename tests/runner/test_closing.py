"""Adapter faults that end a trial: training off the clock, answers that differ from the scored ones."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import bench.measure.clock
from bench.adapters.base import AdapterFault, Epoch, Predictor, Progress, Scores
from bench.case import Measuring
from bench.datasets.dataset import Split
from bench.record import EpochFigures
from bench.runner.closing import check_answers_alike, check_built, check_cores
from bench.runner.training import TrainingPhase
from tests.runner.small import Clock, NotingAdapter, NotingLearner, job
from tests.runner.test_trial import Ran


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(bench.measure.clock, "perf_counter_ns", clock)
    return clock


class TrainsWhenCounting(NotingLearner):
    """Takes its steps when its progress is read."""

    def train_stretch(self, rows: NDArray[np.int64] | None) -> None:
        self.calls.append(("train", rows))

    def progress(self) -> Progress:
        rows = self.trained()[-1]
        self.clock.move(0.0 if rows is None else self.train_row_s * len(rows))
        return Progress(self.loss)


class TrainsWhenWeightsAreRead(NotingLearner):
    """Takes its steps when its weights are read after the training."""

    due_s: float = 0.0

    def train(self, epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        self.train_row_s, due = 0.0, self.train_row_s
        super().train(epochs, pause)
        self.due_s = due * sum(len(rows) for rows in self.trained())

    def weights(self) -> dict[str, NDArray[np.float32]]:
        self.clock.move(self.due_s)
        self.due_s = 0.0
        return super().weights()


class TrainsWhenItPredicts(NotingLearner):
    """Its weights change once it has predicted."""

    def weights(self) -> dict[str, NDArray[np.float32]]:
        asked = any(kind == "predict" for kind, _ in self.calls)
        return {"dense_1/kernel": np.full((2, 3), float(asked), np.float32)}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (TrainsWhenCounting, r"reading what it counted took \d.\d\d s after the clock had stopped, .* off the clock"),
        (TrainsWhenWeightsAreRead, r"reading its weights took \d.\d\d s after the clock had stopped, .* off the clock"),
        (TrainsWhenItPredicts, "its weights changed after the training: it trains while it predicts"),
    ],
)
def test_training_that_is_not_over_when_the_clock_stops_is_named(
    kind: type[NotingLearner], words: str, clock: Clock, tmp_path: Path
) -> None:
    with pytest.raises(AdapterFault, match=words):
        Ran(tmp_path, kind(clock, wait_s=0.0))


class OtherAnswers(NotingLearner):
    """Answers class 0 for batches of ``size`` or, with ``decisions``, if labels suffice; else class 3."""

    size: int | None = None
    decisions: bool = False

    def predictor(self, batch_size: int, *, decisions_only: bool = False) -> Predictor:
        own = super().predictor(batch_size, decisions_only=decisions_only)
        if batch_size != self.size and not (self.decisions and decisions_only):
            return own

        def zeros(images: NDArray[np.uint8] | NDArray[np.float32]) -> Scores:
            own(images)
            return Scores(np.zeros(len(images), np.int64), None, None)

        return zeros


def test_passes_that_answer_otherwise_than_the_scored_one_are_named(clock: Clock, tmp_path: Path) -> None:
    learner = OtherAnswers(clock)
    learner.decisions = True
    with pytest.raises(AdapterFault, match="a timed pass of prediction: 349 of 349 answers are not those"):
        Ran(tmp_path, learner)


def test_single_samples_that_are_answered_otherwise_are_named(clock: Clock, tmp_path: Path) -> None:
    learner = OtherAnswers(clock)
    learner.size = 1
    measuring = Measuring(predict_s=0.01, latency_s=100.0, latency_calls=50)
    with pytest.raises(AdapterFault, match="predicting one sample at a time: 50 of 50 answers are not those"):
        Ran(tmp_path, learner, measuring=measuring)


def test_an_answer_in_two_hundred_may_turn_by_rounding_and_one_in_any_case() -> None:
    scored = np.zeros(1000, np.int64)
    for rows, turned in ((1000, 5), (10, 1)):
        found = scored[:rows].copy()
        found[:turned] = 1
        check_answers_alike(found, scored[:rows], "a pass")
        found[: turned + 1] = 1
        with pytest.raises(AdapterFault, match=f"a pass: {turned + 1} of {rows:,} answers"):
            check_answers_alike(found, scored[:rows], "a pass")


def test_fewer_answers_than_rows_are_named() -> None:
    with pytest.raises(AdapterFault, match="a pass: 9 answers for 10 rows"):
        check_answers_alike(np.zeros(9, np.int64), np.zeros(10, np.int64), "a pass")


@pytest.mark.parametrize(("growth_mib", "is_named"), [(None, False), (45.0, False), (224.0, True)])
def test_building_may_take_one_copy_of_the_images_and_no_converted_ones(
    growth_mib: float | None, is_named: bool, clock: Clock
) -> None:
    """60,000 images of 28x28 are 45 MiB as bytes, 179 more as floats."""
    learner = NotingLearner(clock)
    train = Split(np.zeros((60_000, 28, 28, 1), np.uint8), np.zeros(60_000, np.int64), 255.0, 10)
    with pytest.raises(AdapterFault, match="building took 224 MiB") if is_named else nullcontext():
        check_built(learner, NotingAdapter(learner), train, growth_mib)


class KeepsAnswers(NotingLearner):
    """Answers each row once; repeats are looked up by its bytes."""

    def predictor(self, batch_size: int, *, decisions_only: bool = False) -> Predictor:
        own, kept = super().predictor(batch_size, decisions_only=decisions_only), dict[bytes, int]()

        def predict(images: NDArray[np.uint8] | NDArray[np.float32]) -> Scores:
            answers = own(images)
            found = zip((row.tobytes() for row in images), answers.labels, strict=True)
            labels = np.array([kept.setdefault(row, int(label)) for row, label in found])
            return replace(answers, labels=labels)

        return predict


def test_answers_that_are_kept_and_not_computed_are_named(clock: Clock, tmp_path: Path) -> None:
    with pytest.raises(AdapterFault, match="its answers do not follow its weights"):
        Ran(tmp_path, KeepsAnswers(clock))


@pytest.mark.parametrize(
    ("threads", "source", "cpu_s", "is_fault"),
    [
        (1, "resident", 2.1, False),
        (1, "resident", 3.8, True),
        (2, "resident", 3.8, False),
        (1, "loader", 3.8, False),
    ],
)
def test_more_cores_than_threads_are_a_fault(
    threads: int, source: str, cpu_s: float, is_fault: bool, clock: Clock, tmp_path: Path
) -> None:
    """Two seconds of epochs after the first."""
    asked = job(tmp_path, input=source).case.model_copy(update={"threads": threads})
    training = TrainingPhase(NotingLearner(clock), asked, 0, 100, None, lambda _: None)
    training.epochs += [EpochFigures(seconds=one, samples=100) for one in (9.0, 1.5, 0.5)]
    training.cpu_s = cpu_s
    with pytest.raises(AdapterFault, match="cores busy, 1 threads were given") if is_fault else nullcontext():
        check_cores(training, asked)


def test_too_short_a_training_tells_nothing_about_cores(clock: Clock, tmp_path: Path) -> None:
    asked = job(tmp_path).case
    training = TrainingPhase(NotingLearner(clock), asked, 0, 100, None, lambda _: None)
    training.epochs += [EpochFigures(seconds=0.1, samples=100)] * 2
    training.cpu_s = 99.0
    check_cores(training, asked)
