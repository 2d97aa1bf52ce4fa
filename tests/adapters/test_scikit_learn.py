"""scikit-learn's adapter: the contract of all learners for its perceptron, and its estimators."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.adapters.base import Epoch, Learner, Progress, TrainingPlan
from bench.adapters.scikit_learn import ScikitLearnAdapter
from bench.adapters.scikit_learn_estimator import Vectors
from bench.adapters.scikit_learn_mlp import MLPLearner
from bench.case import Optimizer
from bench.datasets.dataset import Split
from bench.models.catalog import MODELS, find_model
from bench.models.model import CLASSES, BatchNorm, Dense, Estimator, Flatten, Layer, MaxPool, Network, Relu
from bench.models.native import ModelFault, from_file
from bench.models.networks import MLP, MLP_PLAIN, SOFTMAX
from tests.adapters.contract import LearnerContract
from tests.adapters.native_files import forget_own_model, write
from tests.adapters.small import COLOUR, DIGITS, NETWORKS, case, fit, images, learner

ESTIMATORS = [name for name in MODELS if isinstance(find_model(name), Estimator)]
FLOORS = ("majority", "random-guess")
"""They do not look at an image: learning begins above them."""
SETTLED = [name for name in ESTIMATORS if name != "random-guess"]
"""Those that answer alike whenever they are asked."""


@pytest.fixture(scope="module")
def adapter() -> ScikitLearnAdapter:
    adapter = ScikitLearnAdapter()
    adapter.prepare(case(adapter))
    return adapter


@pytest.fixture(autouse=True)
def _own_model() -> Iterator[None]:
    yield
    forget_own_model()


class TestContract(LearnerContract):
    networks = trained = ("softmax", "mlp-plain")


def estimator(adapter: ScikitLearnAdapter, name: str, train: Split, threads: int = 1) -> Learner:
    """A shipped estimator with its training data."""
    return adapter.build(case(adapter), find_model(name), train, TrainingPlan(5, threads))


def test_the_perceptron_has_no_penalty_no_shuffle_and_no_early_stopping(adapter: ScikitLearnAdapter) -> None:
    built = learner(adapter, MLP_PLAIN, images(40))
    assert isinstance(built, MLPLearner)
    shown = built._estimator.get_params()
    assert (shown["alpha"], shown["early_stopping"]) == (0.0, False)
    assert (built.settings()["alpha"], built.settings()["shuffle"]) == (0.0, False)


def test_the_perceptron_goes_on_where_scikit_learn_would_stop(adapter: ScikitLearnAdapter) -> None:
    """Its rule: ten epochs without a gain of 1e-4 end a fit. Forty with no gain at all must all be trained."""
    train = images(64)
    built = learner(adapter, SOFTMAX, train, optimizer=Optimizer(name="sgd", learning_rate=1e-7))
    moved: list[NDArray[np.float32]] = [built.weights()["dense_1/kernel"]]
    epochs = [Epoch(np.arange(64), (2,))] * 40
    built.train(epochs, lambda: moved.append(built.weights()["dense_1/kernel"]))
    assert len(moved) == 41
    assert all(not np.array_equal(before, after) for before, after in pairwise(moved))


def test_the_perceptron_computes_in_float32(adapter: ScikitLearnAdapter) -> None:
    built = learner(adapter, MLP_PLAIN, images(40))
    fit(built, np.arange(40))
    assert isinstance(built, MLPLearner)
    assert {array.dtype for array in [*built._estimator.coefs_, *built._estimator.intercepts_]} == {np.dtype("f4")}


def test_a_schedule_of_learning_rates_is_refused(adapter: ScikitLearnAdapter) -> None:
    with pytest.raises(ValueError, match="MLPClassifier has no schedule of learning rates"):
        learner(adapter, MLP_PLAIN, images(40), rates=np.array([0.1, 0.2]))


def test_the_harness_decides_the_first_weights_and_not_scikit_learns_seed(adapter: ScikitLearnAdapter) -> None:
    one, other = (learner(adapter, MLP_PLAIN, images(40), seed=seed) for seed in (1, 2))
    fit(one, np.arange(40))
    fit(other, np.arange(40))
    assert np.array_equal(one.weights()["dense_1/kernel"], other.weights()["dense_1/kernel"])


@pytest.mark.parametrize(
    ("layers", "missing"),
    [
        (MLP_PLAIN.layers, None),
        (SOFTMAX.layers, None),
        ((Flatten(), Dense(8, "relu"), Dense(8, "relu"), Dense(CLASSES)), None),
        (MLP.layers, "MLPClassifier has no dropout."),
        (NETWORKS["cnn"].layers, "MLPClassifier has no convolutions."),
        ((Flatten(), Dense(8), BatchNorm(), Relu(), Dense(CLASSES)), "MLPClassifier has no batch normalisation."),
        ((Flatten(), Dense(8), Relu(), Dense(CLASSES)), "MLPClassifier has no relu apart from a dense layer."),
        ((MaxPool(2), Flatten(), Dense(CLASSES)), "MLPClassifier has no pooling."),
        (
            (Flatten(), Dense(8, "relu", bias=False), Dense(CLASSES)),
            "MLPClassifier has no dense layer without a bias.",
        ),
        (
            (Flatten(), Dense(8), Dense(CLASSES)),
            "MLPClassifier has the same activation behind every hidden layer: relu, not none.",
        ),
    ],
    ids=["mlp-plain", "softmax", "deep", "mlp", "cnn", "batch norm", "relu", "pooling", "no bias", "no activation"],
)
def test_only_a_rectified_perceptron_with_biases_is_mlpclassifier(
    adapter: ScikitLearnAdapter, layers: tuple[Layer, ...], missing: str | None
) -> None:
    network = Network("n", "", layers)
    assert adapter.natural(network)
    assert adapter.lacks(network) == missing
    assert adapter.unsupported(case(adapter), network, DIGITS, 10) == missing


def test_another_device_and_two_classes_are_refused_in_one_sentence(adapter: ScikitLearnAdapter) -> None:
    asked = [
        (case(adapter, "cuda:0"), 10, "scikit-learn computes on the CPU alone, not on cuda:0"),
        (case(adapter), 2, "MLPClassifier puts a single logistic unit where two classes would have two logits."),
        (case(adapter), 10, None),
    ]
    for what, classes, answer in asked:
        assert adapter.unsupported(what, MLP_PLAIN, DIGITS, classes) == answer


def test_an_estimator_of_two_classes_is_supported(adapter: ScikitLearnAdapter) -> None:
    assert adapter.unsupported(case(adapter), find_model("random-forest"), DIGITS, 2) is None


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_fits_predicts_and_beats_the_floor(adapter: ScikitLearnAdapter, name: str) -> None:
    train, test = images(200), images(100, seed=1)
    built = estimator(adapter, name, train)
    assert fit(built, None) == [Progress(rows=200)]
    scores = built.predictor(0)(test.images)
    assert scores.labels.dtype == np.int64
    accuracy = float((scores.labels == test.labels).mean())
    assert accuracy < 0.3 if name in FLOORS else accuracy > 0.5
    assert scores.values is not None
    assert scores.values.shape == (100, 10)
    assert scores.values.dtype == np.float32
    assert (scores.kind == "probabilities") == np.allclose(scores.values.sum(axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("name", SETTLED)
def test_an_estimators_answers_do_not_depend_on_the_batch_size(adapter: ScikitLearnAdapter, name: str) -> None:
    train, test = images(100), images(23, seed=1)
    built = estimator(adapter, name, train)
    fit(built, None)
    expected = built.predictor(0)(test.images)
    for size in (1, 10, 23, 50):
        found = built.predictor(size)(test.images)
        assert np.array_equal(found.labels, expected.labels)
        assert found.values == pytest.approx(expected.values, abs=1e-4)


@pytest.mark.parametrize("name", SETTLED)
def test_an_estimators_decisions_are_its_own_predict(adapter: ScikitLearnAdapter, name: str) -> None:
    """Held to the library itself, asked as its users ask it."""
    train, test = images(150), images(60, seed=1)
    built = estimator(adapter, name, train)
    fit(built, None)
    model = find_model(name)
    assert isinstance(model, Estimator)
    vectors = Vectors(None if model.raw_pixels else 1 / 255)(test.images)
    own = built._estimator.predict(vectors)  # type: ignore[attr-defined]
    assert np.array_equal(built.predictor(0)(test.images).labels, own)
    assert np.array_equal(built.predictor(1, decisions_only=True)(test.images).labels, own)


def test_neighbours_are_sought_among_raw_pixels_and_others_get_them_scaled(adapter: ScikitLearnAdapter) -> None:
    pixels = images(30)
    assert estimator(adapter, "knn", pixels).settings()["pixels"] == "as stored"
    assert estimator(adapter, "logistic-regression", pixels).settings()["pixels"] == "scaled to 0..1"
    knn = estimator(adapter, "knn", pixels)
    fit(knn, None)
    assert knn._estimator._fit_X.max() == pixels.images.max()  # type: ignore[attr-defined]


def test_n_jobs_is_the_thread_count_and_the_seed_is_the_harness(adapter: ScikitLearnAdapter) -> None:
    parameters = estimator(adapter, "random-forest", images(30), threads=2).settings()["parameters"]
    assert isinstance(parameters, dict)
    assert (parameters["n_jobs"], parameters["random_state"]) == (2, 5)


@pytest.mark.parametrize(("batch_size", "jobs"), [(0, 2), (100, 2), (1, None)])
def test_one_sample_at_a_time_is_answered_in_one_thread_and_more_in_all(
    adapter: ScikitLearnAdapter, monkeypatch: pytest.MonkeyPatch, batch_size: int, jobs: int | None
) -> None:
    from sklearn.ensemble import RandomForestClassifier

    asked: list[int | None] = []
    predict = RandomForestClassifier.predict

    def noted(forest: Any, rows: Any) -> Any:
        asked.append(forest.n_jobs)
        return predict(forest, rows)

    rows = images(30)
    built = estimator(adapter, "random-forest", rows, threads=2)
    fit(built, None)
    monkeypatch.setattr(RandomForestClassifier, "predict", noted)
    built.predictor(batch_size, decisions_only=True)(rows.images[:1])
    assert asked == [jobs]
    assert built._estimator.n_jobs == 2  # type: ignore[attr-defined]


def test_parameters_of_the_suite_reach_the_estimator(adapter: ScikitLearnAdapter) -> None:
    asked = case(adapter).model_copy(update={"parameters": {"n_neighbors": 1}})
    built = adapter.build(asked, find_model("knn"), images(30), TrainingPlan(5, 1))
    parameters = built.settings()["parameters"]
    assert isinstance(parameters, dict)
    assert parameters["n_neighbors"] == 1


def test_a_warning_of_the_library_is_kept_with_the_settings(adapter: ScikitLearnAdapter) -> None:
    asked = case(adapter).model_copy(update={"parameters": {"max_iter": 1}})
    built = adapter.build(asked, find_model("logistic-regression"), images(60), TrainingPlan(5, 1))
    fit(built, None)
    settings = built.settings()
    assert settings["iterations"] == [1]
    assert "ConvergenceWarning" in str(settings["warnings"])


def test_an_estimator_has_no_weights_to_read_or_set(adapter: ScikitLearnAdapter) -> None:
    built = estimator(adapter, "majority", images(30))
    assert built.weights() == {}
    assert built.parameter_count() is None
    with pytest.raises(ValueError, match="no neutral layout"):
        built.set_weights({})


def test_a_class_that_is_not_in_the_training_rows_is_no_column(adapter: ScikitLearnAdapter) -> None:
    """The columns are the classes seen; decisions keep the labels of the data set."""
    seen = images(200)
    rows = np.flatnonzero(seen.labels != 3)
    built = estimator(adapter, "random-forest", seen.take(rows))
    fit(built, None)
    labels = built.predictor(0)(seen.images).labels
    assert set(labels) == set(range(10)) - {3}


NET = """
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
pipeline = make_pipeline(StandardScaler(), LogisticRegression())
def forest(seed): return RandomForestClassifier(n_estimators=5, random_state=seed)
def own_jobs(seed): return RandomForestClassifier(n_estimators=5, n_jobs=1)
def margins(): return LinearSVC()
def wrong(seed): return RandomForestClassifier
class Bare:
    def scikit_learn(seed): return Bare()
    def fit(self, vectors, labels): self.label = labels[0]
    def predict(self, vectors): return [self.label for _ in vectors]
