"""Tests for the learners of every framework; each adapter's test module runs them as a subclass."""

import itertools
import json
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.adapters.base import Adapter, Epoch, Learner
from bench.case import Optimizer
from bench.datasets.dataset import Split
from bench.models.model import Network
from bench.models.network import initial_weights, place
from bench.models.networks import MLP_PLAIN
from tests.adapters.reference import Perceptron
from tests.adapters.small import COLOUR, DIGITS, NETWORKS, fit, images, learner, loss_of, losses_of, weights_of

Weights = Mapping[str, NDArray[np.float32]]

ADAM = Optimizer(epsilon=1e-3, beta_2=0.99)
"""The large ε shows at once where it is added."""
RECIPES = {
    "adam": ADAM,
    "sgd": Optimizer(name="sgd", learning_rate=0.05),
    "momentum": Optimizer(name="sgd", learning_rate=0.02, momentum=0.9),
    "nesterov": Optimizer(name="sgd", learning_rate=0.02, momentum=0.9, nesterov=True),
}


def distance(one: Weights, other: Mapping[str, NDArray[np.floating]]) -> float:
    """The largest difference of any weight."""
    assert one.keys() == other.keys()
    return max(float(np.abs(one[name] - other[name]).max()) for name in one)


def batches(order: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    return [order[start : start + size] for start in range(0, len(order), size)]


class LearnerContract:
    """Tests of the prepared adapter that the fixture ``adapter`` gives."""

    networks: tuple[str, ...]
    """Supported networks."""
    trained: tuple[str, ...]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """``network``: each supported one; ``trained``: those that differ in training."""
        for name, chosen in (("network", self.networks), ("trained", self.trained)):
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, [NETWORKS[key] for key in chosen], ids=chosen)

    @pytest.fixture
    def built(self, adapter: Adapter) -> Learner:
        """A perceptron that has not been trained."""
        return learner(adapter, MLP_PLAIN, images(70), weights=weights_of(MLP_PLAIN))

    def test_weights_come_back_as_they_were_set(self, adapter: Adapter, network: Network) -> None:
        built = learner(adapter, network, images(40, COLOUR))
        given = weights_of(network, COLOUR, seed=8)
        built.set_weights(given)
        found = built.weights()
        assert distance(given, found) == 0
        assert {value.dtype for value in found.values()} == {np.dtype(np.float32)}

    def test_weights_come_back_as_they_were_set_after_training_too(self, adapter: Adapter) -> None:
        built = learner(adapter, MLP_PLAIN, images(40, COLOUR))
        given = weights_of(MLP_PLAIN, COLOUR, seed=8)
        fit(built, np.arange(40))
        built.set_weights(given)
        assert distance(given, built.weights()) == 0

    def test_weights_once_read_do_not_change_with_training(self, built: Learner) -> None:
        before = built.weights()
        fit(built, np.arange(70))
        assert distance(before, weights_of(MLP_PLAIN)) == 0
        assert distance(built.weights(), before) > 1e-4

    def test_weights_given_are_not_trained_in_place(self, adapter: Adapter) -> None:
        given = weights_of(MLP_PLAIN)
        fit(learner(adapter, MLP_PLAIN, images(70), weights=given), np.arange(70))
        assert distance(given, weights_of(MLP_PLAIN)) == 0

    @pytest.mark.parametrize("name", ["dense_1/bias", "dense_3/bias"])
    def test_weights_that_do_not_fit_are_refused_by_name(self, built: Learner, name: str) -> None:
        with pytest.raises(ValueError, match=name):
            built.set_weights(weights_of(MLP_PLAIN) | {name: np.zeros(3, np.float32)})

    def test_parameters_are_those_of_the_placed_network(self, adapter: Adapter, network: Network) -> None:
        built = learner(adapter, network, images(12, DIGITS))
        assert built.parameter_count() == place(network, DIGITS, 10).parameters

    @pytest.mark.parametrize("recipe", RECIPES)
    def test_training_follows_the_papers(self, adapter: Adapter, recipe: str) -> None:
        """20 steps, some of them short, against a float64 implementation in numpy."""
        train, optimizer, start = images(150), RECIPES[recipe], weights_of(MLP_PLAIN)
        built = learner(adapter, MLP_PLAIN, train, optimizer=optimizer, weights=start)
        expected = Perceptron.start(start, optimizer)
        orders = [np.random.default_rng(epoch).permutation(150) for epoch in range(4)]
        wanted = [expected.train(train, batches(order, 32)) for order in orders]
        assert losses_of(built, *orders) == pytest.approx(wanted, rel=1e-4)
        assert distance(built.weights(), expected.weights) < 1e-4

    def test_adam_has_epsilon_before_the_bias_correction(self, adapter: Adapter) -> None:
        train, start, order = images(96), weights_of(MLP_PLAIN), np.arange(96)
        built = learner(adapter, MLP_PLAIN, train, optimizer=ADAM, weights=start)
        expected, other = Perceptron.start(start, ADAM), Perceptron.start(start, ADAM)
        other.epsilon_hat = False
        fit(built, order)
        expected.train(train, batches(order, 32))
        other.train(train, batches(order, 32))
        assert distance(built.weights(), expected.weights) < 1e-5
        assert distance(built.weights(), other.weights) > 1e-3

    def test_the_given_order_is_followed(self, adapter: Adapter) -> None:
        """Training on an order equals training on the rows rearranged in that order."""
        train, order = images(70), np.random.default_rng(4).permutation(70)
        ordered = learner(adapter, MLP_PLAIN, train)
        rearranged = learner(adapter, MLP_PLAIN, train.take(order))
        other = learner(adapter, MLP_PLAIN, train)
        fit(ordered, order)
        fit(rearranged, np.arange(70))
        fit(other, np.arange(70))
        assert distance(ordered.weights(), rearranged.weights()) == 0
        assert distance(ordered.weights(), other.weights()) > 1e-4

    def test_the_same_order_gives_the_same_weights_bit_for_bit(self, adapter: Adapter, trained: Network) -> None:
        train, order = images(70), np.random.default_rng(4).permutation(70)
        found = []
        for _ in range(2):
            built = learner(adapter, trained, train)
            fit(built, order)
            found.append(built.weights())
        assert distance(found[0], found[1]) == 0
        assert distance(found[0], weights_of(trained)) > 1e-4

    def test_rows_that_are_not_in_the_order_play_no_part(self, adapter: Adapter) -> None:
        train, order = images(70), np.arange(0, 40)
        spoilt = Split(train.images.copy(), train.labels.copy(), train.scale, train.classes)
        spoilt.images[40:] = 255
        one, other = learner(adapter, MLP_PLAIN, train), learner(adapter, MLP_PLAIN, spoilt)
        fit(one, order)
        fit(other, order)
        assert distance(one.weights(), other.weights()) == 0

    def test_pauses_change_nothing_that_is_trained(self, adapter: Adapter) -> None:
        """Each pause reads the weights and predicts images, as the harness does."""
        train, orders = images(70), [np.random.default_rng(epoch).permutation(70) for epoch in range(3)]
        whole, paused = learner(adapter, MLP_PLAIN, train), learner(adapter, MLP_PLAIN, train)
        predict = paused.predictor(16)
        fit(whole, *orders)
        seen: list[int] = []

        def pause() -> None:
            seen.append(len(predict(train.images).labels))
            paused.progress()
            paused.weights()

        paused.train([Epoch(orders[0], (1, 2, 3)), Epoch(orders[1], (3,)), Epoch(orders[2], (2, 3))], pause)
        assert len(seen) == 6
        assert distance(whole.weights(), paused.weights()) == 0

    def test_the_loss_rows_and_steps_of_each_stretch_are_counted_by_the_framework(self, adapter: Adapter) -> None:
        train, order, start = images(70), np.random.default_rng(4).permutation(70), weights_of(MLP_PLAIN)
        found = fit(learner(adapter, MLP_PLAIN, train, weights=start), order, order, inner=(1, 2))
        expected = Perceptron.start(start, Optimizer())
        losses = [expected.train(train, [rows]) for rows in batches(order, 32) * 2]
        assert [(one.rows, one.steps) for one in found] == [(32, 1), (32, 1), (6, 1)] * 2
        assert [one.loss for one in found] == pytest.approx(losses, rel=1e-4)

    def test_an_epoch_is_asked_for_after_the_last_pause_of_the_one_before(self, adapter: Adapter) -> None:
        train, order = images(70), np.arange(70)
        built, noted = learner(adapter, MLP_PLAIN, train), list[str]()

        def epochs() -> Iterator[Epoch]:
            for number in (1, 2):
                noted.append(f"epoch {number}")
                yield Epoch(order, (1, 3))

        built.train(epochs(), lambda: noted.append("pause"))
        assert noted == ["epoch 1", "pause", "pause", "epoch 2", "pause", "pause"]

    def test_a_batch_larger_than_the_rows_is_all_of_them(self, adapter: Adapter) -> None:
        train, start = images(20), weights_of(MLP_PLAIN)
        built = learner(adapter, MLP_PLAIN, train, batch_size=64, weights=start)
        expected = Perceptron.start(start, Optimizer())
        assert loss_of(built, np.arange(20)) == pytest.approx(expected.train(train, [np.arange(20)]), rel=1e-5)
        assert distance(built.weights(), expected.weights) < 1e-5

    def test_an_order_of_its_own_meets_every_row_once(self, adapter: Adapter) -> None:
        """At a learning rate near zero, the mean loss of a pass is that of the rows in any order."""
        train, start, slow = images(70), weights_of(MLP_PLAIN), Optimizer(name="sgd", learning_rate=1e-9)
        built = learner(adapter, MLP_PLAIN, train, optimizer=slow, weights=start)
        assert loss_of(built, None) == pytest.approx(
            Perceptron.start(start, slow).train(train, [np.arange(70)]), rel=1e-5
        )

    def test_training_lowers_the_loss_and_learns_the_classes(self, adapter: Adapter, trained: Network) -> None:
        train, test = images(400), images(200, seed=1)
        weights = initial_weights(place(trained, DIGITS, 10), 0)
        built = learner(adapter, trained, train, optimizer=Optimizer(learning_rate=0.004), weights=weights)
        losses = losses_of(built, *(np.random.default_rng(epoch).permutation(400) for epoch in range(8)))
        assert losses[-1] < 0.5 * losses[0]
        accuracy = float((built.predictor(64)(test.images).labels == test.labels).mean())
        assert accuracy > 0.6  # a guess is right in a tenth

    def test_training_leaves_the_data_as_they_are(self, adapter: Adapter) -> None:
        train = images(40)
        floats = Split(train.images.astype(np.float32) / np.float32(255), train.labels, 0.5, 10)
        for data in (train, floats):
            before = data.images.copy()
            built = learner(adapter, MLP_PLAIN, data)
            fit(built, np.arange(40))
            built.predictor(16)(data.images)
            assert np.array_equal(data.images, before)

    def test_read_only_maps_of_bytes_and_of_floats_are_trained_and_predicted(
        self, adapter: Adapter, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp("maps")
        for number, stored in enumerate((images(40).images, images(40).images.astype(np.float32))):
            np.save(folder / f"{number}.npy", stored)
            mapped = np.load(folder / f"{number}.npy", mmap_mode="r").view(np.ndarray)
            data = Split(mapped, images(40).labels, 255.0, 10)
            built = learner(adapter, MLP_PLAIN, data)
            assert loss_of(built, np.arange(40)) is not None
            assert built.predictor(16)(mapped).labels.shape == (40,)
            assert built.predictor(1)(mapped[:1]).labels.shape == (1,)

    def test_floats_are_scaled_as_bytes_are(self, adapter: Adapter) -> None:
        train = images(40)
        floats = Split(train.images.astype(np.float32), train.labels, train.scale, 10)
        answers = [learner(adapter, MLP_PLAIN, data).predictor(16)(data.images).values for data in (train, floats)]
        assert answers[0] == pytest.approx(answers[1], abs=1e-6)

    def test_answers_are_those_of_the_papers_forward_pass(self, built: Learner) -> None:
        rows = images(50, seed=3)
        logits = Perceptron.start(weights_of(MLP_PLAIN), ADAM).logits(rows.images)
        scores = built.predictor(16)(rows.images)
        assert scores.values is not None
        found = scores.values.astype(np.float64)
        if scores.kind == "logits":
            assert found == pytest.approx(logits, abs=1e-5)
        else:
            assert scores.kind == "probabilities"
            largest = np.exp(logits - logits.max(axis=1, keepdims=True))
            assert found == pytest.approx(largest / largest.sum(axis=1, keepdims=True), abs=1e-5)
        assert np.array_equal(scores.labels, logits.argmax(axis=1))
        assert scores.labels.dtype == np.int64
        assert scores.values.dtype == np.float32

    @pytest.mark.parametrize("batch_size", [0, 1, 7, 16, 50, 64])
    def test_the_batch_size_does_not_change_the_answers(self, built: Learner, batch_size: int) -> None:
        rows = images(50, seed=3)
        expected, found = built.predictor(50)(rows.images), built.predictor(batch_size)(rows.images)
        assert found.values == pytest.approx(expected.values, abs=1e-5)
        assert np.array_equal(found.labels, expected.labels)

    def test_one_predictor_answers_for_any_number_of_rows(self, built: Learner) -> None:
        rows, predict = images(50, seed=3), built.predictor(16)
        whole = predict(rows.images)
        assert whole.values is not None
        for count in (1, 16, 17, 33):
            assert predict(rows.images[:count]).values == pytest.approx(whole.values[:count], abs=1e-5)

    def test_a_predictor_answers_with_the_weights_of_the_moment(self, built: Learner) -> None:
        rows = images(50, seed=3)
        early = built.predictor(16)
        before = early(rows.images).values
        fit(built, np.arange(70))
        after = early(rows.images).values
        assert before is not None
        assert after is not None
        assert after == pytest.approx(built.predictor(16)(rows.images).values, abs=1e-6)
        assert np.abs(after - before).max() > 1e-4

    def test_decisions_alone_are_the_decisions_of_the_full_answer(self, built: Learner) -> None:
        rows = images(50, seed=3)
        assert np.array_equal(
            built.predictor(16, decisions_only=True)(rows.images).labels, built.predictor(16)(rows.images).labels
        )

    def test_settings_are_read_back_and_fit_in_json(self, adapter: Adapter) -> None:
        optimizer = Optimizer(learning_rate=0.25, beta_1=0.5, beta_2=0.75, epsilon=0.125)
        found = learner(adapter, MLP_PLAIN, images(40), optimizer=optimizer).settings()
        assert json.loads(json.dumps(found)) == json.loads(json.dumps(found, default=str))
        constants = found["optimizer"]
        assert isinstance(constants, dict)
        assert constants["learning_rate"] == 0.25
        assert constants["form"] == "epsilon-hat"
        assert constants["epsilon"] == 0.125
        betas = constants.get("betas") or (constants["beta_1"], constants["beta_2"])
        assert tuple(betas) == (0.5, 0.75)
        assert found["precision"] == "float32"

    def test_settings_of_sgd_name_its_momentum(self, adapter: Adapter) -> None:
        found = learner(adapter, MLP_PLAIN, images(40), optimizer=RECIPES["nesterov"]).settings()
        constants = found["optimizer"]
        assert isinstance(constants, dict)
        assert (constants["momentum"], constants["learning_rate"]) == (0.9, pytest.approx(0.02))
        assert constants.get("nesterov", constants.get("nesterovs_momentum")) is True
        assert "form" not in constants

    def test_the_device_is_idle_when_asked_and_host_memory_is_not_device_memory(self, built: Learner) -> None:
        built.synchronize()
        built.reset_device_peak()
        assert built.device_memory() is None


class NetworkContract(LearnerContract):
    """Tests of neural-network frameworks: dropout, and a separate learning rate for each step."""

    def test_learning_rates_are_taken_step_by_step(self, adapter: Adapter) -> None:
        sgd, train = Optimizer(name="sgd", learning_rate=0.1), images(64)
        scheduled = learner(adapter, MLP_PLAIN, train, optimizer=sgd, rates=np.array([0.1, 0.0, 0.0, 0.05]))
        seen = [scheduled.weights()]
        scheduled.train([Epoch(np.arange(64), (1, 2))] * 2, lambda: seen.append(scheduled.weights()))
        moved = [distance(before, after) for before, after in itertools.pairwise(seen)]
        assert [distance_moved > 1e-4 for distance_moved in moved] == [True, False, False, True]
        assert moved[1:3] == [0, 0]

    def test_dropout_is_off_in_prediction_and_on_in_training(self, adapter: Adapter) -> None:
        train, network = images(70), NETWORKS["mlp"]
        built = learner(adapter, network, train)
        plain = Perceptron.start(weights_of(network), ADAM)
        assert built.predictor(16)(train.images).values == pytest.approx(plain.logits(train.images), abs=1e-5)
        fit(built, np.arange(70))
        first, second = (built.predictor(16)(train.images).values for _ in range(2))
        assert first is not None
        assert second is not None
        assert np.array_equal(first, second)
        undropped = learner(adapter, MLP_PLAIN, train)
        fit(undropped, np.arange(70))
        assert distance(built.weights(), undropped.weights()) > 1e-4

    def test_the_seed_decides_the_dropout_masks(self, adapter: Adapter) -> None:
        train, order = images(70), np.arange(70)
        trained = []
        for seed in (1, 1, 2):
            built = learner(adapter, NETWORKS["mlp"], train, seed=seed)
            fit(built, order)
            trained.append(built.weights())
        assert distance(trained[0], trained[1]) == 0
        assert distance(trained[0], trained[2]) > 1e-5
