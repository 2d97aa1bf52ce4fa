"""No two cases of a run share a name, and what all share is not in it."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.case import Case, Optimizer, Schedule, Training
from bench.report.naming import Names
from tests.report.builder import case


def test_a_run_on_one_device_does_not_name_it() -> None:
    one = case("mnist", "cnn", "pytorch")
    assert Names([one]).system(one) == "pytorch"


def test_several_devices_are_named() -> None:
    cases = [case("mnist", "cnn", "pytorch", device=device) for device in ("cpu", "cuda:0")]
    assert [Names(cases).system(one) for one in cases] == ["pytorch cpu", "pytorch cuda:0"]


def test_an_execution_that_tells_cases_apart_is_part_of_the_system() -> None:
    cases = [case("mnist", "cnn", "pytorch", execution=way) for way in ("eager", "compiled")]
    cases.append(case("mnist", "mlp", "pytorch"))
    assert [Names(cases).system(one) for one in cases] == ["pytorch eager", "pytorch compiled", "pytorch"]


def test_the_execution_of_different_frameworks_is_not() -> None:
    cases = [case("mnist", "cnn", "pytorch"), case("mnist", "cnn", "keras-tensorflow")]
    assert [Names(cases).system(one) for one in cases] == ["pytorch", "keras-tensorflow"]


def test_training_settings_that_tell_cases_apart_are_part_of_the_model() -> None:
    cases = [case("mnist", "cnn", "pytorch", training=Training(batch_size=size)) for size in (64, 128)]
    assert [Names(cases).model(one) for one in cases] == ["cnn, batch 64", "cnn, batch 128"]


@pytest.mark.parametrize(
    ("settings_", "said"),
    [
        ({"precision": "bfloat16"}, "pytorch bfloat16"),
        ({"input": "loader"}, "pytorch loader"),
        ({"steps_per_execution": 32}, "pytorch 32 steps a call"),
        ({"channels_last": True}, "pytorch channels last"),
        ({"precision": "bfloat16", "input": "loader"}, "pytorch bfloat16, loader"),
    ],
)
def test_a_way_that_is_not_the_usual_one_is_said_and_the_usual_one_is_not(
    settings_: dict[str, object], said: str
) -> None:
    cases = [case("mnist", "cnn", "pytorch"), case("mnist", "cnn", "pytorch", **settings_)]
    assert [Names(cases).system(one) for one in cases] == ["pytorch", said]


def test_an_optimiser_and_a_schedule_are_named_without_a_key() -> None:
    ways = [Training(), Training(optimizer=Optimizer(name="adamw")), Training(schedule=Schedule(name="one-cycle"))]
    cases = [case("mnist", "cnn", "pytorch", training=way) for way in ways]
    assert [Names(cases).model(one) for one in cases] == [
        "cnn, adam",
        "cnn, adamw",
        "cnn, adam, one-cycle",
    ]


def test_a_row_cap_is_in_the_label() -> None:
    one = case("mnist", "hist-gradient-boosting", "scikit-learn")
    assert Names([one]).model(one) == "hist-gradient-boosting (10,000 rows)"


def test_cases_are_listed_in_braces() -> None:
    cases = [case(data, model, "keras-jax") for data in ("digits", "mnist") for model in ("mlp", "cnn")]
    assert Names(cases).listed(cases) == ("{digits, mnist}/{mlp, cnn}/keras-jax/cpu",)
    assert Names(cases).listed(cases[:3]) == ("digits/{mlp, cnn}/keras-jax/cpu", "mnist/mlp/keras-jax/cpu")


def test_control_characters_of_a_name_do_not_reach_the_terminal() -> None:
    one = case("mine\x1b[31m\nred", "net", "pytorch")
    assert Names([one]).cell(one) == "mine [31m red/net/pytorch/cpu"


axes = st.fixed_dictionaries(
    {
        "dataset": st.sampled_from(["mnist", "digits"]),
        "model": st.sampled_from(["cnn", "mlp"]),
        "framework": st.sampled_from(["pytorch", "keras-tensorflow"]),
        "device": st.sampled_from(["cpu", "cuda:0"]),
        "track": st.sampled_from(["matched", "idiomatic"]),
        "execution": st.sampled_from(["eager", "compiled"]),
        "precision": st.sampled_from(["float32", "bfloat16"]),
        "input": st.sampled_from(["resident", "loader"]),
        "steps_per_execution": st.sampled_from([1, 32]),
        "channels_last": st.booleans(),
        "threads": st.sampled_from([1, 2]),
        "train_rows": st.sampled_from([None, 100, 200]),
        "training": st.sampled_from(
            [None, Training(), Training(batch_size=64), Training(optimizer=Optimizer(name="sgd", momentum=0.9))]
        ),
        "parameters": st.sampled_from([{}, {"C": 1.0}, {"C": 2.0, "kernel": "rbf"}]),
        "data_fingerprint": st.sampled_from([None, "a" * 64, "b" * 64]),
    }
)
runs = st.lists(axes.map(Case.model_validate), min_size=1, max_size=12, unique_by=lambda one: one.id)


@settings(max_examples=150)
@given(runs)
def test_no_two_cases_of_a_run_share_a_name(cases: list[Case]) -> None:
    names = Names(cases)
    cells = [names.cell(one) for one in cases]
    places = [(one.track, one.dataset, names.model(one), names.system(one)) for one in cases]
    assert len(set(cells)) == len(cases)
    assert len(set(places)) == len(cases)


@settings(max_examples=150)
@given(runs, st.data())
def test_a_list_names_exactly_its_cases(cases: list[Case], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(cases), unique_by=lambda one: one.id))
    names = Names(cases)
    expanded = [name for line in names.listed(chosen) for name in expand(line)]
    assert sorted(expanded) == sorted(names.cell(one) for one in chosen)


def expand(line: str) -> list[str]:
    """Braces as a shell would expand them."""
    parts = [part[1:-1].split(", ") if part.startswith("{") else [part] for part in re.split(r"(\{[^}]*\})", line)]
    return ["".join(combination) for combination in itertools.product(*parts)]


def test_braces_are_expanded_as_the_tests_believe() -> None:
    assert expand("{a, b}/{c, d}/e") == ["a/c/e", "a/d/e", "b/c/e", "b/d/e"]


@pytest.mark.parametrize("count", [1, 2])
def test_a_name_alone_needs_no_braces(count: int) -> None:
    cases = [case("mnist", model, "pytorch") for model in ("cnn", "mlp")][:count]
    assert ("{" in Names(cases).listed(cases)[0]) is (count > 1)
