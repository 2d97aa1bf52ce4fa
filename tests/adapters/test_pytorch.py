"""PyTorch's adapter: the contract of all learners, and what is PyTorch's own."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.adapters.base import DeviceMemory
from bench.adapters.pytorch import PyTorchAdapter
from bench.adapters.pytorch_input import Resident
from bench.adapters.pytorch_learner import PyTorchLearner
from bench.adapters.torch_runtime import device_memory
from bench.case import Optimizer
from bench.models.model import Estimator
from bench.models.native import ModelFault, from_file
from bench.models.networks import CNN, MLP_PLAIN
from tests.adapters.contract import NetworkContract
from tests.adapters.native_files import forget_own_model, write
from tests.adapters.small import COLOUR, NETWORKS, case, images, learner, loss_of, losses_of


@pytest.fixture(scope="module")
def adapter() -> PyTorchAdapter:
    adapter = PyTorchAdapter()
    adapter.prepare(case(adapter))
    return adapter


@pytest.fixture(autouse=True)
def _own_model() -> Iterator[None]:
    yield
    forget_own_model()


class TestContract(NetworkContract):
    networks = tuple(NETWORKS)
    trained = ("mlp", "cnn", "odd")


def test_threads_are_those_of_the_case_and_no_figure_is_in_tf32(adapter: PyTorchAdapter) -> None:
    probe = adapter.probe()
    assert probe.threads == {"intra-op": 1, "inter-op": 1}
    assert "cpu" in probe.devices
    settings = learner(adapter, CNN, images(40)).settings()
    assert (settings["tf32"], settings["threads"]) == (False, 1)


def test_images_lie_channels_first_and_as_they_were_stored(adapter: PyTorchAdapter) -> None:
    built = learner(adapter, CNN, images(40, COLOUR))
    assert isinstance(built, PyTorchLearner)
    assert isinstance(built._source, Resident)
    assert tuple(built._source.images.shape) == (40, 3, 8, 8)
    assert str(built._source.images.dtype) == "torch.uint8"


def test_no_memory_left_is_told_from_other_errors(adapter: PyTorchAdapter) -> None:
    import torch

    assert adapter.out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert adapter.out_of_memory(MemoryError())
    assert not adapter.out_of_memory(RuntimeError("shapes do not fit"))


def test_an_estimator_is_no_network(adapter: PyTorchAdapter) -> None:
    forest = Estimator("forest", "", "sklearn.ensemble.RandomForestClassifier")
    assert not adapter.natural(forest)
    with pytest.raises(TypeError, match="forest is not a network"):
        learner(adapter, forest, images(40))


NET = """
import torch
class Net(torch.nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.shape = shape
        self.line = torch.nn.Linear(shape[0] * shape[1] * shape[2], classes)
    def forward(self, images):
        assert images.dtype == torch.float32 and images.max() <= 1
        assert tuple(images.shape[1:]) == self.shape, images.shape
        return self.line(images.flatten(1))
class Wrong:
    def pytorch(shape, classes): return "a word"
class AtTheEnd(torch.nn.Sequential):
    def __init__(self, shape, classes):
        line = torch.nn.Linear(shape[0] * shape[1] * shape[2], classes)
        super().__init__(torch.nn.Flatten(), line, torch.nn.Softmax(-1))
class InForward(Net):
    def forward(self, images): return torch.softmax(self.line(images.flatten(1)), 1)
class InEvaluation(Net):
    def forward(self, images):
        logits = self.line(images.flatten(1))
        return logits if self.training else logits.softmax(1)
class Logarithms(Net):
    def forward(self, images): return torch.log_softmax(self.line(images.flatten(1)), 1)
"""


def test_the_users_module_is_built_channels_first_and_trained(adapter: PyTorchAdapter, tmp_path: Path) -> None:
    train = images(200, COLOUR)
    built = learner(adapter, from_file(write(tmp_path, NET, "Net")), train, optimizer=Optimizer(learning_rate=0.01))
    losses = [loss_of(built, np.random.default_rng(epoch).permutation(200)) for epoch in range(5)]
    assert losses[-1] < 0.5 * losses[0]
    assert built.parameter_count() == 3 * 64 * 10 + 10
    assert set(built.weights()) == {"line.weight", "line.bias"}
    assert built.predictor(64)(train.images).kind == "logits"
    with pytest.raises(ValueError, match="no neutral layout"):
        built.set_weights(built.weights())


@pytest.mark.parametrize(
    ("name", "loss", "answers"),
    [
        ("AtTheEnd", "probabilities", "probabilities"),
        ("InForward", "probabilities", "probabilities"),
        ("InEvaluation", "logits", "probabilities"),
        ("Logarithms", "logits", "logits"),
    ],
)
def test_probabilities_are_known_by_the_outputs_in_training_and_in_evaluation(
    adapter: PyTorchAdapter, tmp_path: Path, name: str, loss: str, answers: str
) -> None:
    """Wherever the softmax stands, the loss is that of plain logits; the logarithms of probabilities are such."""
    train, order = images(70, COLOUR), np.arange(70)
    plain = learner(adapter, from_file(write(tmp_path, NET, "Net")), train)
    built = learner(adapter, from_file(write(tmp_path, NET, name)), train)
    assert losses_of(built, order, order) == pytest.approx(losses_of(plain, order, order), rel=1e-4)
    assert f"cross-entropy on {loss}" in str(built.settings()["loss"])
    assert built.predictor(16)(train.images).kind == answers


def test_looking_at_the_outputs_of_a_module_leaves_no_trace(adapter: PyTorchAdapter, tmp_path: Path) -> None:
    source = (
        NET
        + """
class Normed(Net):
    def __init__(self, shape, classes):
        super().__init__(shape, classes)
        self.norm, self.drop = torch.nn.BatchNorm1d(classes), torch.nn.Dropout(0.5)
    def forward(self, images): return self.drop(self.norm(self.line(images.flatten(1))))
"""
    )
    weights = learner(adapter, from_file(write(tmp_path, source, "Normed")), images(40, COLOUR)).weights()
    assert weights["norm.num_batches_tracked"] == 0
    assert not weights["norm.running_mean"].any()


def test_what_the_user_built_is_named_where_it_is_no_module(adapter: PyTorchAdapter, tmp_path: Path) -> None:
    with pytest.raises(ModelFault, match=r"Wrong: built a str, an nn\.Module expected"):
        learner(adapter, from_file(write(tmp_path, NET, "Wrong")), images(40))


def test_cuda_memory_is_the_allocators_and_the_drivers_view(
    adapter: PyTorchAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device in name only: torch's own functions are asked for this device, and their figures handed on."""
    import torch

    asked: list[tuple[str, Any]] = []

    def figure(name: str, value: Any) -> Any:
        def asked_for(device: object) -> Any:
            asked.append((name, str(device)))
            return value

        return asked_for

    built = learner(adapter, MLP_PLAIN, images(40))
    assert isinstance(built, PyTorchLearner)
    built._case = built._case.model_copy(update={"device": "cuda:1"})
    monkeypatch.setattr(torch.cuda, "mem_get_info", figure("info", (3_000, 10_000)))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", figure("peak", 500))
    monkeypatch.setattr(torch.cuda, "memory_allocated", figure("now", 400))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", figure("reset", None))
    monkeypatch.setattr(torch.accelerator, "synchronize", figure("wait", None))
    built.reset_device_peak()
    built.synchronize()
    assert built.device_memory() == DeviceMemory(allocated_peak=500, allocated=400, driver=7_000)
    assert asked == [(name, "cuda:1") for name in ("reset", "wait", "info", "peak", "now")]


def test_a_device_whose_allocator_keeps_no_peak_has_none(
    adapter: PyTorchAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 400)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 7_000)
    assert device_memory("mps") == DeviceMemory(allocated_peak=None, allocated=400, driver=7_000)


def test_accelerators_are_listed_by_the_names_torch_takes(
    adapter: PyTorchAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    cuda = {"is_available": lambda: True, "device_count": lambda: 2, "get_device_name": lambda index: f"GPU {index}"}
    for name, function in cuda.items():
        monkeypatch.setattr(torch.cuda, name, function)
    monkeypatch.setattr(torch.backends, "mps", SimpleNamespace(is_available=lambda: True))
    probe = adapter.probe()
    assert probe.devices[:4] == ("cpu", "cuda:0", "cuda:1", "mps")
    assert probe.accelerators[:3] == ("GPU 0", "GPU 1", "Apple GPU")
    assert [torch.device(name).type for name in probe.devices[:4]] == ["cpu", "cuda", "cuda", "mps"]
