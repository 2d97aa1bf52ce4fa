"""The numpy definition against finite differences, plain loops and formulas worked out by hand."""

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.case import Optimizer
from bench.datasets.dataset import Split
from bench.equivalence.deviations import NONE, Deviations
from bench.equivalence.reference import Reference
from bench.models.model import CLASSES, BatchNorm, Conv, Dense, Dropout, Flatten, Layer, MaxPool, Network, Relu
from bench.models.network import PlacedNetwork, initial_weights, place
from tests.adapters.reference import Perceptron

Weights = dict[str, NDArray[np.float64]]
SGD = Optimizer(name="sgd", learning_rate=1.0)
OUT: tuple[Layer, ...] = (Flatten(), Dense(CLASSES))
ROWS, STEP = 5, 1e-6


def placed(layers: tuple[Layer, ...], shape: tuple[int, ...], classes: int = 3) -> PlacedNetwork:
    return place(Network("small", "for a test", layers), shape, classes)


def drawn(network: PlacedNetwork, seed: int = 0) -> Weights:
    """Weights with nothing at 0 or 1, so that every one of them matters."""
    generator = np.random.default_rng(seed)
    return {
        name: generator.uniform(0.1, 0.9, shape) - 0.4 * name.endswith("kernel")
        for name, shape in network.weight_shapes.items()
    }


def batch(shape: tuple[int, ...], classes: int = 3, rows: int = ROWS) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    generator = np.random.default_rng(1)
    return generator.uniform(-1, 1, (rows, *shape)), generator.integers(0, classes, rows)


NETWORKS = {
    "dense": ((Flatten(), Dense(4, "relu"), Dense(CLASSES)), (3, 3, 1)),
    "dense without bias": ((Flatten(), Dense(4, bias=False), Relu(), Dense(CLASSES, bias=False)), (2, 2, 2)),
    "conv": ((Conv(3, 2, "relu"), Conv(2, 2), *OUT), (5, 4, 2)),
    "conv with strides": ((Conv(3, 3, strides=2), Conv(2, 2, "relu", strides=2), *OUT), (8, 7, 2)),
    "conv with same padding": ((Conv(3, 3, "relu", "same", strides=2), Conv(2, 4, None, "same"), *OUT), (6, 5, 1)),
    "conv on one axis": ((Conv(3, 3, "relu", "same", strides=2), Conv(2, 2), *OUT), (9, 2)),
    "conv on three axes": ((Conv(2, 2, "relu", "same"), MaxPool(2), Conv(2, 2), *OUT), (5, 4, 4, 1)),
    "pool with a remainder": ((Conv(2, 2), MaxPool(2), *OUT), (6, 8, 1)),
    "pool of three": ((Conv(2, 1), MaxPool(3), *OUT), (7, 6, 2)),
    "norm": ((Conv(2, 2, bias=False), BatchNorm(0.9, 1e-2), Relu(), MaxPool(2), *OUT), (5, 5, 2)),
    "norm of vectors": ((Flatten(), Dense(4, bias=False), BatchNorm(), Relu(), Dense(CLASSES)), (2, 3, 1)),
    "dropout at rate 0": ((Flatten(), Dropout(0.0), Dense(3, "relu"), Dropout(0.0), Dense(CLASSES)), (2, 2, 1)),
}
EXTRAS = {
    "": {},
    "smoothing and class weights": {"label_smoothing": 0.125, "class_weights": np.array([0.5, 2.0, 1.25])},
}


def loss_at(network: PlacedNetwork, weights: Weights, deviations: Deviations, extras: dict[str, object]) -> float:
    reference = Reference(network, weights, SGD, deviations=deviations, **extras)  # type: ignore[arg-type]
    return reference.step(*batch(network.shape), rate=0.0)


