"""A run in memory: what is shown, and what it is compared with."""

import pytest

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
