"""Clipped gradients, penalties, shorter formats and state that is rounded or lost, on numbers worked out by hand."""

import math
import struct
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.case import Optimizer
from bench.equivalence.deviations import Clipped, Deviations, Rounding
from bench.equivalence.reference import Reference
from bench.equivalence.reference_clipping import clipped
from bench.equivalence.reference_optimizers import Updater
from bench.equivalence.reference_rounding import product, rounded
from bench.models.model import CLASSES, Conv, Dense, Flatten
from tests.equivalence.test_reference import batch, drawn, placed
from tests.equivalence.test_reference_optimizers import ADAM, GRADIENTS, MOMENTUM, START, path_of, steps

GIVEN = {"a": np.array([3.0, -4.0]), "b": np.array([12.0])}
"""Norms 5 and 12, 13 together."""


@pytest.mark.parametrize(
    ("what", "threshold", "slack", "a", "b"),
    [
        ("global norm", 6.5, 0.0, [1.5, -2.0], [6.0]),
        ("global norm", 6.5, 13.0, [0.75, -1.0], [3.0]),
        ("global norm", 13.5, 0.0, [3.0, -4.0], [12.0]),
        ("norm of each weight", 6.0, 0.0, [3.0, -4.0], [6.0]),
        ("value", 3.5, 0.0, [3.0, -3.5], [3.5]),
    ],
)
def test_gradients_are_clipped(what: Clipped, threshold: float, slack: float, a: list[float], b: list[float]) -> None:
    found = clipped(GIVEN, Deviations(clip=threshold, clipped=what, clip_slack=slack))
    assert {name: value.tolist() for name, value in found.items()} == {"a": a, "b": b}


def test_gradients_of_zero_stay_as_they_are() -> None:
    zero = {"a": np.zeros(2)}
    for what in ("global norm", "norm of each weight", "value"):
        assert clipped(zero, Deviations(clip=1.0, clipped=what))["a"].tolist() == [0.0, 0.0]


def test_a_penalty_is_added_before_gradients_are_clipped_and_scaled() -> None:
    network = placed((Flatten(), Dense(CLASSES)), (2, 2, 1))
    weights, rows = drawn(network), batch(network.shape)
    plain = Reference(network, weights, ADAM)
    descended = plain.descended(plain.begin(*rows))
    changed = Reference(
        network, weights, ADAM, deviations=Deviations(l2=0.5, gradient_factor=4.0, clip=0.25, clipped="value")
    )
    found = changed.descended(changed.begin(*rows))
    expected = np.clip(4 * (descended["dense_1/kernel"] + 0.5 * weights["dense_1/kernel"]), -0.25, 0.25)
    np.testing.assert_allclose(found["dense_1/kernel"], expected, rtol=1e-14)
    np.testing.assert_allclose(found["dense_1/bias"], np.clip(4 * descended["dense_1/bias"], -0.25, 0.25), rtol=1e-14)


def bits(value: float) -> int:
    (found,) = struct.unpack("<I", struct.pack("<f", value))
    return int(found)


@pytest.mark.parametrize(
    ("value", "bfloat16", "tf32"),
    [
        (1.0, 1.0, 1.0),
        (1 + 2**-8, 1.0, 1 + 2**-8),  # half way: to the even one
        (1 + 3 * 2**-8, 1 + 2**-6, 1 + 3 * 2**-8),
        (1 + 2**-8 + 2**-20, 1 + 2**-7, 1 + 2**-8),
        (1 + 2**-11, 1.0, 1.0),
        (1 + 3 * 2**-11, 1.0, 1 + 2**-9),
        (-math.pi, -3.140625, -3.140625),
    ],
)
def test_numbers_are_rounded_to_the_nearest_and_half_way_to_the_even(
    value: float, bfloat16: float, tf32: float
) -> None:
    found = [float(rounded(np.array([value]), "bfloat16")[0]), float(rounded(np.array([value]), "TF32")[0])]
    assert found == pytest.approx([bfloat16, tf32], rel=1e-8)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_no_bit_is_left_that_a_format_has_not(value: float) -> None:
    formats: dict[Rounding, int] = {"bfloat16": 16, "TF32": 13}
    for to, dropped in formats.items():
        assert bits(float(rounded(np.array([value], np.float32), to)[0])) & ((1 << dropped) - 1) == 0


