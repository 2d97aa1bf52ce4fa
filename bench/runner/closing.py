"""Checks of a measured trial: training was over when its clock stopped, and answers are the same.

An adapter that fails them, by accident or not, would be credited with work that was not on the clock: the trial ends
with an error that names it.
"""

from __future__ import annotations

import hashlib
from statistics import median
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bench.adapters.base import Adapter, AdapterFault, Learner, Predictor, Probe, Progress
from bench.measure.clock import Stopwatch
from bench.runner.holdings import COPIES, findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from bench.adapters.base import Scores as Answers
    from bench.case import Case
    from bench.certificate import Conditions
    from bench.datasets.dataset import Split
    from bench.runner.training import TrainingPhase

READING_SHARE = 0.2
"""Share of the training seconds that reading the counts or weights may take, plus ``READING_S``."""
READING_S = 0.5
"""Reading takes milliseconds; on a busy machine, up to a tenth of a second."""

MOST_READ = 4_000_000
"""Most parameters whose weights are read in a pause: a larger copy would show in the memory of the trial."""

CORES_A_THREAD = 1.25
"""Cores that a thread may keep busy: its own, and a little for the framework's other work. A loader has one more."""
LONG_ENOUGH_S = 1.0
"""Shortest training, in seconds, whose core use is checked."""

BUILD_COPIES = 1.25
"""Copies of the stored images that building a learner may take."""
HELD_COPIES = 2.5
"""Copies of multi-channel images within a learner's reach: those given, and its own with the channels first."""
BUILD_MIB = 160.0
"""Further memory that building may take: the compiler and libraries at first use. JAX's first compilation takes most
of it, up to 129 MiB for a shipped network."""
BUILD_WEIGHTS = 4
"""Copies of the weights that building may take: as given, as loaded, and for the optimiser."""

MIB = 2**20

ASKED_AGAIN = 100
"""Rows predicted once more, with other weights."""

DIFFERING_SHARE = 0.005
"""Share of the rows whose answers rounding may change at another batch size."""