def check_gradients(
    network: PlacedNetwork, deviations: Deviations = NONE, extras: dict[str, object] | None = None
) -> None:
    """A step of SGD at rate 1 is the gradient: hold a few entries of each weight to central differences."""
    weights = drawn(network)
    reference = Reference(network, weights, SGD, deviations=deviations, **(extras or {}))  # type: ignore[arg-type]
    reference.step(*batch(network.shape), rate=1.0)
    generator = np.random.default_rng(2)
    for name in (name for layer in network.layers for name in layer.trained):
        gradient = weights[name] - reference.weights[name]
        for at in generator.integers(0, gradient.size, min(8, gradient.size)):
            index = np.unravel_index(at, gradient.shape)
            sides = []
            for sign in (1, -1):
                moved = {key: value.copy() for key, value in weights.items()}
                moved[name][index] += sign * STEP
                sides.append(loss_at(network, moved, deviations, extras or {}))
            assert gradient[index] == pytest.approx((sides[0] - sides[1]) / (2 * STEP), rel=1e-6, abs=1e-9), name


@pytest.mark.parametrize("extras", EXTRAS)
@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_those_of_finite_differences(name: str, extras: str) -> None:
    layers, shape = NETWORKS[name]
    check_gradients(placed(layers, shape), extras=EXTRAS[extras])


@pytest.mark.parametrize(
    "deviations",
    [
        Deviations(loss="softmax twice"),
        Deviations(divisor=1),
        Deviations(norm_trains_by_moving=True),
        Deviations(channels_first=True),
        Deviations(symmetric_pads=True),
        Deviations(activation="identity", activation_in=frozenset({"relu_1"})),
    ],
)
def test_gradients_of_a_deviation_are_those_of_finite_differences(deviations: Deviations) -> None:
    layers = (Conv(3, 3, bias=False, padding="same", strides=2), BatchNorm(), Relu(), *OUT)
    check_gradients(placed(layers, (6, 6, 2)), deviations)


@settings(max_examples=40, deadline=None)
@given(
    sides=st.lists(st.integers(1, 7), min_size=1, max_size=3),
    channels=st.integers(1, 2),
    kernel=st.integers(1, 4),
    strides=st.integers(1, 3),
    padding=st.sampled_from(["valid", "same"]),
)
def test_a_convolution_is_the_sum_over_its_window(
    sides: list[int], channels: int, kernel: int, strides: int, padding: str
) -> None:
    shape = (*sides, channels)
    layer = Conv(2, kernel, None, padding, True, strides)  # type: ignore[arg-type]
    network = placed((layer, Flatten()), shape, classes=1)
    weights, (images, _) = drawn(network), batch(shape, rows=2)
    found = Reference(network, weights, SGD).logits(images).reshape(2, *network.layers[0].output)
    starts = [before for before, _ in network.layers[0].pads]
    for at in itertools.product(*(range(side) for side in network.layers[0].output[:-1])):
        total: NDArray[Any] = np.tile(weights["conv_1/bias"], (2, 1))
        for offset in itertools.product(range(kernel), repeat=len(sides)):
            taken = [a * strides + o - start for a, o, start in zip(at, offset, starts, strict=True)]
            if all(0 <= where < side for where, side in zip(taken, sides, strict=True)):
                pixels: tuple[Any, ...] = (slice(None), *taken)
                total = total + images[pixels] @ weights["conv_1/kernel"][offset]
        value: tuple[Any, ...] = (slice(None), *at)
        np.testing.assert_allclose(found[value], total, rtol=1e-12, atol=1e-12)


def test_same_padding_with_strides_adds_the_odd_value_at_the_end() -> None:
    network = placed((Conv(1, 3, None, "same", False, 2), Flatten()), (4, 1))
    images = np.array([[[1.0], [2.0], [4.0], [8.0]]])
    ones = {"conv_1/kernel": np.ones((3, 1, 1))}
    assert Reference(network, ones, SGD).logits(images).tolist() == [[7.0, 12.0]]
    symmetric = Reference(network, ones, SGD, deviations=Deviations(symmetric_pads=True))
    assert symmetric.logits(images).tolist() == [[3.0, 14.0]]


def test_pooling_takes_the_largest_of_each_window_and_drops_the_remainder() -> None:
    network = placed((MaxPool(2), Flatten()), (3, 5, 1))
    images = np.arange(15.0).reshape(1, 3, 5, 1)
    assert Reference(network, {}, SGD).logits(images).tolist() == [[6.0, 8.0]]


