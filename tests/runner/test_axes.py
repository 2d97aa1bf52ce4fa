"""The axes of a suite: their product, what a request selects of it, and what has no meaning for an estimator."""

from typing import Any

import pytest

from bench.case import Case, Optimizer
from bench.errors import BenchError
from bench.runner.expand import Expansion, PlannedCase
from bench.runner.request import Request
from bench.suite import Suite
from tests.runner.small import suite_of

AXES: dict[str, list[Any]] = {
    "executions": ["default", "compiled"],
    "precisions": ["float32", "bfloat16"],
    "inputs": ["resident", "loader"],
    "batch_sizes": [16, 32, 64],
    "threads": [1, 2],
}


def expanded(suite: Suite, **request: Any) -> list[PlannedCase]:
    return Expansion(suite, Request(offline=True, **request)).cases()


def cases(suite: Suite, **request: Any) -> list[Case]:
    return [planned.case for planned in expanded(suite, **request)]


def of_pytorch(**settings: Any) -> Suite:
    return suite_of({"datasets": ["digits"], "models": ["mlp-plain"], "frameworks": ["pytorch"], **settings})


def test_a_network_runs_in_every_combination_of_the_axes() -> None:
    found = cases(of_pytorch(**AXES))
    assert len(found) == 2 * 2 * 2 * 3 * 2
    assert len({case.id for case in found}) == len(found)
    assert {case.execution for case in found} == {"eager", "compiled"}
    assert {case.training.batch_size for case in found if case.training} == {16, 32, 64}
    assert {case.threads for case in found} == {1, 2}


def test_two_values_that_mean_the_same_are_one_case() -> None:
    assert [case.execution for case in cases(of_pytorch(executions=["default", "eager", "eager"]))] == ["eager"]
    assert len(cases(of_pytorch(batch_sizes=[128, 128]))) == 1


def test_the_axes_say_nothing_of_an_estimator_but_its_threads() -> None:
    suite = suite_of({"datasets": ["digits"], "models": ["random-forest"], "frameworks": ["scikit-learn"], **AXES})
    assert [(case.execution, case.precision, case.input, case.threads) for case in cases(suite)] == [
        ("eager", "float32", "resident", 1),
        ("eager", "float32", "resident", 2),
    ]


def test_what_a_framework_cannot_do_is_a_record_that_says_so() -> None:
    suite = suite_of({"datasets": ["digits"], "models": ["mlp-plain"], "executions": ["graph"], "frameworks": ["*"]})
    blocked = {planned.case.framework: planned for planned in expanded(suite)}
    assert blocked["keras-tensorflow"].blocked is None
    assert blocked["pytorch"].blocked == "unsupported"
    assert blocked["pytorch"].reason.startswith("pytorch has no graph execution")


def test_each_framework_has_its_own_default_execution() -> None:
    suite = suite_of({"datasets": ["digits"], "models": ["mlp-plain"], "frameworks": ["pytorch", "keras-tensorflow"]})
    assert {case.framework: case.execution for case in cases(suite)} == {
        "pytorch": "eager",
        "keras-tensorflow": "graph",
    }


@pytest.mark.parametrize(
    ("request_", "field", "values"),
    [
        ({"executions": ("compiled",)}, "execution", {"compiled"}),
        ({"precisions": ("bfloat16",)}, "precision", {"bfloat16"}),
        ({"inputs": ("loader",)}, "input", {"loader"}),
        ({"threads": 7}, "threads", {7}),
    ],
)
def test_a_request_selects_what_the_suite_has(request_: dict[str, Any], field: str, values: set[Any]) -> None:
    assert {getattr(case, field) for case in cases(of_pytorch(**AXES), **request_)} == values


def test_what_one_part_of_the_suite_has_is_not_added_to_the_others() -> None:
    matrix = {"datasets": ["digits"], "frameworks": ["pytorch"]}
    suite = Suite.model_validate(
        {
            "name": "mine",
            "matrix": [
                {**matrix, "models": ["mlp"], "executions": ["default", "compiled"]},
                {**matrix, "models": ["cnn"]},
            ],
        }
    )
    assert [(case.model, case.execution) for case in cases(suite, executions=("compiled",))] == [("mlp", "compiled")]


def test_what_the_suite_has_nowhere_is_added_to_all_of_it() -> None:
    found = cases(of_pytorch(batch_sizes=[16, 32]), precisions=("bfloat16",), batch_sizes=(48,), channels_last=(True,))
    assert [(case.precision, case.training.batch_size, case.channels_last) for case in found if case.training] == [
        ("bfloat16", 48, True)
    ]


def test_the_batch_size_of_the_training_is_selected_too() -> None:
    matrix = {"datasets": ["digits"], "frameworks": ["pytorch"]}
    suite = Suite.model_validate(
        {
            "name": "mine",
            "training": {"batch_size": 100},
            "matrix": [{**matrix, "models": ["mlp"]}, {**matrix, "models": ["cnn"], "batch_sizes": [8]}],
        }
    )
    assert [case.model for case in cases(suite, batch_sizes=(100,))] == ["mlp"]


def test_the_training_is_the_suites_then_the_matrixs_then_the_models() -> None:
    suite = Suite.model_validate(
        {
            "name": "mine",
            "training": {"epochs": 1, "batch_size": 16, "label_smoothing": 0.1},
            "matrix": [
                {
                    "datasets": ["digits"],
                    "models": ["mlp", "cnn"],
                    "frameworks": ["pytorch"],
                    "training": {"epochs": 2, "optimizer": {"name": "sgd", "learning_rate": 0.5}},
                }
            ],
            "models": {"cnn": {"training": {"epochs": 3}}},
        }
    )
    trained = {case.model: case.training for case in cases(suite)}
    assert trained["mlp"] is not None
    assert trained["cnn"] is not None
    assert (trained["mlp"].epochs, trained["cnn"].epochs) == (2, 3)
    for training in (trained["mlp"], trained["cnn"]):
        assert (training.batch_size, training.label_smoothing) == (16, 0.1)
        assert training.optimizer == Optimizer(name="sgd", learning_rate=0.5)


def test_a_part_of_a_suite_has_a_track_of_its_own() -> None:
    matrix = {"datasets": ["digits"], "models": ["mlp-plain"], "frameworks": ["pytorch"]}
    suite = Suite.model_validate({"name": "mine", "matrix": [matrix, {**matrix, "track": "idiomatic"}]})
    assert [case.track for case in cases(suite)] == ["matched", "idiomatic"]


def test_a_case_goes_by_its_id_too() -> None:
    wanted = cases(of_pytorch(**AXES))[5]
    assert cases(of_pytorch(**AXES), case=wanted.id) == [wanted]
    assert cases(of_pytorch(**AXES), case=wanted.id[:10]) == [wanted]


def test_an_id_that_no_case_has_is_refused() -> None:
    with pytest.raises(BenchError, match="has no case that matches --case 0123456789abcdef"):
        cases(of_pytorch(), case="0123456789abcdef")
