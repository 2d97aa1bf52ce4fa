"""scikit-learn's axes: float64 against the papers, normalisation, its own tutorials' way, and what it does not have."""

import numpy as np
import pytest

from bench.adapters.base import TrainingPlan
from bench.adapters.scikit_learn import ScikitLearnAdapter
from bench.adapters.scikit_learn_estimator import Vectors
from bench.adapters.scikit_learn_mlp import MLPLearner
from bench.case import Normalization, Optimizer, Schedule, Training
from bench.datasets.dataset import Split
from bench.models.catalog import find_model
from bench.models.networks import MLP_PLAIN
from tests.adapters.contract import batches, distance
from tests.adapters.reference import Perceptron
from tests.adapters.small import COLOUR, DIGITS, case, fit, images, learner, losses_of, weights_of

EXACT = {"precision": "float64"}
SGD = Optimizer(name="sgd", learning_rate=0.05)


@pytest.fixture(scope="module")
def adapter() -> ScikitLearnAdapter:
    adapter = ScikitLearnAdapter()
    adapter.prepare(case(adapter))
    return adapter


@pytest.mark.parametrize(
    ("training", "words"),
    [
        (Training(optimizer=Optimizer(name="adamw")), "MLPClassifier has no adamw"),
        (Training(optimizer=Optimizer(name="rmsprop")), "MLPClassifier has no rmsprop"),
        (Training(optimizer=Optimizer(name="adadelta")), "MLPClassifier has no adadelta"),
        (Training(optimizer=Optimizer(weight_decay=0.1)), "its alpha is an L2 term of the loss"),
        (Training(schedule=Schedule(name="one-cycle")), "no learning rate that is given step by step"),
        (Training(label_smoothing=0.1), "no label smoothing"),
        (Training(class_weights="balanced"), "divides by the weights of a batch"),
        (Training(normalize=Normalization(mean=0.1, std=0.3)), None),
        (Training(optimizer=Optimizer(name="sgd", nesterov=True)), None),
    ],
)
def test_what_the_perceptron_does_not_have_is_said(
    adapter: ScikitLearnAdapter, training: Training, words: str | None
) -> None:
    found = adapter.unsupported(case(adapter).model_copy(update={"training": training}), MLP_PLAIN, DIGITS, 10)
    assert found is None if words is None else words in str(found)


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({"execution": "compiled"}, "scikit-learn has no compiled execution: it calls compiled kernels from Python."),
        ({"precision": "bfloat16"}, "scikit-learn has no bfloat16: numpy has no such type."),
        ({"input": "loader"}, "scikit-learn has no input 'loader': it takes arrays, and has no input pipeline."),
        ({"steps_per_execution": 32}, "scikit-learn has no steps_per_execution above 1"),
        ({"channels_last": True}, "it takes each image as a vector"),
        ({"precision": "float64"}, None),
        ({"track": "idiomatic"}, None),
    ],
)
def test_axes_it_does_not_have_are_refused_with_the_reason(
    adapter: ScikitLearnAdapter, axes: dict[str, object], words: str | None
) -> None:
    found = adapter.unsupported(case(adapter).model_copy(update=axes), MLP_PLAIN, DIGITS, 10)
    assert found is None if words is None else words in str(found)


@pytest.mark.parametrize("normed", [False, True], ids=["scaled", "normalised"])
@pytest.mark.parametrize(
    "optimizer",
    [
        SGD,
        SGD.model_copy(update={"momentum": 0.9}),
        SGD.model_copy(update={"momentum": 0.9, "nesterov": True}),
        SGD.model_copy(update={"nesterov": True}),
        Optimizer(learning_rate=0.01, epsilon=1e-3, beta_2=0.99),
    ],
    ids=["sgd", "momentum", "nesterov", "nesterov without momentum", "adam"],
)
def test_the_perceptron_in_float64_follows_the_papers_to_twelve_digits(
    adapter: ScikitLearnAdapter, optimizer: Optimizer, normed: bool
) -> None:
    train, start = images(150), weights_of(MLP_PLAIN)
    recipe = {"mean": np.array([0.3]), "std": np.array([0.6])} if normed else {}
    built = learner(adapter, MLP_PLAIN, train, optimizer=optimizer, weights=start, axes=EXACT, recipe=recipe)
    expected = Perceptron.start(start, optimizer)
    if normed:
        expected.mean, expected.std = 0.3, 0.6
    orders = [np.random.default_rng(epoch).permutation(150) for epoch in range(4)]
    wanted = [expected.train(train, batches(order, 32)) for order in orders]
    assert losses_of(built, *orders) == pytest.approx(wanted, rel=1e-12)
    assert distance(built.weights(), expected.weights) < 1e-12
    assert {value.dtype for value in built.weights().values()} == {np.dtype(np.float64)}
    scores = built.predictor(16)(train.images)
    largest = np.exp(expected.logits(train.images))
    assert scores.values == pytest.approx(largest / largest.sum(axis=1, keepdims=True), rel=1e-10)
    assert scores.values is not None
    assert scores.values.dtype == np.float64
    assert built.settings()["precision"] == "float64"


