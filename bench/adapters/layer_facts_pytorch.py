"""A user's ``nn.Module`` opened layer by layer, and run in float64 on given weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.layer_facts import Described, OutputKind, Subject
from bench.adapters.layer_facts_pytorch_calls import CallRecorder
from bench.adapters.layer_facts_pytorch_functions import DROPOUTS, Call, intercepting
from bench.models import native
from bench.models.model import NativeModel

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def open_model(model: NativeModel, shape: tuple[int, ...], classes: int, seed: int) -> PyTorchSubject:
    """Build the user's module and watch it run once. Raises ModelFault where it cannot be built or run."""
    import torch

    torch.manual_seed(seed)
    built = native.build(model, "pytorch", (shape[-1], *shape[:-1]), classes, seed)
    if not isinstance(built, torch.nn.Module):
        raise native.ModelFault(f"{model.name}: built a {type(built).__name__}, an nn.Module expected")
    try:
        return PyTorchSubject(built, shape, seed)
    except Exception as error:  # the user's layers may raise anything
        raise native.ModelFault(f"{model.name}: {native.describe(error, model)}") from error


class PyTorchSubject(Subject):
    """A module in float64 on the CPU."""

    def __init__(self, module: torch.nn.Module, shape: tuple[int, ...], seed: int) -> None:
        import torch

        self._module = module
        self._dropout = True
        images = torch.from_numpy(np.random.default_rng(seed).random((4, shape[-1], *shape[:-1])))
        module.eval()
        with torch.no_grad():
            kept = next((value.dtype for value in module.parameters() if value.is_floating_point()), torch.float32)
            module(images.to(kept))  # lazy layers take their shapes; the model runs as the user has it
        dtypes = {
            id(value): str(value.dtype).removeprefix("torch.") for value in module.state_dict(keep_vars=True).values()
        }
        torch.set_default_dtype(torch.float64)
        module.double()
        module.train()
        recorder = CallRecorder(module, dtypes)
        outputs = _run(module, images, recorder.mode())
        if not isinstance(outputs, torch.Tensor) or outputs.ndim != 2:
            raise TypeError(f"the model returns {_what(outputs)}, a tensor (n, classes) expected")
        module.eval()
        evaluation = CallRecorder(module, dtypes)
        _run(module, images, evaluation.mode())
        self._slots = recorder.slots
        self._statistics = recorder.statistics
        self.described = Described(
            framework="PyTorch",
            layers=tuple(recorder.marked(evaluation)),
            parameters=sum(value.numel() for value in module.parameters() if value.requires_grad),
            outputs=outputs.shape[1],
            unmapped=tuple(recorder.unmapped()),
        )

    def load(self, weights: Mapping[str, Array]) -> None:
        import torch

        with torch.no_grad():
            for name, value in weights.items():
                tensor, layout = self._slots[name]
                tensor.copy_(torch.from_numpy(layout.own(value, tensor.shape)))

    def weights(self) -> dict[str, Array]:
        return {name: layout.neutral(tensor.detach().numpy()) for name, (tensor, layout) in self._slots.items()}

    def outputs(self, images: Array) -> Array:
        self._module.eval()
        return np.array(
            _run(self._module, self._channels_first(images), intercepting(self._intercept)).numpy(), np.float64
        )

    def stop_dropout(self) -> None:
        self._dropout = False

    def gradients(self, images: Array, labels: NDArray[np.int64], kind: OutputKind) -> tuple[float, dict[str, Array]]:
        import torch

        self._module.train()
        self._module.zero_grad(set_to_none=True)
        before = [variance.clone() for variance, _, _ in self._statistics]
        with intercepting(self._intercept):
            outputs = self._module(self._channels_first(images))
        logs = {
            "logits": lambda: outputs.log_softmax(dim=1),
            "probabilities": outputs.log,
            "log-probabilities": lambda: outputs,
        }[kind]()
        loss = torch.nn.functional.nll_loss(logs, torch.from_numpy(labels))
        loss.backward()
        self._make_variances_biased(before, len(images))
        return float(loss), {
            name: layout.neutral(tensor.grad.numpy())
            for name, (tensor, layout) in self._slots.items()
            if tensor.grad is not None
        }

    def _make_variances_biased(self, before: Sequence[torch.Tensor], rows: int) -> None:
        """Update moving variances with the batch's biased variance, as Keras does: torch's is n/(n-1) times that."""
        import torch

        with torch.no_grad():
            for old, (variance, values, norm) in zip(before, self._statistics, strict=True):
                count = rows * values
                share = norm.momentum if norm.momentum is not None else 1.0 / int(norm.num_batches_tracked)
                kept = (1.0 - share) * old
                variance.copy_(kept + (variance - kept) * ((count - 1) / count))

    def _intercept(self, function: Any, arguments: Call, values: tuple[Any, ...]) -> Any:
        """Make stopped dropout the identity, and ``float()`` stay in float64."""
        import torch

        name = getattr(function, "__name__", "").rstrip("_")
        if name in DROPOUTS and not self._dropout:
            return values[0] if values else arguments["input"]
        return values[0].double() if function is torch.Tensor.float else NotImplemented

    def _channels_first(self, images: Array) -> torch.Tensor:
        import torch

        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, 1)))


def _what(value: object) -> str:
    shape = getattr(value, "shape", None)
    return f"a {type(value).__name__}" + (f" {tuple(shape)}" if shape is not None else "")


def _run(module: torch.nn.Module, images: torch.Tensor, mode: Any) -> Any:
    import torch

    with torch.no_grad(), mode:
        return module(images)
