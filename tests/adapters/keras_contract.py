"""Tests for Keras on every backend, beyond those for every learner: axes, recipes, both tracks, users' models."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.adapters.base import Adapter, Learner
from bench.adapters.keras_learner import KerasLearner
from bench.case import Optimizer
from bench.equivalence.reference import Reference
from bench.models.model import CLASSES, BatchNorm, Conv, Dense, Estimator, Flatten, MaxPool, Network, Relu
from bench.models.native import ModelFault, from_file
from bench.models.network import place
from bench.models.networks import CNN, MLP, MLP_PLAIN
from tests.adapters.contract import NetworkContract, batches, distance
from tests.adapters.native_files import forget_own_model, write
from tests.adapters.small import COLOUR, case, fit, images, learner, loss_of, losses_of, weights_of

EXACT: dict[str, Any] = {
    "learning_rate": 2.0**-8,
    "beta_1": 0.875,
    "beta_2": 1 - 2.0**-10,
    "rho": 0.875,
    "epsilon": 2.0**-23,
}
"""Constants exact in float32: honest implementations in float64 differ only by rounding."""
RECIPES: dict[str, dict[str, Any]] = {
    "sgd": {"name": "sgd"},
    "momentum, decayed": {"name": "sgd", "momentum": 0.875, "weight_decay": 0.25},
    "nesterov": {"name": "sgd", "momentum": 0.875, "nesterov": True},
    "adam": {"name": "adam"},
    "adam, decayed": {"name": "adam", "weight_decay": 0.25},
    "adamw": {"name": "adamw", "weight_decay": 0.25},
    "rmsprop": {"name": "rmsprop"},
    "rmsprop with momentum": {"name": "rmsprop", "momentum": 0.5},
    "adadelta": {"name": "adadelta", "learning_rate": 0.5},
}
STRIDED = Network(
    "strided",
    "strides with padding, BatchNorm in the middle, a Relu of its own",
    (
        Conv(4, 3, bias=False, padding="same", strides=2),
        BatchNorm(),
        Relu(),
        Conv(3, 2, "relu"),
        MaxPool(2),
        Flatten(),
        Dense(CLASSES),
    ),
)
COLOURS = {"mean": np.array([0.25, 0.5, 0.375]), "std": np.array([0.5, 0.25, 0.125])}
WEIGHTED = {"label_smoothing": 0.125, "class_weights": np.linspace(0.25, 2.5, 10)}
ORDER = np.random.default_rng(4).permutation(70)

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
class InCall(keras.Model):
    def __init__(self, shape, classes):
        super().__init__()
        self.flatten, self.dense = keras.layers.Flatten(), keras.layers.Dense(classes)
    def call(self, images, training=None):
        return keras.ops.softmax(self.dense(self.flatten(images)))
class InEvaluation(InCall):
    def call(self, images, training=None):
        logits = self.dense(self.flatten(images))
        return logits if training else keras.ops.softmax(logits)
class Logarithms(InCall):
    def call(self, images, training=None):
        return keras.ops.log_softmax(self.dense(self.flatten(images)))
"""


def trained(built: Learner, order: NDArray[np.int64] = ORDER) -> Learner:
    fit(built, order)
    return built


def values_of(built: Learner, rows: int = 20) -> NDArray[np.float32]:
    values = built.predictor(16)(images(rows, built_shape(built), seed=3).images).values
    assert values is not None
    return values


def built_shape(built: Learner) -> tuple[int, ...]:
    assert isinstance(built, KerasLearner)
    return tuple(built._model.inputs[0].shape[1:])


