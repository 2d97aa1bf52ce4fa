"""Constants of any value, fitted to the first observed quantity that differs from the definition.

The fit is the secant method on the vector of that quantity. A fitted constant is a candidate like any other: it is
named only if the whole run follows from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.equivalence.activation_candidates import leaky, rectified
from bench.equivalence.allowance import Allowance
from bench.equivalence.candidate import Candidate, all_and_each, constant, spared
from bench.equivalence.deviations import Clipped
from bench.equivalence.evidence import FINAL_WEIGHTS, FIRST_UPDATE, LOGITS, LOSS, Evidence, Observed
from bench.equivalence.image_candidates import scales
from bench.equivalence.layer_candidates import norm_epsilon
from bench.equivalence.loss_candidates import smoothing
from bench.equivalence.quantities import Computed, Known, computed
from bench.equivalence.reference_clipping import global_norm
from bench.equivalence.state_candidates import multiplied
from bench.equivalence.update_candidates import SLACKS, clipping, falling, penalty, rate, rate_from
from bench.models.model import BatchNorm

STEPS = 12
SHORTER = (1.0, 0.25, 0.0625, 0.015625)
"""Shares of a move to try, in order."""
STALLED = 0.9
"""A move that leaves more than this share of the distance is the last."""

Array = NDArray[Any]
Family = Callable[[float], Candidate | Iterator[Candidate]]
"""Candidates of one kind for a constant; the first is fitted, the others are its variants."""
Started = tuple[Family, float, float]
"""A family with its requested constant, and a small step away from it."""


@dataclass(frozen=True, eq=False)
class Target:
    """The quantity to fit."""

    found: Array
    quantity: str
    number: int
    known: Known
    allowed: Allowance
    """Nothing is computed once it is spent."""

    def computed(self, candidate: Candidate) -> Array | None:
        """The same quantity of a candidate; None if its shape differs or it is not finite."""
        with np.errstate(all="ignore"):
            for one in computed(candidate.evidence, {self.quantity}, spared(self.known, candidate)):
                if one.number == self.number:
                    values = _vector(one.value)
                    return values if values.shape == self.found.shape and np.isfinite(values).all() else None
        return None


def target(observed: Observed, missed: Computed, known: Known, allowed: Allowance) -> Target | None:
    """The observed value of the first missed quantity; None if it cannot be fitted."""
    found = observed.value(missed.quantity, missed.number)
    if found is None or (isinstance(found, Mapping) and found.keys() != _keys(missed.value)):
        return None
    values = _vector(found)
    return Target(values, missed.quantity, missed.number, known, allowed) if np.isfinite(values).all() else None


def fitted_candidates(asked: Evidence, aim: Target, near: float) -> Iterator[Candidate]:
    """Departures with constants fitted to ``aim``, rounded to short decimals within a relative ``near``."""
    yield from _fitted(_families(asked, aim), aim, near)


def factor_candidates(asked: Evidence, aim: Target, near: float) -> Iterator[Candidate]:
    """Fitted departures that change the weights after each epoch."""
    yield from _fitted(_of_epochs(asked), aim, near)


def _fitted(families: Iterator[Started], aim: Target, near: float) -> Iterator[Candidate]:
    for family, start, step in families:
        value = fit(family, start, step, aim)
        if value is not None:
            for taken in dict.fromkeys((start + short(value - start, near), short(value, near))):
                if taken != start:
                    yield from _all(family(taken))


def fit(family: Family, start: float, step: float, aim: Target) -> float | None:
    """The constant that brings the first candidate of ``family`` near ``aim``; None if none is found.

    A move that comes no nearer is shortened; the fit ends when moves gain little.
    """

    def at(value: float) -> Array | None:
        candidate = next(_all(family(value)), None)
        return None if candidate is None or aim.allowed.spent() else aim.computed(candidate)

    old, value = start, start + step
    before, values = at(old), at(value)
    if before is None or values is None:
        return None
    left = float(np.linalg.norm(aim.found - values))
    for _ in range(STEPS):
        slope = (values - before) / (value - old)
        size = float(np.vdot(slope, slope))
        move = float(np.vdot(slope, aim.found - values)) / size if size else math.inf
        if not math.isfinite(move):
            return None
        tried = ((value + move * share, at(value + move * share)) for share in SHORTER)
        nearer = ((one, of) for one, of in tried if of is not None and np.linalg.norm(aim.found - of) < left)
        found = next(nearer, None)
        if found is None:
            break
        old, before, (value, values) = value, values, found
        now = float(np.linalg.norm(aim.found - values))
        if now > STALLED * left or value == old:
            break
        left = now
    return value


def _all(made: Candidate | Iterator[Candidate]) -> Iterator[Candidate]:
    return iter((made,)) if isinstance(made, Candidate) else made


def short(value: float, near: float) -> float:
    """The shortest decimal within a relative ``near`` of ``value``; else ``value`` itself."""
    decimals = (float(f"{value:.{digits}g}") for digits in range(1, 7))
    return next((one for one in decimals if math.isclose(one, value, rel_tol=near)), value)


def _families(asked: Evidence, aim: Target) -> Iterator[Started]:
    """Families that can first show in the quantity of ``aim``, each with its requested constant and a small step."""
    whole = aim.quantity == FINAL_WEIGHTS
    if aim.quantity == LOGITS:
        yield from _of_answers(asked)
        return
    yield partial(smoothing, asked), asked.label_smoothing, 1e-3
    if aim.quantity == LOSS and aim.number == 0:
        return
    if whole:
        yield partial(rate, asked), 1.0, 1e-3
        yield partial(penalty, asked), 0.0, 1e-6
    yield from _of_constants(asked)
    if aim.quantity == LOSS:
        yield partial(rate_from, asked, aim.number - 1), 1.0, 1e-3
        yield partial(falling, asked, "epoch"), 1.0, -1e-3
        yield partial(falling, asked, "step"), 1.0, -1e-3
    if aim.quantity != FIRST_UPDATE:  # a first update shows it
        yield from _of_clipping(asked, aim)
        yield from _of_epochs(asked)


def _of_answers(asked: Evidence) -> Iterator[Started]:
    yield partial(scales, asked), asked.scale, 1e-3 * asked.scale
    for names in all_and_each(rectified(asked.network)):
        yield partial(leaky, asked, names), 0.0, 1e-3
    norms = [placed.layer.epsilon for placed in asked.network.layers if isinstance(placed.layer, BatchNorm)]
    if norms:
        yield partial(norm_epsilon, asked), norms[0], 1e-3 * norms[0]


def _of_epochs(asked: Evidence) -> Iterator[Started]:
    for whole in (False, True):
        yield partial(multiplied, asked, whole), 1.0, 1e-5


def _of_constants(asked: Evidence) -> Iterator[Started]:
    optimizer = asked.optimizer
    words = {
        "sgd": {"momentum": "momentum of SGD"},
        "adam": {"beta_1": "beta_1 of Adam", "beta_2": "beta_2 of Adam"},
        "rmsprop": {"rho": "rho of RMSprop", "momentum": "momentum of RMSprop", "epsilon": "epsilon of RMSprop"},
        "adadelta": {"rho": "rho of Adadelta", "epsilon": "epsilon of Adadelta"},
    }
    for field, name in words["adam" if optimizer.name == "adamw" else optimizer.name].items():
        given = float(getattr(optimizer, field))
        step = 1e-3 * (given if field == "epsilon" else min(given or 1.0, 1 - given))
        yield partial(_constant, asked, field, name), given, step


def _constant(asked: Evidence, field: str, name: str, value: float) -> Iterator[Candidate]:
    if field == "epsilon" or 0 <= value < 1:
        yield constant(asked, f"{name}: {value:.6g} against {getattr(asked.optimizer, field):g}", **{field: value})


def _of_clipping(asked: Evidence, aim: Target) -> Iterator[Started]:
    gradients = _gradients_before(asked, aim)
    limits: dict[Clipped, float] = {
        "global norm": global_norm(gradients),
        "norm of each weight": max(global_norm({name: value}) for name, value in gradients.items()),
        "value": max(float(np.abs(value).max()) for value in gradients.values()),
    }
    for what, limit in limits.items():
        for slack in SLACKS if what == "global norm" else SLACKS[:1]:
            yield partial(clipping, asked, what, slack), 0.999 * limit, -0.001 * limit


def _gradients_before(asked: Evidence, aim: Target) -> dict[str, Array]:
    """Requested gradients of the last update before the quantity of ``aim``; of the first one for the end."""
    reference = asked.reference()
    steps = [step for step in range(max(aim.number, 1)) if len(asked.order[step])]
    for step in steps[:-1]:
        reference.step(*asked.batch(step), float(asked.rates[step]))
    return reference.descended(reference.begin(*asked.batch(steps[-1])))


def _keys(value: object) -> object:
    return value.keys() if isinstance(value, Mapping) else ()


def _vector(value: Array | Mapping[str, Array]) -> Array:
    if isinstance(value, Mapping):
        return np.concatenate([np.asarray(value[name], np.float64).ravel() for name in sorted(value)])
    return np.asarray(value, np.float64).ravel()
