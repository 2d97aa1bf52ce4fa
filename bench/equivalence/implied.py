"""Constants that the first update itself implies, whatever their value: what no list of usual values can hold.

An implied constant is a candidate like any other: it is named only if the whole run follows from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.equivalence.candidate import MULTIPLES, Candidate
from bench.equivalence.evidence import Array, Evidence, Observed, Opening
from bench.equivalence.layer_candidates import norm_momentum
from bench.equivalence.update_candidates import adam_epsilon, adam_epsilon_after, penalty, rate
from bench.models.model import BatchNorm

ROUNDED = 1e-6
"""A constant is taken for the short decimal it is so near to, relatively."""

Moves = dict[str, tuple[Array, Array]]


def implied_candidates(asked: Evidence, observed: Observed, known: Opening) -> Iterator[Candidate]:
    """Departures with constants read from the first update; none where it was not looked at."""
    if observed.first is None or known.batch is None:
        return
    reference = asked.reference()
    reference.update(known.batch, asked.rates[0])
    if {name: value.shape for name, value in observed.first.items()} != asked.network.weight_shapes:
        return
    start = {name: value.astype(np.float64) for name, value in asked.weights.items()}
    moves = {
        name: (np.asarray(value) - start[name], reference.weights[name] - start[name])
        for name, value in observed.first.items()
    }
    trained = {name: move for name, move in moves.items() if name in known.batch.gradients}
    yield from (rate(asked, factor) for factor in _ratio(trained))
    yield from _norm_momentum(asked, moves)
    if asked.optimizer.name == "sgd":
        yield from _penalty(asked, trained, start)
    if asked.optimizer.name in ("adam", "adamw"):
        yield from _adam_epsilon(asked, trained, known, start)


def _ratio(moves: Moves) -> Iterator[float]:
    """By how much the moves are larger than expected, by least squares."""
    found = np.concatenate([seen.ravel() for seen, _ in moves.values()])
    expected = np.concatenate([own.ravel() for _, own in moves.values()])
    yield from _value(np.asarray(found @ expected / (expected @ expected)))


def _value(estimate: Any, usual: tuple[float, ...] = ()) -> Iterator[float]:
    """A finite estimate; a usual value or a short decimal where it is next to one."""
    value = float(estimate)
    if math.isfinite(value):
        yield next(
            (near for near in (*usual, float(f"{value:.4g}")) if math.isclose(near, value, rel_tol=ROUNDED)), value
        )


def _norm_momentum(asked: Evidence, moves: Moves) -> Iterator[Candidate]:
    """From the moving means, which go ``1 - momentum`` of the way to those of the batch."""
    for placed in asked.network.layers:
        if isinstance(placed.layer, BatchNorm):
            name = f"{placed.name}/moving_mean"
            for ratio in _ratio({name: moves[name]}):
                for value in _value(np.asarray(1 - ratio * (1 - placed.layer.momentum))):
                    yield norm_momentum(asked, value)
            return


def _penalty(asked: Evidence, moves: Moves, start: dict[str, Array]) -> Iterator[Candidate]:
    """From what the kernels move too much, in proportion to themselves."""
    kernels = [name for name in moves if name.endswith("/kernel")]
    excess = np.concatenate([(moves[name][0] - moves[name][1]).ravel() for name in kernels])
    weights = np.concatenate([start[name].ravel() for name in kernels])
    share = asked.rates[0] * (1 + asked.optimizer.momentum * asked.optimizer.nesterov)
    for value in _value(-(excess @ weights) / (weights @ weights) / share):
        if value > 0:
            yield from penalty(asked, value)
            yield from penalty(asked, value, l2_on="all")
            rows = len(asked.order[0])
            for whole in _value(np.asarray(value * rows)):
                yield from penalty(asked, whole, l2_per_batch=True)


def _adam_epsilon(asked: Evidence, moves: Moves, known: Opening, start: dict[str, Array]) -> Iterator[Candidate]:
    """From ``|move| = rate r|g| / (r|g| + epsilon)`` with ``r = √(1 - β₂)``: Adam's first step, in its ε-hat form."""
    assert known.batch is not None
    rate_of_step, root = float(asked.rates[0]), math.sqrt(1 - asked.optimizer.beta_2)
    estimates = []
    for name, (move, _) in moves.items():
        decay = asked.optimizer.weight_decay if name.endswith("/kernel") else 0.0
        own = np.abs(move + rate_of_step * decay * start[name])
        gradient = root * np.abs(known.batch.gradients[name])
        # where epsilon matters most, and rounding least
        told = (gradient > 0) & (own > 0.02 * rate_of_step) & (own < 0.8 * rate_of_step)
        estimates.append(gradient[told] * (rate_of_step / own[told] - 1))
    all_estimates = np.concatenate(estimates)
    if not len(all_estimates):
        return
    given = asked.optimizer.epsilon
    usual = (given, *(factor * given for factor in MULTIPLES))
    for value in _value(np.median(all_estimates), usual):
        if value > 0:
            yield adam_epsilon(asked, value)
    # after the correction, epsilon counts as much as √(1 - β₂) times it before
    for value in _value(np.median(all_estimates) / root, usual):
        if value > 0:
            yield adam_epsilon_after(asked, value)
