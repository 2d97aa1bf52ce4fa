"""PyTorch behind the common interface: eager or compiled modules, arrays on the device or a ``DataLoader``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from bench.adapters import torch_runtime
from bench.adapters.base import Adapter, Learner, Probe, TrainingPlan
from bench.adapters.pytorch_learner import PyTorchLearner
from bench.adapters.pytorch_network import compile_network
from bench.case import Case
from bench.models import native
from bench.models.model import Model, NativeModel, Network
from bench.models.network import PlacedNetwork, place

if TYPE_CHECKING:
    import torch

    from bench.datasets.dataset import Split


class PyTorchAdapter(Adapter):
    """PyTorch on any device it sees: ``cpu``, ``cuda:N``, ``mps``, ``xpu:N``."""

    name = "pytorch"
    packages = ("torch", "torchvision")
    extra = "pytorch"
    builder = "pytorch"
    execution = "eager"
    executions = ("eager", "compiled")
    precisions = ("float32", "bfloat16", "float16", "float64")
    inputs = ("resident", "loader")
    layouts = True
    idiomatic = True
    reasons: ClassVar[Mapping[str, str]] = {
        "graph": "PyTorch traces a model only to compile it",
        "steps_per_execution": "each step is a call of its own",
    }
    kinds = ("cpu", "cuda", "mps", "xpu")
    run_on = ("cpu",)
    start_s = 3.5

    def unsupported(self, case: Case, model: Model, shape: tuple[int, ...], classes: int) -> str | None:
        if obstacle := super().unsupported(case, model, shape, classes) or torch_runtime.obstacle(case):
            return obstacle
        kind = case.device.partition(":")[0]
        if case.precision == "float16" and kind != "cuda":
            return f"float16 needs its gradients scaled, which is tried on CUDA alone, not on {kind}."
        if len(shape) != 3 and (case.channels_last or case.input == "loader"):
            what = "torchvision's transforms take" if case.input == "loader" else "channels_last is for"
            return f"{what} images of two axes; these have {len(shape) - 1}."
        return None

    def prepare(self, case: Case) -> None:
        torch_runtime.prepare(case)
        if case.input == "loader":
            import torchvision.transforms  # noqa: F401  # on the import clock, not on that of the first batch

    def probe(self) -> Probe:
        import torch

        devices, names = torch_runtime.devices()
        return Probe(devices, {"torch": torch.__version__}, torch_runtime.threads(), names)

    def out_of_memory(self, error: BaseException) -> bool:
        return torch_runtime.out_of_memory(error)

    def build(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Learner:
        import torch

        torch.manual_seed(plan.seed)
        placed: PlacedNetwork | None = None
        if isinstance(model, Network):
            placed = place(model, train.shape, train.classes)
            module = compile_network(placed, biased_variance=case.track == "matched")
        elif isinstance(model, NativeModel):
            module = self._native(model, train, plan)
        else:
            raise TypeError(f"{model.name} is not a network")
        module.to(case.device)
        if case.precision == "float64":
            module.double()
        if case.channels_last:
            module.to(memory_format=torch.channels_last)
        learner = PyTorchLearner(module, placed, case, train, plan)
        if placed is not None and plan.initial_weights is not None:
            learner.set_weights(plan.initial_weights)
        return learner

    def _native(self, model: NativeModel, train: Split, plan: TrainingPlan) -> torch.nn.Module:
        import torch

        channels_first = (train.shape[-1], *train.shape[:-1])
        built = native.build(model, self.builder, channels_first, train.classes, plan.seed)
        if not isinstance(built, torch.nn.Module):
            raise native.ModelFault(f"{model.name}: built a {type(built).__name__}, an nn.Module expected")
        return built
