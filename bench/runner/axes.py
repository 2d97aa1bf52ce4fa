"""The ways to run a model on a device: the product of a suite's axes, narrowed or widened by a request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from bench.adapters.base import Adapter
from bench.case import ClassWeights, Execution, Input, Precision, Training
from bench.measure.cores import usable_cores
from bench.runner.request import Request
from bench.suite import Matrix, ModelSettings, Suite


@dataclass(frozen=True)
class Way:
    """One combination of the axes that say how a model is run."""

    execution: Execution
    threads: int
    precision: Precision = "float32"
    input: Input = "resident"
    steps_per_execution: int = 1
    channels_last: bool = False
    batch_size: int | None = None
    """None for a model not trained by steps."""

    def settings(self) -> dict[str, Any]:
        """The settings of a case that follow from it; the batch size is the training's."""
        return {name: value for name, value in vars(self).items() if name != "batch_size"}


@dataclass(frozen=True)
class Axes:
    """The axes of one matrix of a suite, for one request."""

    suite: Suite
    matrix: Matrix
    request: Request

    def ways(self, adapter: Adapter, settings: ModelSettings, *, by_steps: bool) -> Iterator[Way]:
        """Every combination that the matrix has and the request selects; the same one may come twice.

        A model not trained by steps has one way for each number of threads: the other axes do not apply to it.
        """
        if not by_steps:
            yield from (Way(adapter.execution, threads) for threads in self._threads())
            return
        batch_sizes = self.matrix.batch_sizes or (merged(self.suite, self.matrix, settings).batch_size,)
        executions = self._chosen("executions", self.matrix.executions, self.request.executions)
        for execution, precision, source, steps, last, batch_size, threads in product(
            [adapter.execution if name == "default" else name for name in executions],
            self._chosen("precisions", self.matrix.precisions, self.request.precisions),
            self._chosen("inputs", self.matrix.inputs, self.request.inputs),
            self._chosen("steps_per_execution", self.matrix.steps_per_execution, self.request.steps_per_execution),
            self._chosen("channels_last", self.matrix.channels_last, self.request.channels_last),
            self._chosen("batch_sizes", batch_sizes, self.request.batch_sizes),
            self._threads(),
        ):
            yield Way(execution, threads, precision, source, steps, last, batch_size)

    def training(self, settings: ModelSettings, way: Way) -> Training:
        """Training of a network run that way."""
        changed = merged(self.suite, self.matrix, settings).model_dump() | {"batch_size": way.batch_size}
        changed["class_weights"] = self.class_weights(settings)
        if self.request.epochs is not None:
            changed |= {"epochs": self.request.epochs, "min_steps": 0}  # no more
        return Training.model_validate(changed)

    def class_weights(self, settings: ModelSettings) -> ClassWeights | None:
        """Class weights, None for none: the one training setting that also applies to estimators."""
        return self.request.class_weights or merged(self.suite, self.matrix, settings).class_weights

    def _threads(self) -> tuple[int, ...]:
        if self.request.threads is not None:
            return (self.request.threads,)
        return self.matrix.threads or (self.suite.threads or usable_cores(),)

    def _chosen(self, axis: str, own: Sequence[Any], asked: Sequence[Any]) -> tuple[Any, ...]:
        """The matrix's ``own`` values, narrowed to those asked for; values that no matrix has are added to all."""
        if not asked:
            return tuple(own)
        elsewhere = {value for matrix in self.suite.matrix for value in _values(self.suite, matrix, axis)}
        added = [value for value in asked if value not in elsewhere]
        return tuple(value for value in (*own, *added) if value in asked)


def merged(suite: Suite, matrix: Matrix, settings: ModelSettings) -> Training:
    """The suite's training, overridden by the matrix and then by the model's own table."""
    changed = suite.training.model_dump()
    changed |= matrix.training.model_dump(exclude_unset=True)
    changed |= settings.training.model_dump(exclude_unset=True)
    return Training.model_validate(changed)


def _values(suite: Suite, matrix: Matrix, axis: str) -> tuple[Any, ...]:
    values: tuple[Any, ...] = getattr(matrix, axis)
    return values or (merged(suite, matrix, ModelSettings()).batch_size,)
