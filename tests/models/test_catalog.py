"""The models that ship: found by name, and true to the library they name."""

import importlib
import inspect
from typing import Any

import pytest

from bench.errors import UnknownName
from bench.models.catalog import MODELS, find_model
from bench.models.model import Estimator, Network

SHIPPED = tuple(MODELS)
ESTIMATORS = [name for name in SHIPPED if isinstance(find_model(name), Estimator)]


def estimator(name: str) -> tuple[Estimator, Any]:
    """A shipped estimator and its class."""
    model = find_model(name)
    assert isinstance(model, Estimator)
    module, _, attribute = model.class_path.rpartition(".")
    return model, getattr(importlib.import_module(module), attribute)


def with_transformers(model: Estimator, last: Any, seed: int) -> Any:
    """``last`` behind the transformers of ``model``; few components, so that their seed shows in the answers."""
    from sklearn.pipeline import make_pipeline

    steps = []
    for step in model.transformers:
        module, _, attribute = step.class_path.rpartition(".")
        parameters = dict(step.parameters) | {"n_components": 10} | ({"random_state": seed} if step.seeded else {})
        steps.append(getattr(importlib.import_module(module), attribute)(**parameters))
    return make_pipeline(*steps, last)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_model_calls_itself_what_it_is_called(name: str) -> None:
    model = find_model(name)
    assert isinstance(model, Network | Estimator)
    assert model.name == name
    assert model.description


def test_the_models_of_the_brief_ship() -> None:
    assert set(SHIPPED) == {
        *("softmax", "mlp", "mlp-plain", "cnn", "cnn-norm", "cnn-fast", "cnn-wide", "cnn3d"),
        *("logistic-regression", "random-forest", "knn", "hist-gradient-boosting", "linear-svc", "svc-rbf"),
        *("decision-tree", "gaussian-nb", "majority"),
        *("extra-trees", "nystroem-svm", "sampled-rbf-svm", "logistic-sag", "mlp-100-100-adam", "mlp-100-100-sgd"),
        "random-guess",
    }


def test_no_two_models_compute_the_same() -> None:
    assert len({find_model(name).digest for name in SHIPPED}) == len(SHIPPED)


def test_a_misspelt_model_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="unknown model 'randomforest' in quick: did you mean 'random-forest'"):
        find_model("randomforest", where="quick")


@pytest.mark.own_process("estimators")
@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_is_said_to_take_a_seed_and_jobs_where_its_class_does(name: str) -> None:
    model, kind = estimator(name)
    taken = inspect.signature(kind).parameters
    assert set(model.parameters) <= set(taken)
    assert not model.parallel or "n_jobs" in taken
    assert not model.seeded or "random_state" in taken


@pytest.mark.own_process("estimators")
@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_called_deterministic_gives_the_same_for_two_seeds(name: str) -> None:
    import numpy as np

    model, kind = estimator(name)
    if "random_state" not in inspect.signature(kind).parameters:
        assert not model.seeded
        return
    generator = np.random.default_rng(0)
    images = generator.random((300, 20), np.float32)
    labels = generator.integers(0, 3, 300)
    answers = []
    for seed in (1, 2):
        built = with_transformers(model, kind(**(dict(model.parameters) | {"random_state": seed})), seed)
        answers.append(built.fit(images[:200], labels[:200]).predict(images[200:]))
    assert np.array_equal(*answers) == (not model.seeded)


@pytest.mark.own_process("estimators")
@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_said_to_decide_by_the_largest_value_does(name: str) -> None:
    import numpy as np

    model, kind = estimator(name)
    if not model.argmax:
        return
    generator = np.random.default_rng(1)
    images, labels = generator.random((200, 12), np.float32), generator.integers(0, 4, 200)
    fitted = kind(**dict(model.parameters)).fit(images, labels)
    values = fitted.predict_proba(images) if hasattr(fitted, "predict_proba") else fitted.decision_function(images)
    assert np.array_equal(fitted.classes_[values.argmax(axis=1)], fitted.predict(images))
