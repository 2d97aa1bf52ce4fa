"""Suites, jobs and users' files for the tests of the runner; a framework that only notes its calls."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.adapters.base import Adapter, Epoch, Learner, Predictor, Probe, Progress, Scores, TrainingPlan
from bench.case import Case, Measuring, Training
from bench.datasets.catalog import CachedDataset, resolve
from bench.datasets.dataset import Split
from bench.models.model import Model
from bench.runner.events import Silent
from bench.runner.job import Job
from bench.runner.plan import PlannedTrial
from bench.suite import Suite

DIGITS_TRAIN, DIGITS_TEST = 1437, 360

QUICK_FIGURES = "[measuring]\npredict_s = 0.01\nlatency_s = 0.01\nlatency_calls = 5\n"


def suite_file(folder: Path, text: str, name: str = "mine.toml") -> str:
    path = folder / name
    path.write_text(dedent(text).lstrip() + "\n" + QUICK_FIGURES)
    return str(path)


def suite_of(matrix: dict[str, Any], **settings: Any) -> Suite:
    return Suite.model_validate({"name": "mine", "matrix": [matrix], **settings})


def own_file(folder: Path, source: str, name: str = "net.py") -> Path:
    path = folder / name
    path.write_text(dedent(source))
    return path


def own_npz(folder: Path, name: str = "mine.npz", rows: int = 60, classes: int = 3) -> Path:
    """A user's data set in Keras' layout."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (rows, 6, 6), dtype=np.uint8)
    labels = np.arange(rows) % classes
    path = folder / name
    np.savez(path, x_train=images, y_train=labels, x_test=images[:20], y_test=labels[:20])
    return path


def digits() -> CachedDataset:
    return resolve("digits", offline=True)


def job(folder: Path, reference: str = "mlp-plain", seed_index: int = 0, **changes: Any) -> Job:
    """A trial on digits in the framework ``fake``; ``changes`` are the case's."""
    data = digits()
    settings: dict[str, Any] = {
        "dataset": "digits",
        "model": reference,
        "framework": "fake",
        "data_fingerprint": data.info.fingerprint,
        "training": Training(epochs=2, batch_size=100),
        "measuring": Measuring(predict_s=0.01, latency_s=0.01, latency_calls=5),
    }
    return Job(
        case=Case.model_validate({**settings, **changes}),
        seed_index=seed_index,
        dataset_folder=str(data.folder),
        model_reference=reference,
        predictions_path=str(folder / "predictions.npz"),
    )


class Clock:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += round(seconds * 1e9)


@dataclass
class NotingLearner(Learner):
    """Notes every call, and takes the time set for it on ``clock``."""

    clock: Clock
    classes: int = 10
    by_steps: bool = True
    batch_size: int = 1
    train_row_s: float = 0.001
    predict_row_s: float = 0.0001
    wait_s: float = 0.25
    """Seconds the device is busy after a call."""
    loss: float = 1.5
    batch_s: float = 0.01
    """Seconds the pipeline takes for a batch, half a second more for the first."""
    zeroed: bool = False
    """Its weights have been set to zero."""
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def train(self, epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        for epoch in epochs:
            for begin, end in itertools.pairwise((0, *epoch.pauses)):
                self.train_stretch(self.rows_of(epoch, begin, end))
                pause()

    def rows_of(self, epoch: Epoch, begin: int, end: int) -> NDArray[np.int64] | None:
        return None if epoch.order is None else epoch.order[begin * self.batch_size : end * self.batch_size]

    def train_stretch(self, rows: NDArray[np.int64] | None) -> None:
        self.calls.append(("train", rows))
        self.clock.move(self.train_row_s * (1 if rows is None else len(rows)))

    def progress(self) -> Progress:
        rows = self.trained()[-1]
        return Progress(self.loss, None if rows is None else len(rows))

    def batches(self, order: NDArray[np.int64]) -> Iterator[object]:
        self.clock.move(0.5)
        while True:
            self.clock.move(self.batch_s)
            yield order

    def predictor(self, batch_size: int, *, decisions_only: bool = False) -> Predictor:
        def predict(images: NDArray[np.uint8] | NDArray[np.float32]) -> Scores:
            self.calls.append(("predict", (batch_size, decisions_only, len(images))))
            self.clock.move(self.predict_row_s * len(images))
            self.synchronize()  # answers are on the host
            values = np.zeros((len(images), self.classes), np.float32)
            values[:, 3] = 0.0 if self.zeroed else 2.0
            return Scores(values.argmax(axis=1), values, "logits")

        return predict

    def synchronize(self) -> None:
        if self.calls and self.calls[-1][0] != "synchronize":
            self.clock.move(self.wait_s)
        self.calls.append(("synchronize", None))

    def weights(self) -> dict[str, NDArray[np.float32]]:
        return {"dense_1/kernel": np.ones((2, 3), np.float32)}

    def set_weights(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        self.zeroed = not any(value.any() for value in weights.values())

    def parameter_count(self) -> int | None:
        return 6

    def settings(self) -> dict[str, object]:
        return {"betas": (0.9, 0.999)}

    def trained(self) -> list[NDArray[np.int64]]:
        """The rows of each stretch."""
        return [rows for kind, rows in self.calls if kind == "train"]


class NotingAdapter(Adapter):
    """Builds one learner and keeps what it was built from."""

    name = "fake"
    packages = ()
    extra = "fake"
    builder = "pytorch"
    execution = "eager"

    def __init__(self, learner: NotingLearner) -> None:
        self.learner = learner
        self.built: list[tuple[Case, Model, Split, TrainingPlan]] = []

    def prepare(self, case: Case) -> None:
        self.learner.clock.move(3)

    def probe(self) -> Probe:
        return Probe(("cpu",), {"fake": "1"}, {"intra-op": 1}, ("Fake GPU",))

    def build(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Learner:
        self.learner.clock.move(2)
        self.built.append((case, model, train, plan))
        self.learner.batch_size = plan.batch_size
        return self.learner


class Interrupting(Silent):
    """Presses Ctrl-C when trial ``number`` reaches its fit."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._current = 0

    def started(self, trial: PlannedTrial, number: int, remaining_s: float) -> None:
        self._current = number

    def phase(self, name: str) -> None:
        if self._current == self._number and name == "fit":
            raise KeyboardInterrupt
