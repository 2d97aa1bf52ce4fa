"""A user's keras.Model is read through the layers and operations that it calls, however they are put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bench.adapters.keras_tensorflow import KerasTensorFlowAdapter
from bench.adapters.layer_facts import output_kind
from bench.adapters.layer_facts_keras import KerasSubject
from bench.equivalence.diff_layers import compare_layers
from bench.equivalence.diff_trace import DOUBLE, OPTIMIZERS, DiffTrace, compare_traces, draw, trace
from tests.adapters.finite_difference import gradient_and_slope
from tests.adapters.small import case

SHAPE = (6, 6, 2)


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    adapter = KerasTensorFlowAdapter()
    adapter.prepare(case(adapter))
    import keras

    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")


def net(**changes: Any) -> Any:
    """A small network; each plant changes one thing in it."""
    import keras
    from keras import layers

    made: dict[str, Callable[[], Any]] = {
        "conv": lambda: layers.Conv2D(4, 3, padding="same"),
        "norm": layers.BatchNormalization,
        "bend": lambda: layers.LeakyReLU(0.125),
        "pool": lambda: layers.MaxPooling2D(2),
        "drop": lambda: layers.Dropout(0.5),
        "flat": layers.Flatten,
        "layer": layers.LayerNormalization,
        "out": lambda: layers.Dense(3),
        **changes,
    }
    return keras.Sequential([keras.Input(SHAPE), *(make() for make in made.values())])


def opened(model: Any) -> KerasSubject:
    return KerasSubject(model, SHAPE, 0)


def traced(model: Any) -> DiffTrace:
    subject = opened(model)
    return trace(subject, draw(subject.described.layers, SHAPE, 3, 0), OPTIMIZERS["sgd"])


def differences(one: Any, other: Any) -> list[tuple[str, str, str]]:
    compared = compare_layers(opened(one).described.layers, opened(other).described.layers)
    return [(found.subject, found.left, found.right) for found in compared.differences]


def plants() -> dict[str, tuple[tuple[str, str, str], dict[str, Callable[[], Any]]]]:
    """By name: the difference, and the change that plants it."""
    import keras
    from keras import layers, regularizers

    return {
        "epsilon of BatchNorm": (
            ("BatchNorm epsilon", "0.001", "1e-05"),
            {"norm": lambda: layers.BatchNormalization(epsilon=1e-5)},
        ),
        "momentum": (
            ("BatchNorm momentum", "0.99", "0.9"),
            {"norm": lambda: layers.BatchNormalization(momentum=0.9)},
        ),
        "epsilon of LayerNorm": (
            ("LayerNorm epsilon", "0.001", "1e-05"),
            {"layer": lambda: layers.LayerNormalization(epsilon=1e-5)},
        ),
        "slope": (("LeakyReLU slope", "0.125", "0.3"), {"bend": layers.LeakyReLU}),
        "activation": (("layer 3", "LeakyReLU", "GELU"), {"bend": lambda: layers.Activation("gelu")}),
        "kind of pooling": (
            ("layer 4", "MaxPool 2x2", "AveragePool 2x2"),
            {"pool": lambda: layers.AveragePooling2D(2)},
        ),
        "padding": (
            ("Conv padding", "1 on each side", "2 before and 0 after"),
            {"conv": lambda: keras.Sequential([layers.ZeroPadding2D(((2, 0), (2, 0))), layers.Conv2D(4, 3)])},
        ),
        "penalty": (
            ("Dense kernel regularizer", "none", "L2 0.01"),
            {"out": lambda: layers.Dense(3, kernel_regularizer=regularizers.L2(0.01))},
        ),
        "trained": (("Dense trained", "yes", "no"), {"out": lambda: layers.Dense(3, trainable=False)}),
    }


NAMES = [
    "epsilon of BatchNorm",
    "momentum",
    "epsilon of LayerNorm",
    "slope",
    "activation",
    "kind of pooling",
    "padding",
    "penalty",
]


@pytest.mark.parametrize("name", [*NAMES, "trained"])
def test_a_planted_difference_is_named(name: str) -> None:
    said, changes = plants()[name]
    assert differences(net(), net(**changes)) == [said]


@pytest.mark.parametrize("name", ["epsilon of BatchNorm", "momentum", "slope", "penalty"])
def test_a_planted_difference_shows_in_the_proof(name: str) -> None:
    _, changes = plants()[name]
    quantities = compare_traces(traced(net()), traced(net(**changes)), DOUBLE, ("a", "b"), {})
    assert not all(found.holds for found in quantities)


def test_facts_that_the_proof_leaves_out_are_read() -> None:
    from keras import layers

    assert differences(net(), net(drop=lambda: layers.Dropout(0.25))) == [("Dropout rate", "0.5", "0.25")]
    mixed = net(out=lambda: layers.Dense(3, dtype="mixed_bfloat16"))
    assert ("Dense dtype", "float32", "mixed_bfloat16") in differences(net(), mixed)


def test_softmax_at_the_end_is_seen_in_the_facts_and_in_the_outputs() -> None:
    from keras import layers

    ending = net(out=lambda: layers.Dense(3, activation="softmax"))
    assert differences(net(), ending) == [("layer 8", "nothing", "softmax")]
    assert output_kind(opened(ending).outputs(np.random.default_rng(1).random((4, *SHAPE)))) == "probabilities"


def test_functional_nested_and_subclassed_models_are_read_alike() -> None:
    import keras
    from keras import layers

    class Subclassed(keras.Model):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization()
            self.bend, self.pool, self.drop = layers.LeakyReLU(0.125), layers.MaxPooling2D(2), layers.Dropout(0.5)
            self.flat, self.layer, self.out = layers.Flatten(), layers.LayerNormalization(), layers.Dense(3)

        def call(self, images: Any, training: bool = False) -> Any:
            hidden = self.bend(self.norm(self.conv(images), training=training))
            return self.out(self.layer(self.flat(self.drop(self.pool(hidden), training=training))))

    inputs = keras.Input(SHAPE)
    first = keras.Sequential([layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization()])
    hidden = keras.ops.leaky_relu(first(inputs), 0.125)
    hidden = layers.Flatten()(layers.Dropout(0.5)(layers.MaxPooling2D(2)(hidden)))
    functional = keras.Model(inputs, layers.Dense(3)(layers.LayerNormalization()(hidden)))
    base = traced(net())
    for model in (Subclassed(), functional):
        assert differences(net(), model) == []
    assert all(found.holds for found in compare_traces(base, traced(Subclassed()), DOUBLE, ("a", "b"), {}))


def test_dropout_held_in_training_is_found() -> None:
    import keras
    from keras import layers

    class Monte(keras.Model):  # type: ignore[misc, unused-ignore]
        def __init__(self, held: bool | None) -> None:
            super().__init__()
            self.flat, self.drop, self.out, self.held = layers.Flatten(), layers.Dropout(0.5), layers.Dense(3), held

        def call(self, images: Any) -> Any:
            return self.out(self.drop(self.flat(images), training=self.held))

    assert differences(Monte(None), Monte(True)) == [("Dropout active in evaluation", "no", "yes")]
    found = traced(Monte(True))
    assert not np.array_equal(found.outputs, found.repeated)


def test_an_image_turned_to_channels_first_before_flatten_keeps_the_rows_it_has() -> None:
    import keras
    from keras import layers

    turned = keras.Sequential([keras.Input(SHAPE), layers.Permute((3, 1, 2)), layers.Flatten(), layers.Dense(3)])
    plain = keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(3)])
    assert all(found.holds for found in compare_traces(traced(plain), traced(turned), DOUBLE, ("a", "b"), {}))


def test_gradients_are_those_of_finite_differences() -> None:
    found, slope = gradient_and_slope(opened(net()), SHAPE)
    assert found == pytest.approx(slope, rel=1e-6)


def test_images_lose_their_channel_axis_where_the_model_has_none() -> None:
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input((6, 6)), layers.Flatten(), layers.Dense(3)])
    subject = KerasSubject(model, (6, 6, 1), 0)
    assert subject.outputs(np.zeros((2, 6, 6, 1))).shape == (2, 3)


def test_weights_of_an_unknown_layer_are_named() -> None:
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input((6, 2)), layers.LSTM(4), layers.Dense(3)])
    unmapped = KerasSubject(model, (6, 2), 0).described.unmapped
    assert len(unmapped) == 3
    assert all("lstm" in name for name in unmapped)


def test_a_layer_held_in_float32_is_named() -> None:
    from keras import layers

    assert opened(net()).described.single == ()
    assert len(opened(net(out=lambda: layers.Dense(3, dtype="float32", name="held"))).described.single) == 1


def test_activations_whose_constant_tensorflow_rounds_are_named() -> None:
    from keras import layers

    assert opened(net(bend=lambda: layers.Activation("gelu"))).described.single == ("the constant of gelu",)
    assert opened(net(bend=lambda: layers.LeakyReLU(0.3))).described.single == ("the constant of leaky_relu",)
    assert opened(net(bend=lambda: layers.LeakyReLU(0.25))).described.single == ()
