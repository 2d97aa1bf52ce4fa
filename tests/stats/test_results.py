"""A run in memory: what is shown, and what it is compared with."""

from dataclasses import replace

import pytest

from bench.case import Case
from bench.errors import UnknownName
from bench.record import Record
from bench.stats.results import Results
from tests.report.builder import RunBuilder, case, realistic, trial


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


@pytest.mark.parametrize("of_reference", ["proved", "not proved"])
@pytest.mark.parametrize("of_other", ["proved", "not proved"])
def test_proving_one_framework_takes_no_ratio_away(of_reference: str, of_other: str) -> None:
    first, second = case("mnist", "cnn", "pytorch"), case("mnist", "cnn", "keras-tensorflow")
    run = RunBuilder().ok(first, equivalence=of_reference).ok(second, equivalence=of_other).results()
    reference, other = run.summaries
    assert run.ratio(other, "train_samples_per_s") is not None
    assert [run.is_proved(one) for one in (reference, other)] == [of_reference == "proved", of_other == "proved"]


def losing(asked: Case, factor: float, seed: int = 0) -> Record:
    """A trial whose losses are those of the others of its row times ``factor``."""
    record = trial(asked, seed)
    assert record.phases is not None
    epochs = tuple(one.model_copy(update={"loss": (one.loss or 0.0) * factor}) for one in record.phases.epochs)
    return record.model_copy(update={"phases": record.phases.model_copy(update={"epochs": epochs})})


def row_of_three(strays: str) -> Results:
    """A row of one seed, of which one framework has three times the loss of the others."""
    run = RunBuilder(seeds=1)
    run.cases = [case("mnist", "mlp-plain", name) for name in ("pytorch", "keras-tensorflow", "scikit-learn")]
    run.records = [losing(one, 3.0 if one.framework == strays else 1.0) for one in run.cases]
    return run.results()


def test_what_differs_from_its_row_has_no_ratio_and_its_proof_counts_for_nothing() -> None:
    run = row_of_three("scikit-learn")
    assert [run.is_ranked(one) for one in run.summaries] == [True, True, False]
    ratios = [run.ratio(one, "train_samples_per_s") for one in run.summaries]
    assert [figure is not None for figure in ratios] == [False, True, False]
    proved = replace(run, records=[record.model_copy(update={"equivalence": "proved"}) for record in run.records])
    assert [proved.is_proved(one) for one in proved.summaries] == [True, True, False]


def test_nothing_is_divided_by_a_reference_that_differs_from_its_row() -> None:
    run = row_of_three("pytorch")
    assert [run.ratio(one, "train_samples_per_s") for one in run.summaries] == [None] * 3
    assert not run.is_reference(run.summaries[0])


def test_stored_answers_are_read_for_a_row_that_is_asked_for_and_for_no_other() -> None:
    read: list[str] = []
    run = RunBuilder(seeds=1)
    for dataset in ("mnist", "digits"):
        run.ok(case(dataset, "cnn", "pytorch")).ok(case(dataset, "cnn", "keras-tensorflow"))
    run.ok(case("mnist", "knn", "scikit-learn"))

    def decisions(record: Record) -> None:
        read.append(record.case.cell)

    results = replace(run.results(), decisions=decisions)
    for one in results.only(datasets=["mnist"]).summaries:
        results.agreement(one)
    assert sorted(set(read)) == ["mnist/cnn/keras-tensorflow/cpu", "mnist/cnn/pytorch/cpu"]


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
