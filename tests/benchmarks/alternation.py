"""The harness's learner and a loop by hand, alternated in one process on the same rows.

Blocks are short, because a machine changes its speed in regimes of seconds: a ratio is taken within each pair of
neighbouring blocks. The order is harness, hand, hand, harness, and so on, so that a drift favours neither.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from time import perf_counter_ns
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.adapters.base import Learner, TrainingPlan
from bench.adapters.catalog import find_adapter
from bench.case import Case, Training, derive_seed
from bench.datasets.catalog import load
from bench.datasets.dataset import Dataset
from bench.measure.clock import Stopwatch
from bench.models.catalog import find_model
from bench.models.model import Network
from bench.models.network import initial_weights, place
from tests.benchmarks.by_hand.base import BATCH_SIZE, PREDICT_BATCH_SIZE, Arrays, ByHand, Fastest, Way

Work = Literal["train", "predict", "batch 1"]

BLOCK_S = 0.2
LONGEST_BLOCK_S = 2.0
CALL_SHARE = 10
"""A block of training lasts this many times what a call costs that trains one batch, where calls are dear."""

FASTEST_EVERY = 5
"""The fastest script runs once in this many pairs: its figure is for information."""

STEPS_A_PAIR = 4_000
"""More steps than any block holds: the harness's plan states the learning rate of each."""


@dataclass(frozen=True)
class Block:
    """One side's share of a pair: ``calls`` calls of ``rows`` rows each."""

    rows: int
    calls: int

    @property
    def samples(self) -> int:
        """Rows of the whole block."""
        return self.rows * self.calls


@dataclass(frozen=True, eq=False)
class Side:
    """What one side's block runs, and how it gets ready for it off the clock."""

    call: Callable[[Any], object]
    ready: Callable[[Any], Any]
    """From an order or from images to what ``call`` takes."""
    seconds: Callable[[Callable[[Any], object], Sequence[Any]], float]