def test_a_value_that_is_no_number_stays_none() -> None:
    found = rounded(np.array([np.nan, np.inf, -np.inf]), "bfloat16")
    assert np.isnan(found[0])
    assert found[1:].tolist() == [np.inf, -np.inf]


def test_products_of_rounded_factors_are_summed_exactly() -> None:
    first, second = np.array([[1 + 2**-8, 2.0]]), np.array([[1.0], [2**-20]])
    assert product(first, second, "bfloat16").tolist() == [[1 + 2**-19]]
    assert product(first, second, "").tolist() == [[1 + 2**-8 + 2**-19]]


@pytest.mark.parametrize("layers", [(Flatten(), Dense(CLASSES)), (Conv(3, 1), Flatten())])
def test_layers_in_a_shorter_format_give_its_numbers_alone(layers: tuple[object, ...]) -> None:
    network = placed(layers, (1, 1, 3))  # type: ignore[arg-type]
    short = Deviations(products="bfloat16", outputs="bfloat16")
    found = Reference(network, drawn(network), ADAM, deviations=short).logits(batch(network.shape)[0])
    assert all(bits(float(value)) & 0xFFFF == 0 for value in found.ravel())


def momentum_in_float32(used: bool) -> Iterator[float]:
    w, kept = START, 0.0
    for _, g, rate in steps():
        v = 0.875 * kept - rate * g
        kept = float(np.float32(v))
        w += kept if used else v
        yield w


@pytest.mark.parametrize("used", [False, True])
def test_a_state_is_rounded_as_it_is_kept_or_before_it_is_used(used: bool) -> None:
    deviations = Deviations(state="used" if used else "kept")
    assert path_of(MOMENTUM, deviations) == pytest.approx(list(momentum_in_float32(used)), rel=1e-15)
    assert path_of(MOMENTUM, deviations) != path_of(MOMENTUM)


def adam_without_correction(corrected: int, divided: bool) -> Iterator[float]:
    w, m, v = START, 0.0, 0.0
    for t, g, rate in steps():
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        first, second = (1 - 0.9**t, 1 - 0.999**t) if t <= corrected else (1.0, 1.0)
        epsilon = 1e-7 / math.sqrt(1 - 0.999**t) if divided and t > corrected else 1e-7
        w -= rate * math.sqrt(second) / first * m / (math.sqrt(v) + epsilon)
        yield w


@pytest.mark.parametrize("divided", [False, True])
@pytest.mark.parametrize("corrected", [0, 2])
def test_moments_are_corrected_in_so_many_steps(corrected: int, divided: bool) -> None:
    deviations = Deviations(corrected_steps=corrected, epsilon_corrected=divided)
    assert path_of(ADAM, deviations) == pytest.approx(list(adam_without_correction(corrected, divided)), rel=1e-13)


@pytest.mark.parametrize("optimizer", [ADAM, MOMENTUM, Optimizer(name="adadelta", rho=0.75)])
def test_an_optimiser_that_starts_again_is_a_new_one(optimizer: Optimizer) -> None:
    old, weight = Updater(optimizer), {"dense_1/kernel": np.array([START])}
    for gradient in GRADIENTS:
        old.update(weight, {"dense_1/kernel": np.array([gradient])}, 0.1)
    old.start_again()
    last = {"dense_1/kernel": np.array([0.3])}
    assert old.update(weight, last, 0.1) == Updater(optimizer).update(weight, last, 0.1)


def test_weights_are_multiplied_and_statistics_are_not() -> None:
    from tests.equivalence.test_reference import norm_network

    network, weights = norm_network()
    reference = Reference(network, weights, ADAM)
    reference.multiply_weights(0.5)
    assert {name.rpartition("/")[2]: float(value[0]) for name, value in reference.weights.items()} == {
        "gamma": 1.5,
        "beta": 0.5,
        "moving_mean": 4.0,
        "moving_variance": 1.75,
    }
