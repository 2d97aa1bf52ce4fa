"""Constants that the first update itself implies, including values that no list of usual ones can hold.

An implied constant is a candidate like any other: it is named only if the whole run follows from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.equivalence.candidate import MULTIPLES, Candidate, all_and_each, constant, flag
from bench.equivalence.evidence import Array, Evidence, Observed, Weights
from bench.equivalence.first_gradient import Shown, shown
from bench.equivalence.fitted import short
from bench.equivalence.layer_candidates import norm_momentum
from bench.equivalence.quantities import Known
from bench.equivalence.reference_clipping import global_norm, unit_norms
from bench.equivalence.update_candidates import SLACKS, adam_epsilon, adam_epsilon_after, clipping, penalty, rate
from bench.models.model import BatchNorm

UNMOVED = 1e-9
"""Relative difference above which a gradient counts as changed."""

Moves = dict[str, tuple[Array, Array]]
"""By weight: the observed move, and that of the definition."""


@dataclass(frozen=True, eq=False)
class First:
    """The first update, as observed and as requested."""

    asked: Evidence
    moves: Moves
    start: dict[str, Array]
    gradients: dict[str, Array]
    """As requested."""
    seen: Shown
    near: float
    """Relative distance within which a constant counts as a short decimal."""


def implied_candidates(
    asked: Evidence, observed: Observed, known: Known, *, near: float, rounding: float
) -> Iterator[Candidate]:
    """Departures with constants read from the first update; none if it was not observed."""
    if observed.first is None or known.batch is None:
        return
    gradients = known.batch.gradients
    seen = shown(asked, observed.first, gradients, rounding)
    if seen is None:
        return
    reference = asked.reference()
    reference.update(known.batch, float(asked.rates[0]))
    start = {name: value.astype(np.float64) for name, value in asked.weights.items()}
    moves = {
        name: (np.asarray(value, np.float64) - start[name], reference.weights[name] - start[name])
        for name, value in observed.first.items()
    }
    first = First(asked, moves, start, gradients, seen, near)
    trained = {name: move for name, move in moves.items() if name in gradients}
    yield from (rate(asked, _value(factor, first, 1.0)) for factor in _ratio(trained))
    yield from _norm_momentum(first)
    yield from _clipping(first)
    yield from _penalty(first)
    yield from _factor(first)
    yield from _frozen(first)
    yield from _decay(first)
    yield from _max_norm(first, observed.final or observed.first)
    if asked.optimizer.name in ("adam", "adamw"):
        yield from _adam_epsilon(first)


def _ratio(pairs: Moves) -> Iterator[float]:
    """Factor of observed over expected values, by least squares, if defined."""
    found, expected = _joined(pairs)
    size = float(expected @ expected)
    if size and math.isfinite(float(found @ expected)):
        yield float(found @ expected) / size


def _joined(pairs: Moves) -> tuple[Array, Array]:
    empty = np.zeros(0)
    found = np.concatenate([empty, *(seen.ravel() for seen, _ in pairs.values())])
    return found, np.concatenate([empty, *(own.ravel() for _, own in pairs.values())])


def _value(estimate: float, first: First, given: float = 0.0, usual: tuple[float, ...] = ()) -> float:
    """The usual value near an estimate, or else ``given`` plus a short decimal near the rest."""
    near = first.near
    short_one = given + short(estimate - given, near)
    return next((one for one in usual if math.isclose(one, estimate, rel_tol=near)), short_one)


def _norm_momentum(first: First) -> Iterator[Candidate]:
    """Momentum from the moving means, which go ``1 - momentum`` of the way to the batch's."""
    for placed in first.asked.network.layers:
        if isinstance(placed.layer, BatchNorm):
            name = f"{placed.name}/moving_mean"
            given = placed.layer.momentum
            for ratio in _ratio({name: first.moves[name]}):
                yield norm_momentum(first.asked, _value(1 - ratio * (1 - given), first, given))
            return


def _clipping(first: First) -> Iterator[Candidate]:
    """Thresholds from the observed gradients: the norm of all, that of one weight's, the median of smaller values."""
    asked = first.asked
    pairs = first.seen.pairs(first.gradients)
    norm = global_norm(first.gradients)
    for share in _ratio(pairs):
        for slack in SLACKS:
            yield from clipping(asked, "global norm", slack, _value(share * (norm + slack), first))
    shares = {name: next(_ratio({name: pair}), 1.0) for name, pair in pairs.items()}
    clipped = {name for name, share in shares.items() if share < 1 - UNMOVED}
    if clipped:
        name = max(clipped, key=lambda one: pairs[one][0].size)
        threshold = shares[name] * global_norm({name: first.gradients[name]})
        yield from clipping(asked, "norm of each weight", 0.0, _value(threshold, first))
    found, expected = _joined(pairs)
    smaller = np.abs(found[np.abs(found) < np.abs(expected) * (1 - UNMOVED)])
    if smaller.size:
        yield from clipping(asked, "value", 0.0, _value(float(np.median(smaller)), first))


