"""The calls of Keras' layers and operations, noted as a model runs, in the order of the calls.

Every layer and every operation of a functional model is called through ``keras.Operation``; watching that sees nested,
functional and subclassed models alike, on any backend.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from pydantic import JsonValue

from bench.adapters.layer_facts import AWAKE, Layout, as_it_is, vector_layout
from bench.adapters.layer_facts_keras_windows import convolution_facts, pooling_facts
from bench.adapters.layer_facts_recorder import LayerRecorder, Slot, Slots

FLOAT = "float64"
"""Default dtype set by the proof."""

DROPOUTS: Mapping[str, str] = {
    "Dropout": "Dropout",
    "SpatialDropout1D": "SpatialDropout",
    "SpatialDropout2D": "SpatialDropout",
    "SpatialDropout3D": "SpatialDropout",
    "AlphaDropout": "AlphaDropout",
    "GaussianDropout": "GaussianDropout",
    "GaussianNoise": "GaussianNoise",
}
_OPERATIONS = {
    "ReLU": "relu",
    "Relu": "relu",
    "Relu6": "relu6",
    "Softmax": "softmax",
    "LogSoftmax": "log_softmax",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Selu": "selu",
    "Silu": "silu",
    "Mish": "mish",
    "HardSilu": "hard_silu",
    "HardSigmoid": "hard_sigmoid",
    "Softsign": "softsign",
    "Add": "Add",
    "GlobalAveragePooling1D": "GlobalAveragePool",
    "GlobalAveragePooling2D": "GlobalAveragePool",
    "GlobalAveragePooling3D": "GlobalAveragePool",
    "GlobalMaxPooling1D": "GlobalMaxPool",
    "GlobalMaxPooling2D": "GlobalMaxPool",
    "GlobalMaxPooling3D": "GlobalMaxPool",
}
"""Layers and operations without constants, by class."""


class CallRecorder(LayerRecorder):
    """Notes the calls that are layers, with their constants and weights."""

    def __init__(self) -> None:
        super().__init__(channels_first=False)
        self.single: list[str] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note every call of a layer or operation in this block."""
        from keras.backend import standardize_dtype
        from keras.src.ops.operation import Operation

        called = Operation.__call__
        recorder = self

        def call(operation: Any, *values: Any, **arguments: Any) -> Any:
            given = values[0] if values else next(iter(arguments.values()), None)
            recorder._note(operation, given, arguments)
            output = called(operation, *values, **arguments)
            dtype = getattr(output, "dtype", None)
            inner = getattr(operation, "_layers", None)
            if dtype is not None and not inner and standardize_dtype(dtype) == "float32":
                recorder.single.append(operation.name)
            return output

        Operation.__call__ = call
        try:
            yield
        finally:
            Operation.__call__ = called

    def unmapped(self, model: Any) -> list[str]:
        """Weights whose layer has no known layout."""
        owners = {id(weight): layer for layer in model._flatten_layers() for weight in layer._trainable_variables}
        owners |= {id(weight): layer for layer in model._flatten_layers() for weight in layer._non_trainable_variables}
        left = [weight for weight in model.weights if id(weight) not in self._mapped]
        return [f"{weight.path} of {type(owners.get(id(weight), model)).__name__}" for weight in left]

    def _note(self, operation: Any, given: Any, arguments: Mapping[str, Any]) -> None:
        import keras

        shape = tuple(getattr(given, "shape", ()))
        name = type(operation).__name__
        for kind, note in (
            (keras.layers.Dense, self._note_dense),
            (keras.layers.DepthwiseConv1D | keras.layers.DepthwiseConv2D, self._note_depthwise),
            (keras.layers.Conv1D | keras.layers.Conv2D | keras.layers.Conv3D, self._note_conv),
            (keras.layers.BatchNormalization, self._note_batch_norm),
            (keras.layers.LayerNormalization, self._note_layer_norm),
            (keras.layers.GroupNormalization, self._note_group_norm),
        ):
            if isinstance(operation, kind) and not name.endswith("Transpose"):
                note(operation, shape)
                return
        if name in DROPOUTS:
            self._note_dropout(operation, name, arguments)
        elif "Pooling" in name and "Global" not in name and not name.startswith("Adaptive"):
            self._note_pool(operation, name, shape)
        elif name.startswith("ZeroPadding"):
            pairs = operation.padding if isinstance(operation.padding[0], Sequence) else [operation.padding]
            self._padding = [[int(side) for side in pair] for pair in pairs]
        else:
            self._note_plain(operation, name, shape)

    def _note_plain(self, operation: Any, name: str, shape: tuple[int, ...]) -> None:
        if name == "Permute":
            self._order.permuted([axis - 1 for axis in operation.dims])
        elif name in ("Flatten", "Reshape") and len(shape) > 2:
            target = operation.target_shape if name == "Reshape" else (1,)
            if len(target) == 1:
                self._order.flattened(shape[1:])
        elif name == "Activation":
            self._activate(operation)
        elif name == "ReLU" and (operation.max_value is not None or operation.negative_slope or operation.threshold):
            self._note_bent_relu(operation)
        elif name == "LeakyReLU" or name == "LeakyRelu":
            self._add("leaky_relu", {"slope": float(operation.negative_slope)})
        elif name == "ELU" or name == "Elu":
            self._add("elu", {"alpha": float(operation.alpha)})
        elif name == "Gelu":
            self._add("gelu", {"form": "tanh" if operation.approximate else "exact"})
        elif name == "Rescaling":
            scale, offset = (np.ravel(value).tolist() for value in (operation.scale, operation.offset))
            self._add("Rescaling", {"multiply by": scale[0] if len(scale) == 1 else scale})
            if any(offset):
                self._add("Rescaling", {"add": offset[0] if len(offset) == 1 else offset})
        elif name.startswith("Random"):
            self._add(name)
        elif name in _OPERATIONS:
            if name.startswith("Global"):
                self._order.restart()
            self._add(_OPERATIONS[name])

    def _note_bent_relu(self, operation: Any) -> None:
        bent = (operation.max_value, operation.negative_slope or 0.0, operation.threshold or 0.0)
        if bent == (6.0, 0.0, 0.0):
            self._add("relu6")
        elif bent[0] is None and not bent[2]:
            self._add("leaky_relu", {"slope": float(bent[1])})
        else:
            self._add("relu", {"maximum, slope, threshold": list(bent)})

    def _add(
        self, kind: str, facts: Mapping[str, JsonValue] | None = None, owner: Any = None, **weights: Slot | None
    ) -> None:
        super()._add(kind, facts, owner, **weights)
        if _rounds(kind, facts or {}):
            self.single.append(f"the constant of {kind}")

    def _name(self, owner: Any, given: Slots) -> str:
        return "" if owner is None else str(owner.name)

    def _weight_facts(self, owner: Any, given: Slots) -> dict[str, JsonValue]:
        policy = owner.dtype_policy.name
        facts: dict[str, JsonValue] = {
            "dtype": "float32" if policy == FLOAT else policy,
            "trained": any(variable.trainable for role, (variable, _) in given.items() if "moving" not in role),
        }
        for setting in ("kernel_regularizer", "bias_regularizer", "activity_regularizer"):
            if getattr(owner, setting, None) is not None:
                facts[setting.replace("_", " ")] = _penalty(getattr(owner, setting))
        return facts

    def _activate(self, layer: Any) -> None:
        """Note the activation a layer ends in; one that is a layer is noted when called."""
        import keras

        function = getattr(layer, "activation", None)
        name = getattr(function, "__name__", "")
        if function is None or isinstance(function, keras.layers.Layer) or name == "linear":
            return
        constants: dict[str, dict[str, JsonValue]] = {
            "leaky_relu": {"slope": 0.2},
            "elu": {"alpha": 1.0},
            "gelu": {"form": "exact"},
        }
        self._add(name or type(function).__name__, constants.get(name))

    def _note_dense(self, layer: Any, shape: tuple[int, ...]) -> None:
        inputs, units = layer.kernel.shape
        sizes, axes = self._order.rows(inputs)
        layout = Layout((*sizes, units), (*axes, len(sizes)), (inputs, units))
        facts: dict[str, JsonValue] = {"units": units, "inputs": inputs, "bias": bool(layer.use_bias)}
        self._order.consumed()
        self._add("Dense", facts, layer, kernel=(layer.kernel, layout), bias=self._bias(layer))
        self._activate(layer)

    def _note_conv(self, layer: Any, shape: tuple[int, ...]) -> None:
        facts: dict[str, JsonValue] = {"filters": layer.filters, **self._window(layer, shape), "groups": layer.groups}
        facts["bias"] = bool(layer.use_bias)
        self._order.restart()
        self._add("Conv", facts, layer, kernel=(layer.kernel, as_it_is(layer.kernel.shape)), bias=self._bias(layer))
        self._activate(layer)

    def _note_depthwise(self, layer: Any, shape: tuple[int, ...]) -> None:
        channels, multiplier = layer.kernel.shape[-2:]
        facts: dict[str, JsonValue] = {"filters": channels * multiplier, **self._window(layer, shape)}
        facts |= {"groups": channels, "bias": bool(layer.use_bias)}
        self._order.restart()
        kind = "DepthwiseConv" if channels > 1 else "Conv"
        self._add(kind, facts, layer, kernel=(layer.kernel, as_it_is(layer.kernel.shape)), bias=self._bias(layer))
        self._activate(layer)

    def _bias(self, layer: Any) -> Slot | None:
        return (layer.bias, as_it_is(layer.bias.shape)) if layer.use_bias else None

    def _window(self, layer: Any, shape: tuple[int, ...]) -> dict[str, JsonValue]:
        return convolution_facts(layer, shape, self._padding_before(len(layer.kernel_size)))

    def _note_pool(self, layer: Any, name: str, shape: tuple[int, ...]) -> None:
        kind = "MaxPool" if name.startswith("Max") else "AveragePool"
        self._order.restart()
        self._add(kind, pooling_facts(kind, layer, shape))

    def _note_batch_norm(self, layer: Any, shape: tuple[int, ...]) -> None:
        facts: dict[str, JsonValue] = {
            "features": int(shape[layer.axis]),
            "epsilon": float(layer.epsilon),
            "momentum": round(float(layer.momentum), 12),
            "moving variance": "biased",
            "scale": bool(layer.scale),
            "offset": bool(layer.center),
        }
        roles = ("gamma", "beta", "moving_mean", "moving_variance")
        self._add("BatchNorm", facts, layer, **{role: self._vector(getattr(layer, role)) for role in roles})

    def _note_group_norm(self, layer: Any, shape: tuple[int, ...]) -> None:
        facts: dict[str, JsonValue] = {
            "features": int(shape[layer.axis]),
            "groups": int(layer.groups),
            "epsilon": float(layer.epsilon),
            "scale": bool(layer.scale),
            "offset": bool(layer.center),
        }
        self._add("GroupNorm", facts, layer, gamma=self._vector(layer.gamma), beta=self._vector(layer.beta))

    def _note_layer_norm(self, layer: Any, shape: tuple[int, ...]) -> None:
        axes = layer.axis if isinstance(layer.axis, Sequence) else [layer.axis]
        facts: dict[str, JsonValue] = {
            "features": math.prod(int(shape[axis]) for axis in axes),
            "epsilon": float(layer.epsilon),
            "scale": bool(layer.scale),
            "offset": bool(layer.center),
        }

        def slot(value: Any) -> Slot | None:
            whole = value is not None and len(value.shape) > 1
            return (value, as_it_is(value.shape)) if whole else self._vector(value)

        self._add("LayerNorm", facts, layer, gamma=slot(layer.gamma), beta=slot(layer.beta))

    def _vector(self, value: Any) -> Slot | None:
        return None if value is None else (value, vector_layout(self._order, math.prod(value.shape)))

    def _note_dropout(self, layer: Any, name: str, arguments: Mapping[str, Any]) -> None:
        facts: dict[str, JsonValue] = {"rate": float(getattr(layer, "rate", getattr(layer, "stddev", 0.0)))}
        if arguments.get("training"):
            facts[AWAKE] = True
        self._add(DROPOUTS[name], facts)


def _rounds(kind: str, facts: Mapping[str, JsonValue]) -> bool:
    """True if TensorFlow keeps a constant of an activation in float32, whatever the precision of its tensors.

    ``tf.nn.gelu`` casts the root of 2 through float32 (5e-9 seen); ``tf.nn.leaky_relu`` has its slope as a float
    attribute (5e-8 seen at 0.3, nothing at 0.25).
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return False
    slope = facts.get("slope")
    return kind == "gelu" or (kind == "leaky_relu" and isinstance(slope, float) and slope != float(np.float32(slope)))


def _penalty(regularizer: Any) -> str:
    constants = regularizer.get_config() if hasattr(regularizer, "get_config") else {}
    return " ".join([type(regularizer).__name__, *(f"{float(value):g}" for value in constants.values())])
