"""A PyTorch module in training: batches, steps, predictions, and the settings in force."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters import torch_runtime
from bench.adapters.base import DeviceMemory, Epoch, Learner, Predictor, Progress, Scores, TrainingPlan
from bench.adapters.pytorch_computation import MIXED, compiler_report, computation, loss_in_words
from bench.adapters.pytorch_input import Loader, Pixels, Resident
from bench.adapters.pytorch_network import load_weights, read_weights
from bench.adapters.pytorch_optimizer import matched_updates, own_updates
from bench.adapters.pytorch_outputs import Outputs, outputs_of
from bench.case import Case
from bench.models import native
from bench.models.network import PlacedNetwork
from bench.record import ScoreKind

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from bench.datasets.dataset import Split


class PyTorchLearner(Learner):
    """A module and its optimiser on one device.

    In the matched track images stay on the device as stored, ``(n, channels, height, width)``; a batch is converted
    and scaled as it is used, so that memory holds one copy of the data and the clock sees the work a user would pay
    for. In the idiomatic track they are converted once, before training, as torch's tutorials do.
    """

    def __init__(
        self, module: torch.nn.Module, placed: PlacedNetwork | None, case: Case, train: Split, plan: TrainingPlan
    ) -> None:
        import torch

        assert plan.optimizer is not None
        self._module = module
        self._placed = placed
        self._case = case
        self._plan = plan
        self._device = torch.device(case.device)
        self._first = train.images[:1]
        dtype = torch.float64 if case.precision == "float64" else torch.float32
        self._pixels = Pixels.of(train, plan, self._device, dtype, case.channels_last)
        matched = case.track == "matched"
        self._source = (
            Loader(self._pixels, train, plan.batch_size, plan)
            if case.input == "loader"
            else Resident(self._pixels, train, plan.batch_size, converted=not matched)
        )
        self._outputs = Outputs()
        if placed is None:
            looked_at = self._pixels.stored(train.images[: native.LOOKED_AT])
            self._outputs = outputs_of(module, self._pixels.inputs(looked_at, copy=True))
        self._computation = computation(
            module,
            case,
            plan,
            self._pixels,
            self._source.inputs,
            whole=placed is not None,
            probabilities=self._outputs.trained,
        )
        self._rates = [] if plan.learning_rates is None else plan.learning_rates.tolist()
        self._step = 0
        self._losses: list[torch.Tensor] = []
        self._sizes: list[int] = []
        """Mean losses (on the device) and rows of the batches since the last pause."""
        scaler: Any = torch.amp.GradScaler(self._device.type) if case.precision == "float16" else None
        self._updates = (
            matched_updates(module, plan.optimizer, self._rates, scaler)
            if matched
            else own_updates(module, plan.optimizer, scaler)
        )

    def train(self, epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        loss_of, update, rates = self._computation.loss, self._updates.step, self._rates
        losses, sizes = self._losses, self._sizes
        self._module.train()
        for epoch in epochs:
            inner = frozenset(epoch.pauses[:-1])
            for batch, (images, labels) in enumerate(self._source.batches(epoch.order), start=1):
                loss = loss_of(images, labels)
                update(loss, rates[self._step])
                self._step += 1
                losses.append(loss.detach())
                sizes.append(len(labels))
                if batch in inner:
                    pause()
                    self._module.train()  # an evaluation in the pause leaves it in evaluation mode
            pause()
            self._module.train()

    def progress(self) -> Progress:
        import torch

        losses, sizes, steps = self._losses, self._sizes, self._updates.taken()
        if not losses:
            return Progress(None, 0, steps)
        together = torch.stack(losses)
        rows = torch.tensor(sizes, dtype=together.dtype, device=self._device)
        found = Progress(float((together * rows).sum() / rows.sum()), sum(sizes), steps)
        losses.clear()
        sizes.clear()
        return found

    def batches(self, order: NDArray[np.int64]) -> Iterator[object] | None:
        return ((self._source.inputs(images), labels) for images, labels in self._source.batches(order))

    def predictor(self, batch_size: int, *, decisions_only: bool = False) -> Predictor:
        import torch

        kind: ScoreKind = "probabilities" if self._outputs.answered else "logits"
        module, pixels, logits_of, dtype = self._module, self._pixels, self._computation.logits, self._pixels.dtype

        def predict(images: NDArray[np.uint8] | NDArray[np.float32]) -> Scores:
            module.eval()
            with torch.inference_mode():
                stored = pixels.stored(images)
                parts = [logits_of(part) for part in stored.split(batch_size or len(stored))]
                if not isinstance(parts[0], torch.Tensor):
                    raise native.ModelFault(
                        f"the model returns a {type(parts[0]).__name__}, a tensor of logits expected"
                    )
                logits = parts[0] if len(parts) == 1 else torch.cat(parts)
                values = logits.to(dtype).cpu().numpy()
            return Scores(values.argmax(axis=-1), values, kind)

        return predict

    def synchronize(self) -> None:
        torch_runtime.synchronize(self._case.device)

    def reset_device_peak(self) -> None:
        torch_runtime.reset_device_peak(self._case.device)

    def device_memory(self) -> DeviceMemory | None:
        return torch_runtime.device_memory(self._case.device)

    def weights(self) -> dict[str, NDArray[np.float32]]:
        if self._placed is None:
            return {name: value.cpu().numpy().copy() for name, value in self._module.state_dict().items()}
        return read_weights(self._placed, self._module)

    def set_weights(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        if self._placed is None:
            raise ValueError("a native model's weights have no neutral layout")
        load_weights(self._placed, self._module, weights)

    def parameter_count(self) -> int | None:
        return sum(int(parameter.numel()) for parameter in self._module.parameters() if parameter.requires_grad)

    def settings(self) -> dict[str, object]:
        import torch

        compiled = self._computation.compiled
        return {
            "optimizer": self._updates.settings(),
            "loss": loss_in_words(self._plan, self._outputs.trained),
            "metrics": [],
            "execution": "compiled" if compiled else "eager",
            "compiled": compiler_report() if compiled else False,
            "precision": self._precision(),
            "weights": _name(next(self._module.parameters()).dtype),
            "autocast": self._case.precision if self._case.precision in MIXED else None,
            "input": self._source.name,
            "transforms": list(self._source.transforms),
            "memory_format": self._memory_format(),
            "tf32": torch_runtime.tf32(),
            "threads": torch.get_num_threads(),
            "debugging": torch_runtime.debugging(),
        }

    def _precision(self) -> str:
        """The type of the logits of one image, which shows the precision in force."""
        import torch

        self._module.eval()
        with torch.inference_mode():
            inputs = self._pixels.inputs(self._pixels.stored(self._first), copy=True)
            return _name(self._computation.forward(inputs).dtype)

    def _memory_format(self) -> str:
        """Memory format of the kernels; torch computes convolutions in it."""
        import torch

        kernels = [parameter for parameter in self._module.parameters() if parameter.ndim == 4]
        last = any(not kernel.is_contiguous() for kernel in kernels)
        last = last and all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)
        return "channels_last" if last else "contiguous"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
