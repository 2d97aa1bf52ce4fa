"""Each optimiser's rule on single numbers, written out from its paper, over several steps at changing rates."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.case import Optimizer
from bench.equivalence.deviations import NONE, Deviations
from bench.equivalence.reference_optimizers import Updater

GRADIENTS = (0.5, -0.25, 1e-7, 2.0, -3.0)
RATES = (0.1, 0.1, 0.05, 0.2, 0.2)
START = 0.75

Path = Iterator[float]
"""The weight after each step."""


def path_of(optimizer: Optimizer, deviations: Deviations = NONE, name: str = "dense_1/kernel") -> list[float]:
    updater, weight, seen = Updater(optimizer, deviations), np.array([START]), []
    for gradient, rate in zip(GRADIENTS, RATES, strict=True):
        weight = updater.update({name: weight}, {name: np.array([gradient])}, rate)[name]
        seen.append(float(weight[0]))
    return seen


def steps() -> Iterator[tuple[int, float, float]]:
    return iter([(t + 1, g, r) for t, (g, r) in enumerate(zip(GRADIENTS, RATES, strict=True))])


def plain_sgd() -> Path:
    w = START
    for _, g, rate in steps():
        w -= rate * g
        yield w


def momentum(nesterov: bool = False) -> Path:
    # Sutskever et al. 2013, equations 1 and 2; Nesterov as Bengio et al., equation 7
    w, v = START, 0.0
    for _, g, rate in steps():
        v = 0.875 * v - rate * g
        w += 0.875 * v - rate * g if nesterov else v
        yield w


def momentum_with_the_rate_outside() -> Path:
    w, b = START, 0.0
    for _, g, rate in steps():
        b = 0.875 * b + g
        w -= rate * b
        yield w


def adam(epsilon: float = 1e-7) -> Path:
    # Kingma and Ba 2015, the last lines of section 2: the rate takes both corrections, epsilon stays outside them
    w, m, v = START, 0.0, 0.0
    for t, g, rate in steps():
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w -= rate * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (math.sqrt(v) + epsilon)
        yield w


def adam_of_algorithm_1() -> Path:
    w, m, v = START, 0.0, 0.0
    for t, g, rate in steps():
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w -= rate * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-7)
        yield w


def adamw() -> Path:
    # Loshchilov and Hutter 2019, algorithm 2, the decay first
    w, m, v = START, 0.0, 0.0
    for t, g, rate in steps():
        w -= rate * 0.25 * w
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w -= rate * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (math.sqrt(v) + 1e-7)
        yield w


def adam_with_coupled_decay() -> Path:
    w, m, v = START, 0.0, 0.0
    for t, gradient, rate in steps():
        g = gradient + 0.25 * w
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w -= rate * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (math.sqrt(v) + 1e-7)
        yield w


def rmsprop(outside: bool = False) -> Path:
    w, s, m = START, 0.0, 0.0
    for _, g, rate in steps():
        s = 0.75 * s + 0.25 * g * g
        m = 0.5 * m + rate * g / (math.sqrt(s) + 1e-3 if outside else math.sqrt(s + 1e-3))
        w -= m
        yield w


def adadelta() -> Path:
    # Zeiler 2012, algorithm 1, its step times a rate
    w, s, a = START, 0.0, 0.0
    for _, g, rate in steps():
        s = 0.75 * s + 0.25 * g * g
        d = math.sqrt(a + 1e-3) / math.sqrt(s + 1e-3) * g
        a = 0.75 * a + 0.25 * d * d
        w -= rate * d
        yield w


ADAM = Optimizer(name="adam", beta_1=0.9, beta_2=0.999, epsilon=1e-7)
MOMENTUM = Optimizer(name="sgd", momentum=0.875)
RMSPROP = Optimizer(name="rmsprop", rho=0.75, epsilon=1e-3, momentum=0.5)
DECAYED = ADAM.model_copy(update={"name": "adamw", "weight_decay": 0.25})

RULES: dict[str, tuple[Optimizer, Deviations, Callable[[], Path]]] = {
    "sgd": (Optimizer(name="sgd"), NONE, plain_sgd),
    "momentum": (MOMENTUM, NONE, momentum),
    "nesterov": (MOMENTUM.model_copy(update={"nesterov": True}), NONE, lambda: momentum(nesterov=True)),
    "momentum, rate outside": (MOMENTUM, Deviations(rate_outside=True), momentum_with_the_rate_outside),
    "adam": (ADAM, NONE, adam),
    "adam, another epsilon": (ADAM.model_copy(update={"epsilon": 0.5}), NONE, lambda: adam(epsilon=0.5)),
    "adam, algorithm 1": (ADAM, Deviations(epsilon_place="after correction"), adam_of_algorithm_1),
    "adamw": (DECAYED, NONE, adamw),
    "adam, coupled decay": (DECAYED, Deviations(coupled_decay=True), adam_with_coupled_decay),
    "rmsprop": (RMSPROP, NONE, rmsprop),
    "rmsprop, epsilon outside": (RMSPROP, Deviations(epsilon_place="outside root"), lambda: rmsprop(outside=True)),
    "adadelta": (Optimizer(name="adadelta", rho=0.75, epsilon=1e-3), NONE, adadelta),
}


@pytest.mark.parametrize("name", RULES)
def test_an_optimiser_follows_its_paper(name: str) -> None:
    optimizer, deviations, rule = RULES[name]
    assert path_of(optimizer, deviations) == pytest.approx(list(rule()), rel=1e-13)


@pytest.mark.parametrize("name", ["dense_1/bias", "norm_1/gamma", "norm_1/beta"])
def test_kernels_alone_decay(name: str) -> None:
    assert path_of(DECAYED, name=name) == pytest.approx(list(adam()), rel=1e-13)
    assert path_of(DECAYED, Deviations(decay_on="all"), name) == pytest.approx(list(adamw()), rel=1e-13)


@pytest.mark.parametrize("optimizer", [ADAM, MOMENTUM, RMSPROP, Optimizer(name="adadelta", rho=0.75)])
def test_weights_do_not_share_their_state(optimizer: Optimizer) -> None:
    alone, together = Updater(optimizer), Updater(optimizer)
    one = {"dense_1/kernel": np.array([1.0, 2.0])}
    both = one | {"dense_2/kernel": np.array([5.0])}
    for gradient in GRADIENTS:
        of_one = {"dense_1/kernel": np.array([gradient, -gradient])}
        one = alone.update(one, of_one, 0.1)
        both = together.update(both, of_one | {"dense_2/kernel": np.array([7 * gradient])}, 0.1)
    np.testing.assert_array_equal(one["dense_1/kernel"], both["dense_1/kernel"])


@given(gradient=st.floats(1e-3, 1e3), rate=st.floats(1e-6, 1.0), sign=st.sampled_from([-1, 1]))
def test_the_first_step_of_adam_is_the_rate_whatever_the_gradient(gradient: float, rate: float, sign: int) -> None:
    weights, gradients = {"dense_1/kernel": np.zeros(1)}, {"dense_1/kernel": np.array([sign * gradient])}
    tiny = ADAM.model_copy(update={"epsilon": 1e-30})
    moved = Updater(tiny).update(weights, gradients, rate)["dense_1/kernel"][0]
    assert moved == pytest.approx(-sign * rate, rel=1e-9)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=6), st.sampled_from([0.0, 0.5, 0.875]))
def test_sgd_is_linear_in_the_gradients(gradients: list[float], momentum_: float) -> None:
    optimizer = Optimizer(name="sgd", momentum=momentum_, nesterov=momentum_ > 0.5)
    ends = []
    for factor in (1.0, 4.0):
        updater, weights = Updater(optimizer), {"dense_1/kernel": np.zeros(1)}
        for gradient in gradients:
            weights = updater.update(weights, {"dense_1/kernel": np.array([factor * gradient])}, 0.1)
        ends.append(weights["dense_1/kernel"][0])
    assert ends[1] == pytest.approx(4 * ends[0], rel=1e-12, abs=1e-12)
