"""Whole trainings of the harness and of a user's script, alternated in one process.

    python -m tests.benchmarks.rounds < request.json

The harness's side is the training phase of a trial, with its clock. Both sides start every training from the weights
of their first one, and leave out each one's first epoch. The side that goes first changes from round to round.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from time import monotonic, perf_counter
from typing import TYPE_CHECKING

import numpy as np

from bench.adapters.catalog import find_adapter
from bench.datasets.catalog import load
from bench.measure.clock import Stopwatch
from bench.models.catalog import find_model
from bench.runner.pipes import open_messages, send_line
from bench.runner.predicting import on_host
from bench.runner.recipe import training_plan
from bench.runner.rows import capped
from bench.runner.training import TrainingPhase
from tests.benchmarks.as_a_user.script import PREDICT_BATCH_SIZE, Script
from tests.benchmarks.sizes import Both, Request, Round, Size, Trained, script_module

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.datasets.dataset import Dataset

BLOCK_S = 0.2
"""Prediction time per side and round."""


class Sides:
    """Both sides at one size, on the same rows."""

    def __init__(self, request: Request, size: Size, data: Dataset) -> None:
        self.size = size
        self._train = capped(data.train, size.rows, request.fingerprints[size.dataset])
        self._case = request.case(size, size.epochs)
        model, adapter = find_model(request.model), find_adapter(request.framework)
        whole = request.case(size, size.epochs * (request.most + 1))  # a plan holds the rate of every step
        plan = training_plan(whole, model, self._train, 0)
        self._initial = plan.initial_weights or {}
        self.learner = adapter.build(whole, model, self._train, plan)
        self._images: NDArray[np.uint8] = np.array(self._train.images)
        self.script: Script = import_module(script_module(request.framework)).SCRIPT(
            request.model, self._images, np.array(self._train.labels), self._train.scale
        )

    def round(self, number: int) -> Trained:
        """One training on each side."""
        sides = {"harness": lambda: self._harness(number), "script": self._script}
        epoch_s = _alternate(sides, number)
        conversion_s = self.script.conversion_seconds(self._images)
        return Trained(size=self.size, epoch_s=epoch_s, conversion_s=conversion_s)

    def _harness(self, number: int) -> float:
        self.learner.set_weights(self._initial)
        phase = TrainingPhase(self.learner, self._case, number, len(self._train), None, _ignore)
        phase.run()
        steady = phase.epochs[1:]
        return sum(epoch.seconds for epoch in steady) / len(steady)

    def _script(self) -> float:
        self.script.restart()
        return self.script.train(self.size.epochs)


class Prediction:
    """Both sides' answers to the same images, with the weights of their last training."""

    def __init__(self, sides: Sides, data: Dataset, batch_size: int) -> None:
        self._sides = sides
        self._images: NDArray[np.uint8] = np.array(data.test.images[: len(data.test) if batch_size > 1 else 1])
        self._predict = sides.learner.predictor(batch_size, decisions_only=True)
        self._calls = max(1, round(BLOCK_S / min(self._harness() for _ in range(5))))

    def round(self, number: int) -> Both:
        """Seconds of a call."""
        return _alternate({"harness": self._harness, "script": self._script}, number, self._calls)

    def _harness(self) -> float:
        watch = Stopwatch(on_host)
        with watch:
            self._predict(self._images)
        return watch.seconds

    def _script(self) -> float:
        began = perf_counter()
        self._sides.script.predict(self._images)
        return perf_counter() - began


def _alternate(sides: dict[str, Callable[[], float]], number: int, calls: int = 1) -> Both:
    names = ["harness", "script"] if number % 2 == 0 else ["script", "harness"]
    gc.collect()
    return Both(**{name: sum(sides[name]() for _ in range(calls)) / calls for name in names})


def _ignore(_: str) -> None:
    """Ignores the phases."""


def main() -> None:
    """Run the rounds requested on standard input; write each as a line of JSON, except for the warm-up."""
    messages = open_messages()
    request = Request.model_validate_json(sys.stdin.readline())
    find_adapter(request.framework).prepare(request.case(request.sizes[0], 1))
    data = {name: load(Path(folder), resident=True) for name, folder in request.folders.items()}
    sides = [Sides(request, size, data[size.dataset]) for size in request.sizes]
    for one in sides:
        one.round(0)
    last = sides[-1]
    predictions = [Prediction(last, data[last.size.dataset], size) for size in (PREDICT_BATCH_SIZE, 1)]
    for prediction in predictions:
        prediction.round(0)
    began = monotonic()
    for number in range(1, request.most + 1):
        if number > request.least and monotonic() - began > request.seconds:
            break
        trained = tuple(one.round(number) for one in sides)
        predict_s, latency_s = (one.round(number) for one in predictions)
        found = Round(trained=trained, predict_s=predict_s, latency_s=latency_s)
        send_line(messages, found.model_dump_json())


if __name__ == "__main__":
    main()
