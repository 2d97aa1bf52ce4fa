"""The plan: interleaved rounds, backwards every second time, deterministic cases once, finished trials left out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.case import Case, Training
from bench.models.catalog import find_model
from bench.runner.expand import PlannedCase
from bench.runner.history import History
from bench.runner.plan import BETWEEN_TRIALS_S, Plan, make_plan, remaining_s, rough_s
from tests.runner.small import Clock, NotingAdapter, NotingLearner, digits


def planned(model: str, blocked: bool = False, **changes: Any) -> PlannedCase:
    case = Case.model_validate({"dataset": "digits", "model": model, "framework": "fake", **changes})
    adapter = NotingAdapter(NotingLearner(Clock()))
    return PlannedCase(
        case, find_model(model), model, adapter, digits(), "digits", "unavailable" if blocked else None, "why"
    )


NETWORK: dict[str, Any] = {"training": Training()}


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "durations.json")


def order(plan: Plan) -> list[tuple[int, str]]:
    return [(trial.seed_index, trial.planned.case.model) for trial in plan.trials]


def test_rounds_are_interleaved_and_every_second_one_runs_backwards(history: History) -> None:
    cases = [planned(name, **NETWORK) for name in ("mlp", "mlp-plain", "cnn")]
    assert order(make_plan(cases, 3, history)) == [
        *((0, "mlp"), (0, "mlp-plain"), (0, "cnn")),
        *((1, "cnn"), (1, "mlp-plain"), (1, "mlp")),
        *((2, "mlp"), (2, "mlp-plain"), (2, "cnn")),
    ]


def test_a_deterministic_case_takes_part_in_the_first_round_alone(history: History) -> None:
    cases = [planned("mlp", **NETWORK), planned("knn")]
    assert order(make_plan(cases, 3, history)) == [(0, "mlp"), (0, "knn"), (1, "mlp"), (2, "mlp")]


def test_a_blocked_case_has_no_trial_and_stays_in_the_plan(history: History) -> None:
    plan = make_plan([planned("mlp", blocked=True, **NETWORK), planned("knn")], 2, history)
    assert order(plan) == [(0, "knn")]
    assert [case.case.model for case in plan.blocked] == ["mlp"]
    assert len(plan.cases) == 2


def test_seeds_asked_for_by_number_run_alone_even_for_a_deterministic_case(history: History) -> None:
    cases = [planned("mlp", **NETWORK), planned("knn")]
    assert order(make_plan(cases, 3, history, only_seeds=(1,))) == [(1, "knn"), (1, "mlp")]


def test_what_is_finished_is_left_out_and_the_rest_keeps_its_order(history: History) -> None:
    cases = [planned(name, **NETWORK) for name in ("mlp", "mlp-plain", "cnn")]
    whole = order(make_plan(cases, 2, history))
    done = frozenset({(cases[0].case.id, 0), (cases[2].case.id, 1)})
    left = order(make_plan(cases, 2, history, finished=done))
    assert left == [trial for trial in whole if trial not in {(0, "mlp"), (1, "cnn")}]


@settings(max_examples=60, deadline=None)
@given(
    models=st.lists(st.sampled_from(["mlp", "mlp-plain", "cnn", "softmax", "knn"]), min_size=1, unique=True),
    seeds=st.integers(1, 5),
)
def test_every_case_has_a_trial_for_every_seed_and_rounds_follow_one_another(models: list[str], seeds: int) -> None:
    cases = [planned(name, **({} if name == "knn" else NETWORK)) for name in models]
    found = order(make_plan(cases, seeds, History(Path("nowhere.json"))))
    assert len(found) == len(set(found))
    assert set(found) == {(index, name) for name in models for index in range(1 if name == "knn" else seeds)}
    assert [index for index, _ in found] == sorted(index for index, _ in found)


def test_an_estimate_rests_on_earlier_trials_where_there_are_some(history: History) -> None:
    cases = [planned("mlp", **NETWORK), planned("knn")]
    history.add({cases[0].case.id: [40.0, 50.0, 60.0]})
    plan = make_plan(cases, 2, history)
    assert plan.measured_before == 2
    assert [trial.estimate_s for trial in plan.trials] == [50.0, rough_s(cases[1]), 50.0]
    assert plan.estimate_s == pytest.approx(100.0 + rough_s(cases[1]) + 3 * BETWEEN_TRIALS_S)
    assert remaining_s(plan.trials[1:]) == pytest.approx(plan.estimate_s - 50.0 - BETWEEN_TRIALS_S)


def test_a_first_estimate_grows_with_epochs_and_size_and_falls_with_threads() -> None:
    short = rough_s(planned("cnn", training=Training(epochs=1)))
    assert rough_s(planned("cnn", training=Training(epochs=50))) > short
    assert rough_s(planned("cnn", training=Training(epochs=50), threads=4)) < rough_s(
        planned("cnn", training=Training(epochs=50))
    )
    assert rough_s(planned("svc-rbf", train_rows=100)) < rough_s(planned("svc-rbf"))
    assert 1 < short < 60


def test_a_part_of_the_suite_with_its_own_seeds_has_so_many_trials_unless_others_are_asked_for(
    history: History,
) -> None:
    few = replace(planned("cnn", **NETWORK), seeds=1)
    many = replace(planned("mlp-plain", **NETWORK), seeds=4)
    cases = [planned("mlp", **NETWORK), few, many]

    def trials(plan: Plan) -> dict[str, int]:
        models = [trial.planned.case.model for trial in plan.trials]
        return {name: models.count(name) for name in models}

    assert trials(make_plan(cases, 3, history)) == {"mlp": 3, "cnn": 1, "mlp-plain": 4}
    assert trials(make_plan(cases, 2, history, seeds_are_asked=True)) == {"mlp": 2, "cnn": 2, "mlp-plain": 2}
