"""One trial, inside a worker process: the phases in order, each on its own clock.

The clocks of all frameworks start and stop here, at the same places, with the device idle.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import JsonValue

from bench.adapters.base import Adapter, Learner, Probe
from bench.adapters.base import Scores as Answers
from bench.case import Case
from bench.datasets.catalog import load
from bench.datasets.dataset import Split
from bench.measure.clock import Stopwatch
from bench.measure.memory import PhaseMemory
from bench.measure.threads import thread_settings_in_force
from bench.models.model import Model, NativeModel, Network
from bench.models.native import ModelFault
from bench.models.network import place
from bench.record import Memory, ModelFigures, Phases, PipelineFigures, PredictPass, Scores
from bench.runner.closing import (
    check_built,
    check_computed,
    check_cores,
    check_settings,
    check_unchanged,
    digest_of_answers,
    weights_when_over,
)
from bench.runner.job import Job, Measured
from bench.runner.predicting import (
    TimedPredictors,
    answer,
    latencies,
    predict_batch_size,
    time_pipeline,
    timed_passes,
)
from bench.runner.recipe import training_plan
from bench.runner.rows import capped, cut_validation
from bench.runner.training import TrainingPhase
from bench.score import Diverged, score

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

    @property
    def case(self) -> Case:
        """The measured case."""
        return self.job.case

    def run(self) -> Measured:
        """Run every phase. Raises ModelFault, Diverged, or whatever the framework raises."""
        probe = self._import()
        train, validation, test = self._load()
        learner = self._build(train)
        learner.reset_device_peak()
        training = self._train(learner, len(train), validation)
        weights = weights_when_over(learner, training)
        check_cores(training, self.case)
        answers, scores = self._evaluate(learner, test)
        timed = TimedPredictors.of(learner, self.case)
        passes = self._predict(learner, timed, test, answers)
        self.announce("latency")
        latency = latencies(learner, timed.single, self.case, test, answers)
        check_unchanged(learner, weights)
        if isinstance(self.model, Network) and self.case.track == "matched":
            check_settings(learner.settings(), self.adapter.probe(), self.case)
            check_built(learner, self.adapter, train, None)
            check_computed(learner, (timed.whole, timed.single), test.images)
        pipeline = self._pipeline(learner, len(train))
        return Measured(
            phases=Phases(
                import_s=self.seconds["import"],
                load_s=self.seconds["load"],
                build_s=self.seconds["build"],
                first_steps=tuple(training.first_steps),
                epochs=tuple(training.epochs),
                end_s=training.end_s,
                steps=training.steps,
                evaluate_s=self.seconds["evaluate"],
                predict=passes,
                predict_batch_size=predict_batch_size(learner, self.case),
                latency_us=latency,
                pipeline=pipeline,
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
        training = self.case.training
        rows = 0 if training is None else training.validation_count(len(train))
        if training is None or not rows:
            return train, None
        seed_index = self.job.seed_index
        return cut_validation(train, rows, fingerprint, seed_index, training.validation_part)

    def _build(self, train: Split) -> Learner:
        self.announce("build")
        plan = training_plan(self.case, self.model, train, self.job.seed_index)
        # Keras draws the seeds of its layers from Python's generator, and the user's own code may use either
        random.seed(plan.seed)
        np.random.seed(plan.seed)
        watch = Stopwatch(_idle)
        with self.memory.phase("build"), watch:
            learner = self.adapter.build(self.case, self.model, train, plan)
            learner.synchronize()
        self.seconds["build"] = watch.seconds
        if isinstance(self.model, Network) and self.case.track == "matched":
            check_built(learner, self.adapter, train, self.memory.growth("build"))
        if isinstance(self.model, NativeModel) and learner.by_steps:
            check_answers(learner.predictor(2)(train.images[:2]), self.model, train)
        return learner

    def _train(self, learner: Learner, rows: int, validation: Split | None) -> TrainingPhase:
        training = TrainingPhase(learner, self.case, self.job.seed_index, rows, validation, self.announce)
        with self.memory.phase("train"):
            training.run()
        return training

    def _evaluate(self, learner: Learner, test: Split) -> tuple[Answers, Scores]:
        self.announce("evaluate")
        with self.memory.phase("evaluate"):
            answers, self.seconds["evaluate"] = answer(learner, self.case, test)
        scores = score(test.labels, answers.labels, answers.values, answers.kind, test.classes)
        arrays: dict[str, Any] = {"truth": test.labels.astype(np.int16), "labels": answers.labels.astype(np.int16)}
        if answers.values is not None:
            arrays[str(answers.kind)] = answers.values
        np.savez(self.job.predictions_path, **arrays)
        return answers, scores

    def _predict(
        self, learner: Learner, timed: TimedPredictors, test: Split, answers: Answers
    ) -> tuple[PredictPass, ...]:
        self.announce("predict")
        with self.memory.phase("predict"):
            return timed_passes(learner, timed.whole, self.case, test, answers, self.seconds["evaluate"])

    def _pipeline(self, learner: Learner, rows: int) -> PipelineFigures | None:
        """Time the input pipeline alone; last, so that this run warms up no other figure."""
        if self.case.input != "loader" or self.case.training is None:
            return None
        self.announce("pipeline")
        with self.memory.phase("pipeline"):
            return time_pipeline(learner, self.case, np.random.default_rng(0).permutation(rows))

    def _memory(self, learner: Learner) -> Memory:
        device = learner.device_memory()
        if device is None:
            return self.memory.result()
        return self.memory.result(
            device_allocated_peak_mib=_mebibytes(device.allocated_peak),
            device_driver_peak_mib=_mebibytes(device.driver),
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


def check_answers(answers: Answers, model: NativeModel, train: Split) -> None:
    """Raise ModelFault unless the user's model gives one value per class for two images, Diverged if not finite."""
    values, expected = answers.values, (2, train.classes)
    assert values is not None
    if values.shape != expected:
        raise ModelFault(
            f"{model.name} returns shape {values.shape} for 2 images of shape {train.shape}; "
            f"{expected} expected: one value per class."
        )
    if not np.isfinite(values).all():
        raise Diverged(f"{model.name} returns NaN or infinity before any training.")


def _mebibytes(size: int | None) -> float | None:
    return None if size is None else size / MIB
