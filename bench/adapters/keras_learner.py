"""A compiled Keras model and its training data, on any backend: trained by one ``fit``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.base import DeviceMemory, Epoch, Learner, Predictor, Progress, Scores, TrainingPlan
from bench.adapters.keras_backend import KerasBackend
from bench.adapters.keras_input import KerasArrays, KerasInput
from bench.adapters.keras_loss import loss_settings, make_loss
from bench.adapters.keras_model import BuiltModel
from bench.adapters.keras_network import load_weights, read_weights
from bench.adapters.keras_optimizer import make_optimizer, optimizer_settings
from bench.adapters.keras_pauses import MANY, Counted, pausing
from bench.adapters.keras_pixels import Images, Pixels
from bench.case import Case

if TYPE_CHECKING:
    from numpy.typing import NDArray


class KerasLearner(Learner):
    """The matched track, and what the idiomatic one shares with it.

    Metrics, callbacks and the progress bar are off; the images stay as stored and are converted inside the model, or
    by the pipeline.
    """

    metrics: tuple[str, ...] = ()
    """Metrics for ``compile``, computed in each step with the loss."""
    predict_way = "the compiled call, not Model.predict"

    def __init__(
        self,
        built: BuiltModel,
        data: KerasArrays | KerasInput,
        backend: KerasBackend,
        case: Case,
        plan: TrainingPlan,
    ) -> None:
        self._model = built.trained
        self._built = built
        self._data = data
        self._backend = backend
        self._counted = Counted(built.trained)
        self._model.compile(
            optimizer=make_optimizer(self._model, plan, kernels_alone=case.track == "matched"),
            loss=make_loss(built.logits, plan.label_smoothing, plan.class_weights),
            metrics=list(self.metrics) or None,
            steps_per_execution=case.steps_per_execution,
            **backend.compile_arguments(),
        )

    def train(self, epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        coming = iter(epochs)
        first = next(coming, None)
        if first is None:
            return
        given = self._data.arguments(first)
        course = first, self._following(coming)
        pauses = pausing(self._model, self._counted, course, self._paused(pause), alone=not self.metrics)
        try:
            with self._backend.scope():
                self._model.fit(**given, epochs=MANY, verbose=0, callbacks=pauses)
        finally:
            if isinstance(self._data, KerasInput):
                self._data.end()

    def _following(self, coming: Iterator[Epoch]) -> Iterator[Epoch]:
        """The epochs after the first; requesting one sets its rows."""
        for epoch in coming:
            if isinstance(self._data, KerasInput) and epoch.order is not None:
                self._data.take(epoch)
            yield epoch

    def _paused(self, pause: Callable[[], None]) -> Callable[[], None]:
        def paused() -> None:
            with self._backend.paused(self._model):
                pause()
            if isinstance(self._data, KerasInput):
                self._data.resume()

        return paused

    def progress(self) -> Progress:
        return self._counted.progress()

    def batches(self, order: NDArray[np.int64]) -> Iterator[object] | None:
        data = self._data
        return data.over(order) if isinstance(data, KerasInput) and data.pixels is not None else None

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
        return "logits" if self._built.answers_logits else "probabilities"

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
            "metrics": self._metrics(),
            "execution": self._backend.execution_of(model),
            "jit_compile": bool(model.jit_compile),
            "steps_per_execution": int(getattr(model, "steps_per_execution", 1) or 1),
            "precision": str(model.dtype_policy.name),
            "input": "resident" if getattr(self._data, "pixels", None) is None else "loader",
            "predict": self.predict_way,
            **self._backend.settings(),
        }

    def _metrics(self) -> list[str]:
        """Names of the metrics of each step except the loss, known after the first."""
        return [name for metric in self._model.metrics for name in _names(metric) if name != "loss"]


def _names(metric: Any) -> list[str]:
    """The names in a metric: metrics compiled together form one."""
    inner = getattr(metric, "metrics", None)
    return [one.name for one in inner] if inner else [metric.name]


class IdiomaticKerasLearner(KerasLearner):
    """Keras' tutorial style: pixels converted beforehand, accuracy in every step, ``Model.predict``."""

    metrics = ("accuracy",)
    predict_way = "Model.predict"

    def __init__(
        self,
        built: BuiltModel,
        data: KerasArrays | KerasInput,
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
