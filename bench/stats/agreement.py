"""A run proves itself: the systems of one row are compared with each other, seed by seed, when the run is read.

At the same seed all frameworks of a matched row get the same weights, the same batches and the same rates, so their
losses and their answers to the test part must be near each other; ``agreement_limits`` says how near. A trial strays
in the first stretch in which fewer than half of the other frameworks are near it; from there on it does not count for
others. If two differ, both stray, since nothing says which of them is wrong.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from bench.record import Record
from bench.stats.agreement_limits import SEEDS_FOR_A_SCALE, Drift, deviation, drift_of
from bench.stats.summary import CaseSummary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Decisions = Callable[[Record], NDArray[np.int64] | None]
    """Reads the answers to the test part stored with a record, ``(rows,)``; None without any."""

Label = Literal["agrees", "differs", "not compared"]

AGREES: Label = "agrees"
DIFFERS: Label = "differs"
NOT_COMPARED: Label = "not compared"

OWN_MODEL = "own model"
"""A record's label for a user's own model: each framework starts it from weights of its own."""


@dataclass(frozen=True, order=True)
class Stretch:
    """A part of the training in which trials are compared, or their answers after all of it; ordered by time."""

    steps: float
    """Steps from the start of training to the stretch's end."""
    rows: int
    """Rows its loss is averaged over; 0 for the answers."""
    words: str = field(compare=False)

    @property
    def since(self) -> str:
        """``from epoch 2``, ``in its predictions``."""
        return f"from {self.words}" if self.rows else f"in its {self.words}"


ANSWERS = Stretch(math.inf, 0, "predictions")
SCORES = Stretch(math.inf, 0, "scores")
"""Stands for the answers where they are not stored."""


@dataclass(frozen=True)
class Distance:
    """Distance of a trial from another of the same seed in one stretch."""

    stretch: Stretch
    seed_index: int
    other: str
    """The case id of the other."""
    difference: float
    """The difference of the logarithms of two losses, or the share of the test rows that are answered differently."""
    limit: float

    @property
    def near(self) -> bool:
        """True if honest frameworks may be this far apart."""
        return self.difference <= self.limit


@dataclass(frozen=True)
class Agreement:
    """A case compared with the others of its row."""

    distances: tuple[Distance, ...] = ()
    strayed: Mapping[int, Stretch] = field(default_factory=dict)
    """By seed index: the first stretch in which the trial is not near to the others."""

    @property
    def label(self) -> Label:
        """``agrees`` if it does in every seed; ``not compared`` without a loss that another has too."""
        if self.strayed:
            return DIFFERS
        return AGREES if any(one.stretch != ANSWERS for one in self.distances) else NOT_COMPARED

    @property
    def since(self) -> str | None:
        """The first place it strays, over all seeds: ``from the first step``, ``in its predictions``."""
        return min(self.strayed.values()).since if self.strayed else None

    def of(self, seed_index: int) -> Agreement:
        """Select one seed."""
        own = tuple(one for one in self.distances if one.seed_index == seed_index)
        return Agreement(own, {seed: at for seed, at in self.strayed.items() if seed == seed_index})

    def furthest(self) -> tuple[Distance, ...]:
        """For each other case, the loss and the answer distance that take most of their limit."""
        found: dict[tuple[str, bool], Distance] = {}
        for one in self.distances:
            key = (one.other, one.stretch == ANSWERS)
            if key not in found or one.difference / one.limit > found[key].difference / found[key].limit:
                found[key] = one
        return tuple(found.values())


def is_comparable(summary: CaseSummary) -> bool:
    """True if all frameworks get the same weights and batches, in a precision where that shows."""
    case = summary.case
    is_own = any(record.equivalence == OWN_MODEL for record in summary.records)
    return case.training is not None and case.track == "matched" and case.precision == "float32" and not is_own


def agreements(row: Iterable[CaseSummary], decisions: Decisions) -> dict[str, Agreement]:
    """The agreement of each case of one row by case id, without those that are not comparable."""
    cases = {one.case_id: [_Trial(record, decisions) for record in one.ok] for one in row if is_comparable(one)}
    compared = _Row(cases)
    distances: dict[str, list[Distance]] = {case_id: [] for case_id in cases}
    strayed: dict[str, dict[int, Stretch]] = {case_id: {} for case_id in cases}
    for seed_index in sorted({trial.seed_index for trials in cases.values() for trial in trials}):
        found = compared.distances(seed_index)
        for case_id, own in found.items():
            distances[case_id] += own
        for case_id, stretch in _strayed(found, compared.frameworks).items():
            strayed[case_id][seed_index] = stretch
    return {case_id: Agreement(tuple(own), strayed[case_id]) for case_id, own in distances.items()}


@dataclass(frozen=True)
class _Trial:
    """One record as it is compared."""

    record: Record
    decisions: Decisions

    @property
    def seed_index(self) -> int:
        return self.record.seed_index

    @cached_property
    def losses(self) -> dict[Stretch, float]:
        """Logarithm of the mean loss of each stretch that has one: the first step, then each epoch.

        A separate short batch counts only in its epoch: a mean over a few rows says little.
        """
        phases, training = self.record.phases, self.record.case.training
        if phases is None or training is None:
            return {}
        rows = self.record.train_rows
        steps = math.ceil(rows / training.batch_size)
        found: dict[Stretch, float | None] = {}
        for step in phases.first_steps[:1]:
            found[Stretch(math.ceil(step.samples / training.batch_size), step.samples, "the first step")] = step.loss
        for number, epoch in enumerate(phases.epochs, start=1):
            found[Stretch(number * steps, rows, f"epoch {number}")] = epoch.loss
        return {stretch: math.log(loss) for stretch, loss in found.items() if loss is not None and loss > 0}

    @cached_property
    def answers(self) -> NDArray[np.int64] | None:
        return self.decisions(self.record)


