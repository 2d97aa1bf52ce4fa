"""A compiled Keras model and its training data, on any backend: stepped by ``fit``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.base import DeviceMemory, Learner, Predictor, ReadLoss, Scores, TrainingPlan
from bench.adapters.keras_backend import KerasBackend, KerasPipeline
from bench.adapters.keras_loss import loss_settings, make_loss
from bench.adapters.keras_model import BuiltModel
from bench.adapters.keras_network import load_weights, read_weights
from bench.adapters.keras_optimizer import make_optimizer, optimizer_settings
from bench.adapters.keras_pixels import Images, Pixels
from bench.case import Case

if TYPE_CHECKING:
    from numpy.typing import NDArray


class KerasArrays:
    """A training part as arrays on the host, whose rows are gathered anew for every call of ``fit``."""

    def __init__(self, images: NDArray[Any], labels: NDArray[np.int64], batch_size: int) -> None:
        self._images = np.ascontiguousarray(images)
        self._labels = np.ascontiguousarray(labels)
        self._batch_size = batch_size

    def arguments(self, order: NDArray[np.int64] | None) -> dict[str, Any]:
        """What ``fit`` is given for the rows of ``order``, or for all rows in Keras' own order."""
        images, labels = (self._images, self._labels) if order is None else (self._images[order], self._labels[order])
        return {"x": images, "y": labels, "batch_size": self._batch_size, "shuffle": order is None}


class KerasLearner(Learner):
    """The matched track, and what the idiomatic one shares with it.

    A ``fit`` call costs tens of milliseconds whatever it trains, so the finest figure is the epoch. Metrics, callbacks
    and the progress bar are off; the images stay as stored and are converted inside the model, or by the pipeline.
    """

    granularity = "epoch"
    metrics: tuple[str, ...] = ()
    """What ``compile`` is asked to compute in each step besides the loss."""
    predict_way = "the compiled call, not Model.predict"

    def __init__(
        self,
        built: BuiltModel,
        data: KerasArrays | KerasPipeline,
        backend: KerasBackend,
        case: Case,
        plan: TrainingPlan,
    ) -> None:
        self._model = built.trained
        self._built = built
        self._data = data
        self._backend = backend
        self._reported: tuple[str, ...] = ()
        self._model.compile(
            optimizer=make_optimizer(self._model, plan, kernels_alone=case.track == "matched"),
            loss=make_loss(built.logits, plan.label_smoothing, plan.class_weights),
            metrics=list(self.metrics) or None,
            steps_per_execution=case.steps_per_execution,
            **backend.compile_arguments(),
        )

    def train(self, order: NDArray[np.int64] | None) -> ReadLoss | None:
        data = self._data
        given = {"x": data.over(order), "shuffle": False} if isinstance(data, KerasPipeline) else data.arguments(order)
        with self._backend.scope():
            history = self._model.fit(**given, epochs=1, verbose=0).history
        self._reported = tuple(history)
        return lambda: float(history["loss"][0])

    def batches(self, order: NDArray[np.int64]) -> Iterator[object] | None:
        return self._data.batches(order) if isinstance(self._data, KerasPipeline) else None

    def predictor(self, batch_size: int, *, decisions_only: bool = False) -> Predictor:
        forward, backend, kind = self._forward, self._backend, self._kind
        on_host = backend.on_host

        def predict(images: Images) -> Scores:
            size = batch_size or len(images)
            with backend.scope():
                parts = [forward(images[start : start + size]) for start in range(0, len(images), size)]
            values = on_host(parts[0]) if len(parts) == 1 else np.concatenate([on_host(part) for part in parts])
            return Scores(values.argmax(axis=-1), values, kind)  # type: ignore[arg-type]

        return predict

    @property
    def _kind(self) -> str:
        return "logits" if self._built.logits else "probabilities"

    @cached_property
    def _forward(self) -> Any:
        return self._backend.forward(self._built.answering)

    def synchronize(self) -> None:
        self._backend.synchronize(self._model)

    def reset_device_peak(self) -> None:
        self._backend.reset_device_peak()

    def device_memory(self) -> DeviceMemory | None:
        return self._backend.device_memory()

    def weights(self) -> dict[str, NDArray[np.float32]]:
        if self._built.placed is None:
            return {f"{index}/{weight.path}": weight.numpy() for index, weight in enumerate(self._model.weights)}
        return read_weights(self._built.placed, self._model)

    def set_weights(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        if self._built.placed is None:
            raise ValueError("a native model's weights have no neutral layout")
        load_weights(self._built.placed, self._model, weights)

    def parameter_count(self) -> int | None:
        return sum(int(np.prod(weight.shape)) for weight in self._model.trainable_weights)

    def settings(self) -> dict[str, object]:
        import keras

        model = self._model
        return {
            "backend": str(keras.config.backend()),
            "optimizer": optimizer_settings(model),
            "loss": loss_settings(model, self._built.logits),
            "metrics": [name for name in self._reported or model.metrics_names if name != "loss"],
            "execution": self._backend.execution_of(model),
            "jit_compile": bool(model.jit_compile),
            "steps_per_execution": int(getattr(model, "steps_per_execution", 1) or 1),
            "precision": str(model.dtype_policy.name),
            "input": "loader" if isinstance(self._data, KerasPipeline) else "resident",
            "predict": self.predict_way,
            **self._backend.settings(),
        }


class IdiomaticKerasLearner(KerasLearner):
    """As Keras' tutorials train: pixels converted beforehand, accuracy in every step, ``Model.predict``."""

    metrics = ("accuracy",)
    predict_way = "Model.predict"

    def __init__(
        self,
        built: BuiltModel,
        data: KerasArrays | KerasPipeline,
        backend: KerasBackend,
        case: Case,
        plan: TrainingPlan,
        pixels: Pixels,
    ) -> None:
        super().__init__(built, data, backend, case, plan)
        self._pixels = pixels

    def predictor(self, batch_size: int, *, decisions_only: bool = False) -> Predictor:
        model, backend, pixels, kind = self._model, self._backend, self._pixels, self._kind

        def predict(images: Images) -> Scores:
            with backend.scope():
                found = model.predict(pixels.convert(images), batch_size=batch_size or len(images), verbose=0)
            values = np.asarray(found)
            if values.dtype not in (np.float32, np.float64):  # those of a 16-bit precision
                values = values.astype(np.float32)
            return Scores(values.argmax(axis=-1), values, kind)  # type: ignore[arg-type]

        return predict
