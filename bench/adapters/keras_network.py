"""A neutral network as a Keras model, and its weights by neutral name: the same for every backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.keras_pixels import Pixels
from bench.models.model import BatchNorm, Conv, Dense, Dropout, Flatten, MaxPool, Relu
from bench.models.network import PlacedLayer, PlacedNetwork, check_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray


def compile_network(placed: PlacedNetwork, dtype: str, pixels: Pixels | None) -> Any:
    """A ``keras.Sequential`` from images of ``dtype`` to logits; ``pixels`` are converted inside it, unless None."""
    import keras

    model = keras.Sequential(name=placed.name.replace("-", "_"))
    model.add(keras.Input(placed.shape, dtype=dtype))
    if pixels is not None:
        model.add(pixels.layer())
    for layer in placed.layers:
        model.add(_layer(layer))
    return model


def _layer(placed: PlacedLayer) -> Any:
    from keras import layers

    name = placed.name
    dimensions = len(placed.input) - 1
    match placed.layer:
        case Flatten():
            return layers.Flatten(name=name)
        case Dense(activation=activation, bias=bias):
            return layers.Dense(placed.output[0], activation, bias, name=name)
        case Dropout(rate=rate):
            return layers.Dropout(rate, name=name)
        case Conv(kernel=kernel, activation=activation, bias=bias, strides=strides):
            convolution = {1: layers.Conv1D, 2: layers.Conv2D, 3: layers.Conv3D}[dimensions]
            return convolution(
                placed.output[-1],
                kernel,
                strides=strides,
                padding=placed.padding,
                activation=activation,
                use_bias=bias,
                name=name,
            )
        case MaxPool(size=size):
            pool = {1: layers.MaxPooling1D, 2: layers.MaxPooling2D, 3: layers.MaxPooling3D}[dimensions]
            return pool(size, name=name)
        case BatchNorm(momentum=momentum, epsilon=epsilon):
            return layers.BatchNormalization(momentum=momentum, epsilon=epsilon, name=name)
        case Relu():
            return layers.ReLU(name=name)


def read_weights(placed: PlacedNetwork, model: Any) -> dict[str, NDArray[np.float32]]:
    """The model's weights in the neutral layout, copied to the host."""
    return {name: variable.numpy() for name, variable in _variables(placed, model).items()}


def load_weights(placed: PlacedNetwork, model: Any, weights: Mapping[str, NDArray[np.float32]]) -> None:
    """Assign neutral weights. Raises ValueError where a name or shape is not the network's."""
    check_weights(placed, {name: value.shape for name, value in weights.items()})
    for name, variable in _variables(placed, model).items():
        variable.assign(weights[name])


def _variables(placed: PlacedNetwork, model: Any) -> dict[str, Any]:
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in placed.layers
        if layer.trained
        for variable in model.get_layer(layer.name).weights
        if f"{layer.name}/{variable.name}" in layer.trained | layer.statistics
    }