@dataclass(frozen=True)
class _Row:
    """The trials of one row by case id."""

    cases: Mapping[str, Sequence[_Trial]]

    @cached_property
    def frameworks(self) -> dict[str, str]:
        return {case_id: trials[0].record.case.framework for case_id, trials in self.cases.items() if trials}

    @cached_property
    def drift(self) -> Drift:
        return next(drift_of(trials[0].record.case) for trials in self.cases.values() if trials)

    @cached_property
    def spreads(self) -> dict[Stretch, float]:
        """Spread of the seeds' losses up to each stretch: the median of the cases."""
        found: dict[Stretch, list[float]] = {}
        for trials in self.cases.values():
            for stretch in {stretch for trial in trials for stretch in trial.losses}:
                spread = deviation([trial.losses[stretch] for trial in trials if stretch in trial.losses])
                if spread is not None:
                    found.setdefault(stretch, []).append(spread)
        ordered = sorted(found)
        medians = [statistics.median(found[stretch]) for stretch in ordered]
        # Seeds that are close by chance in one stretch do not narrow it.
        return dict(zip(ordered, itertools.accumulate(medians, max), strict=True))

    @cached_property
    def between(self) -> float | None:
        """The share of answers in which two seeds differ, the median of the cases; None without stored answers."""
        found = []
        for trials in self.cases.values():
            pairs = itertools.combinations([trial for trial in trials if trial.answers is not None], 2)
            shares = [answered_differently(one, other) for one, other in pairs]
            if len(shares) >= SEEDS_FOR_A_SCALE:  # three seeds make three pairs
                found.append(statistics.mean(shares))
        return statistics.median(found) if found else None

    def distances(self, seed_index: int) -> dict[str, list[Distance]]:
        """The distances of each case with a trial of this seed to every other that counts for it."""
        trials = {key: trial for key, found in self.cases.items() for trial in found if trial.seed_index == seed_index}
        return {
            key: [apart for other in self._others(key, trials) for apart in self._apart(trial, other, trials[other])]
            for key, trial in trials.items()
        }

    def _others(self, case_id: str, among: Iterable[str]) -> list[str]:
        """Cases of other frameworks; without any, those of its own, run in other ways."""
        others = [other for other in among if other != case_id]
        return [other for other in others if self.frameworks[other] != self.frameworks[case_id]] or others

    def _apart(self, one: _Trial, case_id: str, other: _Trial) -> Iterator[Distance]:
        for stretch, loss in one.losses.items():
            if stretch in other.losses:
                limit = self.drift.loss_limit(int(stretch.steps) - 1, self.spreads.get(stretch))
                yield Distance(stretch, one.seed_index, case_id, abs(loss - other.losses[stretch]), limit)
        scores = one.record.scores, other.record.scores
        if scores[0] is not None and scores[1] is not None:
            wrong = 1 - (scores[0].accuracy + scores[1].accuracy) / 2
            limit = self.drift.answers_limit(scores[0].rows, wrong, self.between)
            answers = SCORES if one.answers is None or other.answers is None else ANSWERS
            yield Distance(answers, one.seed_index, case_id, answered_differently(one, other), limit)


def answered_differently(one: _Trial, other: _Trial) -> float:
    """The share of the test rows that two trials answer differently; 0 where either was not scored.

    Without stored answers it is the least share that their confusion matrices, or their accuracies, allow.
    """
    mine, theirs = one.answers, other.answers
    if mine is not None and theirs is not None and len(mine) == len(theirs):
        return float((mine != theirs).mean())
    a, b = one.record.scores, other.record.scores
    if a is None or b is None:
        return 0.0
    least = abs(a.accuracy - b.accuracy)
    if len(a.confusion) != len(b.confusion):
        return least
    cells = (zip(own, others, strict=True) for own, others in zip(a.confusion, b.confusion, strict=True))
    return max(least, sum(abs(x - y) for pairs in cells for x, y in pairs) / 2 / a.rows)


def _strayed(found: Mapping[str, Sequence[Distance]], frameworks: Mapping[str, str]) -> dict[str, Stretch]:
    """By case id the first stretch in which fewer than half of the other frameworks that still count are near.

    A framework run in several ways counts once, with the share of its ways that are near.
    """
    strayed: dict[str, Stretch] = {}
    for stretch in sorted({one.stretch for own in found.values() for one in own}):
        now = []
        for case_id, own in found.items():
            votes: dict[str, list[bool]] = {}
            for one in own:
                if one.stretch == stretch and one.other not in strayed:
                    votes.setdefault(frameworks[one.other], []).append(one.near)
            support = [sum(near) / len(near) for near in votes.values()]
            if case_id not in strayed and support and sum(support) < len(support) / 2:
                now.append(case_id)
        strayed |= dict.fromkeys(now, stretch)
    return strayed