def _penalty(first: First) -> Iterator[Candidate]:
    """L2 penalties from the excess of gradients in proportion to the weights."""
    kernels, trusted = [name for name in first.gradients if name.endswith("/kernel")], first.seen.trusted
    excess = {
        name: (
            (first.seen.gradients[name] - first.gradients[name])[trusted[name]],
            first.start[name][trusted[name]],
        )
        for name in kernels
    }
    for ratio in _ratio(excess):
        if ratio > 0:
            value = _value(ratio, first)
            yield from penalty(first.asked, value)
            yield from penalty(first.asked, value, l2_on="all")
            whole = _value(ratio * len(first.asked.order[0]), first)
            yield from penalty(first.asked, whole, l2_per_batch=True)


def _factor(first: First) -> Iterator[Candidate]:
    """A factor on all gradients; none under SGD, where it equals a rate."""
    if first.asked.optimizer.name == "sgd":
        return
    for ratio in _ratio(first.seen.pairs(first.gradients)):
        factor = _value(ratio, first, 1.0)
        sentence = f"gradients are {factor:.6g} times those of the loss"
        yield flag(first.asked, sentence, "update", gradient_factor=factor)


def _frozen(first: First) -> Iterator[Candidate]:
    """Weights that do not move."""
    still = [name for name in first.gradients if first.moves[name][1].any() and not first.moves[name][0].any()]
    if still and not all(name.endswith("/bias") for name in still):  # biases have their own sentence
        yield flag(first.asked, f"not trained: {', '.join(still)}", "update", frozen=frozenset(still))


def _max_norm(first: First, weights: Weights) -> Iterator[Candidate]:
    """Norm limits from the largest norm of the weights into a unit: of all kernels, then of each."""
    kernels = [name for name in first.start if name.endswith("/kernel")]
    for names in all_and_each(kernels):
        largest = max(float(unit_norms(np.asarray(weights[name], np.float64)).max()) for name in names)
        most = _value(largest, first)
        sentence = f"held to a norm of {most:.6g} for each unit: {', '.join(names)}"
        yield flag(first.asked, sentence, "update", max_norm=most, max_norm_in=frozenset(names))


def _decay(first: First) -> Iterator[Candidate]:
    """Decoupled decay from the excess moves of kernels in proportion to themselves."""
    optimizer, step = first.asked.optimizer, float(first.asked.rates[0])
    if optimizer.name == "sgd" and not (optimizer.weight_decay or optimizer.momentum):
        return  # then the same as an L2 penalty, which is likelier
    kernels = [name for name in first.gradients if name.endswith("/kernel")]
    excess = {name: (first.moves[name][1] - first.moves[name][0], first.start[name]) for name in kernels}
    for more in _ratio(excess):
        value = _value(optimizer.weight_decay + more / step, first, optimizer.weight_decay)
        sentence = f"decoupled weight decay: {value:.6g} against {optimizer.weight_decay:g}"
        yield constant(first.asked, sentence, weight_decay=value)


def _adam_epsilon(first: First) -> Iterator[Candidate]:
    """Epsilon from Adam's first step in ε-hat form: ``|move| = rate r|g| / (r|g| + epsilon)``, ``r = √(1 - β₂)``."""
    asked = first.asked
    rate_of_step, root = float(asked.rates[0]), math.sqrt(1 - asked.optimizer.beta_2)
    estimates = []
    for name, value in first.gradients.items():
        decay = asked.optimizer.weight_decay if name.endswith("/kernel") else 0.0
        own = np.abs(first.moves[name][0] + rate_of_step * decay * first.start[name])
        gradient = root * np.abs(value)
        # where epsilon matters most, and rounding least
        clear = (gradient > 0) & (own > 0.02 * rate_of_step) & (own < 0.8 * rate_of_step)
        estimates.append(gradient[clear] * (rate_of_step / own[clear] - 1))
    all_estimates = np.concatenate(estimates)
    if not len(all_estimates):
        return
    given = asked.optimizer.epsilon
    usual = (given, *(factor * given for factor in MULTIPLES))
    middle = float(np.median(all_estimates))
    # after the correction, epsilon counts as much as √(1 - β₂) times it before
    for estimate, departure in ((middle, adam_epsilon), (middle / root, adam_epsilon_after)):
        if estimate > 0:
            yield departure(asked, _value(estimate, first, usual=usual))
