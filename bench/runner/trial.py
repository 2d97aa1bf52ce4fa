"""One trial, inside a worker process: the phases in order, each on its own clock.

The clocks of all frameworks start and stop here, at the same places, with the device idle. On the training clock:
gathering the rows of a batch in the given order, conversion to float32 and scaling, copying to the device, forward,
loss, backward, update. Off it: evaluation, reading figures, bookkeeping.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import JsonValue

from bench.adapters.base import Adapter, Learner, Probe, TrainingPlan
from bench.adapters.base import Scores as Answers
from bench.case import Case, framework_seed, order_seed
from bench.datasets.catalog import load
from bench.datasets.dataset import Split
from bench.measure.clock import Stopwatch
from bench.measure.memory import PhaseMemory
from bench.measure.threads import thread_settings_in_force
from bench.models.model import Model, NativeModel, Network
from bench.models.native import ModelFault
from bench.models.network import initial_weights, place
from bench.record import EpochFigures, FirstStep, Memory, ModelFigures, Phases, PredictPass, Scores
from bench.runner.job import Job, Measured
from bench.runner.rows import capped, cut_validation
from bench.score import Diverged, score

if TYPE_CHECKING:
    from numpy.typing import NDArray

WARM_UP_CALLS = 20
"""Calls on one sample before latency is timed: more than any framework needs to settle."""

MIB = 2**20


@dataclass
class Trial:
    """A job and what its phases have measured so far."""

    job: Job
    adapter: Adapter
    model: Model
    announce: Callable[[str], None]
    memory: PhaseMemory = field(default_factory=PhaseMemory)
    seconds: dict[str, float] = field(default_factory=dict)
    first_steps: list[FirstStep] = field(default_factory=list)
    epochs: list[EpochFigures] = field(default_factory=list)

    @property
    def case(self) -> Case:
        """What is measured."""
        return self.job.case

    def run(self) -> Measured:
        """Run every phase. Raises ModelFault, Diverged, or whatever the framework raises."""
        probe = self._import()
        train, validation, test = self._load()
        learner = self._build(train)
        learner.reset_device_peak()
        self._train(learner, len(train), validation)
        weights = digest_of_weights(learner.weights())
        answers, scores = self._evaluate(learner, test)
        passes = self._predict(learner, test)
        latency = self._latency(learner, test)
        return Measured(
            phases=Phases(
                import_s=self.seconds["import"],
                load_s=self.seconds["load"],
                build_s=self.seconds["build"],
                first_steps=tuple(self.first_steps),
                epochs=tuple(self.epochs),
                evaluate_s=self.seconds["evaluate"],
                predict=passes,
                predict_batch_size=self._predict_batch_size(learner),
                latency_us=latency,
            ),
            scores=scores,
            memory=self._memory(learner),
            model=self._figures(learner, train, weights, answers),
            settings=self._settings(learner, probe),
            train_rows=len(train),
            test_rows=len(test),
            accelerators=probe.accelerators,
        )

    def _import(self) -> Probe:
        self.announce("import")
        watch = Stopwatch(_idle)
        with watch:
            self.adapter.prepare(self.case)
        self.seconds["import"] = watch.seconds
        probe = self.adapter.probe()
        self.memory.mark_import()
        return probe

    def _load(self) -> tuple[Split, Split | None, Split]:
        self.announce("load")
        watch = Stopwatch(_idle)
        with self.memory.phase("load"), watch:
            data = load(Path(self.job.dataset_folder), resident=True)
            train, validation = self._rows(data.train)
        self.seconds["load"] = watch.seconds
        return train, validation, data.test

    def _rows(self, train: Split) -> tuple[Split, Split | None]:
        fingerprint = str(self.case.data_fingerprint)
        train = capped(train, self.case.train_rows, fingerprint)
        if self.case.training is None or not self.case.training.validation_rows:
            return train, None
        return cut_validation(train, self.case.training.validation_rows, fingerprint, self.job.seed_index)

    def _build(self, train: Split) -> Learner:
        self.announce("build")
        plan = self._plan(train)
        # Keras draws the seeds of its layers from Python's generator, and the user's own code may use either
        random.seed(plan.seed)
        np.random.seed(plan.seed)
        watch = Stopwatch(_idle)
        with self.memory.phase("build"), watch:
            learner = self.adapter.build(self.case, self.model, train, plan)
            learner.synchronize()
        self.seconds["build"] = watch.seconds
        if isinstance(self.model, NativeModel) and learner.granularity != "fit":
            check_answers(learner.predictor(2)(train.images[:2]), self.model, train)
        return learner

    def _plan(self, train: Split) -> TrainingPlan:
        seed = framework_seed(self.job.seed_index, self.case.model)
        training = self.case.training
        if training is None:
            return TrainingPlan(seed, self.case.threads)
        steps = math.ceil(len(train) / training.batch_size) * training.epochs
        rates = np.full(steps, training.optimizer.learning_rate)
        weights = None
        if isinstance(self.model, Network):
            weights = initial_weights(place(self.model, train.shape, train.classes), self.job.seed_index)
        return TrainingPlan(seed, self.case.threads, training.batch_size, rates, training.optimizer, weights)

    def _train(self, learner: Learner, rows: int, validation: Split | None) -> None:
        """All epochs. Of the first, the first batch and the short batch are steps of their own, on their own clock.

        So tracing and compiling are told apart from training, and yet every epoch is exactly one pass: of the first
        epoch only the order of batches differs, and it differs alike for every framework.
        """
        training = self.case.training
        with self.memory.phase("train"):
            if training is None:
                self.announce("fit")
                self._fit(learner, rows)
                return
            for epoch in range(training.epochs):
                self.announce(f"epoch {epoch + 1}/{training.epochs}")
                order = self._order(rows, epoch)
                if epoch == 0:
                    order = self._first_steps(learner, order, training.batch_size)
                self._epoch(learner, order, validation)

    def _order(self, rows: int, epoch: int) -> NDArray[np.int64]:
        seed = order_seed(str(self.case.data_fingerprint), self.job.seed_index, epoch)
        return np.random.Generator(np.random.PCG64(seed)).permutation(rows)

    def _first_steps(self, learner: Learner, order: NDArray[np.int64], batch_size: int) -> NDArray[np.int64]:
        """Train the first full batch, then the short one; returns the rows that remain of the epoch."""
        short = len(order) % batch_size if len(order) > batch_size else 0
        split = len(order) - short
        for rows in (order[:batch_size], order[split:]):
            if len(rows):
                watch = Stopwatch(learner.synchronize)
                with watch:
                    loss = learner.train(rows)
                self.first_steps.append(FirstStep(samples=len(rows), seconds=watch.seconds))
                check_loss(loss, "the first step")
        return order[batch_size:split]

    def _epoch(self, learner: Learner, order: NDArray[np.int64], validation: Split | None) -> None:
        if not len(order):
            return
        watch = Stopwatch(learner.synchronize)
        with watch:
            loss = learner.train(order)
        check_loss(loss, f"epoch {len(self.epochs) + 1}")
        accuracy = None
        if validation is not None:
            answers = learner.predictor(self.case.measuring.predict_batch_size)(validation.images)
            accuracy = float(np.mean(answers.labels == validation.labels))
        self.epochs.append(
            EpochFigures(seconds=watch.seconds, samples=len(order), loss=loss, validation_accuracy=accuracy)
        )

    def _fit(self, learner: Learner, rows: int) -> None:
        watch = Stopwatch(learner.synchronize)
        with watch:
            learner.train(None)
        self.epochs.append(EpochFigures(seconds=watch.seconds, samples=rows))

    def _predict_batch_size(self, learner: Learner) -> int:
        """An estimator is given all rows at once, as its users do; 0 means that."""
        return 0 if learner.granularity == "fit" else self.case.measuring.predict_batch_size

    def _evaluate(self, learner: Learner, test: Split) -> tuple[Answers, Scores]:
        self.announce("evaluate")
        watch = Stopwatch(learner.synchronize)
        with self.memory.phase("evaluate"), watch:
            answers = learner.predictor(self._predict_batch_size(learner))(test.images)
        self.seconds["evaluate"] = watch.seconds
        scores = score(test.labels, answers.labels, answers.values, answers.kind, test.classes)
        arrays: dict[str, Any] = {"truth": test.labels.astype(np.int16), "labels": answers.labels.astype(np.int16)}
        if answers.values is not None:
            arrays[str(answers.kind)] = answers.values
        np.savez(self.job.predictions_path, **arrays)
        return answers, scores

    def _predict(self, learner: Learner, test: Split) -> tuple[PredictPass, ...]:
        """Timed passes over the test part; a model too slow for a pass in the time set answers fewer rows."""
        self.announce("predict")
        measuring = self.case.measuring
        rows = len(test)
        if self.seconds["evaluate"] > measuring.predict_s:
            rows = max(100, int(rows * measuring.predict_s / self.seconds["evaluate"]))
        images = test.images[:rows]
        predict = learner.predictor(self._predict_batch_size(learner), decisions_only=True)
        passes: list[PredictPass] = []
        watch = Stopwatch(learner.synchronize)
        spent = 0.0
        with self.memory.phase("predict"):
            while len(passes) < 2 or (spent < measuring.predict_s and len(passes) <= measuring.predict_passes):
                with watch:
                    predict(images)
                passes.append(PredictPass(samples=len(images), seconds=watch.seconds))
                spent += watch.seconds
        return tuple(passes)

    def _latency(self, learner: Learner, test: Split) -> tuple[float, ...]:
        self.announce("latency")
        measuring = self.case.measuring
        predict = learner.predictor(1, decisions_only=True)
        samples = [test.images[index : index + 1] for index in range(min(100, len(test)))]
        warm_up = Stopwatch(learner.synchronize)
        with warm_up:
            predict(samples[0])
        if warm_up.seconds < measuring.latency_s / WARM_UP_CALLS:
            for index in range(WARM_UP_CALLS):
                predict(samples[index % len(samples)])
        watch = Stopwatch(learner.synchronize)
        calls: list[float] = []
        spent = 0.0
        while len(calls) < measuring.latency_calls and spent < measuring.latency_s:
            sample = samples[len(calls) % len(samples)]
            with watch:
                predict(sample)
            calls.append(round(watch.microseconds, 1))
            spent += watch.seconds
        return tuple(calls)

    def _memory(self, learner: Learner) -> Memory:
        device = learner.device_memory()
        if device is None:
            return self.memory.result()
        return self.memory.result(
            device_allocated_peak_mib=device.allocated_peak / MIB,
            device_driver_peak_mib=None if device.driver is None else device.driver / MIB,
        )

    def _figures(self, learner: Learner, train: Split, weights: str | None, answers: Answers) -> ModelFigures:
        flops = place(self.model, train.shape, train.classes).flops if isinstance(self.model, Network) else None
        return ModelFigures(
            parameters=learner.parameter_count(),
            flops_per_sample=flops,
            final_weights_sha256=weights,
            predictions_sha256=digest_of_answers(answers),
        )

    def _settings(self, learner: Learner, probe: Probe) -> dict[str, JsonValue]:
        found: dict[str, object] = {
            **learner.settings(),
            "framework_threads": dict(probe.threads),
            "thread_pools": thread_settings_in_force(),
        }
        plain: dict[str, JsonValue] = json.loads(json.dumps(found, default=str))  # tuples become lists
        return plain


def _idle() -> None:
    """The host's own work has no device to wait for."""


