"""The phases after a trial's training: scoring the test part once, timed passes, latency, the pipeline alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.adapters.base import Learner, Predictor
from bench.adapters.base import Scores as Answers
from bench.case import Case
from bench.datasets.dataset import Split
from bench.measure.clock import Stopwatch
from bench.record import PipelineFigures, PredictPass
from bench.runner.closing import check_answers_alike

if TYPE_CHECKING:
    from numpy.typing import NDArray

WARM_UP_CALLS = 20
"""Calls on one sample before latency is timed: more than any framework needs to settle."""

TIMED_PASSES = 3
"""Passes over the test part that must fit in the time, warm-up aside."""

FEWEST_ROWS = 100
"""Fewest rows in a pass of a model that answers all rows at once."""

PIPELINE_S = 2.0
"""The input pipeline alone is timed until it has run this long, or has given every row once."""


def on_host() -> None:
    """Wait for nothing: predictions and pipelines return arrays on the host.

    Waiting for every weight would add 17 to 31 % to the latency of one sample in JAX.
    """


def predict_batch_size(learner: Learner, case: Case) -> int:
    """Batch size; 0 gives an estimator all rows at once, as its users do."""
    return case.measuring.predict_batch_size if learner.by_steps else 0


def answer(learner: Learner, case: Case, test: Split) -> tuple[Answers, float]:
    """The answers to the test part, and the seconds they took, compiling the predictor included."""
    learner.synchronize()
    watch = Stopwatch(on_host)
    with watch:
        answers = learner.predictor(predict_batch_size(learner, case))(test.images)
    return answers, watch.seconds


@dataclass(frozen=True)
class TimedPredictors:
    """The predictors whose calls are timed."""

    whole: Predictor
    """Answers the test part, in batches."""
    single: Predictor
    """Answers one sample."""

    @classmethod
    def of(cls, learner: Learner, case: Case) -> TimedPredictors:
        """The predictors of a learner; not traced or compiled before they are called."""
        whole = learner.predictor(predict_batch_size(learner, case), decisions_only=True)
        return cls(whole, learner.predictor(1, decisions_only=True))


def timed_passes(
    learner: Learner, predict: Predictor, case: Case, test: Split, scored: Answers, evaluate_s: float
) -> tuple[PredictPass, ...]:
    """Passes over the test part, the first of them a warm-up.

    A model too slow for three in the time set answers fewer rows; ``evaluate_s`` is what an estimator took for all.
    Each pass begins a row later than the one before, so that no two get the same rows; their labels are compared with
    those of ``scored`` (AdapterFault).
    """
    measuring, size = case.measuring, predict_batch_size(learner, case)
    most = len(test) - min(measuring.predict_passes + 1, len(test) // 2)
    watch = Stopwatch(on_host)

    def timed(first: int, rows: int) -> float:
        images = test.images[first : first + rows]
        with watch:
            answers = predict(images)
        check_answers_alike(answers.labels, scored.labels[first : first + rows], "a timed pass of prediction")
        return watch.seconds

    learner.synchronize()
    batch = min(size, most)
    if batch:
        timed(0, batch)  # may compile, which is not part of a pass
        evaluate_s = timed(0, batch) * len(test) / batch
    rows = _rows_of_a_pass(most, size, measuring.predict_s / (evaluate_s * most / len(test)))
    passes: list[PredictPass] = []
    spent = 0.0
    while len(passes) < 2 or (spent < measuring.predict_s and len(passes) <= measuring.predict_passes):
        seconds = timed(len(passes) % (len(test) - rows + 1), rows)
        spent += seconds if passes else 0.0
        passes.append(PredictPass(samples=rows, seconds=seconds))
    return tuple(passes)


def _rows_of_a_pass(most: int, size: int, passes: float) -> int:
    """Rows, at most ``most``, that leave time for ``TIMED_PASSES`` if all can be answered ``passes`` times.

    In whole batches of ``size`` (0: any number), at least one.
    """
    if passes >= TIMED_PASSES:
        return most
    rows = max(int(most * passes / TIMED_PASSES), min(size or FEWEST_ROWS, most))
    return rows - rows % size if size and rows > size else rows


def latencies(learner: Learner, predict: Predictor, case: Case, test: Split, scored: Answers) -> tuple[float, ...]:
    """Microseconds of each call on one sample, after the warm-up calls.

    Each call is on another row, as long as the test part has them; the labels of the first call on each row are
    compared with those of ``scored`` (AdapterFault).
    """
    measuring = case.measuring
    rows = len(test)
    learner.synchronize()
    watch = Stopwatch(on_host)
    with watch:
        predict(test.images[-1:])
    if watch.seconds < measuring.latency_s / WARM_UP_CALLS:
        for index in range(WARM_UP_CALLS):
            predict(test.images[index % rows : index % rows + 1])
    calls: list[float] = []
    labels: list[NDArray[np.int64]] = []
    spent = 0.0
    while len(calls) < measuring.latency_calls and spent < measuring.latency_s:
        row = (WARM_UP_CALLS + len(calls)) % rows
        sample = test.images[row : row + 1]
        with watch:
            answers = predict(sample)
        if len(labels) < rows:
            labels.append(answers.labels)
        calls.append(round(watch.microseconds, 1))
        spent += watch.seconds
    if labels:
        asked = (WARM_UP_CALLS + np.arange(len(labels))) % rows
        check_answers_alike(np.concatenate(labels), scored.labels[asked], "predicting one sample at a time")
    return tuple(calls)


def time_pipeline(learner: Learner, case: Case, order: NDArray[np.int64]) -> PipelineFigures | None:
    """The input pipeline over the rows of ``order``, for about ``PIPELINE_S`` seconds; None if there is none."""
    assert case.training is not None
    watch = Stopwatch(on_host)
    with watch:
        batches = learner.batches(order)
        found = next(batches, None) if batches is not None else None
    if batches is None or found is None:
        return None
    first_batch_s = watch.seconds
    size = case.training.batch_size
    samples, seconds = 0, 0.0
    for number in range(1, math.ceil(len(order) / size)):
        if seconds >= PIPELINE_S:
            break
        with watch:
            next(batches)
        samples += min(size, len(order) - number * size)
        seconds += watch.seconds
    return PipelineFigures(first_batch_s=first_batch_s, samples=samples, seconds=seconds)
