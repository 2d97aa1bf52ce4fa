"""Keras on JAX: compiled by XLA by default, ``PyDataset`` as its input pipeline."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from bench.adapters.base import DeviceMemory, Probe
from bench.adapters.keras_adapter import KerasAdapter, configure_keras
from bench.adapters.keras_backend import KerasBackend, answer
from bench.adapters.keras_input import HostBatches
from bench.adapters.keras_pixels import Images, Pixels
from bench.case import Case, Execution

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DEBUGGING = ("jax_disable_jit", "jax_debug_nans", "jax_debug_infs", "jax_enable_checks", "jax_check_tracer_leaks")
"""Switches of JAX that change what is timed."""
_PLATFORMS = {"cuda": "gpu"}
"""JAX's names for device kinds, where they are not ours."""


class KerasJaxAdapter(KerasAdapter):
    """Keras with its JAX backend, on ``cpu``, ``cuda:N`` (JAX's ``gpu:N``) or ``tpu:N``.

    XLA can show the CPU as several devices (``XLA_FLAGS=--xla_force_host_platform_device_count=2``); the others are
    ``cpu:1`` and so on.
    """

    name = "keras-jax"
    packages = ("keras", "jax")
    extra = "keras-jax"
    kinds = ("cpu", "cuda", "tpu")
    execution = "compiled"
    executions = ("eager", "compiled")
    reasons: ClassVar[Mapping[str, str]] = {"graph": "JAX traces a function only to compile it"}
    start_s = 5.0

    def environment(self, case: Case) -> dict[str, str]:
        found = {
            "KERAS_BACKEND": "jax",
            "JAX_ENABLE_X64": "1" if case.precision == "float64" else "0",
            "PJRT_NPROC": str(case.threads),  # the size of XLA's pool on the CPU
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # else it takes most of a GPU's memory at once
        }
        if case.device.startswith("cpu"):
            found["JAX_PLATFORMS"] = "cpu"
        # the only user flag that is kept, because it decides which devices are visible
        count = re.search(r"--xla_force_host_platform_device_count=\d+", os.environ.get("XLA_FLAGS", ""))
        return found | ({"XLA_FLAGS": count[0]} if count else {})

    def compile_cache(self, folder: str) -> dict[str, str]:
        return {
            "JAX_COMPILATION_CACHE_DIR": folder,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }

    def prepare(self, case: Case) -> None:
        os.environ.update(self.environment(case))
        import jax

        jax.config.update("jax_enable_x64", case.precision == "float64")
        if not case.device.startswith("cpu"):
            jax.config.update("jax_default_matmul_precision", "highest")  # no TF32: float32 means float32
        configure_keras(case)

    def probe(self) -> Probe:
        import jax
        import keras

        devices: list[str] = []
        names: list[str] = []
        for kind in ("cpu", "cuda", "tpu"):
            found = _devices(kind)
            devices += [f"{kind}:{index}" if index or kind != "cpu" else kind for index in range(len(found))]
            names += [str(device.device_kind) for device in found if kind != "cpu"]
        versions = {"keras": keras.__version__, "jax": jax.__version__}
        return Probe(tuple(devices), versions, _threads(), tuple(names))

    def out_of_memory(self, error: BaseException) -> bool:
        import jax

        exhausted = isinstance(error, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" in str(error)
        return exhausted or isinstance(error, MemoryError)

    def seed(self, seed: int) -> None:
        """Do nothing: JAX's random numbers need a key, which Keras draws from Python's generator."""

    def backend(self, case: Case) -> JaxBackend:
        return JaxBackend(case)


def _devices(kind: str) -> list[Any]:
    import jax

    try:
        return list(jax.devices(_PLATFORMS.get(kind, kind)))
    except RuntimeError:  # JAX knows no such kind of device here
        return []


def _threads() -> dict[str, int]:
    """Threads of XLA's pool on the CPU: counted if the system shows a process's threads, else as requested."""
    tasks = Path("/proc/self/task")
    if tasks.is_dir():
        return {"intra-op": sum("XLAEigen" in _thread_name(task) for task in tasks.iterdir())}
    return {"intra-op": int(os.environ["PJRT_NPROC"])}


def _thread_name(task: Path) -> str:
    try:
        return (task / "comm").read_text()
    except OSError:  # a thread that has ended since it was listed
        return ""


class JaxBackend(KerasBackend):
    """JAX on one device."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        kind, _, index = case.device.partition(":")
        self._jax_device = _devices(kind)[int(index or 0)]

    def scope(self) -> AbstractContextManager[object]:
        import jax

        if self.device == "cpu":
            return nullcontext()  # JAX's own default here: its worker sees nothing else
        return cast(AbstractContextManager[object], jax.default_device(self._jax_device))

    def compile_arguments(self) -> dict[str, object]:
        return {"run_eagerly": self.execution == "eager", "jit_compile": self.execution == "compiled"}

    def execution_of(self, model: Any) -> Execution:
        import jax

        compiled = model.jit_compile and not model.run_eagerly and not jax.config.jax_disable_jit
        return "compiled" if compiled else "eager"

    def forward(self, model: Any) -> Callable[[Images], Any]:
        """The model as a function of its weights, compiled for each size of batch it meets."""
        import jax

        if self.execution == "eager":
            return lambda images: answer(model, images)
        narrow = model.compute_dtype in ("bfloat16", "float16")

        def call(trained: list[Any], fixed: list[Any], images: Any) -> Any:
            outputs, _ = model.stateless_call(trained, fixed, images, training=False)
            return outputs.astype("float32") if narrow else outputs

        compiled = jax.jit(call)

        # kept here, because Keras walks through all layers at each request
        trained, fixed = list(model.trainable_variables), list(model.non_trainable_variables)

        def forward(images: Images) -> Any:
            return compiled([one.value for one in trained], [one.value for one in fixed], images)

        return forward

    def on_host(self, outputs: Any) -> NDArray[Any]:
        return np.asarray(outputs)

    def resident(self, images: Images, labels: NDArray[np.int64], batch_size: int) -> HostBatches:
        return HostBatches(images, labels, None, batch_size)

    def loader(self, images: Images, labels: NDArray[np.int64], pixels: Pixels, batch_size: int) -> HostBatches:
        return HostBatches(images, labels, pixels, batch_size)

    def paused(self, model: Any) -> AbstractContextManager[object]:
        """Sync the weights, which the trainer holds within an epoch; it reads them back after the pause."""
        model.jax_state_sync()
        return nullcontext()

    def synchronize(self, model: Any) -> None:
        """Wait for the weights, which are computed last: JAX is asynchronous, on the CPU too."""
        import jax

        jax.block_until_ready([variable.value for variable in (*model.variables, *model.optimizer.variables)])

    def reset_device_peak(self) -> None:
        """Do nothing: JAX keeps one peak per process, which builds and trains this one model."""

    def device_memory(self) -> DeviceMemory | None:
        found = None if self.device.startswith("cpu") else self._jax_device.memory_stats()
        return DeviceMemory(int(found["peak_bytes_in_use"]), int(found["bytes_in_use"])) if found else None

    def settings(self) -> dict[str, object]:
        import jax

        asked = jax.config.jax_default_matmul_precision
        tf32 = not self.device.startswith("cpu") and asked not in ("highest", "float32")
        return {
            "tf32": tf32,
            "x64": bool(jax.config.jax_enable_x64),
            "threads": _threads()["intra-op"],
            "debugging": [name for name in _DEBUGGING if getattr(jax.config, name)],
        }
