"""Mistakes in scikit-learn's adapter: each is found, by the proof, the checks of work or a trial, and named."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.adapters.base import Adapter
from tests.equivalence import lying_scikit_learn as lies
from tests.equivalence import plants
from tests.equivalence.lying_scikit_learn import wrong
from tests.equivalence.plants import assert_computed, assert_named, fault_of_trial, found_in_work, missed, proof

pytestmark = pytest.mark.own_process("plants in scikit-learn")

Make = Callable[[], Adapter]
FIRST = "first update of dense_1/kernel"

COMPUTED: dict[str, tuple[Make, str, str, str, str]] = {
    "alpha is scikit-learn's own": (
        wrong(built=lies.parameters(alpha=1e-4)),
        *("softmax", "sgd", FIRST, "0.0001 w divided by the rows of the batch"),
    ),
    "alpha is 1e-6": (
        wrong(built=lies.parameters(alpha=1e-6)),
        *("softmax", "sgd", FIRST, "1e-06 w divided by the rows of the batch"),
    ),
    "the activation is tanh": (
        wrong(built=lies.parameters(activation="tanh")),
        *("mlp-plain", "sgd", "logits before training", "tanh for relu in dense_1"),
    ),
    "the activation is logistic": (
        wrong(built=lies.parameters(activation="logistic")),
        *("mlp-plain", "sgd", "logits before training", "sigmoid for relu in dense_1"),
    ),
    "the momentum is scikit-learn's own": (
        wrong(built=lies.parameters(momentum=0.9)),
        *("softmax", "sgd", "loss at step", "momentum of SGD: 0.9 against 0"),
    ),
    "Nesterov's form is off": (
        wrong(built=lies.parameters(nesterovs_momentum=False)),
        *("softmax", "nesterov", FIRST, "Nesterov's momentum is off, against on"),
    ),
    "the rate is scikit-learn's own": (
        wrong(built=lies.parameters(learning_rate_init=0.001)),
        *("softmax", "sgd", FIRST, "learning rate 0.064 times the one asked for"),
    ),
    "the rate falls with the epochs": (
        wrong(built=lies.parameters(learning_rate="invscaling")),
        *("softmax", "sgd", "loss at step", "falls with the root of the rows seen"),
    ),
    "Adam's epsilon is scikit-learn's own": (
        wrong(built=lies.parameters(epsilon=1e-8)),
        *("softmax", "adam", FIRST, "epsilon of Adam: 1e-08"),
    ),
    "it shuffles by itself": (
        wrong(built=lies.shuffled_by_itself),
        *("softmax", "sgd", FIRST, "rows of a step are not those given"),
    ),
    "every epoch is a fit": (
        wrong(built=lies.a_fit_for_each_epoch),
        *("softmax", "adam", "loss at step", "the optimiser's state starts again with each epoch"),
    ),
    "pixels are standardised": (
        wrong(built=lies.standardized),
        *("softmax", "sgd", FIRST, "each pixel is standardised over the rows"),
    ),
    "labels begin at one": (
        wrong(asked=plants.other_train(plants.labels_from_one)),
        *("softmax", "sgd", FIRST, "labels off by one: one too high"),
    ),
}


@pytest.mark.parametrize("mistake", COMPUTED)
def test_a_mistake_in_what_is_computed_is_found(mistake: str) -> None:
    make, *expected = COMPUTED[mistake]
    assert_computed(make(), *expected)


@pytest.fixture
def _threads_as_before() -> Iterator[None]:
    import threadpoolctl  # type: ignore[import-untyped]

    with threadpoolctl.threadpool_limits(1):
        yield


WORK: dict[str, tuple[Make, str]] = {
    "float64 is computed on float32 weights": (
        wrong(built=lies.in_float64),
        "computes in more digits than float32, which was asked for",
    ),
    "images are converted in the build, as one axis": (
        wrong(built=lies.flat_beforehand),
        "holds its images converted to float32",
    ),
    "images are converted in the build, row by row": (
        wrong(built=lies.as_rows_beforehand),
        "holds its images converted to float32",
    ),
    "threads are doubled in the build": (wrong(built=lies.with_threads(4)), "threads are 4 where 1 was asked for"),
    "half of the rows are answered": (
        wrong(built=plants.predicting(plants.half_copied)),
        "answers 256 rows in batches of 128 otherwise than its weights do",
    ),
    "decisions alone are zeros": (
        wrong(built=plants.predicting(plants.zeros_for_decisions)),
        "answers 256 rows in batches of 128, decisions alone, otherwise than its weights do",
    ),
    "training waits until its loss is asked for": (wrong(built=plants.trains_when_asked), "trains off the clock"),
    "three of four batches are skipped": (
        wrong(built=plants.with_orders(plants.one_of_four_batches)),
        "trains softmax regression to other weights",
    ),
}


@pytest.mark.parametrize("mistake", WORK)
@pytest.mark.usefixtures("_threads_as_before")
def test_a_mistake_in_the_work_is_found_and_named(mistake: str) -> None:
    make, words = WORK[mistake]
    assert_named(found_in_work(make()), words)


TRIAL: dict[str, tuple[Make, str]] = {
    "the weights of the first epoch are restored": (
        wrong(built=plants.first_weights_restored),
        "its weights are others when its training has returned than after its last batch",
    ),
    "batches are gathered in the build": (wrong(built=plants.gathered_in_build), "holds 2 copies of its images"),
    "answers are kept by their number": (
        wrong(built=plants.predicting(plants.kept_by_length)),
        "what is timed is not what is scored",
    ),
    "float64 is computed": (
        wrong(asked=plants.other_case(precision="float64")),
        "precision is float64 where float32 was asked for",
    ),
}


@pytest.mark.parametrize("mistake", TRIAL)
def test_a_mistake_ends_a_trial_and_is_named(mistake: str, tmp_path: Path) -> None:
    make, words = TRIAL[mistake]
    fault = fault_of_trial(make(), tmp_path)
    assert fault is not None
    assert words in fault


def test_an_estimator_fitted_to_every_second_row_ends_a_trial(tmp_path: Path) -> None:
    def every_second(learner: Any) -> None:
        rows = learner._rows
        learner._rows = lambda order: tuple(part[::2] for part in rows(order))

    fault = fault_of_trial(wrong(built=every_second)(), tmp_path, "knn", training=None)
    assert fault is not None
    assert "trained 719 rows, 1,437 were given" in fault


def test_an_honest_adapter_is_accused_of_nothing(tmp_path: Path) -> None:
    honest = wrong()()
    assert missed(honest, proof("softmax", "sgd")) is None
    assert missed(honest, proof("mlp-plain", "adam")) is None
    assert found_in_work(honest) == []
    assert fault_of_trial(honest, tmp_path) is None
