"""Keras' adapter on TensorFlow: the contract of Keras on every backend, and what is TensorFlow's own."""

from typing import Any

import numpy as np
import pytest

from bench.adapters.base import DeviceMemory, Epoch
from bench.adapters.keras_learner import KerasLearner
from bench.adapters.keras_tensorflow import KerasTensorFlowAdapter, TensorFlowBackend, TensorFlowInput, _device
from bench.models.networks import CNN, MLP
from tests.adapters.keras_contract import KerasContract
from tests.adapters.small import NETWORKS, case, fit, images, learner


@pytest.fixture(scope="module")
def adapter() -> KerasTensorFlowAdapter:
    adapter = KerasTensorFlowAdapter()
    adapter.prepare(case(adapter))
    return adapter


class TestContract(KerasContract):
    networks = tuple(NETWORKS)
    trained = ("mlp", "cnn", "odd")
    strange = frozenset({"torch", "torchvision"})  # TensorFlow itself imports jax where it is


def test_threads_are_those_of_the_case(adapter: KerasTensorFlowAdapter) -> None:
    probe = adapter.probe()
    assert probe.threads == {"intra-op": 1, "inter-op": 1}
    assert probe.devices == ("cpu",)
    assert set(probe.versions) == {"keras", "tensorflow"}


def test_a_worker_starts_with_the_backend_in_its_environment(adapter: KerasTensorFlowAdapter) -> None:
    assert adapter.environment(case(adapter))["KERAS_BACKEND"] == "tensorflow"


def test_a_network_runs_as_a_graph_without_xla(adapter: KerasTensorFlowAdapter) -> None:
    settings = learner(adapter, CNN, images(40)).settings()
    assert (settings["execution"], settings["jit_compile"], settings["tf32"]) == ("graph", False, False)


def test_keras_draws_no_dropout_mask_in_the_timed_prediction_call(adapter: KerasTensorFlowAdapter) -> None:
    built = learner(adapter, MLP, images(40))
    assert isinstance(built, KerasLearner)
    rows = images(8).images
    training = np.asarray(built._model(rows, training=True))
    assert np.abs(training - built.predictor(8)(rows).values).max() > 1e-3


@pytest.mark.parametrize("kind", ["resident", "loader"])
def test_one_pipeline_serves_a_whole_training(
    adapter: KerasTensorFlowAdapter, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    import tensorflow as tf

    begun: list[object] = []
    begin = tf.data.Dataset.__iter__

    def iterate(pipeline: Any) -> Any:
        begun.append(pipeline)
        return begin(pipeline)

    built = learner(adapter, MLP, images(70), axes={"input": kind})
    monkeypatch.setattr(tf.data.Dataset, "__iter__", iterate)
    fit(built, *(np.random.default_rng(epoch).permutation(70) for epoch in range(4)))
    assert len(begun) == 1


@pytest.mark.parametrize(
    ("precision", "shape", "is_possible"),
    [("float64", (16, 16, 16, 1), False), ("float32", (16, 16, 16, 1), True), ("float64", (16, 16, 1), True)],
)
def test_pooling_of_3d_images_is_not_asked_in_float64(
    adapter: KerasTensorFlowAdapter, precision: str, shape: tuple[int, ...], is_possible: bool
) -> None:
    reason = adapter.unsupported(case(adapter, precision=precision), CNN, shape, 10)
    assert reason == (None if is_possible else "TensorFlow has no 3D max pooling in float64.")


@pytest.mark.parametrize("kind", ["resident", "loader"])
@pytest.mark.parametrize("calls_of", [1, 2])
def test_the_pipeline_is_given_no_row_beyond_the_next_pause(
    adapter: KerasTensorFlowAdapter, kind: str, calls_of: int
) -> None:
    """Else it would prepare batches while the clock stands still."""
    built = learner(adapter, MLP, images(70), axes={"input": kind, "steps_per_execution": calls_of})
    assert isinstance(built, KerasLearner)
    assert isinstance(built._data, TensorFlowInput)
    pipeline = built._data
    trained: list[int | None] = []
    given: list[int] = []

    def pause() -> None:
        trained.append(built.progress().rows)
        given.append(70 - sum(map(len, pipeline._ahead)))

    order = np.random.default_rng(0).permutation(70)
    built.train([Epoch(order, (2, 3)), Epoch(order, (2, 3))], pause)
    assert trained == [64, 6, 64, 6]
    assert given == [64, 70, 64, 70]


def test_a_training_that_fails_in_a_pause_leaves_no_pipeline_waiting(adapter: KerasTensorFlowAdapter) -> None:
    """TensorFlow crashes when a process ends in which one still waits for an order."""
    built = learner(adapter, MLP, images(70))

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        built.train([Epoch(np.arange(70), (3,)), Epoch(np.arange(70), (3,))], fail)
    assert isinstance(built, KerasLearner)
    assert isinstance(built._data, TensorFlowInput)
    assert bool(built._data._queue.is_closed())


def test_no_memory_left_is_told_from_other_errors(adapter: KerasTensorFlowAdapter) -> None:
    import tensorflow as tf

    assert adapter.out_of_memory(tf.errors.ResourceExhaustedError(None, None, "OOM"))
    assert adapter.out_of_memory(MemoryError())
    assert not adapter.out_of_memory(tf.errors.InvalidArgumentError(None, None, "shapes do not fit"))


@pytest.mark.parametrize(("name", "tensorflows"), [("cpu", "/CPU:0"), ("cuda:0", "/GPU:0"), ("cuda:3", "/GPU:3")])
def test_a_device_has_tensorflows_name_for_it(name: str, tensorflows: str) -> None:
    assert _device(name) == tensorflows


def test_gpu_memory_is_tensorflows_own_count(adapter: KerasTensorFlowAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device in name only: TensorFlow's own functions are asked for this device, and their figures handed on."""
    import tensorflow as tf

    asked: list[Any] = []
    backend = TensorFlowBackend(case(adapter, "cuda:1"))

    def info(device: str) -> dict[str, int]:
        asked.append(device)
        return {"peak": 500, "current": 400}

    monkeypatch.setattr(tf.config.experimental, "get_memory_info", info)
    monkeypatch.setattr(tf.config.experimental, "reset_memory_stats", asked.append)
    backend.reset_device_peak()
    assert backend.device_memory() == DeviceMemory(allocated_peak=500, allocated=400, driver=None)
    assert asked == ["GPU:1", "GPU:1"]