def test_each_channel_is_normalised_by_its_own_mean_and_deviation() -> None:
    pixels = images(9, COLOUR).images
    mean, std = np.array([0.1, 0.2, 0.3]), np.array([0.5, 0.6, 0.7])
    found = Vectors(1 / 255, "float64", mean, std)(pixels)
    assert found == pytest.approx(((pixels / 255.0 - mean) / std).reshape(9, -1), rel=1e-13)


def idiomatic(adapter: ScikitLearnAdapter, train: Split, seed: int = 5) -> MLPLearner:
    axes, recipe = {"track": "idiomatic"}, {"initial_weights": None}
    built = learner(adapter, MLP_PLAIN, train, seed=seed, axes=axes, recipe=recipe)
    assert isinstance(built, MLPLearner)
    return built


def test_the_idiomatic_perceptron_is_scikit_learns_own_fit(adapter: ScikitLearnAdapter) -> None:
    """Five epochs against the library's own ``fit``: weights, shuffle and penalty are its own."""
    from sklearn.neural_network import MLPClassifier

    train, constants = images(150), Optimizer()
    built = idiomatic(adapter, train)
    own = MLPClassifier(
        (128,),
        batch_size=32,
        learning_rate_init=constants.learning_rate,
        epsilon=constants.epsilon,
        random_state=np.random.RandomState(5),
        max_iter=5,
    )
    vectors = train.images.reshape(150, -1).astype(np.float32) * np.float32(1 / 255)
    with pytest.warns(UserWarning, match="hasn't converged"):
        own.fit(vectors, train.labels)
    assert losses_of(built, *[None] * 5) == pytest.approx(own.loss_curve_, rel=1e-12)
    assert np.array_equal(built.weights()["dense_1/kernel"], own.coefs_[0])
    assert built.settings()["alpha"] == own.alpha == 1e-4
    assert built.settings()["shuffle"] is True


def test_the_idiomatic_perceptron_draws_its_weights_by_the_seed(adapter: ScikitLearnAdapter) -> None:
    found = [idiomatic(adapter, images(40), seed).weights() for seed in (1, 1, 2)]
    assert distance(found[0], found[1]) == 0
    assert distance(found[0], found[2]) > 1e-3
    assert np.abs(found[0]["dense_1/bias"]).max() > 0.01  # the library draws biases too


def test_an_estimator_is_given_the_precision_that_is_asked_for(adapter: ScikitLearnAdapter) -> None:
    train = images(60)
    for precision in ("float32", "float64"):
        asked = case(adapter).model_copy(update={"precision": precision})
        built = adapter.build(asked, find_model("logistic-regression"), train, TrainingPlan(5, 1))
        fit(built, None)
        assert built._estimator.coef_.dtype == np.dtype(precision)  # type: ignore[attr-defined]
        assert built.settings()["precision"] == f"{precision} input"


def test_an_idiomatic_estimator_gets_its_vectors_made_beforehand_and_answers_alike(
    adapter: ScikitLearnAdapter,
) -> None:
    train = images(100)
    answers = []
    for track in ("matched", "idiomatic"):
        asked = case(adapter).model_copy(update={"track": track})
        built = adapter.build(asked, find_model("logistic-regression"), train, TrainingPlan(5, 1))
        if track == "idiomatic":
            train.images[:] = 0  # what was made beforehand does not look again
        fit(built, None)
        answers.append(built.predictor(0)(images(30, seed=1).images).values)
    assert answers[0] is not None
    assert answers[0] == pytest.approx(answers[1], abs=0)
