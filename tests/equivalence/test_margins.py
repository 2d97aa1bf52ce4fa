"""For few digits a batch is chosen on which rounding decides nothing."""

import numpy as np
import pytest

from bench.equivalence.margins import MARGIN, margin, settled
from bench.equivalence.proof import Material, gradient_proof
from bench.models.model import CLASSES, Conv, Dense, Flatten, MaxPool, Network, Relu
from bench.models.network import place

SMALL = {"shape": (14, 14, 1)}


@pytest.mark.parametrize("model", ["mlp-plain", "cnn", "cnn-norm", "strided-same"])
def test_the_batch_of_a_first_step_keeps_its_margin(model: str) -> None:
    material = Material(gradient_proof(model, **SMALL))
    (order,) = material.orders
    assert len(order) == material.proof.training.batch_size
    assert margin(material.placed, material.weights, material.inputs(material.train.images[order])) >= MARGIN


def test_the_margin_is_the_distance_of_the_nearest_rectifier_from_its_edge() -> None:
    placed = place(Network("n", "", (Flatten(), Dense(1, "relu"), Dense(CLASSES))), (1, 2, 1), 3)
    weights = {
        "dense_1/kernel": np.array([[1.0], [-1.0]], np.float32),
        "dense_1/bias": np.zeros(1, np.float32),
        "dense_2/kernel": np.ones((1, 3), np.float32),
        "dense_2/bias": np.zeros(3, np.float32),
    }
    inputs = np.array([[[[1.0], [0.5]]], [[[0.5], [0.625]]]])
    assert margin(placed, weights, inputs) == 0.125


def test_the_margin_is_the_distance_of_the_two_largest_of_a_window() -> None:
    placed = place(Network("n", "", (MaxPool(2), Flatten(), Dense(CLASSES))), (2, 5, 1), 3)
    weights = {"dense_1/kernel": np.ones((2, 3), np.float32), "dense_1/bias": np.zeros(3, np.float32)}
    image = np.array([[1.0, 4.0, 9.0, 8.75, 8.875], [3.0, 2.0, 1.0, 0.0, 0.0]])  # the last column is dropped
    assert margin(placed, weights, image[None, :, :, None]) == 0.25


def test_windows_of_zeros_alone_are_no_tie() -> None:
    layers = (Conv(1, 1, bias=False), Relu(), MaxPool(2), Flatten(), Dense(CLASSES))
    placed = place(Network("n", "", layers), (2, 2, 1), 3)
    weights = {
        "conv_1/kernel": np.full((1, 1, 1, 1), -1.0, np.float32),
        "dense_1/kernel": np.ones((1, 3), np.float32),
        "dense_1/bias": np.zeros(3, np.float32),
    }
    assert margin(placed, weights, np.full((1, 2, 2, 1), 0.5)) == 0.5


def test_a_window_of_negative_values_counts_where_no_rectifier_stands_before_it() -> None:
    layers = (Conv(1, 1, bias=False), MaxPool(2), Flatten(), Dense(CLASSES))
    placed = place(Network("n", "", layers), (2, 2, 1), 3)
    weights = {
        "conv_1/kernel": np.full((1, 1, 1, 1), -1.0, np.float32),
        "dense_1/kernel": np.ones((1, 3), np.float32),
        "dense_1/bias": np.zeros(3, np.float32),
    }
    image = np.array([[0.5, 0.625], [0.75, 1.0]])
    assert margin(placed, weights, image[None, :, :, None]) == 0.125


def test_where_no_draw_keeps_the_margin_the_best_is_taken() -> None:
    placed = place(Network("n", "", (Relu(), Flatten(), Dense(CLASSES))), (1, 1, 1), 3)
    weights = {"dense_1/kernel": np.ones((1, 3), np.float32), "dense_1/bias": np.zeros(3, np.float32)}
    inputs = np.array([1e-9, 3e-9, 2e-9]).reshape(3, 1, 1, 1)
    assert settled(placed, weights, inputs, 1, np.random.default_rng(0)).tolist() == [1]
