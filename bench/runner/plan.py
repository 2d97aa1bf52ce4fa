"""The plan of a run: its trials, their order, and the time they may take."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.models.model import Estimator, Network
from bench.models.network import place
from bench.runner.expand import PlannedCase
from bench.runner.history import History

FLOPS_PER_THREAD_S = 25e9
"""Floating-point operations a thread does in a second of training: a round figure for a first estimate."""
SAMPLES_PER_S = 60_000
"""Samples a second that a framework's own overhead allows, however small the network."""
LOADED_PER_S = 15_000
"""Samples a second through an input pipeline that takes them one by one."""
COMPILE_S = 20.0
"""Seconds a compiler takes for the training step of a small network, unless the framework always compiles."""
BETWEEN_TRIALS_S = 0.3
"""The calibration before and after a trial, and storing its record."""


@dataclass(frozen=True)
class PlannedTrial:
    """One execution of a case with one seed; the round is its seed index."""

    planned: PlannedCase
    seed_index: int
    estimate_s: float


@dataclass(frozen=True)
class Plan:
    """Cases and the interleaved trials of those that can run, in the order they will be taken."""

    cases: tuple[PlannedCase, ...]
    trials: tuple[PlannedTrial, ...]
    measured_before: int
    """Trials whose estimate rests on earlier runs on this machine."""

    @property
    def estimate_s(self) -> float:
        """Seconds the whole plan may take."""
        return remaining_s(self.trials)

    @property
    def blocked(self) -> tuple[PlannedCase, ...]:
        """Cases that cannot run here."""
        return tuple(case for case in self.cases if case.blocked)


def remaining_s(trials: Iterable[PlannedTrial]) -> float:
    """Seconds that ``trials`` may take, the time between them included."""
    return sum(trial.estimate_s + BETWEEN_TRIALS_S for trial in trials)


def make_plan(
    cases: Sequence[PlannedCase],
    seeds: int,
    history: History,
    only_seeds: Sequence[int] = (),
    finished: frozenset[tuple[str, int]] = frozenset(),
    *,
    seeds_are_asked: bool = False,
) -> Plan:
    """Interleave the trials of ``cases``: round 1 of every case, then round 2, …

    Every second round runs backwards, so that neighbours stay neighbours and a drift of the machine's speed favours
    none of them. A deterministic case takes part in the first round alone. ``finished`` trials are left out. A case
    whose part of the suite sets its own number of seeds has that many trials, unless the request sets the number
    (``seeds_are_asked``).
    """
    runnable = [case for case in cases if not case.blocked]
    estimates = {case.case.id: history.seconds(case.case) for case in runnable}
    trials: list[PlannedTrial] = []
    wanted = {case.case.id: seeds if seeds_are_asked else case.seeds or seeds for case in runnable}
    for index in only_seeds or range(max(wanted.values(), default=0)):
        for case in runnable if index % 2 == 0 else reversed(runnable):
            last = 1 if case.deterministic else wanted[case.case.id]
            if (index >= last and not only_seeds) or (case.case.id, index) in finished:
                continue
            known = estimates[case.case.id]
            trials.append(PlannedTrial(case, index, known if known is not None else rough_s(case)))
    before = sum(estimates[trial.planned.case.id] is not None for trial in trials)
    return Plan(tuple(cases), tuple(trials), before)


def rough_s(planned: PlannedCase) -> float:
    """Rough seconds of one trial of a case that has never run here."""
    case, model = planned.case, planned.model
    assert planned.data is not None
    info = planned.data.info
    rows = case.train_rows or info.train_rows
    pixels = math.prod(info.shape)
    predicting = min(case.measuring.predict_s, 1.0)
    if case.training is None:
        work = rows / 60_000 * pixels / 784
        fit_s, predict_s = (model.fit_s, model.predict_s) if isinstance(model, Estimator) else (10.0, 1.0)
        fit_s *= work
        predict_s *= info.test_rows / 10_000 * pixels / 784
        return planned.adapter.start_s + fit_s + 2 * predict_s + predicting
    flops = place(model, info.shape, len(info.class_names)).flops if isinstance(model, Network) else 10_000_000
    samples = rows * case.training.epochs_over(rows)
    work = 3 * flops * samples / (FLOPS_PER_THREAD_S * min(case.threads, 8))
    work += samples / (LOADED_PER_S if case.input == "loader" else SAMPLES_PER_S)
    compiling = COMPILE_S if case.execution == "compiled" != planned.adapter.execution else 0.0
    return planned.adapter.start_s + compiling + work + predicting