def test_of_equal_maxima_the_first_takes_the_gradient() -> None:
    layers = (Conv(1, 2, bias=False), MaxPool(2), Flatten(), Dense(CLASSES))
    network = placed(layers, (3, 3, 1))
    weights = drawn(network) | {"conv_1/kernel": np.ones((2, 2, 1, 1))}
    images = np.array([[1.0, 2.0, 1.0], [3.0, 4.0, 3.0], [1.0, 2.0, 1.0]]).reshape(1, 3, 3, 1)  # four windows of 10
    reference = Reference(network, weights, SGD)
    reference.step(images, np.array([0]), 1.0)
    moved = (weights["conv_1/kernel"] - reference.weights["conv_1/kernel"])[..., 0, 0]
    np.testing.assert_allclose(moved / moved[0, 0], [[1.0, 2.0], [3.0, 4.0]], rtol=1e-12)


def test_images_are_flattened_in_height_width_channel_order() -> None:
    network = placed((Flatten(),), (2, 1, 2))
    images = np.array([[[[1.0, 2.0]], [[3.0, 4.0]]]])
    assert Reference(network, {}, SGD).logits(images).tolist() == [[1.0, 2.0, 3.0, 4.0]]
    other = Reference(network, {}, SGD, deviations=Deviations(channels_first=True))
    assert other.logits(images).tolist() == [[1.0, 3.0, 2.0, 4.0]]


def norm_network() -> tuple[PlacedNetwork, Weights]:
    network = placed((BatchNorm(0.75, 0.5), Flatten()), (2, 1), classes=2)
    weights = {"gamma": 3.0, "beta": 1.0, "moving_mean": 4.0, "moving_variance": 1.75}
    return network, {f"norm_1/{name}": np.array([value]) for name, value in weights.items()}


def test_batch_norm_evaluates_by_its_moving_statistics() -> None:
    network, weights = norm_network()
    answers = Reference(network, weights, SGD).logits(np.array([[[4.0], [7.0]]]))
    assert answers.tolist() == [[1.0, 7.0]]  # (x - 4) / sqrt(1.75 + .5) * 3 + 1


@pytest.mark.parametrize(
    ("unbiased", "variance"), [(False, 0.75 * 1.75 + 0.25 * 5.0), (True, 0.75 * 1.75 + 0.25 * 20 / 3)]
)
def test_batch_norm_moves_its_statistics_by_the_momentum(unbiased: bool, variance: float) -> None:
    network, weights = norm_network()
    reference = Reference(network, weights, SGD, deviations=Deviations(unbiased_variance=unbiased))
    reference.step(np.array([[[0.0], [2.0]], [[4.0], [6.0]]]), np.array([0, 1]), 0.0)  # mean 3, biased variance 5
    assert reference.weights["norm_1/moving_mean"] == pytest.approx(0.75 * 4 + 0.25 * 3)
    assert reference.weights["norm_1/moving_variance"] == pytest.approx(variance)


def test_dropout_at_any_other_rate_is_refused() -> None:
    network = placed((Flatten(), Dropout(0.5), Dense(CLASSES)), (2, 1))
    with pytest.raises(ValueError, match=r"dropout at rate 0\.5 is random"):
        Reference(network, drawn(network), SGD).logits(np.zeros((1, 2, 1)))


def logits_as_given() -> PlacedNetwork:
    return placed((Flatten(),), (3, 1))


def test_the_loss_is_the_mean_of_the_cross_entropy() -> None:
    images = np.log(np.array([[[1.0], [2.0], [5.0]], [[4.0], [3.0], [1.0]]]))
    loss = Reference(logits_as_given(), {}, SGD).step(images, np.array([2, 1]), 0.0)
    assert loss == pytest.approx(-(math.log(5 / 8) + math.log(3 / 8)) / 2)


