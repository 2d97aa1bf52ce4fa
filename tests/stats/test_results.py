"""A run in memory: what is shown, and what it is compared with."""

import pytest

from bench.case import Case
from bench.errors import UnknownName
from tests.report.builder import RunBuilder, case, realistic


def test_only_the_named_cases_are_shown_in_the_order_of_the_run() -> None:
    shown = realistic().results().only(datasets=["mnist"], models=["mlp*", "cnn"])
    assert [one.case.cell for one in shown.summaries] == [
        "mnist/mlp/pytorch/cpu",
        "mnist/mlp/keras-tensorflow/cpu",
        "mnist/mlp/keras-jax/cpu",
        "mnist/cnn/pytorch/cpu",
        "mnist/cnn/keras-tensorflow/cpu",
        "mnist/cnn/keras-jax/cpu",
        "mnist/mlp-plain/scikit-learn/cpu",
        "mnist/mlp-plain/pytorch/cpu",
    ]


def test_a_case_shown_alone_is_still_compared_with_the_reference() -> None:
    run = realistic().results()
    alone = run.only(datasets=["mnist"], models=["cnn"], frameworks=["keras-tensorflow"])
    (one,) = alone.summaries
    base = alone.reference_of(one)
    assert base is not None
    assert base.case.cell == "mnist/cnn/pytorch/cpu"
    assert alone.ratio(one, "train_samples_per_s") == run.ratio(one, "train_samples_per_s")


def test_a_name_the_run_does_not_have_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"unknown data set 'mnits' in run .*: did you mean 'mnist'"):
        realistic().results().only(datasets=["mnits"])


def test_names_that_exclude_each_other_show_nothing() -> None:
    run = RunBuilder().ok(case("mnist", "cnn", "pytorch")).ok(case("digits", "mlp", "pytorch")).results()
    assert run.only(datasets=["mnist"], models=["mlp"]).summaries == ()


def test_the_reference_is_compared_with_nothing() -> None:
    run = realistic().results()
    reference = next(one for one in run.summaries if one.case.framework == "pytorch")
    assert run.reference_of(reference) is None
    assert run.ratio(reference, "train_samples_per_s") is None


@pytest.mark.parametrize(
    ("of_reference", "of_other", "compared"),
    [
        ("proved", "proved", True),
        ("not proved", "not proved", True),  # and the head of the table says so
        ("proved", "not proved", False),
        ("not proved", "proved", False),
    ],
)
def test_a_proved_row_is_divided_only_by_a_proved_row(of_reference: str, of_other: str, compared: bool) -> None:
    first, second = case("mnist", "cnn", "pytorch"), case("mnist", "cnn", "keras-tensorflow")
    run = RunBuilder().ok(first, equivalence=of_reference).ok(second, equivalence=of_other).results()
    other = next(one for one in run.summaries if one.case.framework == "keras-tensorflow")
    assert (run.ratio(other, "train_samples_per_s") is not None) == compared


def test_another_way_of_the_reference_is_divided_by_its_first_and_each_gains_over_its_own_default() -> None:
    run = RunBuilder()
    for framework in ("pytorch", "keras-tensorflow"):
        run.ok(case("mnist", "cnn", framework)).ok(case("mnist", "cnn", framework, execution="compiled"))
        run.ok(case("mnist", "cnn", framework, precision="bfloat16"))
    results = run.results()
    eager, compiled, mixed, graph, keras_compiled, keras_mixed = results.summaries
    assert results.reference_of(compiled) is eager
    assert results.reference_of(keras_compiled) is eager
    assert results.reference_of(keras_mixed) is mixed
    assert results.is_reference(eager)
    assert not results.is_reference(compiled)
    assert results.gain(eager, "train_samples_per_s") is None
    for one, default in ((compiled, eager), (mixed, eager), (keras_compiled, graph), (keras_mixed, graph)):
        gain, own, base = (
            results.gain(one, "train_samples_per_s"),
            one.figures["train_samples_per_s"],
            default.figures["train_samples_per_s"],
        )
        assert gain is not None
        assert own is not None
        assert base is not None
        assert gain.value == pytest.approx(own.value / base.value, rel=0.1)


COMPILED = case("mnist", "cnn", "pytorch", execution="compiled")


@pytest.mark.parametrize(
    "others",
    [
        [COMPILED.model_copy(update={"precision": "bfloat16"})],
        [COMPILED.model_copy(update={"input": "loader"}), COMPILED.model_copy(update={"channels_last": True})],
    ],
)
def test_where_a_framework_was_never_run_its_own_way_nothing_gains_over_it(others: list[Case]) -> None:
    """PyTorch's own way is eager: compiled float32 is what the others would be divided by, and is not the default."""
    run = RunBuilder().ok(COMPILED)
    for other in others:
        run.ok(other)
    results = run.results()
    assert [results.gain(one, "train_samples_per_s") for one in results.summaries] == [None] * (1 + len(others))


def test_the_default_way_is_found_wherever_it_stands_in_the_run() -> None:
    results = RunBuilder().ok(COMPILED).ok(case("mnist", "cnn", "pytorch")).results()
    compiled, eager = results.summaries
    assert results.gain(eager, "train_samples_per_s") is None
    assert results.gain(compiled, "train_samples_per_s") is not None


def test_a_framework_that_is_no_longer_installed_has_no_default_way() -> None:
    run = RunBuilder()
    for execution in ("eager", "compiled"):
        run.ok(case("mnist", "random-forest", "a-plug-in-of-before", execution=execution))
    results = run.results()
    assert [results.gain(one, "train_s") for one in results.summaries] == [None, None]
