"""A neutral network as a Keras model, its weights by neutral name, and its optimiser: the same for every backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.case import Optimizer
from bench.models.model import BatchNorm, Conv, Dense, Dropout, Flatten, MaxPool
from bench.models.network import PlacedLayer, PlacedNetwork, check_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray


def compile_network(placed: PlacedNetwork, scale: float, dtype: str) -> Any:
    """A ``keras.Sequential`` from images as stored (``dtype``, scaled inside) to logits."""
    import keras

    model = keras.Sequential(name=placed.name.replace("-", "_"))
    model.add(keras.Input(placed.shape, dtype=dtype))
    model.add(scaling(scale))
    for layer in placed.layers:
        model.add(_layer(layer))
    return model


def scaling(scale: float) -> Any:
    """The layer that converts stored pixels to float32 and scales them."""
    import keras

    return keras.layers.Rescaling(float(np.float32(1.0 / scale)), name="scaling")


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
        case Conv(kernel=kernel, activation=activation, bias=bias):
            convolution = {1: layers.Conv1D, 2: layers.Conv2D, 3: layers.Conv3D}[dimensions]
            return convolution(
                placed.output[-1], kernel, padding=placed.padding, activation=activation, use_bias=bias, name=name
            )
        case MaxPool(size=size):
            pool = {1: layers.MaxPooling1D, 2: layers.MaxPooling2D, 3: layers.MaxPooling3D}[dimensions]
            return pool(size, name=name)
        case BatchNorm(momentum=momentum, epsilon=epsilon):
            return layers.BatchNormalization(momentum=momentum, epsilon=epsilon, name=name)


def read_weights(placed: PlacedNetwork, model: Any) -> dict[str, NDArray[np.float32]]:
    """The model's weights in the neutral layout, copied to the host."""
    return {
        name: np.array(variable.value) if not hasattr(variable, "numpy") else variable.numpy()
        for name, variable in _variables(placed, model).items()
    }


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


def make_optimizer(constants: Optimizer, rates: NDArray[np.float64] | None) -> Any:
    """Keras' optimiser; its Adam is in the ε-hat form already. A schedule is an array looked up by step."""
    import keras

    rate: Any = constants.learning_rate
    if rates is not None and len(rates):
        rate = float(rates[0]) if np.ptp(rates) == 0 else _schedule(rates)
    if constants.name == "adam":
        return keras.optimizers.Adam(rate, constants.beta_1, constants.beta_2, constants.epsilon)
    return keras.optimizers.SGD(rate, constants.momentum, constants.nesterov)


def _schedule(rates: NDArray[np.float64]) -> Any:
    import keras

    class GivenRates(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        """Learning rates given step by step."""

        def __init__(self) -> None:
            self._rates = keras.ops.convert_to_tensor(rates.astype(np.float32))

        def __call__(self, step: Any) -> Any:
            return keras.ops.take(self._rates, keras.ops.cast(step, "int32"))

        def get_config(self) -> dict[str, object]:
            return {"rates": rates.tolist()}

    return GivenRates()


def optimizer_settings(model: Any) -> dict[str, object]:
    """The optimiser's constants as Keras holds them."""
    optimizer = model.optimizer
    config = optimizer.get_config()
    names = ("beta_1", "beta_2", "epsilon", "momentum", "nesterov", "weight_decay", "amsgrad", "use_ema")
    found = {name: config[name] for name in names if name in config}
    name = type(optimizer).__name__
    form = {"form": "epsilon-hat"} if name == "Adam" else {}
    return {"name": name, "learning_rate": float(np.asarray(optimizer.learning_rate)), **found, **form}