def weights_when_over(learner: Learner, training: TrainingPhase) -> str | None:
    """SHA-256 of the final weights; None if the model has none to read.

    Raises AdapterFault if reading the counts in the pauses, or the weights now, took too long for the training: it
    then went on after the clock had stopped. The median pause counts, so that one hiccup of the machine is not taken
    for work. Also raises if the weights have changed since the last batch.
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
    found = digest_of_weights(weights)
    if training.last_weights is not None and found != training.last_weights:
        raise AdapterFault("its weights are others when its training has returned than after its last batch.")
    return found


def check_cores(training: TrainingPhase, case: Case) -> None:
    """Raise AdapterFault if the training kept more cores busy than it was given threads for."""
    seconds = sum(epoch.seconds for epoch in training.epochs[1:])
    most = CORES_A_THREAD * case.threads + (1 if case.input == "loader" else 0)
    if seconds > LONG_ENOUGH_S and training.cpu_s > most * seconds:
        raise AdapterFault(
            f"its training kept {training.cpu_s / seconds:.2f} cores busy, {case.threads} threads were given."
        )


def check_unchanged(learner: Learner, before: str | None) -> None:
    """Raise AdapterFault if the weights have changed since the end of the training."""
    if before is not None and digest_of_weights(learner.weights()) != before:
        raise AdapterFault("its weights changed after the training: it trains while it predicts.")


def weights_in_a_pause(learner: Learner) -> str | None:
    """SHA-256 of the weights; None if there are none, or more than are read in a pause."""
    return None if (learner.parameter_count() or 0) > MOST_READ else digest_of_weights(learner.weights())


def progress_of(learner: Learner, *, watched: bool) -> Progress:
    """The learner's counts, read in a pause.

    Raises AdapterFault if it is ``watched`` and its weights change when it is asked: it has then delayed its steps
    until now.
    """
    before = weights_in_a_pause(learner) if watched else None
    progress = learner.progress()
    if before is not None and digest_of_weights(learner.weights()) != before:
        raise AdapterFault("its weights change when it is asked for what it has counted: it trains off the clock.")
    return progress


def check_built(learner: Learner, adapter: Adapter, train: Split, growth_mib: float | None) -> None:
    """Raise AdapterFault if batches were gathered or converted before the clock, judged by memory and held arrays.

    ``growth_mib`` is the memory that building took; None if unknown.
    """
    copies = COPIES if train.images.shape[-1] == 1 else HELD_COPIES
    for finding in findings(learner, train.images, owner=adapter, copies=copies):
        raise AdapterFault(f"{finding}.")
    images_mib = train.images.nbytes / MIB
    weights_mib = 4 * (learner.parameter_count() or 0) / MIB
    allowed = BUILD_COPIES * images_mib + BUILD_WEIGHTS * weights_mib + BUILD_MIB
    if growth_mib is not None and growth_mib > allowed:
        raise AdapterFault(
            f"building took {growth_mib:.0f} MiB where the images are {images_mib:.0f} MiB: it gathers or converts "
            "them before the clock starts."
        )


def check_answers_alike(found: NDArray[np.int64], scored: NDArray[np.int64], where: str) -> None:
    """Raise AdapterFault if more labels of a timed prediction differ from those scored than rounding explains."""
    if found.shape != scored.shape:
        raise AdapterFault(f"{where}: {len(found):,} answers for {len(scored):,} rows.")
    differing = int(np.count_nonzero(np.asarray(found) != np.asarray(scored)))
    if differing > max(1, DIFFERING_SHARE * len(scored)):
        raise AdapterFault(
            f"{where}: {differing:,} of {len(scored):,} answers are not those that were scored: what is timed is not "
            "what is scored."
        )


def check_computed(learner: Learner, predictors: Iterable[Predictor], images: NDArray[Any]) -> None:
    """Raise AdapterFault if answers to ``images``, given before, are not the first class when all weights are zero.

    Every class then has the same logit, and the first is the answer. The weights are restored.
    """
    weights = learner.weights()
    learner.set_weights({name: np.zeros_like(value) for name, value in weights.items()})
    for predict in predictors:
        rows = images[: min(len(images), ASKED_AGAIN)]
        labels = [predict(rows).labels, predict(rows[-1:]).labels]
        if np.concatenate(labels).any():
            raise AdapterFault(
                "its answers do not follow its weights: it keeps them, or answers by other weights than it shows."
            )
    learner.set_weights(weights)


def check_settings(settings: Mapping[str, object], probe: Probe, case: Case) -> None:
    """Raise AdapterFault if a setting in force, now that the trial is over, is not what the case asks for."""
    for finding in settings_findings(settings, probe, case):
        raise AdapterFault(f"{finding}.")


def settings_findings(settings: Mapping[str, object], probe: Probe, asked: Case | Conditions) -> list[str]:
    """One clause for each setting, as read back, that is not as asked for; settings not given are skipped."""
    mixed = asked.precision not in ("float32", "float64")
    wanted: dict[str, object] = {
        **{name: getattr(asked, name) for name in ("execution", "input", "steps_per_execution", "threads")},
        "weights": "float32" if mixed else asked.precision,
        "autocast": asked.precision if mixed else None,
        "x64": asked.precision == "float64",
        **({} if mixed else {"tf32": False}),
    }
    found = []
    metrics = settings.get("metrics")
    if metrics:
        names = ", ".join(map(str, metrics)) if isinstance(metrics, list | tuple) else str(metrics)
        found.append(f"computes metrics in each step in addition to the loss: {names}")
    switched = settings.get("debugging")
    if switched:
        found.append(f"is debugged, which changes what is timed: {', '.join(map(str, cast('list[str]', switched)))}")
    for name, value in wanted.items():
        if settings.get(name, value) != value:
            verb = "are" if name in ("threads", "weights") else "is"
            found.append(f"{name} {verb} {settings[name]} where {value} was asked for")
    if asked.precision not in str(settings.get("precision", asked.precision)):
        found.append(f"precision is {settings['precision']} where {asked.precision} was asked for")
    for name, threads in probe.threads.items():
        if threads > asked.threads:
            found.append(f"{name} threads are {threads} where {asked.threads} were asked for")
    return found


def digest_of_weights(weights: dict[str, NDArray[np.float32]]) -> str | None:
    """SHA-256 over all weights by name; None if there are none."""
    if not weights:
        return None
    total = hashlib.sha256()
    for name in sorted(weights):
        total.update(name.encode())
        total.update(np.ascontiguousarray(weights[name]).tobytes())
    return total.hexdigest()


def digest_of_answers(answers: Answers) -> str:
    """SHA-256 over the decisions (int64) and, if there are any, the values (float32)."""
    total = hashlib.sha256(np.ascontiguousarray(answers.labels, np.int64).tobytes())
    if answers.values is not None:
        total.update(np.ascontiguousarray(answers.values, np.float32).tobytes())
    return total.hexdigest()
