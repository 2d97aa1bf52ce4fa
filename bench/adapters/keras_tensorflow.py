"""Keras on TensorFlow behind the common interface: ``fit`` on arrays in memory, graph execution."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bench.adapters.base import Adapter, DeviceMemory, Learner, Predictor, Probe, Scores, TrainingPlan
from bench.adapters.keras_network import (
    compile_network,
    load_weights,
    make_optimizer,
    optimizer_settings,
    read_weights,
    scaling,
)
from bench.case import Case
from bench.models import native
from bench.models.model import Model, NativeModel, Network
from bench.models.network import PlacedNetwork, place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.datasets.dataset import Split

    Images = NDArray[np.uint8] | NDArray[np.float32]


class KerasTensorFlowAdapter(Adapter):
    """Keras with its TensorFlow backend, on ``cpu`` or ``cuda:N`` (TensorFlow's ``GPU:N``)."""

    name = "keras-tensorflow"
    packages = ("keras", "tensorflow")
    extra = "keras-tensorflow"
    builder = "keras"
    execution = "graph"
    start_s = 6.5

    def environment(self, case: Case) -> dict[str, str]:
        return {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}

    def prepare(self, case: Case) -> None:
        os.environ["KERAS_BACKEND"] = "tensorflow"
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(case.threads)
        tf.config.threading.set_inter_op_parallelism_threads(case.threads)
        if case.device == "cpu":
            tf.config.set_visible_devices([], "GPU")
        else:
            tf.config.experimental.enable_tensor_float_32_execution(False)  # float32 means float32
        import keras

        # what the user's own keras.json says is not to change what is compared
        keras.config.set_floatx("float32")
        keras.config.set_image_data_format("channels_last")
        keras.config.disable_interactive_logging()

    def probe(self) -> Probe:
        import keras
        import tensorflow as tf

        found = tf.config.list_physical_devices("GPU")
        names = [str(tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")) for gpu in found]
        threads = {
            "intra-op": tf.config.threading.get_intra_op_parallelism_threads(),
            "inter-op": tf.config.threading.get_inter_op_parallelism_threads(),
        }
        versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
        return Probe(("cpu", *(f"cuda:{index}" for index in range(len(found)))), versions, threads, tuple(names))

    def out_of_memory(self, error: BaseException) -> bool:
        import tensorflow as tf

        return isinstance(error, MemoryError | tf.errors.ResourceExhaustedError)

    def build(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Learner:
        import tensorflow as tf

        # not keras.utils.set_random_seed, which would import whatever other framework is installed
        tf.random.set_seed(plan.seed)
        random.seed(plan.seed)  # where a Keras layer without a seed of its own, such as Dropout, draws one
        with tf.device(_device(case.device)):
            if isinstance(model, Network):
                placed = place(model, train.shape, train.classes)
                built = compile_network(placed, train.scale, str(train.images.dtype))
                learner = KerasLearner(built, placed, True, case.device, train, plan)
                if plan.initial_weights is not None:
                    learner.set_weights(plan.initial_weights)
                return learner
            if not isinstance(model, NativeModel):
                raise TypeError(f"{model.name} is no network")
            wrapped, logits = _wrap(model, self.builder, train, plan)
            return KerasLearner(wrapped, None, logits, case.device, train, plan)


def _device(name: str) -> str:
    return "/CPU:0" if name == "cpu" else f"/GPU:{name.rpartition(':')[2]}"


def _scope(name: str) -> AbstractContextManager[object]:
    """Placement on a device. None on the CPU: its worker sees no GPU, and a scope costs 2 % of a call on one sample."""
    import tensorflow as tf

    return nullcontext() if name == "cpu" else cast(AbstractContextManager[object], tf.device(_device(name)))


def _wrap(model: NativeModel, kind: str, train: Split, plan: TrainingPlan) -> tuple[Any, bool]:
    """The user's model behind the scaling of stored pixels, and whether it gives logits (else probabilities)."""
    import keras

    built = native.build(model, kind, train.shape, train.classes, plan.seed)
    if not isinstance(built, keras.Model):
        raise native.ModelFault(f"{model.name}: built a {type(built).__name__}, a keras.Model expected")
    inputs = keras.Input(train.shape, dtype=str(train.images.dtype))
    try:
        outputs = built(scaling(train.scale)(inputs))
    except Exception as error:  # the user's layers may raise anything
        raise native.ModelFault(f"{model.name}: {native.describe(error, model)}") from error
    return keras.Model(inputs, outputs), not _ends_in_softmax(built)


def _ends_in_softmax(model: Any) -> bool:
    last = model.layers[-1] if model.layers else None
    activation = getattr(last, "activation", None)
    return type(last).__name__ == "Softmax" or getattr(activation, "__name__", "") == "softmax"


class KerasLearner(Learner):
    """A compiled Keras model and its training data as host arrays, stepped by ``fit``.

    A ``fit`` call costs 40 to 100 ms whatever it trains, so the finest figure is the epoch. Metrics, callbacks and
    the progress bar are off; the images stay as stored and are scaled inside the model.
    """

    granularity = "epoch"

    def __init__(
        self, model: Any, placed: PlacedNetwork | None, logits: bool, device: str, train: Split, plan: TrainingPlan
    ) -> None:
        import keras

        assert plan.optimizer is not None
        self._model = model
        self._placed = placed
        self._logits = logits
        self._device = device
        self._images = np.ascontiguousarray(train.images)
        self._labels = np.ascontiguousarray(train.labels)
        self._batch_size = plan.batch_size
        model.compile(
            optimizer=make_optimizer(plan.optimizer, plan.learning_rates),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=logits),
            jit_compile=False,
        )

    def train(self, order: NDArray[np.int64] | None) -> float | None:

        images, labels = (self._images, self._labels) if order is None else (self._images[order], self._labels[order])
        with _scope(self._device):
            history = self._model.fit(
                images, labels, batch_size=self._batch_size, epochs=1, shuffle=order is None, verbose=0
            )
        return float(history.history["loss"][0])

    def predictor(self, batch_size: int, *, decisions_only: bool = False) -> Predictor:
        compiled, device, kind = self._compiled, self._device, "logits" if self._logits else "probabilities"

        def predict(images: Images) -> Scores:
            size = batch_size or len(images)
            with _scope(device):
                parts = [compiled(images[start : start + size]) for start in range(0, len(images), size)]
            values = parts[0].numpy() if len(parts) == 1 else np.concatenate([part.numpy() for part in parts])
            return Scores(values.argmax(axis=-1), values, kind)  # type: ignore[arg-type]

        return predict

    @cached_property
    def _compiled(self) -> Any:
        """The model in evaluation mode as a graph for batches of any size, traced once."""
        import tensorflow as tf

        model = self._model
        signature = [tf.TensorSpec((None, *self._images.shape[1:]), self._images.dtype)]
        return tf.function(lambda images: model(images, training=False), input_signature=signature)

    def synchronize(self) -> None:
        import tensorflow as tf

        if self._device != "cpu":
            tf.test.experimental.sync_devices()

    def reset_device_peak(self) -> None:
        import tensorflow as tf

        if self._device != "cpu":
            tf.config.experimental.reset_memory_stats(_device(self._device).lstrip("/"))

    def device_memory(self) -> DeviceMemory | None:
        import tensorflow as tf

        if self._device == "cpu":
            return None
        found = tf.config.experimental.get_memory_info(_device(self._device).lstrip("/"))
        return DeviceMemory(int(found["peak"]), int(found["current"]))

    def weights(self) -> dict[str, NDArray[np.float32]]:
        if self._placed is None:
            return {f"{index}/{weight.path}": weight.numpy() for index, weight in enumerate(self._model.weights)}
        return read_weights(self._placed, self._model)

    def set_weights(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        if self._placed is None:
            raise ValueError("a native model's weights have no neutral layout")
        load_weights(self._placed, self._model, weights)

    def parameter_count(self) -> int | None:
        return sum(int(np.prod(weight.shape)) for weight in self._model.trainable_weights)

    def settings(self) -> dict[str, object]:
        import keras
        import tensorflow as tf

        return {
            "optimizer": optimizer_settings(self._model),
            "loss": f"cross-entropy on {'logits' if self._logits else 'probabilities'}, mean over the batch",
            "execution": "eager" if self._model.run_eagerly else "graph",
            "jit_compile": bool(self._model.jit_compile),
            "steps_per_execution": int(getattr(self._model, "steps_per_execution", 1) or 1),
            "precision": str(keras.config.floatx()),
            "tf32": bool(tf.config.experimental.tensor_float_32_execution_enabled()) and self._device != "cpu",
            "predict": "the compiled call, not Model.predict",
        }