class KerasContract(NetworkContract):
    """Tests of one backend; a fixture gives its prepared adapter."""

    strange: frozenset[str]
    """Frameworks that must not be in the process."""

    @pytest.fixture(autouse=True)
    def _own_model(self) -> Iterator[None]:
        yield
        forget_own_model()

    @pytest.fixture
    def in_float64(self, adapter: Adapter) -> Iterator[None]:
        """Prepare Keras for float64 during one test, as a worker does once."""
        adapter.prepare(case(adapter, precision="float64"))
        yield
        adapter.prepare(case(adapter))

    def test_no_other_framework_is_imported(self, adapter: Adapter) -> None:
        import sys

        rates = np.array([0.5, 0.25, 0.125])
        trained(learner(adapter, CNN, images(70), axes={"input": "loader"}, rates=rates)).settings()
        values_of(trained(learner(adapter, MLP, images(70)), np.arange(40)))
        assert self.strange.intersection(sys.modules) == set()

    @pytest.mark.parametrize("recipe", RECIPES)
    def test_recipes_are_as_defined_to_the_last_digits_of_float64(
        self, adapter: Adapter, recipe: str, in_float64: None
    ) -> None:
        self._follows_the_definition(adapter, MLP_PLAIN, Optimizer(**(EXACT | RECIPES[recipe])), {}, 1e-12)

    def test_smoothed_labels_weighted_classes_and_normalised_pixels_are_as_defined(
        self, adapter: Adapter, in_float64: None
    ) -> None:
        self._follows_the_definition(adapter, MLP_PLAIN, Optimizer(**EXACT), WEIGHTED | COLOURS, 1e-12)
        smoothed = {"label_smoothing": 0.125}
        self._follows_the_definition(adapter, MLP_PLAIN, Optimizer(**EXACT), smoothed, 1e-12)

    def test_strides_and_batch_norm_are_as_defined(self, adapter: Adapter, in_float64: None) -> None:
        self._follows_the_definition(adapter, STRIDED, Optimizer(**EXACT), {}, 1e-9)

    def _follows_the_definition(
        self, adapter: Adapter, network: Network, optimizer: Optimizer, recipe: dict[str, Any], limit: float
    ) -> None:
        """Six steps, two of them short, at a rate that changes with each step."""
        train = images(70, COLOUR)
        train = replace(train, scale=256.0)
        rates = optimizer.learning_rate * np.array([1.0, 0.5, 0.25, 2.0, 1.0, 0.5])
        start = weights_of(network, COLOUR)
        built = learner(
            adapter, network, train, optimizer=optimizer, rates=rates, recipe=recipe, axes={"precision": "float64"}
        )
        loss = {name: recipe[name] for name in WEIGHTED if name in recipe}
        expected = Reference(place(network, COLOUR, 10), start, optimizer, **loss)
        pixels = train.images / 256.0
        if "mean" in recipe:
            pixels = (pixels - recipe["mean"]) / recipe["std"]
        assert built.predictor(16)(train.images).values == pytest.approx(expected.logits(pixels), rel=limit, abs=limit)
        wanted = [
            expected.step(pixels[batch], train.labels[batch], float(rates[step]))
            for step, batch in enumerate(batches(ORDER, 32) * 2)
        ]
        assert [one.loss for one in fit(built, ORDER, ORDER, inner=(1, 2))] == pytest.approx(wanted, rel=limit)
        found = built.weights()
        assert {value.dtype for value in found.values()} == {np.dtype(np.float64)}
        assert distance(found, expected.weights) < limit * 10
        assert distance(found, start) > 1e-3

    def test_settings_after_the_last_step_of_a_schedule_tell_its_peak(self, adapter: Adapter) -> None:
        built = trained(learner(adapter, MLP_PLAIN, images(70), rates=np.array([0.125, 0.5, 0.25])))
        constants = built.settings()["optimizer"]
        assert isinstance(constants, dict)
        assert constants["learning_rate"] == 0.5
        assert constants["schedule"] == {"steps": 3, "first": 0.125, "peak": 0.5, "last": 0.25}

    @pytest.mark.slow
    def test_every_execution_computes_the_same_and_says_which_it_is(self, adapter: Adapter) -> None:
        train = images(32)
        found = {}
        for execution in adapter.executions:
            built = learner(adapter, MLP_PLAIN, train, axes={"execution": execution})
            assert built.settings()["execution"] == execution
            losses = [loss_of(built, np.arange(32)) for _ in range(3)]
            assert built.settings()["execution"] == execution
            found[execution] = (losses, built.weights(), values_of(built, rows=32))
        losses, weights, values = found.pop(adapter.execution)
        assert found
        for others in found.values():
            assert others[0] == pytest.approx(losses, rel=1e-5)
            assert distance(others[1], weights) < 1e-5
            assert others[2] == pytest.approx(values, abs=1e-4)

    def test_an_execution_it_has_not_is_refused_with_the_reason(self, adapter: Adapter) -> None:
        for execution in {"eager", "graph", "compiled"}.difference(adapter.executions):
            reason = adapter.unsupported(case(adapter, execution=execution), MLP, COLOUR, 10)
            assert reason is not None
            assert adapter.reasons[execution] in reason

    def test_several_steps_a_call_are_the_same_steps_or_are_refused(self, adapter: Adapter) -> None:
        asked: dict[str, Any] = {"steps_per_execution": 2}
        if not adapter.multi_step:
            assert "one step a call" in str(adapter.unsupported(case(adapter, **asked), MLP, COLOUR, 10))
            return
        train = images(70)
        several = trained(learner(adapter, MLP_PLAIN, train, axes=asked))
        one = trained(learner(adapter, MLP_PLAIN, train))
        assert distance(several.weights(), one.weights()) < 1e-6
        assert (several.settings()["steps_per_execution"], one.settings()["steps_per_execution"]) == (2, 1)

    def test_bfloat16_is_mixed_and_near_float32(self, adapter: Adapter) -> None:
        train = images(70, COLOUR)
        mixed, plain = (learner(adapter, STRIDED, train, axes={"precision": kind}) for kind in ("bfloat16", "float32"))
        losses = [loss_of(built, ORDER) for built in (mixed, plain)]
        assert losses[0] == pytest.approx(losses[1], rel=0.05)
        assert losses[0] != pytest.approx(losses[1], rel=1e-6)
        assert {value.dtype for value in mixed.weights().values()} == {np.dtype(np.float32)}
        assert values_of(mixed).dtype == np.float32
        assert (mixed.settings()["precision"], plain.settings()["precision"]) == ("mixed_bfloat16", "float32")

    def test_float64_is_float64_throughout(self, adapter: Adapter, in_float64: None) -> None:
        built = trained(learner(adapter, STRIDED, images(70, COLOUR), axes={"precision": "float64"}))
        assert values_of(built).dtype == np.float64
        assert built.settings()["precision"] == "float64"

    @pytest.mark.parametrize("recipe", [{}, COLOURS], ids=["scaled", "normalised"])
    def test_the_loader_gives_what_arrays_give(self, adapter: Adapter, recipe: dict[str, Any]) -> None:
        train = images(70, COLOUR)
        loader = learner(adapter, STRIDED, train, axes={"input": "loader"}, recipe=recipe)
        arrays = learner(adapter, STRIDED, train, recipe=recipe)
        assert values_of(loader) == pytest.approx(values_of(arrays), abs=1e-4)
        for _ in range(2):
            assert loss_of(loader, ORDER) == pytest.approx(loss_of(arrays, ORDER), rel=1e-4)
        assert distance(loader.weights(), arrays.weights()) < 1e-3
        assert (loader.settings()["input"], arrays.settings()["input"]) == ("loader", "resident")

    def test_the_batches_of_the_loader_are_converted_and_in_order(self, adapter: Adapter) -> None:
        train = images(70, COLOUR)
        built = learner(adapter, MLP_PLAIN, train, axes={"input": "loader"}, recipe=COLOURS)
        before = built.weights()
        found = built.batches(ORDER)
        assert found is not None
        for given, rows in zip(found, batches(ORDER, 32), strict=True):
            pixels, labels = (np.asarray(part) for part in given)  # type: ignore[attr-defined]
            expected = (train.images[rows] / 255.0 - COLOURS["mean"]) / COLOURS["std"]
            assert pixels == pytest.approx(expected, abs=1e-5)
            assert pixels.dtype == np.float32
            assert np.array_equal(labels, train.labels[rows])
        assert distance(built.weights(), before) == 0

    def test_arrays_have_no_batches_of_their_own(self, built: Learner) -> None:
        assert built.batches(ORDER) is None

    def test_nothing_but_the_loss_is_computed_in_the_matched_track(self, adapter: Adapter) -> None:
        built = learner(adapter, MLP, images(70))
        assert built.settings()["metrics"] == []
        assert trained(built).settings()["metrics"] == []

    @pytest.mark.parametrize("source", ["resident", "loader"])
    def test_the_idiomatic_track_is_as_the_tutorials_have_it(self, adapter: Adapter, source: str) -> None:
        train, test = images(400), images(100, seed=1)
        axes = {"track": "idiomatic", "input": source}
        own = {"initial_weights": None}
        built = learner(adapter, MLP, train, optimizer=Optimizer(learning_rate=0.004), axes=axes, recipe=own)
        weights = built.weights()
        assert not weights["dense_1/bias"].any()
        assert weights["dense_1/kernel"].std() > 0.01  # Keras' own: the plan has none
        losses = [loss_of(built, None) for _ in range(8)]
        assert losses[-1] < 0.5 * losses[0]
        found = built.settings()
        assert found["metrics"] == ["accuracy"]
        assert found["predict"] == "Model.predict"
        scores = built.predictor(64)(test.images)
        assert float((scores.labels == test.labels).mean()) > 0.6
        matched = learner(adapter, MLP, train, weights=built.weights())
        assert scores.values == pytest.approx(matched.predictor(64)(test.images).values, abs=1e-4)

    def test_all_settings_fit_in_json(self, adapter: Adapter) -> None:
        rates = np.array([0.125, 0.5, 0.25])
        built = trained(learner(adapter, MLP, images(70), rates=rates, recipe=WEIGHTED))
        assert "label smoothing 0.125, weighted by class" in json.loads(json.dumps(built.settings()))["loss"]

    def test_the_users_configuration_of_keras_changes_nothing(self, adapter: Adapter) -> None:
        """After the import, ``keras.config`` holds the values of ``keras.json``."""
        import keras

        keras.config.set_floatx("float64")
        keras.config.set_image_data_format("channels_first")
        keras.config.set_epsilon(1e-2)
        adapter.prepare(case(adapter))
        assert learner(adapter, CNN, images(40, COLOUR)).settings()["precision"] == "float32"
        assert keras.config.image_data_format() == "channels_last"
        assert keras.config.epsilon() == 1e-7

    def test_an_estimator_is_no_network(self, adapter: Adapter) -> None:
        forest = Estimator("forest", "", "sklearn.ensemble.RandomForestClassifier")
        assert not adapter.natural(forest)
        with pytest.raises(TypeError, match="forest is not a network"):
            learner(adapter, forest, images(40))

    @pytest.mark.parametrize("axes", [{}, {"input": "loader"}, {"track": "idiomatic"}], ids=str)
    @pytest.mark.parametrize("name", ["logits", "probabilities", "softmax_layer"])
    def test_the_users_model_is_trained_on_scaled_images_and_its_kind_of_answer_is_seen(
        self, adapter: Adapter, tmp_path: Path, name: str, axes: dict[str, str]
    ) -> None:
        train = images(200, COLOUR)
        model = from_file(write(tmp_path, NET, name))
        built = learner(adapter, model, train, optimizer=Optimizer(learning_rate=0.01), axes=axes)
        losses = [loss_of(built, np.random.default_rng(epoch).permutation(200)) for epoch in range(5)]
        assert losses[-1] < 0.5 * losses[0]
        assert losses[0] < 5  # a loss on unscaled bytes would be hundreds
        assert built.parameter_count() == 3 * 64 * 10 + 10
        scores = built.predictor(64)(train.images)
        assert scores.values is not None
        assert scores.kind == ("logits" if name == "logits" else "probabilities")
        assert np.allclose(scores.values.sum(axis=1), 1, atol=1e-5) == (name != "logits")
        assert len(built.weights()) == 2
        with pytest.raises(ValueError, match="no neutral layout"):
            built.set_weights(built.weights())

    @pytest.mark.parametrize(
        ("name", "loss", "answers"),
        [
            ("InCall", "probabilities", "probabilities"),
            ("InEvaluation", "logits", "probabilities"),
            ("Logarithms", "logits", "logits"),
        ],
    )
    def test_probabilities_are_known_by_the_outputs_in_training_and_in_evaluation(
        self, adapter: Adapter, tmp_path: Path, name: str, loss: str, answers: str
    ) -> None:
        """The loss equals that of plain logits, wherever the softmax is; log-probabilities count as logits."""
        train = images(70, COLOUR)
        plain = learner(adapter, from_file(write(tmp_path, NET, "Logarithms")), train)
        built = learner(adapter, from_file(write(tmp_path, NET, name)), train)
        assert losses_of(built, ORDER, ORDER) == pytest.approx(losses_of(plain, ORDER, ORDER), rel=1e-4)
        assert f"cross-entropy on {loss}" in str(built.settings()["loss"])
        assert built.predictor(16)(train.images).kind == answers

    def test_what_the_user_built_is_named_where_it_is_no_model(self, adapter: Adapter, tmp_path: Path) -> None:
        with pytest.raises(ModelFault, match=r"wrong: built a list, a keras\.Model expected"):
            learner(adapter, from_file(write(tmp_path, NET, "wrong")), images(40))

    def test_an_error_in_the_users_layer_names_its_line(self, adapter: Adapter, tmp_path: Path) -> None:
        with pytest.raises(ModelFault, match=r"^broken: KeyError: [^\n]*depth[\s\S]*\(net\.py, line 14\)"):
            learner(adapter, from_file(write(tmp_path, NET, "broken")), images(40))