class Alternation:
    """The two sides and the fastest script, each with a model of its own, from the same weights."""

    def __init__(self, case: Case, folder: Path, pairs: int) -> None:
        self._data: Dataset = load(folder, resident=True)
        self._learner = build_learner(case, self._data, pairs)
        self._by_hand, self._fastest = build_by_hand(case, self._data)
        first = np.arange(BATCH_SIZE)
        self._learner.train(first)  # scikit-learn has no weights to give before its first batch
        if self._fastest is not None:
            self._fastest.train(first)
        self._by_hand.load(self._learner.weights())
        self._sides: dict[str, Side] = {}
        self._block = Block(0, 0)
        self._work: Work = "train"

    def agreement(self) -> float:
        """Share of the test rows to which the two sides give the same class."""
        ours, theirs = self._answers()
        return float(np.mean(ours == theirs))

    def accuracies(self) -> tuple[float, float]:
        """Test accuracy of the two sides."""
        ours, theirs = self._answers()
        truth = self._data.test.labels
        return float(np.mean(ours == truth)), float(np.mean(theirs == truth))

    def _answers(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        test = self._data.test.images
        return self._learner.predictor(PREDICT_BATCH_SIZE)(test).labels, self._by_hand.predict(np.array(test))

    def prepare(self, work: Work) -> Block:
        """Choose the size of a block, and run every side once on that size."""
        self._work = work
        self._sides = self._training_sides() if work == "train" else self._predicting_sides(work)
        self._block = self._training_block() if work == "train" else self._predicting_block(work)
        items = self._items(0)
        for side in self._sides.values():
            self._time(side, items)
        gc.collect()
        gc.freeze()  # so that collecting before every pair is quick
        return self._block

    def pair(self, number: int) -> dict[str, float]:
        """Seconds of each side's block; the side that goes first changes from pair to pair."""
        items = self._items(number)
        names = ["harness", "by_hand"] if number % 2 == 0 else ["by_hand", "harness"]
        if number % FASTEST_EVERY == 0 and "fastest" in self._sides:
            names.append("fastest")
        gc.collect()
        gc.disable()
        try:
            return {name: self._time(self._sides[name], items) for name in names}
        finally:
            gc.enable()

    def _time(self, side: Side, items: Sequence[Any]) -> float:
        return side.seconds(side.call, [side.ready(item) for item in items])

    def _training_sides(self) -> dict[str, Side]:
        sides = {
            "harness": Side(self._learner.train, _same, self._harness_seconds),
            "by_hand": Side(self._by_hand.train, _same, plain_seconds),
        }
        if self._fastest is not None:
            sides["fastest"] = Side(self._fastest.train, _same, plain_seconds)
        return sides

    def _predicting_sides(self, work: Work) -> dict[str, Side]:
        batch_size = PREDICT_BATCH_SIZE if work == "predict" else 1
        predict = self._learner.predictor(batch_size, decisions_only=True)
        ours, theirs = self._data.test.images, np.array(self._data.test.images)
        sides = {
            "harness": Side(predict, lambda rows: ours[rows], self._harness_seconds),
            "by_hand": Side(self._by_hand.predict, lambda rows: theirs[rows], plain_seconds),
        }
        if self._fastest is not None:
            fastest = self._fastest
            sides["fastest"] = Side(fastest.predict, lambda rows: fastest.stored(theirs[rows]), plain_seconds)
        return sides

    def _harness_seconds(self, call: Callable[[Any], object], inputs: Sequence[Any]) -> float:
        """The clock of ``bench.runner.trial``: one stopwatch around every call."""
        watch = Stopwatch(self._learner.synchronize)
        total = 0.0
        for one in inputs:
            with watch:
                call(one)
            total += watch.seconds
        return total

    def _items(self, number: int) -> list[Any]:
        """What the calls of pair ``number`` work on: an order of training rows, or slices of the test part."""
        rows, calls = self._block.rows, self._block.calls
        if self._work == "train":
            generator = np.random.Generator(np.random.PCG64(derive_seed("alternation", number)))
            return [generator.permutation(len(self._data.train))[:rows] for _ in range(calls)]
        places = len(self._data.test) // rows
        return [slice(index % places * rows, (index % places + 1) * rows) for index in range(calls)]

    def _training_block(self) -> Block:
        batch = np.arange(BATCH_SIZE)
        target = BLOCK_S
        if self._learner.granularity != "step":
            target = min(max(BLOCK_S, CALL_SHARE * self._quickest(batch)), LONGEST_BLOCK_S)
        most = len(self._data.train) // BATCH_SIZE
        batches, seconds = 2, 0.0
        while seconds < target / 3 and batches < most:
            batches = min(2 * batches, most)
            seconds = self._quickest(np.arange(batches * BATCH_SIZE), tries=2)
        return Block(min(max(1, round(batches * target / seconds)), most) * BATCH_SIZE, 1)

    def _predicting_block(self, work: Work) -> Block:
        rows = len(self._data.test) if work == "predict" else 1
        seconds = self._quickest(slice(0, rows))
        if seconds <= 2 * BLOCK_S:
            return Block(rows, max(1, round(BLOCK_S / seconds)))
        batches = max(1, round(rows * BLOCK_S / seconds / PREDICT_BATCH_SIZE))  # as a slow model in the harness
        return Block(batches * PREDICT_BATCH_SIZE, 1)

    def _quickest(self, item: Any, tries: int = 5) -> float:
        """Seconds of the quickest call by hand. The harness makes the same calls: it is to learn as much."""
        seconds = []
        for _ in range(1 + tries):  # the first call compiles
            self._time(self._sides["harness"], [item])
            seconds.append(self._time(self._sides["by_hand"], [item]))
        return min(seconds[1:])


def plain_seconds(call: Callable[[Any], object], inputs: Sequence[Any]) -> float:
    """The clock of somebody who writes it by hand."""
    total = 0
    for one in inputs:
        began = perf_counter_ns()
        call(one)
        total += perf_counter_ns() - began
    return total / 1e9


def build_learner(case: Case, data: Dataset, pairs: int) -> Learner:
    """The learner of a trial of ``case``, with learning rates for all the steps that ``pairs`` pairs may take."""
    adapter, model = find_adapter(case.framework), find_model(case.model)
    assert isinstance(model, Network)
    assert case.training is not None
    optimizer = case.training.optimizer
    rates = np.full(STEPS_A_PAIR * (pairs + 10), optimizer.learning_rate)
    weights = initial_weights(place(model, data.train.shape, data.train.classes), seed_index=0)
    adapter.prepare(case)
    return adapter.build(
        case, model, data.train, TrainingPlan(0, case.threads, case.training.batch_size, rates, optimizer, weights)
    )


def build_by_hand(case: Case, data: Dataset) -> tuple[ByHand, Fastest | None]:
    """The loop by hand and, where there is one, the fastest script, on copies in memory of the same arrays."""
    module = import_module(f"tests.benchmarks.by_hand.{case.framework.replace('-', '_')}")
    arrays = Arrays(np.array(data.train.images), np.array(data.train.labels))
    way = way_of(case)
    fastest = module.FASTEST(case.model, arrays) if module.FASTEST and way == "default" else None
    return module.BY_HAND(case.model, arrays, way), fastest


def case_of(framework: str, model: str, threads: int, way: Way = "default") -> Case:
    """The case of the suites, on MNIST."""
    return Case(
        dataset="mnist",
        model=model,
        framework=framework,
        training=Training(batch_size=BATCH_SIZE),
        threads=threads,
        execution=find_adapter(framework).execution,
        input="loader" if way == "loader" else "resident",
        steps_per_execution=32 if way == "32 steps a call" else 1,
    )


def way_of(case: Case) -> Way:
    """How the script by hand is to be written for ``case``."""
    if case.input == "loader":
        return "loader"
    return "default" if case.steps_per_execution == 1 else "32 steps a call"


def _same(order: NDArray[np.int64]) -> NDArray[np.int64]:
    return order
