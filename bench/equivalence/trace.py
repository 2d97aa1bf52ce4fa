"""Results of one framework for a proof: the quantities that are compared, in order of computation."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.adapters.base import Adapter, Epoch, Learner
from bench.case import Case
from bench.equivalence.proof import EVALUATED, Material, Proof, case_of
from bench.runner.stretches import stretches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.certificate import Conditions

Arrays = dict[str, "NDArray[np.float64]"]


@dataclass(eq=False)
class Trace:
    """All quantities in float64, weights by neutral name. Those after the first step may be empty."""

    initial: Arrays
    """Weights as read back before training; their shapes are compared."""
    logits: NDArray[np.float64]
    """``(EVALUATED, k)`` before training, in evaluation mode."""
    repeated: NDArray[np.float64]
    """The same, computed again."""
    first: Arrays
    """Weights after the first update."""
    parameters: int | None = None
    kind: str = "logits"
    """``probabilities`` if the framework gives no logits."""
    losses: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """``(steps,)``, each before its own update, trained a batch at a time."""
    final: Arrays = field(default_factory=dict)
    after: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """Logits after training."""
    whole: Arrays = field(default_factory=dict)
    """Final weights of a second learner that pauses where a trial does: the timed path."""
    timed: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    """``(pauses, 2)``: the loss that the second learner gave in each pause, and the mean by rows of ``losses`` over the
    same steps."""
    settings: dict[str, object] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write it as ``.npz``."""
        plain = {"parameters": self.parameters, "kind": self.kind, "settings": self.settings}
        kept = ("logits", "repeated", "losses", "timed", "after")
        arrays = {name: getattr(self, name) for name in kept}
        for part in _WEIGHTS:
            arrays |= {f"{part}:{name}": value for name, value in getattr(self, part).items()}
        np.savez(path, allow_pickle=False, plain=np.array(json.dumps(plain, default=str)), **arrays)

    @classmethod
    def load(cls, path: Path) -> Trace:
        """Read what ``save`` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        plain = json.loads(str(arrays.pop("plain")))
        weights: dict[str, Arrays] = {part: {} for part in _WEIGHTS}
        for name in [name for name in arrays if ":" in name]:
            part, _, weight = name.partition(":")
            weights[part][weight] = arrays.pop(name)
        return cls(**arrays, **weights, **plain)  # type: ignore[arg-type]


_WEIGHTS = ("initial", "first", "final", "whole")


def make_trace(adapter: Adapter, proof: Proof, conditions: Conditions, precision: str | None = None) -> Trace:
    """The trace of ``proof`` by ``adapter`` on the path of ``conditions``, in ``precision`` if given.

    Two learners are built, each trained in one call. One pauses after every batch, so that every loss is seen, and
    takes one step per call of its compiled function. The other pauses where a trial does, as it is timed.
    """
    case, material = case_of(proof, conditions, precision), Material(proof)

    def build(case: Case) -> Learner:
        return adapter.build(case, material.network, material.train, material.plan(conditions.threads))

    learner = build(case.model_copy(update={"steps_per_execution": 1}))
    answer = learner.predictor(EVALUATED)
    before, repeated = answer(material.evaluated), answer(material.evaluated)
    assert before.values is not None
    assert repeated.values is not None
    trace = Trace(
        parameters=learner.parameter_count(),
        kind=str(before.kind),
        initial=_weights(learner),
        logits=_double(before.values),
        repeated=_double(repeated.values),
        first={},
        settings=learner.settings(),
    )
    losses: list[float] = []

    def read() -> None:
        loss = learner.progress().loss
        losses.append(np.nan if loss is None else loss)
        if len(losses) == 1:
            trace.first = _weights(learner)

    learner.train(_batch_by_batch(material), read)
    if proof.first_step_only:
        return trace
    trace.losses = np.array(losses, np.float64)
    trace.final = _weights(learner)
    values = answer(material.evaluated).values
    assert values is not None
    trace.after = _double(values)
    second = build(case)
    evaluate = second.predictor(EVALUATED)
    given: list[float] = []

    def between() -> None:
        loss = second.progress().loss
        given.append(np.nan if loss is None else loss)
        evaluate(material.evaluated)

    timed = list(_as_timed(material, case))
    second.train(iter(timed), between)
    trace.whole = _weights(second)
    trace.timed = np.column_stack([given, _means(material, timed, trace.losses)])
    return trace


def _batch_by_batch(material: Material) -> Iterator[Epoch]:
    size = material.proof.training.batch_size
    for order in material.orders:
        yield Epoch(order, tuple(range(1, math.ceil(len(order) / size) + 1)))


def _as_timed(material: Material, case: Case) -> Iterator[Epoch]:
    for number, order in enumerate(material.orders):
        found = stretches(len(order), material.proof.training, first=number == 0, calls_of=case.steps_per_execution)
        yield Epoch(order, tuple(one.batches for one in found))


def _means(material: Material, timed: list[Epoch], losses: NDArray[np.float64]) -> list[float]:
    """The mean by rows of the losses of the steps before each pause."""
    found: list[float] = []
    before = 0
    for epoch in timed:
        assert epoch.order is not None
        size, batches = material.proof.training.batch_size, epoch.pauses[-1]
        rows = np.minimum(size, len(epoch.order) - size * np.arange(batches))
        for begin, end in pairwise((0, *epoch.pauses)):
            found.append(float(np.average(losses[before + begin : before + end], weights=rows[begin:end])))
        before += batches
    return found


def _weights(learner: Learner) -> Arrays:
    return {name: _double(value) for name, value in learner.weights().items()}


def _double(values: object) -> NDArray[np.float64]:
    """A copy in float64: values read must not change when the learner goes on."""
    return np.array(values, dtype=np.float64)
