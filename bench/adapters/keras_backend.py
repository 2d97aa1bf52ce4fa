"""The parts that differ between Keras' backends: devices, execution, the prediction call, memory, the input."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from bench.adapters.base import DeviceMemory
from bench.adapters.keras_input import KerasInput
from bench.adapters.keras_pixels import Images, Pixels
from bench.case import Case, Execution

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class KerasBackend(ABC):
    """One of Keras' backends on the device of a case, in the execution of a case."""

    def __init__(self, case: Case) -> None:
        self.device = case.device
        self.execution = case.execution
        self.threads = case.threads
        self.one_step = case.steps_per_execution == 1
        """True where a call of the compiled function takes one step."""

    @abstractmethod
    def scope(self) -> AbstractContextManager[object]:
        """Placement on the device."""

    @abstractmethod
    def compile_arguments(self) -> dict[str, object]:
        """The arguments of ``Model.compile`` that give the execution."""

    @abstractmethod
    def execution_of(self, model: Any) -> Execution:
        """A compiled model's real execution."""

    @abstractmethod
    def forward(self, model: Any) -> Callable[[Images], Any]:
        """A function from host batches to outputs on the device, in evaluation mode and the case's execution."""

    @abstractmethod
    def on_host(self, outputs: Any) -> NDArray[Any]:
        """Outputs of ``forward`` as an array."""

    @abstractmethod
    def resident(self, images: Images, labels: NDArray[np.int64], batch_size: int) -> KerasInput:
        """A training part in memory, gathered by batch."""

    @abstractmethod
    def loader(self, images: Images, labels: NDArray[np.int64], pixels: Pixels, batch_size: int) -> KerasInput:
        """The input pipeline over a training part, which converts image by image."""

    def paused(self, model: Any) -> AbstractContextManager[object]:
        """Context of a pause inside ``fit``: the model can be read and evaluated, and trains on afterwards."""
        return nullcontext()

    @abstractmethod
    def synchronize(self, model: Any) -> None:
        """Return when the device is idle."""

    @abstractmethod
    def reset_device_peak(self) -> None:
        """Start a new peak of device memory, where the backend can."""

    @abstractmethod
    def device_memory(self) -> DeviceMemory | None:
        """Device memory, or None where the device's memory is the host's."""

    @abstractmethod
    def settings(self) -> dict[str, object]:
        """Settings only the backend knows: threads, TF32."""


def answer(model: Any, images: Any) -> Any:
    """The outputs for ``images`` in evaluation mode; those of a 16-bit precision as float32."""
    import keras

    outputs = model(images, training=False)
    return keras.ops.cast(outputs, "float32") if model.compute_dtype in ("bfloat16", "float16") else outputs
