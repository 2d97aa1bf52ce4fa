"""Keras' adapter on PyTorch: the contract of Keras on every backend, and what is PyTorch's own."""

import os

import pytest

from bench.adapters.keras_torch import KerasTorchAdapter
from bench.case import Case
from bench.models.networks import CNN, MLP_PLAIN
from tests.adapters.keras_contract import KerasContract
from tests.adapters.small import DIGITS, NETWORKS, case, images, learner


@pytest.fixture(scope="module")
def adapter() -> KerasTorchAdapter:
    adapter = KerasTorchAdapter()
    adapter.prepare(case(adapter))
    return adapter


class TestContract(KerasContract):
    networks = tuple(NETWORKS)
    trained = ("mlp", "cnn", "odd")
    strange = frozenset({"tensorflow"})  # Keras itself imports jax where it is, for the checkpoints of Orbax


def test_threads_are_those_of_the_case(adapter: KerasTorchAdapter) -> None:
    probe = adapter.probe()
    assert probe.threads == {"intra-op": 1, "inter-op": 1}
    assert probe.devices[0] == "cpu"
    assert set(probe.versions) == {"keras", "torch"}


def test_a_worker_starts_with_the_backend_in_its_environment(adapter: KerasTorchAdapter) -> None:
    assert adapter.environment(case(adapter))["KERAS_BACKEND"] == "torch"


def test_keras_places_what_it_makes_on_the_device_of_the_case(adapter: KerasTorchAdapter) -> None:
    import keras

    assert os.environ["KERAS_TORCH_DEVICE"] == "cpu"
    assert keras.ops.zeros(1).device.type == "cpu"


def test_a_network_runs_eagerly(adapter: KerasTorchAdapter) -> None:
    settings = learner(adapter, CNN, images(40)).settings()
    assert (settings["execution"], settings["jit_compile"], settings["tf32"]) == ("eager", False, False)


def test_float64_is_refused_where_the_device_has_none(adapter: KerasTorchAdapter) -> None:
    asked = Case(dataset="d", model="m", framework=adapter.name, device="mps", precision="float64")
    assert adapter.unsupported(asked, MLP_PLAIN, DIGITS, 10) == "mps has no float64 arithmetic."


def test_no_memory_left_is_told_from_other_errors(adapter: KerasTorchAdapter) -> None:
    import torch

    assert adapter.out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert adapter.out_of_memory(MemoryError())
    assert not adapter.out_of_memory(RuntimeError("shapes do not fit"))
