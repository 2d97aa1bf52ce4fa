"""Activations and poolings that may replace the network's own, against formulas written out by hand."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bench.case import Optimizer
from bench.equivalence.deviations import Deviations
from bench.equivalence.reference import Reference
from bench.equivalence.reference_activations import ACTIVATIONS
from bench.models.model import CLASSES, Conv, Dense, Flatten, MaxPool, Network
from bench.models.network import PlacedNetwork, place
from tests.equivalence.test_reference import check_gradients, placed

SGD = Optimizer(name="sgd", learning_rate=1.0)
VALUES = (-9.0, -2.5, -0.3, 0.4, 1.75, 7.0)


def normal_share(x: float) -> float:
    """Share of a standard normal below ``x``."""
    return (1 + math.erf(x / math.sqrt(2))) / 2


FORMULAS: dict[str, Callable[[float], float]] = {
    "relu": lambda x: max(x, 0.0),
    "identity": lambda x: x,
    "relu6": lambda x: min(max(x, 0.0), 6.0),
    "leaky relu": lambda x: x if x > 0 else 0.25 * x,
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "selu": lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (math.exp(x) - 1)),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": lambda x: (math.exp(x) - math.exp(-x)) / (math.exp(x) + math.exp(-x)),
    "softplus": lambda x: math.log(1 + math.exp(x)),
    "silu": lambda x: x / (1 + math.exp(-x)),
    "gelu": lambda x: x * normal_share(x),
    "gelu by tanh": lambda x: x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
}


def test_every_activation_has_a_formula_here() -> None:
    assert FORMULAS.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("name", FORMULAS)
def test_an_activation_follows_its_formula(name: str) -> None:
    found, _ = ACTIVATIONS[name](np.array(VALUES), 0.25)
    assert found.tolist() == pytest.approx([FORMULAS[name](value) for value in VALUES], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", FORMULAS)
def test_its_derivative_is_that_of_finite_differences(name: str) -> None:
    step = 1e-6
    _, found = ACTIVATIONS[name](np.array(VALUES), 0.25)
    formula = FORMULAS[name]
    sides = [(formula(value + step) - formula(value - step)) / (2 * step) for value in VALUES]
    assert found.tolist() == pytest.approx(sides, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", FORMULAS)
def test_activations_stay_in_the_precision_of_their_values(name: str) -> None:
    value, change = ACTIVATIONS[name](np.array(VALUES, np.float32), 0.25)
    assert {str(value.dtype), str(change.dtype)} == {"float32"}


def test_another_activation_stands_in_the_layers_that_are_named() -> None:
    network = placed((Flatten(), Dense(1, "relu"), Dense(1, "relu"), Dense(CLASSES)), (1, 1), classes=1)
    weights = {f"dense_{i}/kernel": np.array([[sign]]) for i, sign in ((1, 1.0), (2, -1.0), (3, 1.0))}
    weights |= {f"dense_{i}/bias": np.zeros(1) for i in (1, 2, 3)}
    images = np.array([[[2.0]], [[-2.0]]])
    leaky = Deviations(activation="leaky relu", slope=0.5, activation_in=frozenset({"dense_2"}))
    assert Reference(network, weights, SGD).logits(images).ravel().tolist() == [0.0, 0.0]
    assert Reference(network, weights, SGD, deviations=leaky).logits(images).ravel().tolist() == [-1.0, 0.0]


POOLED = (Conv(2, 2), MaxPool(2), Flatten(), Dense(CLASSES))


@pytest.mark.parametrize("shape", [(6, 8, 1), (5, 7, 2), (4, 5, 4, 1)])
def test_gradients_of_average_pooling_are_those_of_finite_differences(shape: tuple[int, ...]) -> None:
    check_gradients(placed(POOLED, shape), Deviations(average_pool_in=frozenset({"pool_1"})))


def test_average_pooling_takes_the_mean_of_each_window_and_drops_the_remainder() -> None:
    network = placed((MaxPool(2), Flatten()), (3, 5, 1))
    images = np.arange(15.0).reshape(1, 3, 5, 1)
    average = Deviations(average_pool_in=frozenset({"pool_1"}))
    assert Reference(network, {}, SGD, deviations=average).logits(images).tolist() == [[3.0, 5.0]]


def with_a_window_more(shape: tuple[int, ...], sides: tuple[int, ...]) -> PlacedNetwork:
    """A network whose pooling of two has an output of ``sides`` windows."""
    network = place(Network("small", "", (MaxPool(2), Flatten(), Dense(CLASSES))), shape, 3)
    output = (*sides, shape[-1])
    pool, flatten, dense = network.layers
    flat = (math.prod(output),)
    layers = (replace(pool, output=output), replace(flatten, input=output, output=flat), replace(dense, input=flat))
    return replace(network, layers=layers)


@pytest.mark.parametrize(("average", "expected"), [(False, [6.0, 8.0, 9.0, 11.0, 13.0, 14.0]), (True, None)])
def test_a_window_that_is_not_whole_is_of_the_values_that_are_left(average: bool, expected: list[float] | None) -> None:
    network = with_a_window_more((3, 5, 1), (2, 3))
    without_dense = type(network)(network.name, network.shape, 6, network.layers[:2])
    images = np.arange(15.0).reshape(1, 3, 5, 1)
    deviations = Deviations(average_pool_in=frozenset({"pool_1"} if average else ()))
    found = Reference(without_dense, {}, SGD, deviations=deviations).logits(images)
    # by the mean: of 0 1 5 6, of 2 3 7 8, of 4 9; of 10 11, of 12 13, of 14
    assert found.tolist() == [expected or [3.0, 5.0, 6.5, 10.5, 12.5, 14.0]]


@pytest.mark.parametrize("average", [False, True])
def test_its_gradients_are_those_of_finite_differences(average: bool) -> None:
    deviations = Deviations(average_pool_in=frozenset({"pool_1"} if average else ()))
    check_gradients(with_a_window_more((3, 5, 2), (2, 3)), deviations)
