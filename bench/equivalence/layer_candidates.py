"""Departures in the layers: BatchNorm's constants and statistics, padding, windows of a pooling, flatten order.

Constants are the libraries' defaults, which a forgotten argument leaves in force, and multiples of the requested one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bench.equivalence.candidate import MULTIPLES, Candidate, Reach, all_and_each, flag, other
from bench.equivalence.evidence import Evidence, Observed
from bench.models.model import BatchNorm, Conv, Flatten, MaxPool, Network
from bench.models.network import PlacedLayer, PlacedNetwork, place

NORM_EPSILONS = (1e-5, 1e-3, 1e-4, 1e-6, 1e-7, 1e-8, 1e-2, 0.0)
NORM_MOMENTA = (0.9, 0.99, 0.1, 0.01, 0.999, 0.95, 0.5)


def layer_candidates(asked: Evidence) -> Iterator[Candidate]:
    """Departures that apply to the layers of the network."""
    norms = _norms(asked)
    if norms:
        yield from _norm_constants(asked, norms)
        yield from _norm_statistics(asked)
    yield from _of_shapes(asked)


def norm_momentum(asked: Evidence, value: float) -> Candidate:
    """Another momentum of every BatchNorm."""
    given = ", ".join(f"{momentum:g}" for momentum in dict.fromkeys(layer.momentum for layer in _norms(asked)))
    sentence = f"BatchNorm momentum: {value:.9g} against {given} (weight of the old statistics)"
    return _norm(asked, sentence, "gradients", momentum=value)


def norm_epsilon(asked: Evidence, value: float) -> Candidate:
    """Another epsilon of every BatchNorm."""
    given = ", ".join(f"{epsilon:g}" for epsilon in dict.fromkeys(layer.epsilon for layer in _norms(asked)))
    return _norm(asked, f"BatchNorm epsilon: {value:g} against {given}", "answers", epsilon=value)


def _norms(asked: Evidence) -> list[BatchNorm]:
    return [placed.layer for placed in asked.network.layers if isinstance(placed.layer, BatchNorm)]


def _norm(asked: Evidence, sentence: str, reach: Reach, **fields: Any) -> Candidate:
    """Other constants of every BatchNorm."""
    layers = tuple(
        replace(placed, layer=replace(placed.layer, **fields)) if isinstance(placed.layer, BatchNorm) else placed
        for placed in asked.network.layers
    )
    return other(asked, sentence, reach, network=replace(asked.network, layers=layers))


def _norm_constants(asked: Evidence, norms: list[BatchNorm]) -> Iterator[Candidate]:
    epsilons = list(dict.fromkeys(layer.epsilon for layer in norms))
    momenta = list(dict.fromkeys(layer.momentum for layer in norms))
    multiples = (factor * value for value in epsilons for factor in MULTIPLES)
    for value in dict.fromkeys((*NORM_EPSILONS, *multiples)):
        if epsilons != [value]:
            yield norm_epsilon(asked, value)
    # a momentum may be given as the weight of the new statistics instead of the old
    exchanged = (round(1 - value, 12) for value in momenta)
    for value in dict.fromkeys((*NORM_MOMENTA, *exchanged)):
        if momenta != [value]:
            yield norm_momentum(asked, value)


def _norm_statistics(asked: Evidence) -> Iterator[Candidate]:
    unbiased = "BatchNorm's moving variance is unbiased, n/(n-1) of the batch's, against biased"
    yield flag(asked, unbiased, "gradients", unbiased_variance=True)
    by_batch = "BatchNorm uses the statistics of the batch in evaluation, against the moving ones"
    yield flag(asked, by_batch, "answers", norm_evaluates_by_batch=True)
    by_moving = "BatchNorm uses the moving statistics in training, against those of the batch"
    yield flag(asked, by_moving, "gradients", norm_trains_by_moving=True)


def _of_shapes(asked: Evidence) -> Iterator[Candidate]:
    layers = asked.network.layers
    if any(_pads_differ(placed) for placed in layers):
        sentence = "same padding: kernel // 2 on both sides against the odd value at the end"
        yield flag(asked, sentence, "answers", symmetric_pads=True)
    if any(isinstance(placed.layer, Flatten) and placed.input[-1] > 1 for placed in layers):
        sentence = "flatten order: channel, height, width against height, width, channel"
        yield flag(asked, sentence, "answers", channels_first=True)


def _pads_differ(placed: PlacedLayer) -> bool:
    """True if the symmetric padding differs and keeps the shapes."""
    if not isinstance(placed.layer, Conv) or placed.padding != "same" or placed.layer.kernel % 2 == 0:
        return False
    side = placed.layer.kernel // 2
    return any(pads != (side, side) for pads in placed.pads)


def pooling_candidates(asked: Evidence, observed: Observed) -> Iterator[Candidate]:
    """Poolings with one more window for what is left over at the end, if the weights have such shapes."""
    for sentence, network in rounded_up_poolings(asked.network):
        for weights in (asked.weights, observed.initial or {}):
            if {name: value.shape for name, value in weights.items()} == network.weight_shapes:
                yield other(asked, sentence, "answers", network=network, weights=weights)
                break


def rounded_up_poolings(network: PlacedNetwork) -> Iterator[tuple[str, PlacedNetwork]]:
    """The network with one more window in some poolings, each with a sentence."""
    pools = [placed.name for placed in network.layers if _has_remainder(placed)]
    for names in all_and_each(pools):
        other_network = _rounded_up(network, names)
        if other_network is not None:
            yield f"max pooling keeps what is left over at the end (ceil mode) in {', '.join(names)}", other_network


def _has_remainder(placed: PlacedLayer) -> bool:
    layer = placed.layer
    return isinstance(layer, MaxPool) and any(side % layer.size for side in placed.input[:-1])


def _rounded_up(network: PlacedNetwork, names: list[str]) -> PlacedNetwork | None:
    """The network with one more window in the poolings ``names``; None if a later layer then does not fit."""
    layers: list[PlacedLayer] = []
    shape = network.shape
    for old in network.layers:
        placed = place(Network("", "", (old.layer,)), shape, network.classes).layers
        if not placed:
            return None
        (one,) = placed
        output = one.output
        if old.name in names and isinstance(one.layer, MaxPool):
            output = (*(-(-side // one.layer.size) for side in shape[:-1]), shape[-1])
        layers.append(replace(one, name=old.name, output=output))
        shape = output
    return replace(network, layers=tuple(layers))
