"""Keras' adapter on TensorFlow: the contract of all learners, and what is Keras' own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.adapters.base import DeviceMemory
from bench.adapters.keras_tensorflow import KerasLearner, KerasTensorFlowAdapter, _device
from bench.case import Optimizer
from bench.models.model import Estimator
from bench.models.native import ModelFault, from_file
from bench.models.networks import CNN, MLP, MLP_PLAIN
from tests.adapters.contract import DropoutContract, distance
from tests.adapters.native_files import forget_own_model, write
from tests.adapters.small import COLOUR, NETWORKS, case, images, learner


@pytest.fixture(scope="module")
def adapter() -> KerasTensorFlowAdapter:
    adapter = KerasTensorFlowAdapter()
    adapter.prepare(case(adapter))
    return adapter


@pytest.fixture(autouse=True)
def _own_model() -> Iterator[None]:
    yield
    forget_own_model()


class TestContract(DropoutContract):
    networks = tuple(NETWORKS)
    trained = ("mlp", "cnn", "odd")


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


def test_the_users_configuration_of_keras_changes_nothing(adapter: KerasTensorFlowAdapter) -> None:
    """The values of a ``keras.json`` are what ``keras.config`` holds after the import."""
    import keras

    keras.config.set_floatx("float64")
    keras.config.set_image_data_format("channels_first")
    adapter.prepare(case(adapter))
    assert learner(adapter, CNN, images(40, COLOUR)).settings()["precision"] == "float32"
    assert keras.config.image_data_format() == "channels_last"


def test_keras_draws_no_dropout_mask_in_the_timed_prediction_call(adapter: KerasTensorFlowAdapter) -> None:
    built = learner(adapter, MLP, images(40))
    assert isinstance(built, KerasLearner)
    rows = images(8).images
    training = np.asarray(built._model(rows, training=True))
    assert np.abs(training - built.predictor(8)(rows).values).max() > 1e-3


def test_learning_rates_are_taken_step_by_step(adapter: KerasTensorFlowAdapter) -> None:
    sgd, train = Optimizer(name="sgd", learning_rate=0.1), images(64)
    scheduled = learner(adapter, MLP_PLAIN, train, optimizer=sgd, rates=np.array([0.1, 0.0, 0.0, 0.05]))
    before = scheduled.weights()
    scheduled.train(np.arange(32))
    moved = scheduled.weights()
    scheduled.train(np.arange(64))
    assert distance(before, moved) > 1e-4
    assert distance(scheduled.weights(), moved) == 0
    scheduled.train(np.arange(32))
    assert distance(scheduled.weights(), moved) > 1e-4


def test_no_memory_left_is_told_from_other_errors(adapter: KerasTensorFlowAdapter) -> None:
    import tensorflow as tf

    assert adapter.out_of_memory(tf.errors.ResourceExhaustedError(None, None, "OOM"))
    assert adapter.out_of_memory(MemoryError())
    assert not adapter.out_of_memory(tf.errors.InvalidArgumentError(None, None, "shapes do not fit"))


def test_an_estimator_is_no_network(adapter: KerasTensorFlowAdapter) -> None:
    forest = Estimator("forest", "", "sklearn.ensemble.RandomForestClassifier")
    assert not adapter.natural(forest)
    with pytest.raises(TypeError, match="forest is no network"):
        learner(adapter, forest, images(40))


NET = """
import keras
def logits(shape, classes):
    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(classes)])
def probabilities(shape, classes):
    inputs = keras.Input(shape)
    return keras.Model(inputs, keras.layers.Dense(classes, "softmax")(keras.layers.Flatten()(inputs)))
def softmax_layer(shape, classes):
    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(classes),
                             keras.layers.Softmax()])
def broken(shape, classes):
    class Broken(keras.layers.Layer):
        def call(self, images):
            raise KeyError("depth")
    return keras.Sequential([Broken()])
def wrong(shape, classes):
    return [keras]
"""


@pytest.mark.parametrize("name", ["logits", "probabilities", "softmax_layer"])
def test_the_users_model_is_trained_on_scaled_images_and_its_kind_of_answer_is_seen(
    adapter: KerasTensorFlowAdapter, tmp_path: Path, name: str
) -> None:
    train = images(200, COLOUR)
    built = learner(adapter, from_file(write(tmp_path, NET, name)), train, optimizer=Optimizer(learning_rate=0.01))
    losses = [built.train(np.random.default_rng(epoch).permutation(200)) for epoch in range(5)]
    assert losses[-1] < 0.5 * losses[0]  # type: ignore[operator]
    assert losses[0] < 5  # type: ignore[operator]  # a loss on unscaled bytes would be hundreds
    assert built.parameter_count() == 3 * 64 * 10 + 10
    scores = built.predictor(64)(train.images)
    assert scores.values is not None
    assert scores.kind == ("logits" if name == "logits" else "probabilities")
    assert np.allclose(scores.values.sum(axis=1), 1, atol=1e-5) == (name != "logits")
    assert len(built.weights()) == 2
    with pytest.raises(ValueError, match="no neutral layout"):
        built.set_weights(built.weights())


def test_what_the_user_built_is_named_where_it_is_no_model(adapter: KerasTensorFlowAdapter, tmp_path: Path) -> None:
    with pytest.raises(ModelFault, match=r"wrong: built a list, a keras\.Model expected"):
        learner(adapter, from_file(write(tmp_path, NET, "wrong")), images(40))


def test_an_error_in_the_users_layer_names_its_line(adapter: KerasTensorFlowAdapter, tmp_path: Path) -> None:
    with pytest.raises(ModelFault, match=r"^broken: KeyError: [^\n]*depth[\s\S]*\(net\.py, line 14\)"):
        learner(adapter, from_file(write(tmp_path, NET, "broken")), images(40))


@pytest.mark.parametrize(("name", "tensorflows"), [("cpu", "/CPU:0"), ("cuda:0", "/GPU:0"), ("cuda:3", "/GPU:3")])
def test_a_device_has_tensorflows_name_for_it(name: str, tensorflows: str) -> None:
    assert _device(name) == tensorflows


def test_gpu_memory_is_tensorflows_own_count(adapter: KerasTensorFlowAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device in name only: TensorFlow's own functions are asked for this device, and their figures handed on."""
    import tensorflow as tf

    asked: list[Any] = []
    built = learner(adapter, MLP_PLAIN, images(40))
    assert isinstance(built, KerasLearner)
    built._device = "cuda:1"

    def info(device: str) -> dict[str, int]:
        asked.append(device)
        return {"peak": 500, "current": 400}

    monkeypatch.setattr(tf.config.experimental, "get_memory_info", info)
    monkeypatch.setattr(tf.config.experimental, "reset_memory_stats", asked.append)
    built.reset_device_peak()
    assert built.device_memory() == DeviceMemory(allocated_peak=500, allocated=400, driver=None)
    assert asked == ["GPU:1", "GPU:1"]
