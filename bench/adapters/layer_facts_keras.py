"""A user's ``keras.Model`` opened layer by layer, and run in float64 on given weights, on any backend."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.layer_facts import Described, OutputKind, Subject
from bench.adapters.layer_facts_keras_calls import DROPOUTS, FLOAT, CallRecorder
from bench.models import native
from bench.models.model import NativeModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def open_model(model: NativeModel, shape: tuple[int, ...], classes: int, seed: int) -> KerasSubject:
    """Build the user's model and watch it run once. Raises ModelFault where it cannot be built or run."""
    import keras

    keras.config.set_floatx(FLOAT)
    keras.config.set_dtype_policy(FLOAT)
    built = native.build(model, "keras", shape, classes, seed)
    if not isinstance(built, keras.Model):
        raise native.ModelFault(f"{model.name}: built a {type(built).__name__}, a keras.Model expected")
    try:
        return KerasSubject(built, shape, seed)
    except Exception as error:  # the user's layers may raise anything
        raise native.ModelFault(f"{model.name}: {native.describe(error, model)}") from error


class KerasSubject(Subject):
    """A model in float64 on the CPU."""

    def __init__(self, model: Any, shape: tuple[int, ...], seed: int) -> None:
        import keras

        self._model = model
        self._compiled: OutputKind | None = None
        images = np.random.default_rng(seed).random((4, *shape))
        self.outputs(images)  # builds what is not built yet, which calls layers as well
        recorder = CallRecorder()
        with recorder.watching():
            outputs = self.outputs(images)
        if outputs.ndim != 2:
            raise TypeError(f"the model returns an array {outputs.shape}, one (n, classes) expected")
        self._slots = recorder.slots
        self._capture: Any = None
        self.described = Described(
            framework=f"Keras on {keras.backend.backend()}",
            layers=tuple(recorder.layers),
            parameters=sum(math.prod(weight.shape) for weight in model.trainable_weights),
            outputs=outputs.shape[1],
            unmapped=tuple(recorder.unmapped(model)),
            single=tuple(recorder.single),
        )

    def load(self, weights: Mapping[str, Array]) -> None:
        for name, value in weights.items():
            variable, layout = self._slots[name]
            variable.assign(layout.own(value, variable.shape))

    def weights(self) -> dict[str, Array]:
        return {name: layout.neutral(_array(variable)) for name, (variable, layout) in self._slots.items()}

    def outputs(self, images: Array) -> Array:
        return np.asarray(_array(self._model(self._fitted(images), training=False)), np.float64)

    def stop_dropout(self) -> None:
        for layer in self._model._flatten_layers():
            for setting in ("rate", "stddev"):
                if type(layer).__name__ in DROPOUTS and hasattr(layer, setting):
                    setattr(layer, setting, 0.0)

    def gradients(self, images: Array, labels: NDArray[np.int64], kind: OutputKind) -> tuple[float, dict[str, Array]]:
        if self._compiled != kind:
            self._capture = _capture()
            self._model.compile(optimizer=self._capture, loss=_loss(kind), jit_compile=False)
            self._compiled = kind
        targets = np.eye(self.described.outputs)[labels]
        answer = self._model.train_on_batch(self._fitted(images), targets, return_dict=True)
        found = {id(variable): value for variable, value in self._capture.captured()}
        gradients = {
            name: layout.neutral(_array(found[id(variable)]))
            for name, (variable, layout) in self._slots.items()
            if id(variable) in found
        }
        return float(answer["loss"]), gradients

    def _fitted(self, images: Array) -> Array:
        """Images without their channel axis, or as vectors, if the model's input shape asks for that."""
        wanted = getattr(self._model, "input_shape", None)
        if not isinstance(wanted, tuple) or None in wanted[1:] or wanted[1:] == images.shape[1:]:
            return images
        return images.reshape(len(images), *wanted[1:]) if math.prod(wanted[1:]) == images[0].size else images


def _array(value: Any) -> NDArray[Any]:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(value))


def _loss(kind: OutputKind) -> Any:
    from keras import ops

    def cross_entropy(targets: Any, outputs: Any) -> Any:
        if kind == "logits":
            outputs = ops.log_softmax(outputs, axis=-1)
        elif kind == "probabilities":
            outputs = ops.log(outputs)
        return -ops.sum(targets * outputs, axis=-1)

    return cross_entropy


def _capture() -> Any:
    """An optimiser that keeps each gradient and changes no weight."""
    import keras

    class Capture(keras.optimizers.Optimizer):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__(learning_rate=1.0)

        def build(self, variables: Sequence[Any]) -> None:
            if not self.built:
                super().build(variables)
                self._kept = [self.add_variable_from_reference(variable, name="gradient") for variable in variables]

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            kept = self._kept[self._get_variable_index(variable)]
            self.assign(kept, keras.ops.cast(gradient, kept.dtype))

        def captured(self) -> Iterator[tuple[Any, Any]]:
            return zip(self._trainable_variables, self._kept, strict=True)

    return Capture()
