"""What must hold once a trial has been measured: training was over when its clock stopped, and answers are the same.

An adapter that does otherwise, by accident or not, would be timed for work that it did not do on the clock: the trial
ends with an error that names it.
"""

from __future__ import annotations

import hashlib
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from bench.adapters.base import AdapterFault, Learner
from bench.measure.clock import Stopwatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.adapters.base import Scores as Answers
    from bench.runner.training import TrainingPhase

READING_SHARE = 0.2
"""Of the training seconds: more than this, and ``READING_S``, may not pass in reading what was trained."""
READING_S = 0.5
"""Reading is milliseconds; a crowded machine can make them a tenth of a second."""

BUILD_COPIES = 1.25
"""Copies of the stored images that building a learner may take."""
BUILD_MIB = 96.0
"""What building takes besides: weights, the optimiser, kernels and libraries met for the first time."""

DIFFERING_SHARE = 0.005
"""Of the rows: rounding may turn the answers of so many where they are taken in batches of another size."""


def weights_when_over(learner: Learner, training: TrainingPhase) -> str | None:
    """SHA-256 of the final weights; None where the model has none to read.

    Raises AdapterFault where reading the loss in the pauses, or the weights now, took a share of the training: then
    it was going on when the clock had stopped. Of the pauses the median counts, so that one hiccup of the machine is
    not taken for work.
    """
    watch = Stopwatch(learner.synchronize)
    with watch:
        weights = learner.weights()
    first = watch.seconds
    with watch:
        weights = learner.weights()
    trained = sum(step.seconds for step in training.first_steps) + sum(epoch.seconds for epoch in training.epochs)
    counting = median(training.asked_s) * len(training.asked_s) if training.asked_s else 0.0
    for seconds, words in ((counting, "what it counted"), (first - watch.seconds, "its weights")):
        if seconds > READING_SHARE * trained + READING_S:
            raise AdapterFault(
                f"reading {words} took {seconds:.2f} s after the clock had stopped, the training {trained:.2f} s: "
                "it trains off the clock."
            )
    return digest_of_weights(weights)


def check_unchanged(learner: Learner, before: str | None) -> None:
    """Raise AdapterFault where the weights are not those at the end of the training any more."""
    if before is not None and digest_of_weights(learner.weights()) != before:
        raise AdapterFault("its weights changed after the training: it trains while it predicts.")


def check_built(growth_mib: float | None, images_mib: float) -> None:
    """Raise AdapterFault where building took memory as if batches were gathered or converted before the clock."""
    allowed = BUILD_COPIES * images_mib + BUILD_MIB
    if growth_mib is not None and growth_mib > allowed:
        raise AdapterFault(
            f"building took {growth_mib:.0f} MiB where the images are {images_mib:.0f} MiB: it gathers or converts "
            "them before the clock starts."
        )


def check_answers_alike(found: NDArray[np.int64], scored: NDArray[np.int64], where: str) -> None:
    """Raise AdapterFault where more labels of a timed prediction differ from those scored than rounding explains."""
    if found.shape != scored.shape:
        raise AdapterFault(f"{where}: {len(found):,} answers for {len(scored):,} rows.")
    differing = int(np.count_nonzero(np.asarray(found) != np.asarray(scored)))
    if differing > max(1, DIFFERING_SHARE * len(scored)):
        raise AdapterFault(
            f"{where}: {differing:,} of {len(scored):,} answers are not those that were scored: what is timed is not "
            "what is scored."
        )


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
