"""PyTorch behind the common interface: eager modules, arrays resident on the device, a plain training loop."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.base import Adapter, DeviceMemory, Learner, Predictor, Probe, Scores, TrainingPlan
from bench.adapters.pytorch_network import compile_network, load_weights, read_weights
from bench.case import Case
from bench.models import native
from bench.models.model import Model, NativeModel, Network
from bench.models.network import PlacedNetwork, place

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from bench.datasets.dataset import Split


class PyTorchAdapter(Adapter):
    """PyTorch on any device it sees: ``cpu``, ``cuda:N``, ``mps``, ``xpu:N``."""

    name = "pytorch"
    packages = ("torch", "torchvision")
    extra = "pytorch"
    builder = "pytorch"
    execution = "eager"
    start_s = 3.5

    def prepare(self, case: Case) -> None:
        import torch

        torch.set_num_threads(case.threads)
        torch.set_num_interop_threads(1)
        torch.set_float32_matmul_precision("highest")  # no TF32: float32 means float32
        torch.backends.cudnn.allow_tf32 = False
        # data sets are read-only memory maps; nothing writes to them (and no filter on the clock of every call)
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)

    def probe(self) -> Probe:
        import torch

        devices = ["cpu"]
        names: list[str] = []
        if torch.cuda.is_available():
            devices += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
            names += [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        if torch.backends.mps.is_available():
            devices.append("mps")
            names.append("Apple GPU")
        if torch.xpu.is_available():
            devices += [f"xpu:{index}" for index in range(torch.xpu.device_count())]
            names += [torch.xpu.get_device_name(index) for index in range(torch.xpu.device_count())]
        threads = {"intra-op": torch.get_num_threads(), "inter-op": torch.get_num_interop_threads()}
        return Probe(tuple(devices), {"torch": torch.__version__}, threads, tuple(names))

    def out_of_memory(self, error: BaseException) -> bool:
        import torch

        return isinstance(error, MemoryError | torch.OutOfMemoryError)

    def build(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Learner:
        import torch

        torch.manual_seed(plan.seed)
        device = torch.device(case.device)
        placed: PlacedNetwork | None = None
        if isinstance(model, Network):
            placed = place(model, train.shape, train.classes)
            module = compile_network(placed)
        elif isinstance(model, NativeModel):
            channels_first = (train.shape[-1], *train.shape[:-1])
            built = native.build(model, self.builder, channels_first, train.classes, plan.seed)
            if not isinstance(built, torch.nn.Module):
                raise native.ModelFault(f"{model.name}: built a {type(built).__name__}, an nn.Module expected")
            module = built
        else:
            raise TypeError(f"{model.name} is no network")
        module.to(device)
        learner = PyTorchLearner(module, placed, device, train, plan)
        if placed is not None and plan.initial_weights is not None:
            learner.set_weights(plan.initial_weights)
        return learner


class PyTorchLearner(Learner):
    """A module and its optimiser on one device.

    Images stay on the device as stored, ``(n, channels, height, width)``; a batch is converted to float32 and scaled
    as it is used, so that memory holds one copy of the data and the clock sees the work a user would pay for.
    """

    granularity = "step"

    def __init__(
        self,
        module: torch.nn.Module,
        placed: PlacedNetwork | None,
        device: torch.device,
        train: Split,
        plan: TrainingPlan,
    ) -> None:
        import torch

        self._module = module
        self._placed = placed
        self._device = device
        self._factor = float(np.float32(1.0 / train.scale))
        self._images = self._on_device(train.images)
        self._labels = torch.from_numpy(np.array(train.labels)).to(device)
        self._batch_size = plan.batch_size
        self._rates = [] if plan.learning_rates is None else plan.learning_rates.tolist()
        self._step = 0
        self._optimizer = _Optimizer(module, plan)

    def train(self, order: NDArray[np.int64] | None) -> float | None:
        import torch

        rows = torch.randperm(len(self._labels)) if order is None else torch.from_numpy(order)
        module, images, labels, factor = self._module, self._images, self._labels, self._factor
        loss_of = torch.nn.functional.cross_entropy
        module.train()
        losses: list[torch.Tensor] = []
        batches = rows.to(self._device).split(self._batch_size)
        for batch in batches:
            inputs = images[batch].to(torch.float32).mul_(factor)
            loss = loss_of(module(inputs), labels[batch])
            self._optimizer.step(loss, self._rates[self._step], self._step + 1)
            self._step += 1
            losses.append(loss.detach())
        sizes = torch.tensor([len(batch) for batch in batches], device=self._device, dtype=torch.float32)
        return float((torch.stack(losses) * sizes).sum() / len(rows))

    def predictor(self, batch_size: int, *, decisions_only: bool = False) -> Predictor:
        import torch

        module, factor = self._module, self._factor

        def predict(images: NDArray[np.uint8] | NDArray[np.float32]) -> Scores:
            module.eval()
            with torch.inference_mode():
                stored = self._on_device(images)
                parts = [
                    # a copy even of float32, for the scaling is in place and these may be the caller's own rows
                    module(part.to(torch.float32, copy=True).mul_(factor))
                    for part in stored.split(batch_size or len(stored))
                ]
                if not isinstance(parts[0], torch.Tensor):
                    raise native.ModelFault(
                        f"the model returns a {type(parts[0]).__name__}, a tensor of logits expected"
                    )
                logits = parts[0] if len(parts) == 1 else torch.cat(parts)
                values = logits.cpu().numpy()
            return Scores(values.argmax(axis=-1), values, "logits")

        return predict

    def _on_device(self, images: NDArray[np.uint8] | NDArray[np.float32]) -> torch.Tensor:
        import torch

        tensor = torch.from_numpy(np.asarray(images))
        return tensor.movedim(-1, 1).contiguous().to(self._device)

    def synchronize(self) -> None:
        import torch

        if self._device.type != "cpu":
            torch.accelerator.synchronize(self._device)

    def reset_device_peak(self) -> None:
        import torch

        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)

    def device_memory(self) -> DeviceMemory | None:
        import torch

        if self._device.type == "cuda":
            free, total = torch.cuda.mem_get_info(self._device)
            peak = torch.cuda.max_memory_allocated(self._device)
            return DeviceMemory(peak, torch.cuda.memory_allocated(self._device), total - free)
        if self._device.type == "mps":
            now = torch.mps.current_allocated_memory()  # MPS keeps no peak: the current value stands in
            return DeviceMemory(now, now, torch.mps.driver_allocated_memory())
        return None

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

        return {
            "optimizer": self._optimizer.settings(),
            "loss": "cross-entropy on logits, mean over the batch",
            "execution": "eager",
            "precision": str(next(self._module.parameters()).dtype).removeprefix("torch."),
            "tf32": bool(torch.backends.cudnn.allow_tf32) or torch.get_float32_matmul_precision() != "highest",
            "threads": torch.get_num_threads(),
            "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        }


class _Optimizer:
    """torch's own optimiser, driven so that its Adam is the ε-hat form of Keras and scikit-learn.

    torch adds ε after the bias correction, ``m̂ / (√v̂ + ε)``; the ε-hat form (Kingma and Ba 2015, end of section 2)
    before it. Setting torch's ε to ``ε / √(1 - β₂ᵗ)`` at step t gives the same update exactly.
    """

    def __init__(self, module: torch.nn.Module, plan: TrainingPlan) -> None:
        import torch

        assert plan.optimizer is not None
        constants = self._constants = plan.optimizer
        self._adam = constants.name == "adam"
        rate = constants.learning_rate
        parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self._torch: Any = (
            torch.optim.Adam(parameters, rate, (constants.beta_1, constants.beta_2), constants.epsilon)
            if self._adam
            else torch.optim.SGD(parameters, rate, constants.momentum, nesterov=constants.nesterov)
        )

    def step(self, loss: torch.Tensor, rate: float, step: int) -> None:
        """One update at learning rate ``rate``; ``step`` counts from 1."""
        group = self._torch.param_groups[0]
        group["lr"] = rate
        if self._adam:
            group["eps"] = self._constants.epsilon / math.sqrt(1.0 - self._constants.beta_2**step)
        self._torch.zero_grad(set_to_none=True)
        loss.backward()
        self._torch.step()

    def settings(self) -> dict[str, object]:
        group = self._torch.param_groups[0]
        names = ("betas", "momentum", "nesterov", "weight_decay", "foreach", "fused")
        found = {name: group[name] for name in names if name in group}
        form = {"epsilon": self._constants.epsilon, "form": "epsilon-hat"} if self._adam else {}
        return {"name": type(self._torch).__name__, "learning_rate": group["lr"], **found, **form}
