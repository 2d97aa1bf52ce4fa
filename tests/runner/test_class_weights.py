"""Class weights, from a suite file and from the command line, for networks and for estimators."""

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import bench.cli.run
from bench.cli.app import main
from bench.models import estimators
from bench.models.model import Estimator
from bench.runner.command import Commands
from bench.runner.expand import Expansion, PlannedCase
from bench.runner.request import Request
from bench.suite import read_suite
from tests.runner.small import own_file, suite_file

SUITE = """
    [[matrix]]
    datasets = ["digits"]
    models = ["softmax", "random-forest", "majority"]
    frameworks = ["pytorch", "keras-tensorflow", "keras-torch", "keras-jax", "scikit-learn"]
    [[matrix]]
    datasets = ["digits"]
    models = ["softmax", "random-forest", "majority"]
    frameworks = ["pytorch", "scikit-learn"]
    training = { class_weights = "balanced" }
    """

SHIPPED = [value for value in vars(estimators).values() if isinstance(value, Estimator)]


def expansion(suite: str, **request: Any) -> Expansion:
    return Expansion(read_suite(suite), Request(suite=suite, offline=True, **request))


def weights_of(planned: PlannedCase) -> object:
    training = planned.case.training
    return training.class_weights if training else planned.case.parameters.get("class_weight")


def test_a_part_of_a_suite_has_weighted_rows_of_its_own_beside_the_others(tmp_path: Path) -> None:
    found = expansion(suite_file(tmp_path, SUITE)).cases()
    weighted = [planned for planned in found if weights_of(planned)]
    assert {(planned.case.model, planned.case.framework, planned.reason) for planned in weighted} == {
        ("softmax", "pytorch", ""),
        (
            "softmax",
            "scikit-learn",
            "MLPClassifier divides by the weights of a batch, where the mean is to be one over its samples.",
        ),
        ("random-forest", "scikit-learn", ""),
        ("majority", "scikit-learn", "DummyClassifier has no class weights."),
    }
    assert len(found) - len(weighted) == 5 + 1 + 1
    assert len({planned.case.id for planned in found}) == len(found)


def test_the_command_line_weights_every_model_that_can_be(tmp_path: Path) -> None:
    found = expansion(suite_file(tmp_path, SUITE), class_weights="balanced").cases()
    assert {weights_of(planned) for planned in found} == {"balanced"}
    assert {planned.case.framework for planned in found if not planned.blocked and planned.case.training} == {
        "pytorch",
        "keras-tensorflow",
        "keras-torch",
        "keras-jax",
    }


def test_an_option_of_the_command_line_wins_over_what_the_suite_sets_of_an_estimator(tmp_path: Path) -> None:
    text = SUITE + '    [models.random-forest]\n    parameters = { class_weight = "balanced_subsample" }\n'
    suite = suite_file(tmp_path, text)
    forest: dict[str, Any] = {"models": ("random-forest",)}
    assert {weights_of(planned) for planned in expansion(suite, **forest).cases()} == {"balanced_subsample"}
    (planned,) = (whole := expansion(suite, class_weights="balanced", **forest)).cases()
    assert weights_of(planned) == "balanced"
    assert "--class-weights balanced" in Commands(whole).trial(planned, 0)


def test_the_option_and_the_command_of_a_record_ask_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = suite_file(tmp_path, SUITE)
    whole = expansion(suite, class_weights="balanced", frameworks=("scikit-learn",), models=("random-forest",))
    (planned,) = whole.cases()
    command = Commands(whole).trial(planned, 0)
    assert "--class-weights balanced" in command
    caught: list[Request] = []
    monkeypatch.setattr(bench.cli.run, "_run", lambda request, **_: caught.append(request))
    assert main(["run", "--suite", suite, "--class-weights", "balanced", "--offline"]) == 0
    assert caught[0].class_weights == "balanced"
    assert main(["run", "--suite", suite, "--class-weights", "square", "--offline"]) == 2


def test_weighted_and_unweighted_rows_of_a_suite_have_commands_that_run_them_alone(tmp_path: Path) -> None:
    suite = suite_file(tmp_path, SUITE)
    whole = expansion(suite)
    forests = [planned for planned in whole.cases() if planned.case.model == "random-forest"]
    commands = {Commands(whole).trial(planned, 0) for planned in forests}
    assert len(commands) == 2
    assert {planned.case.id for planned in forests} == {command.split("--case ")[1].split()[0] for command in commands}


def test_an_estimator_of_ones_own_says_that_it_brings_its_own(tmp_path: Path) -> None:
    net = own_file(tmp_path, "from sklearn.svm import SVC\ndef svc(seed): return SVC()\n")
    suite = suite_file(tmp_path, SUITE)
    (planned,) = expansion(
        suite, models=(f"{net}:svc",), class_weights="balanced", frameworks=("scikit-learn",)
    ).cases()
    assert planned.blocked == "unsupported"
    assert planned.reason == "An estimator of your own brings its class weights itself."


@pytest.mark.parametrize("estimator", SHIPPED, ids=lambda estimator: estimator.name)
def test_an_estimator_is_said_to_take_class_weights_exactly_where_its_class_does(estimator: Estimator) -> None:
    module, _, name = estimator.class_path.rpartition(".")
    parameters = inspect.signature(getattr(import_module(module), name)).parameters
    assert estimator.weighted == ("class_weight" in parameters)
