"""Networks as data: what remains of them on images of a size, their parameters, operations and first weights."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.models.model import CLASSES, BatchNorm, Conv, Dense, Dropout, Flatten, MaxPool, Network
from bench.models.network import check_weights, initial_weights, place
from bench.models.networks import CNN, CNN3D, MLP, MLP_PLAIN, SOFTMAX

MNIST = (28, 28, 1)
DIGITS = (8, 8, 1)
VOLUME = (16, 16, 16, 1)


def test_cnn_has_the_parameters_of_keras_simple_mnist_convnet() -> None:
    """The summary of keras.io/examples/vision/mnist_convnet: "Total params: 34,826"."""
    assert place(CNN, MNIST, 10).parameters == 34_826


def test_mlp_has_the_parameters_of_tensorflows_beginner_quickstart() -> None:
    """784 x 128 + 128 and 128 x 10 + 10, tensorflow.org/tutorials/quickstart/beginner."""
    assert place(MLP, MNIST, 10).parameters == 101_770


def test_dropout_has_no_parameters() -> None:
    assert place(MLP_PLAIN, MNIST, 10).parameters == place(MLP, MNIST, 10).parameters


def test_softmax_has_a_weight_for_each_pixel_and_class_and_a_bias_for_each_class() -> None:
    assert place(SOFTMAX, MNIST, 10).parameters == 7_850


def test_flops_count_a_multiply_add_as_two() -> None:
    assert place(SOFTMAX, MNIST, 10).flops == 2 * 784 * 10
    assert place(MLP, MNIST, 10).flops == 2 * (784 * 128 + 128 * 10)


def test_flops_of_a_convolution_count_every_window_of_the_output() -> None:
    first, second, dense = 26 * 26 * 32 * 9 * 1, 11 * 11 * 64 * 9 * 32, 5 * 5 * 64 * 10
    assert place(CNN, MNIST, 10).flops == 2 * (first + second + dense)


def test_cnn_keeps_its_shapes_on_mnist() -> None:
    shapes = [layer.output for layer in place(CNN, MNIST, 10).layers]
    assert shapes == [(26, 26, 32), (13, 13, 32), (11, 11, 64), (5, 5, 64), (1600,), (1600,), (10,)]


def test_cnn3d_on_volumes_has_windows_of_three_axes() -> None:
    placed = place(CNN3D, VOLUME, 10)
    shapes = [layer.output for layer in placed.layers]
    assert shapes[:4] == [(14, 14, 14, 8), (7, 7, 7, 8), (5, 5, 5, 16), (2, 2, 2, 16)]
    assert placed.parameters == (27 * 8 + 8) + (27 * 8 * 16 + 16) + (128 * 128 + 128) + (128 * 10 + 10)
    assert placed.flops == 2 * (14**3 * 27 * 8 + 5**3 * 27 * 8 * 16 + 128 * 128 + 128 * 10)


def test_cnn_fits_volumes_too() -> None:
    assert place(CNN, VOLUME, 10).parameters == (27 * 32 + 32) + (27 * 32 * 64 + 64) + (8 * 64 * 10 + 10)


def test_a_pool_that_no_longer_fits_is_left_out_on_small_images() -> None:
    placed = place(CNN, DIGITS, 10)
    shapes = [layer.output for layer in placed.layers]
    assert shapes == [(6, 6, 32), (3, 3, 32), (1, 1, 64), (64,), (64,), (10,)]
    assert placed.parameters == (9 * 32 + 32) + (9 * 32 * 64 + 64) + (64 * 10 + 10)


def test_a_kernel_larger_than_the_image_is_padded_to_keep_the_images_size() -> None:
    placed = place(CNN, (4, 4, 1), 10)
    assert [layer.output for layer in placed.layers][:3] == [(2, 2, 32), (1, 1, 32), (1, 1, 64)]
    assert [layer.padding for layer in placed.layers if isinstance(layer.layer, Conv)] == ["valid", "same"]


def test_weights_are_named_by_kind_and_number_in_keras_layout() -> None:
    assert place(CNN, (28, 28, 3), 7).weight_shapes == {
        "conv_1/kernel": (3, 3, 3, 32),
        "conv_1/bias": (32,),
        "conv_2/kernel": (3, 3, 32, 64),
        "conv_2/bias": (64,),
        "dense_1/kernel": (1600, 7),
        "dense_1/bias": (7,),
    }


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_a_network_runs_over_as_many_spatial_axes_as_the_image_has(dimensions: int) -> None:
    placed = place(Network("n", "", (Conv(4, 3), MaxPool(2), Flatten(), Dense(CLASSES))), (8,) * dimensions + (2,), 5)
    assert placed.weight_shapes["conv_1/kernel"] == (3,) * dimensions + (2, 4)
    assert placed.parameters == 3**dimensions * 2 * 4 + 4 + 3**dimensions * 4 * 5 + 5


def test_batch_norm_has_two_trained_weights_a_channel_and_two_that_are_only_kept() -> None:
    placed = place(Network("n", "", (Conv(6, 3, bias=False), BatchNorm(), Flatten(), Dense(CLASSES))), DIGITS, 10)
    assert placed.parameters == 9 * 6 + 2 * 6 + 6 * 6 * 6 * 10 + 10
    assert {name: shape for name, shape in placed.weight_shapes.items() if name.startswith("norm")} == {
        "norm_1/gamma": (6,),
        "norm_1/beta": (6,),
        "norm_1/moving_mean": (6,),
        "norm_1/moving_variance": (6,),
    }


def test_a_dense_layer_on_an_image_is_refused() -> None:
    with pytest.raises(ValueError, match="'n': a Dense layer needs a Flatten before it"):
        place(Network("n", "", (Dense(CLASSES),)), MNIST, 10)


@pytest.mark.parametrize(("layer", "kind"), [(Conv(4, 3), "Conv"), (MaxPool(2), "MaxPool")])
def test_a_layer_for_images_behind_a_flatten_is_refused(layer: Conv | MaxPool, kind: str) -> None:
    with pytest.raises(ValueError, match=f"'n': a {kind} layer needs an image, and cannot follow a Flatten"):
        place(Network("n", "", (Flatten(), layer, Dense(CLASSES))), MNIST, 10)


def test_kernels_fill_glorots_interval_and_biases_are_zero() -> None:
    weights = initial_weights(place(CNN, MNIST, 10), 0)
    for layer, fan_in, fan_out in (("conv_1", 9, 9 * 32), ("conv_2", 9 * 32, 9 * 64), ("dense_1", 1600, 10)):
        bound, kernel = math.sqrt(6 / (fan_in + fan_out)), weights[f"{layer}/kernel"]
        assert kernel.dtype == np.float32
        assert 0.97 * bound < np.abs(kernel).max() <= np.float32(bound)
        assert abs(float(kernel.mean())) < 4 * bound / math.sqrt(
            3 * kernel.size
        )  # 4 standard errors of a uniform's mean
        assert not weights[f"{layer}/bias"].any()


def test_batch_norm_begins_as_the_identity() -> None:
    weights = initial_weights(place(Network("n", "", (BatchNorm(), Flatten(), Dense(CLASSES))), (8, 8, 3), 10), 0)
    assert [weights[f"norm_1/{name}"].tolist() for name in ("gamma", "beta", "moving_mean", "moving_variance")] == [
        [1, 1, 1],
        [0, 0, 0],
        [0, 0, 0],
        [1, 1, 1],
    ]


def test_a_seed_gives_the_same_weights_every_time_and_another_seed_others() -> None:
    placed = place(MLP, DIGITS, 10)
    first, again, other = (initial_weights(placed, seed)["dense_1/kernel"] for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_adding_a_layer_does_not_change_the_weights_of_the_layers_before_it() -> None:
    short = Network("n", "", (Flatten(), Dense(16, "relu"), Dense(CLASSES)))
    long = Network("n", "", (Flatten(), Dense(16, "relu"), Dropout(0.5), Dense(CLASSES), BatchNorm()))
    before, after = (initial_weights(place(network, DIGITS, 10), 3) for network in (short, long))
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_layers_of_one_shape_do_not_begin_alike() -> None:
    twice = Network("n", "", (Flatten(), Dense(10, "relu"), Dense(10, "relu"), Dense(CLASSES)))
    weights = initial_weights(place(twice, DIGITS, 10), 0)
    assert not np.array_equal(weights["dense_2/kernel"], weights["dense_3/kernel"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dense_1/bias": (3,)}, r"weight 'dense_1/bias' is \(3,\), \(10,\) expected"),
        ({"dense_9/bias": (3,)}, r"weight 'dense_9/bias' is \(3,\), None expected"),
    ],
)
def test_weights_that_are_not_the_networks_are_refused_by_name(
    change: dict[str, tuple[int, ...]], message: str
) -> None:
    placed = place(SOFTMAX, DIGITS, 10)
    with pytest.raises(ValueError, match=message):
        check_weights(placed, placed.weight_shapes | change)


def test_a_missing_weight_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"weight 'dense_1/bias' is None, \(10,\) expected"):
        check_weights(place(SOFTMAX, DIGITS, 10), {"dense_1/kernel": (64, 10)})


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([SOFTMAX, MLP, MLP_PLAIN, CNN]), st.integers(1, 40), st.integers(1, 4), st.integers(2, 62))
def test_every_shipped_network_runs_on_images_of_any_size(
    network: Network, side: int, channels: int, classes: int
) -> None:
    placed = place(network, (side, side, channels), classes)
    assert placed.layers[-1].output == (classes,)
    assert placed.parameters == sum(value.size for value in initial_weights(placed, 0).values())
    assert all(min(layer.output) >= 1 for layer in placed.layers)


def test_a_networks_digest_is_that_of_what_it_computes_and_not_of_its_name() -> None:
    renamed = Network("other", "something else", MLP.layers)
    assert renamed.digest == MLP.digest
    assert len({network.digest for network in (SOFTMAX, MLP, MLP_PLAIN, CNN)}) == 4
