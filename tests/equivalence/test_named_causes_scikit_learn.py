"""Defaults that a careless port of scikit-learn's adapter keeps are found, and their cause named."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bench.adapters.base import Learner, TrainingPlan
from bench.adapters.scikit_learn import ScikitLearnAdapter
from bench.case import Case
from bench.certificate import Conditions
from bench.datasets.dataset import Split
from bench.equivalence.judge import judge
from bench.equivalence.proof import Proof
from bench.equivalence.recipes import RECIPES
from bench.equivalence.verdict import Miss
from bench.equivalence.worker import prepared_case
from bench.models.model import Model

pytestmark = pytest.mark.own_process("named causes in scikit-learn")

BATCH, ROWS, STEPS = 16, 59, 9
CONDITIONS = Conditions(framework="scikit-learn")


class Careless(ScikitLearnAdapter):
    """The adapter with a change to the classifier it has built."""

    def __init__(self, change: Callable[[Any], None]) -> None:
        self.change = change

    def build(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Learner:
        learner: Any = super().build(case, model, train, plan)
        self.change(learner._estimator)
        return learner  # type: ignore[no-any-return]


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    ScikitLearnAdapter().prepare(prepared_case(CONDITIONS, "float64"))


def judged(change: Callable[[Any], None], recipe: str) -> Miss | None:
    training = RECIPES[recipe].model_copy(update={"batch_size": BATCH})
    proof = Proof(model="mlp-plain", recipe=recipe, training=training, shape=(14, 14, 1), rows=ROWS, steps=STEPS)
    return judge(Careless(change), proof, CONDITIONS)


def given(**parameters: object) -> Callable[[Any], None]:
    return lambda classifier: classifier.set_params(**parameters)


def shuffles_on_its_own(classifier: Any) -> None:
    classifier.random_state.shuffle = np.random.RandomState(0).shuffle


PENALTY = "L2 penalty on kernels that was not asked for: {} w divided by the rows of the batch in the gradient"
CAUSES: dict[str, tuple[Callable[[Any], None], str, str]] = {
    "default alpha": (given(alpha=1e-4), "sgd", PENALTY.format("0.0001")),
    "little alpha": (given(alpha=1e-6), "adam", PENALTY.format("1e-06")),
    "batches of its own size": (given(batch_size=10), "adam", "batches are of 10 rows against 16"),
    "tanh": (given(activation="tanh"), "adam", "tanh for relu in dense_1"),
    "logistic": (given(activation="logistic"), "momentum", "sigmoid for relu in dense_1"),
    "no shuffle": (given(shuffle=False), "sgd", "rows are not taken in the given order, but as they are stored"),
    "a shuffle of its own": (
        shuffles_on_its_own,
        "adam",
        "rows of a step are not those given: the first is trained on",
    ),
    "Nesterov's momentum, on by default": (
        given(nesterovs_momentum=True),
        *("momentum", "Nesterov's momentum is on, against off"),
    ),
    "default epsilon": (given(epsilon=1e-8), "adam", "epsilon of Adam: 1e-08 against 1.19209e-07"),
}


@pytest.mark.parametrize("recipe", ["sgd", "adam"])
def test_an_honest_adapter_is_not_accused(recipe: str) -> None:
    assert judged(lambda classifier: None, recipe) is None


@pytest.mark.parametrize("cause", CAUSES)
def test_a_careless_port_is_found_and_its_cause_named(cause: str) -> None:
    change, recipe, words = CAUSES[cause]
    miss = judged(change, recipe)
    assert miss is not None
    (found,) = miss.explanations
    assert found.startswith(words)
