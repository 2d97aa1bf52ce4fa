"""Keras on PyTorch: eager by default, ``torch.compile`` where compiled, ``DataLoader`` as its input pipeline."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from bench.adapters import torch_runtime
from bench.adapters.base import DeviceMemory, Epoch, Probe
from bench.adapters.keras_adapter import KerasAdapter, configure_keras
from bench.adapters.keras_backend import KerasBackend, answer
from bench.adapters.keras_input import HostBatches, KerasInput
from bench.adapters.keras_pixels import Images, Pixels
from bench.case import Case, Execution
from bench.models.model import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray


class KerasTorchAdapter(KerasAdapter):
    """Keras with its PyTorch backend, on any device PyTorch sees: ``cpu``, ``cuda:N``, ``mps``, ``xpu:N``."""

    name = "keras-torch"
    packages = ("keras", "torch")
    extra = "keras-torch"
    kinds = ("cpu", "cuda", "mps", "xpu")
    execution = "eager"
    executions = ("eager", "compiled")
    multi_step = False
    reasons: ClassVar[Mapping[str, str]] = {
        "graph": "Keras runs PyTorch eagerly or through torch.compile",
        "steps_per_execution": "Keras' trainer for PyTorch takes one step a call",
    }
    start_s = 5.5

    def unsupported(self, case: Case, model: Model, shape: tuple[int, ...], classes: int) -> str | None:
        return super().unsupported(case, model, shape, classes) or torch_runtime.obstacle(case)

    def environment(self, case: Case) -> dict[str, str]:
        return {"KERAS_BACKEND": "torch"}

    def prepare(self, case: Case) -> None:
        os.environ["KERAS_BACKEND"] = "torch"
        if case.device != "any":  # else Keras would take the first GPU there is, and share its work with the CPU
            os.environ["KERAS_TORCH_DEVICE"] = case.device
        torch_runtime.prepare(case)
        configure_keras(case)

    def probe(self) -> Probe:
        import keras
        import torch

        devices, names = torch_runtime.devices()
        versions = {"keras": keras.__version__, "torch": torch.__version__}
        return Probe(devices, versions, torch_runtime.threads(), names)

    def out_of_memory(self, error: BaseException) -> bool:
        return torch_runtime.out_of_memory(error)

    def seed(self, seed: int) -> None:
        import torch

        torch.manual_seed(seed)

    def backend(self, case: Case) -> TorchBackend:
        return TorchBackend(case)


class TorchBackend(KerasBackend):
    """PyTorch on one device."""

    def scope(self) -> AbstractContextManager[object]:
        import keras

        if self.device == "cpu":
            return nullcontext()  # Keras' own default here, set by ``prepare``
        return cast(AbstractContextManager[object], keras.device(self.device))

    def compile_arguments(self) -> dict[str, object]:
        return {"jit_compile": self.execution == "compiled"}

    def execution_of(self, model: Any) -> Execution:
        return "compiled" if model.jit_compile else "eager"

    def forward(self, model: Any) -> Callable[[Images], Any]:
        import torch

        device = torch.device(self.device)
        model.eval()  # for the user's own torch modules inside it

        def call(images: Any) -> Any:
            return answer(model, images)

        called = torch.compile(call) if self.execution == "compiled" else call

        def forward(images: Images) -> Any:
            with torch.inference_mode():
                return called(torch.from_numpy(np.asarray(images)).to(device))

        return forward

    def on_host(self, outputs: Any) -> NDArray[Any]:
        return cast("NDArray[Any]", outputs.cpu().numpy())

    def resident(self, images: Images, labels: NDArray[np.int64], batch_size: int) -> HostBatches:
        return HostBatches(images, labels, None, batch_size)

    def loader(self, images: Images, labels: NDArray[np.int64], pixels: Pixels, batch_size: int) -> TorchLoader:
        return TorchLoader(images, labels, pixels, batch_size)

    @contextmanager
    def paused(self, model: Any) -> Iterator[None]:
        model.eval()  # as Keras' own ``fit`` leaves it
        yield
        model.train()

    def synchronize(self, model: Any) -> None:
        torch_runtime.synchronize(self.device)

    def reset_device_peak(self) -> None:
        torch_runtime.reset_device_peak(self.device)

    def device_memory(self) -> DeviceMemory | None:
        return torch_runtime.device_memory(self.device)

    def settings(self) -> dict[str, object]:
        threads = torch_runtime.threads()["intra-op"]
        return {"tf32": torch_runtime.tf32(), "threads": threads, "debugging": torch_runtime.debugging()}


class TorchLoader(KerasInput):
    """A ``DataLoader`` in this process, whose data set converts and scales image by image."""

    def take(self, epoch: Epoch) -> None:
        assert epoch.order is not None
        rows, size = epoch.order.tolist(), self.batch_size
        self._chosen = [rows[start : start + size] for start in range(0, len(rows), size)]

    def ordered(self) -> Any:
        import torch

        chosen = self

        class Chosen:
            """The epoch's batches, which the loader requests at its start."""

            def __iter__(self) -> Iterator[list[int]]:
                return iter(chosen._chosen)

            def __len__(self) -> int:
                return chosen.batches

        return torch.utils.data.DataLoader(self._examples(), batch_sampler=Chosen())

    def shuffled(self) -> Any:
        import torch

        return torch.utils.data.DataLoader(self._examples(), batch_size=self.batch_size, shuffle=True)

    def _examples(self) -> Any:
        import torch

        pixels = self.pixels
        assert pixels is not None
        images, labels = torch.from_numpy(np.asarray(self.images)), torch.from_numpy(np.array(self.labels))
        kind = getattr(torch, pixels.dtype)
        factor = torch.as_tensor(pixels.factor, dtype=kind)
        offset = torch.as_tensor(pixels.offset, dtype=kind) if np.any(pixels.offset) else None

        class Examples(torch.utils.data.Dataset[Any]):  # type: ignore[misc]
            """Rows of the training part."""

            def __len__(self) -> int:
                return len(labels)

            def __getitem__(self, row: int) -> Any:
                image = images[row].to(kind, copy=True).mul_(factor)
                return image if offset is None else image.add_(offset), labels[row]

        return Examples()
