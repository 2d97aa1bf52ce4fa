"""Departures in the layers: BatchNorm's constants, padding, flatten order, rectifiers and biases that are missing.

Constants are the libraries' defaults, which a forgotten argument leaves in force, and multiples of the one asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from bench.equivalence.candidate import MULTIPLES, Candidate, Reach, flag, other
from bench.equivalence.evidence import Evidence
from bench.models.model import BatchNorm, Conv, Dense, Flatten, Relu
from bench.models.network import PlacedLayer

NORM_EPSILONS = (1e-5, 1e-3, 1e-4, 1e-6, 1e-7, 1e-8, 1e-2, 0.0)
NORM_MOMENTA = (0.9, 0.99, 0.1, 0.01, 0.999, 0.95, 0.5)


def layer_candidates(asked: Evidence) -> Iterator[Candidate]:
    """Departures that have a meaning for the layers of the network."""
    norms = _norms(asked)
    if norms:
        yield from _norm_constants(asked, norms)
        yield from _norm_statistics(asked)
    yield from _of_images(asked)
    yield from _of_activations(asked)
    yield from _of_biases(asked)


def norm_momentum(asked: Evidence, value: float) -> Candidate:
    """Another momentum of every BatchNorm."""
    given = ", ".join(f"{momentum:g}" for momentum in dict.fromkeys(layer.momentum for layer in _norms(asked)))
    sentence = f"BatchNorm momentum: {value:g} against {given} (weight of the old statistics)"
    return _norm(asked, sentence, "gradients", momentum=value)


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
    given = ", ".join(f"{value:g}" for value in epsilons)
    multiples = (factor * value for value in epsilons for factor in MULTIPLES)
    for value in dict.fromkeys((*NORM_EPSILONS, *multiples)):
        if epsilons != [value]:
            yield _norm(asked, f"BatchNorm epsilon: {value:g} against {given}", "answers", epsilon=value)
    # a momentum may be given as the weight of the new statistics where that of the old is meant
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


def _of_images(asked: Evidence) -> Iterator[Candidate]:
    layers, shape = asked.network.layers, asked.network.shape
    if any(_pads_differ(placed) for placed in layers):
        sentence = "same padding: kernel // 2 on both sides against the odd value at the end"
        yield flag(asked, sentence, "answers", symmetric_pads=True)
    if any(isinstance(placed.layer, Flatten) and placed.input[-1] > 1 for placed in layers):
        sentence = "flatten order: channel, height, width against height, width, channel"
        yield flag(asked, sentence, "answers", channels_first=True)
    if len(shape) == 3 and shape[0] == shape[1]:
        evaluated = asked.images if asked.evaluated is None else asked.evaluated
        turned = {"images": np.swapaxes(asked.images, 1, 2), "evaluated": np.swapaxes(evaluated, 1, 2)}
        yield other(asked, "images are transposed: width and height are exchanged", "answers", **turned)


def _pads_differ(placed: PlacedLayer) -> bool:
    """Whether the symmetric padding is another and leaves the shapes as they are."""
    if not isinstance(placed.layer, Conv) or placed.padding != "same" or placed.layer.kernel % 2 == 0:
        return False
    side = placed.layer.kernel // 2
    return any(pads != (side, side) for pads in placed.pads)


def _of_activations(asked: Evidence) -> Iterator[Candidate]:
    rectified = [placed.name for placed in asked.network.layers if _is_rectified(placed)]
    for names in _all_and_each(rectified):
        yield flag(asked, f"no relu in {', '.join(names)}", "answers", without_activation=frozenset(names))


def _is_rectified(placed: PlacedLayer) -> bool:
    match placed.layer:
        case Relu():
            return True
        case Conv(activation=activation) | Dense(activation=activation):
            return activation is not None
        case _:
            return False


def _of_biases(asked: Evidence) -> Iterator[Candidate]:
    biased = [placed.name for placed in asked.network.layers if f"{placed.name}/bias" in placed.trained]
    for names in _all_and_each(biased):
        yield flag(asked, f"no bias in {', '.join(names)}", "answers", without_bias=frozenset(names))
    if biased:
        yield flag(asked, "biases are not trained", "update", fixed_bias=True)


def _all_and_each(names: list[str]) -> list[list[str]]:
    each = [[name] for name in names]
    return [names, *each] if len(names) > 1 else each
