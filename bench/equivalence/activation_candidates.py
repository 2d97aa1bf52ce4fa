"""Departures in what a layer computes from its values: other activations, other poolings, missing biases."""

from __future__ import annotations

from collections.abc import Iterator

from bench.equivalence.candidate import Candidate, all_and_each, flag
from bench.equivalence.evidence import Evidence
from bench.equivalence.reference_activations import ACTIVATIONS
from bench.models.model import Conv, Dense, MaxPool, Relu
from bench.models.network import PlacedLayer, PlacedNetwork

SLOPES = (0.01, 0.2, 0.3, 0.1)
"""Slopes of a leaky rectifier: PyTorch's default, two of Keras', and a common one."""


def activation_candidates(asked: Evidence) -> Iterator[Candidate]:
    """Departures that apply to the rectifiers, the poolings and the biases of the network."""
    for names in all_and_each(rectified(asked.network)):
        where, layers = ", ".join(names), frozenset(names)
        yield flag(asked, f"no relu in {where}", "answers", activation="identity", activation_in=layers)
        for name in ACTIVATIONS:
            if name not in ("relu", "identity", "leaky relu"):
                sentence = f"{name} for relu in {where}"
                yield flag(asked, sentence, "answers", activation=name, activation_in=layers)
        for slope in SLOPES:
            yield leaky(asked, names, slope)
    pools = [placed.name for placed in asked.network.layers if isinstance(placed.layer, MaxPool)]
    for names in all_and_each(pools):
        sentence = f"average pooling for max pooling in {', '.join(names)}"
        yield flag(asked, sentence, "answers", average_pool_in=frozenset(names))
    yield from _of_biases(asked)


def leaky(asked: Evidence, names: list[str], slope: float) -> Candidate:
    """A leaky rectifier in the layers ``names``."""
    sentence = f"leaky relu of slope {slope:g} for relu in {', '.join(names)}"
    fields = {"activation": "leaky relu", "slope": slope, "activation_in": frozenset(names)}
    return flag(asked, sentence, "answers", **fields)


def rectified(network: PlacedNetwork) -> list[str]:
    """The names of the layers that end in a rectifier."""
    return [placed.name for placed in network.layers if _is_rectified(placed)]


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
    for names in all_and_each(biased):
        yield flag(asked, f"no bias in {', '.join(names)}", "answers", without_bias=frozenset(names))
    if biased:
        biases = frozenset(f"{name}/bias" for name in biased)
        yield flag(asked, "biases are not trained", "update", frozen=biases)