"""


@pytest.mark.parametrize(
    ("name", "kind"), [("pipeline", "probabilities"), ("forest", "probabilities"), ("margins", "margins")]
)
def test_the_users_estimator_is_trained_as_it_is(
    adapter: ScikitLearnAdapter, tmp_path: Path, name: str, kind: str
) -> None:
    train, test = images(200, COLOUR), images(100, COLOUR, seed=1)
    built = learner(adapter, from_file(write(tmp_path, NET, name)), train)
    assert not built.by_steps
    fit(built, None)
    scores = built.predictor(0)(test.images)
    assert scores.kind == kind
    assert float((scores.labels == test.labels).mean()) > 0.5


def test_the_users_estimator_gets_seed_and_threads_where_it_left_them_open(
    adapter: ScikitLearnAdapter, tmp_path: Path
) -> None:
    found = []
    for name in ("forest", "own_jobs"):
        plan = TrainingPlan(seed=5, threads=2)
        built = adapter.build(case(adapter), from_file(write(tmp_path, NET, name)), images(30), plan)
        parameters = built.settings()["parameters"]
        assert isinstance(parameters, dict)
        found.append((parameters["random_state"], parameters["n_jobs"]))
    assert found == [(5, 2), (None, 1)]


def test_an_object_with_fit_and_predict_is_enough(adapter: ScikitLearnAdapter, tmp_path: Path) -> None:
    built = learner(adapter, from_file(write(tmp_path, NET, "Bare")), images(30))
    fit(built, None)
    scores = built.predictor(0)(images(30).images)
    assert (scores.values, scores.kind) == (None, None)
    assert scores.labels.shape == (30,)
    assert built.settings()["estimator"] == "Bare"


def test_what_the_user_built_is_named_where_it_is_no_estimator(adapter: ScikitLearnAdapter, tmp_path: Path) -> None:
    source = NET + "\ndef number(seed): return RandomForestClassifier and 3\n"
    with pytest.raises(ModelFault, match="number: built a int, an estimator with fit and predict expected"):
        learner(adapter, from_file(write(tmp_path, source, "number")), images(30))


def test_two_classes_have_two_columns_of_margins(adapter: ScikitLearnAdapter) -> None:
    many = images(200)
    rows = np.flatnonzero(many.labels < 2)
    train = many.take(rows)
    built = estimator(adapter, "linear-svc", Split(train.images, train.labels, train.scale, 2))
    fit(built, None)
    scores = built.predictor(0)(train.images)
    assert scores.values is not None
    assert scores.values.shape == (len(rows), 2)
    assert np.array_equal(scores.values.argmax(axis=1), scores.labels)