def check_loss(loss: float | None, when: str) -> None:
    """Raise Diverged where the mean loss is NaN or infinite."""
    if loss is not None and not math.isfinite(loss):
        raise Diverged(f"the mean training loss of {when} is {loss}.")


def check_answers(answers: Answers, model: NativeModel, train: Split) -> None:
    """Raise ModelFault where the user's model does not give one finite value per class for two images."""
    values, expected = answers.values, (2, train.classes)
    assert values is not None
    if values.shape != expected:
        raise ModelFault(
            f"{model.name} returns shape {values.shape} for 2 images of shape {train.shape}; "
            f"{expected} expected: one value per class."
        )
    if not np.isfinite(values).all():
        raise Diverged(f"{model.name} returns NaN or infinity before any training.")


def digest_of_weights(weights: dict[str, NDArray[np.float32]]) -> str | None:
    """SHA-256 over all weights by name; None where there are none."""
    if not weights:
        return None
    total = hashlib.sha256()
    for name in sorted(weights):
        total.update(name.encode())
        total.update(np.ascontiguousarray(weights[name]).tobytes())
    return total.hexdigest()


def digest_of_answers(answers: Answers) -> str:
    """SHA-256 over the decisions (int64) and, where there are any, the values (float32)."""
    total = hashlib.sha256(np.ascontiguousarray(answers.labels, np.int64).tobytes())
    if answers.values is not None:
        total.update(np.ascontiguousarray(answers.values, np.float32).tobytes())
    return total.hexdigest()