def test_smoothed_labels_share_the_smoothing_among_all_classes() -> None:
    images = np.log(np.array([[[1.0], [2.0], [5.0]]]))
    loss = Reference(logits_as_given(), {}, SGD, label_smoothing=0.3).step(images, np.array([2]), 0.0)
    assert loss == pytest.approx(-(0.8 * math.log(5 / 8) + 0.1 * math.log(1 / 8) + 0.1 * math.log(2 / 8)) * 1)


@pytest.mark.parametrize(("weighted", "divisor"), [(False, 2.0), (True, 5.0)])
def test_class_weights_leave_the_mean_over_the_samples(weighted: bool, divisor: float) -> None:
    images = np.log(np.array([[[1.0], [2.0], [5.0]], [[4.0], [3.0], [1.0]]]))
    reference = Reference(
        logits_as_given(),
        {},
        SGD,
        class_weights=np.array([7.0, 2.0, 3.0]),
        deviations=Deviations(weighted_mean=weighted),
    )
    loss = reference.step(images, np.array([2, 1]), 0.0)
    assert loss == pytest.approx(-(3 * math.log(5 / 8) + 2 * math.log(3 / 8)) / divisor)


@pytest.mark.parametrize(
    "optimizer",
    [
        Optimizer(name="sgd", learning_rate=0.125, momentum=0.875),
        Optimizer(name="sgd", learning_rate=0.125, momentum=0.875, nesterov=True),
        Optimizer(name="adam"),
    ],
)
def test_training_is_that_of_a_perceptron_written_out_by_hand(optimizer: Optimizer) -> None:
    network = placed((Flatten(), Dense(8, "relu"), Dense(CLASSES)), (3, 3, 1))
    weights = initial_weights(network, 0)
    images, labels = batch(network.shape, rows=12)
    pixels = ((images + 1) * 100).astype(np.uint8)
    reference, perceptron = Reference(network, weights, optimizer), Perceptron.start(weights, optimizer)
    split = Split(pixels, labels, 255.0, 3)
    for step in range(6):
        rows = np.arange(12)[step % 2 :: 2]
        loss = reference.step(pixels[rows] / 255.0, labels[rows], optimizer.learning_rate)
        assert loss == pytest.approx(perceptron.train(split, [rows]), rel=1e-13)
    for name, value in perceptron.weights.items():
        np.testing.assert_allclose(reference.weights[name], value, rtol=1e-11, atol=1e-14)


def test_everything_stays_in_the_precision_asked_for() -> None:
    layers, shape = NETWORKS["norm"]
    network = placed(layers, shape)
    weights = {name: np.abs(value) for name, value in drawn(network).items()}
    reference = Reference(
        network,
        weights,
        Optimizer(name="adam"),
        class_weights=np.array([1.0, 2.0, 3.0]),
        label_smoothing=0.1,
        dtype=np.float32,
    )
    images, labels = batch(shape)
    reference.step(images, labels, np.float64(0.1))
    assert reference.logits(images).dtype == np.float32
    assert {value.dtype for value in reference.weights.values()} == {np.dtype(np.float32)}


def test_weights_that_were_given_are_not_written_to() -> None:
    layers, shape = NETWORKS["norm"]
    network = placed(layers, shape)
    weights = {name: np.abs(value) for name, value in drawn(network).items()}
    before = {name: value.copy() for name, value in weights.items()}
    reference = Reference(network, weights, SGD)
    read = reference.weights
    reference.step(*batch(shape), rate=1.0)
    for name, value in before.items():
        np.testing.assert_array_equal(weights[name], value)
        np.testing.assert_array_equal(read[name], value)


def test_fixed_biases_and_absent_biases_are_told_apart() -> None:
    layers, shape = NETWORKS["dense"]
    network = placed(layers, shape)
    fixed = Reference(network, drawn(network), SGD, deviations=Deviations(frozen=frozenset({"dense_1/bias"})))
    fixed.step(*batch(shape), rate=1.0)
    np.testing.assert_array_equal(fixed.weights["dense_1/bias"], drawn(network)["dense_1/bias"])
    absent = replace(Deviations(), without_bias=frozenset({"dense_1"}))
    assert "dense_1/bias" not in Reference(network, drawn(network), SGD, deviations=absent).weights
