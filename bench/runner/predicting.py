"""What follows the training of a trial: scoring the test part once, timed passes, latency, the pipeline alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.base import Learner
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

PIPELINE_S = 2.0
"""The input pipeline alone is timed until it has run this long, or has given every row once."""


def predict_batch_size(learner: Learner, case: Case) -> int:
    """An estimator is given all rows at once, as its users do; 0 means that."""
    return case.measuring.predict_batch_size if learner.by_steps else 0


def answer(learner: Learner, case: Case, test: Split) -> tuple[Answers, float]:
    """The answers to the test part, and the seconds they took, compiling the predictor included."""
    watch = Stopwatch(learner.synchronize)
    with watch:
        answers = learner.predictor(predict_batch_size(learner, case))(test.images)
    return answers, watch.seconds


def timed_passes(
    learner: Learner, case: Case, test: Split, scored: Answers, evaluate_s: float
) -> tuple[PredictPass, ...]:
    """Passes over the test part; a model too slow for a pass in the time set answers fewer rows.

    ``evaluate_s`` is what one pass took off the clock. Each pass begins a row later than the one before, and a network
    is given its rows varied but in the first, which is no figure: so nothing is asked twice. The labels are held
    against those of ``scored`` (AdapterFault).
    """
    measuring = case.measuring
    rows = len(test)
    if evaluate_s > measuring.predict_s:
        rows = max(100, int(rows * measuring.predict_s / evaluate_s))
    shifts = min(measuring.predict_passes + 1, len(test) // 2)
    rows = min(rows, len(test) - shifts)
    predict = learner.predictor(predict_batch_size(learner, case), decisions_only=True)
    passes: list[PredictPass] = []
    watch = Stopwatch(learner.synchronize)
    spent = 0.0
    while len(passes) < 2 or (spent < measuring.predict_s and len(passes) <= measuring.predict_passes):
        first = len(passes) % (len(test) - rows + 1)
        images = test.images[first : first + rows]
        is_varied = learner.by_steps and bool(passes)
        if is_varied:
            images = varied(images, len(passes))
        with watch:
            answers = predict(images)
        where = "a timed pass of prediction"
        check_answers_alike(answers.labels, scored.labels[first : first + rows], where, is_varied=is_varied)
        passes.append(PredictPass(samples=len(images), seconds=watch.seconds))
        spent += watch.seconds
    return tuple(passes)


def latencies(learner: Learner, case: Case, test: Split, scored: Answers) -> tuple[float, ...]:
    """Microseconds of each call on one sample, after the warm-up calls.

    A network is given each sample varied. The labels of the warm-up calls, and of the first on each sample, are held
    against those of ``scored`` (AdapterFault).
    """
    measuring = case.measuring
    predict = learner.predictor(1, decisions_only=True)
    samples = [test.images[index : index + 1] for index in range(min(100, len(test)))]
    where = "predicting one sample at a time"
    warm_up = Stopwatch(learner.synchronize)
    with warm_up:
        predict(samples[0])
    if warm_up.seconds < measuring.latency_s / WARM_UP_CALLS:
        warm = samples[:WARM_UP_CALLS]
        labels = [predict(sample).labels for sample in warm]
        check_answers_alike(np.concatenate(labels), scored.labels[: len(warm)], where)
    watch = Stopwatch(learner.synchronize)
    calls: list[float] = []
    labels = []
    spent = 0.0
    while len(calls) < measuring.latency_calls and spent < measuring.latency_s:
        turn, index = divmod(len(calls), len(samples))
        sample = varied(samples[index], turn) if learner.by_steps else samples[index]
        with watch:
            answers = predict(sample)
        if len(labels) < len(samples):
            labels.append(answers.labels)
        calls.append(round(watch.microseconds, 1))
        spent += watch.seconds
    if labels:
        found = np.concatenate(labels)
        check_answers_alike(found, scored.labels[: len(labels)], where, is_varied=learner.by_steps)
    return tuple(calls)


def varied(images: NDArray[Any], turn: int) -> NDArray[Any]:
    """A copy in which one value of each image, another in each ``turn``, is changed by the least that it can be.

    A network's answers stay what they are, but for those that were undecided; and what has kept its answers to these
    images must compute them.
    """
    changed = images.copy()
    values = changed.reshape(len(changed), -1)
    place = turn % values.shape[1]
    if values.dtype.kind == "f":
        values[:, place] = np.nextafter(values[:, place], np.inf, dtype=values.dtype)
    else:
        values[:, place] ^= 1
    return changed


def time_pipeline(learner: Learner, case: Case, order: NDArray[np.int64]) -> PipelineFigures | None:
    """The input pipeline over the rows of ``order``, for about ``PIPELINE_S`` seconds; None where there is none."""
    assert case.training is not None
    watch = Stopwatch(_host)
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


def _host() -> None:
    """A pipeline works on the host: there is no device to wait for."""
