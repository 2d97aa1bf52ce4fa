"""Keras on TensorFlow: graphs by default, XLA where compiled, ``tf.data`` as its input pipeline."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bench.adapters.base import DeviceMemory, Epoch, Probe
from bench.adapters.keras_adapter import KerasAdapter, configure_keras
from bench.adapters.keras_backend import KerasBackend, answer
from bench.adapters.keras_input import KerasInput
from bench.adapters.keras_pixels import Images, Pixels
from bench.case import Case, Execution
from bench.models.model import MaxPool, Model, Network

if TYPE_CHECKING:
    from numpy.typing import NDArray


class KerasTensorFlowAdapter(KerasAdapter):
    """Keras with its TensorFlow backend, on ``cpu`` or ``cuda:N`` (TensorFlow's ``GPU:N``)."""

    name = "keras-tensorflow"
    packages = ("keras", "tensorflow")
    extra = "keras-tensorflow"
    kinds = ("cpu", "cuda")
    execution = "graph"
    executions = ("eager", "graph", "compiled")
    start_s = 6.5

    def unsupported(self, case: Case, model: Model, shape: tuple[int, ...], classes: int) -> str | None:
        layers = model.layers if isinstance(model, Network) and len(shape) == 4 else ()
        if case.precision == "float64" and any(isinstance(layer, MaxPool) for layer in layers):
            return "TensorFlow has no 3D max pooling in float64."
        return super().unsupported(case, model, shape, classes)

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
        configure_keras(case)

    def probe(self) -> Probe:
        import keras
        import tensorflow as tf

        found = tf.config.list_physical_devices("GPU")
        names = [str(tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")) for gpu in found]
        versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
        return Probe(("cpu", *(f"cuda:{index}" for index in range(len(found)))), versions, _threads(), tuple(names))

    def out_of_memory(self, error: BaseException) -> bool:
        import tensorflow as tf

        return isinstance(error, MemoryError | tf.errors.ResourceExhaustedError)

    def seed(self, seed: int) -> None:
        import tensorflow as tf

        tf.random.set_seed(seed)

    def backend(self, case: Case) -> TensorFlowBackend:
        return TensorFlowBackend(case)


def _threads() -> dict[str, int]:
    import tensorflow as tf

    return {
        "intra-op": tf.config.threading.get_intra_op_parallelism_threads(),
        "inter-op": tf.config.threading.get_inter_op_parallelism_threads(),
    }


def _debugging() -> list[str]:
    """TensorFlow's debugging switches that are on: they change what is timed."""
    import tensorflow as tf
    from tensorflow.python.framework import op_callbacks  # check_numerics and dumping have no public getter

    switches = {
        "tf.functions run eagerly": tf.config.functions_run_eagerly(),
        "numerics checked": bool(op_callbacks.should_invoke_op_callbacks()),
    }
    return [name for name, is_on in switches.items() if is_on]


def _device(name: str) -> str:
    return "/CPU:0" if name == "cpu" else f"/GPU:{name.rpartition(':')[2]}"


class TensorFlowBackend(KerasBackend):
    """TensorFlow on one device."""

    def scope(self) -> AbstractContextManager[object]:
        """Empty on the CPU: its worker sees no GPU; a scope costs 2 % of a call on one sample."""
        import tensorflow as tf

        if self.device == "cpu":
            return nullcontext()
        return cast(AbstractContextManager[object], tf.device(_device(self.device)))

    def compile_arguments(self) -> dict[str, object]:
        return {"run_eagerly": self.execution == "eager", "jit_compile": self.execution == "compiled"}

    def execution_of(self, model: Any) -> Execution:
        import tensorflow as tf

        if model.run_eagerly or tf.config.functions_run_eagerly():
            return "eager"
        return "compiled" if model.jit_compile else "graph"

    def forward(self, model: Any) -> Callable[[Images], Any]:
        """The model as a graph for batches of any size, traced once; XLA compiles it for each size it meets."""
        import tensorflow as tf

        if self.execution == "eager":
            return lambda images: answer(model, images)
        signature = [tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)]
        traced = tf.function(
            lambda images: answer(model, images),
            input_signature=signature,
            jit_compile=self.execution == "compiled" or None,
        )
        graph: Any = None

        def forward(images: Images) -> Any:
            # finding a tf.function's graph by its arguments takes half as long as answering one sample
            nonlocal graph
            graph = graph or traced.get_concrete_function()
            return graph(tf.constant(images, signature[0].dtype))

        return forward

    def on_host(self, outputs: Any) -> NDArray[Any]:
        return cast("NDArray[Any]", outputs.numpy())

    def resident(self, images: Images, labels: NDArray[np.int64], batch_size: int) -> TensorFlowInput:
        return TensorFlowInput(images, labels, None, batch_size, endless=self.one_step)

    def loader(self, images: Images, labels: NDArray[np.int64], pixels: Pixels, batch_size: int) -> TensorFlowInput:
        return TensorFlowInput(images, labels, pixels, batch_size, endless=self.one_step)

    def synchronize(self, model: Any) -> None:
        import tensorflow as tf

        if self.device != "cpu":
            tf.test.experimental.sync_devices()

    def reset_device_peak(self) -> None:
        import tensorflow as tf

        if self.device != "cpu":
            tf.config.experimental.reset_memory_stats(_device(self.device).lstrip("/"))

    def device_memory(self) -> DeviceMemory | None:
        import tensorflow as tf

        if self.device == "cpu":
            return None
        found = tf.config.experimental.get_memory_info(_device(self.device).lstrip("/"))
        return DeviceMemory(int(found["peak"]), int(found["current"]))

    def settings(self) -> dict[str, object]:
        import tensorflow as tf

        allowed = bool(tf.config.experimental.tensor_float_32_execution_enabled())
        tf32 = allowed and self.device != "cpu"
        return {"tf32": tf32, "threads": _threads()["intra-op"], "debugging": _debugging()}


class TensorFlowInput(KerasInput):
    """``tf.data`` on the host: rows gathered by batch as stored, or row by row and converted; both fetched ahead.

    The rows up to the next pause go through a queue, for which the pipeline waits: it does nothing in a pause. So one
    ``endless`` pipeline serves a whole training. From one that ends with the epoch, Keras would make two iterators
    per epoch, at some milliseconds each.
    """

    def __init__(
        self, images: Images, labels: NDArray[np.int64], pixels: Pixels | None, batch_size: int, *, endless: bool
    ) -> None:
        import tensorflow as tf

        with tf.device("/CPU:0"):
            super().__init__(tf.constant(images), tf.constant(labels), pixels, batch_size)
        self._endless = endless
        self._queue: Any = None
        self._ahead: deque[NDArray[np.int64]] = deque()
        """Rows of this epoch after the next pause, pause by pause."""

    def arguments(self, first: Epoch) -> dict[str, Any]:
        import tensorflow as tf

        if first.order is None:
            return super().arguments(first)
        with tf.device("/CPU:0"):
            self._queue = tf.queue.FIFOQueue(1, [tf.int64])
        given = super().arguments(first)
        return given | {"steps_per_epoch": self.batches} if self._endless else given

    def take(self, epoch: Epoch) -> None:
        assert epoch.order is not None
        ends = [batches * self.batch_size for batches in epoch.pauses[:-1]]
        self._ahead.extend(np.split(epoch.order, ends))
        self.resume()

    def resume(self) -> None:
        if self._ahead:
            self._queue.enqueue(self._ahead.popleft())

    def end(self) -> None:
        if self._queue is not None:
            self._queue.close()  # a pipeline that still waits when the process ends would crash it

    def ordered(self) -> Any:
        import tensorflow as tf

        stretches = tf.data.Dataset.range(1).repeat().map(lambda _: self._dequeued())
        whole = -1 if self._endless else self.batches  # limits come before parallel stages, which would read on
        if self.pixels is None:
            chosen = stretches.flat_map(self._cut).take(whole)
            batches = chosen.map(
                lambda rows: (tf.gather(self.images, rows), tf.gather(self.labels, rows)), tf.data.AUTOTUNE
            )
            # as Keras' own pipeline over arrays: optimising the graph would cost more than it gives
            options = tf.data.Options()
            options.experimental_optimization.apply_default_optimizations = False
            batches = batches.with_options(options)
        else:
            from_rows = tf.data.Dataset.from_tensor_slices
            batches = stretches.flat_map(lambda rows: self._row_by_row(from_rows(rows))).take(whole)
        if not self._endless:
            batches = batches.apply(tf.data.experimental.assert_cardinality(self.batches))
        return batches.prefetch(tf.data.AUTOTUNE)

    def _dequeued(self) -> Any:
        rows = self._queue.dequeue()
        rows.set_shape([None])
        return rows

    def _cut(self, rows: Any) -> Any:
        """Rows as a data set of the rows of each batch, the last of which may be short."""
        import tensorflow as tf

        count = tf.size(rows, tf.int64)
        full = count - count % self.batch_size
        whole = tf.data.Dataset.from_tensor_slices(tf.reshape(rows[:full], [-1, self.batch_size]))
        short = tf.data.Dataset.from_tensors(rows[full:]).take(tf.cast(full < count, tf.int64))
        return whole.concatenate(short)

    def shuffled(self) -> Any:
        import tensorflow as tf

        return self._row_by_row(tf.data.Dataset.range(self.rows).shuffle(self.rows)).prefetch(tf.data.AUTOTUNE)

    def _row_by_row(self, rows: Any) -> Any:
        import tensorflow as tf

        images, labels, pixels = self.images, self.labels, self.pixels

        def example(row: Any) -> tuple[Any, Any]:
            image = tf.gather(images, row)
            if pixels is not None:
                image = tf.cast(image, pixels.dtype) * pixels.factor
                if np.any(pixels.offset):
                    image += pixels.offset
            return image, tf.gather(labels, row)

        return rows.map(example, tf.data.AUTOTUNE).batch(self.batch_size)
