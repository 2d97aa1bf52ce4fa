"""Honesty of the views: marks, reasons, and no ranking across tracks."""

import random
from dataclasses import replace

import pytest

from bench.case import Training
from bench.record import Checkpoint, EpochFigures, Noise, Phases, Scores
from bench.report import terminal
from bench.report.views import View
from tests.report.builder import RunBuilder, case, environment, failure, phases, realistic, scores, trial

CNN = case("mnist", "cnn", "pytorch")


def text(run: RunBuilder, view: View = "datasets") -> str:
    """The report on one line: line breaks do not matter here."""
    return " ".join(terminal.render(run.results(), view=view).split())


def test_unverified_data_are_marked_in_the_overview_and_with_the_data_set() -> None:
    run = RunBuilder().ok(case("mine", "cnn", "pytorch")).ok(CNN)
    assert "¹ unverified data: no known fingerprint matched" in text(run, "overview")
    assert "mine¹" in text(run, "overview")
    assert text(run).count("UNVERIFIED: no known fingerprint matched") == 1


def test_data_known_to_be_others_than_the_published_are_not_called_unknown() -> None:
    run = RunBuilder(notes={"mnist": {"verified": False, "differs": True}}).ok(CNN)
    assert "¹ other data than published: the fingerprint is known to be another one" in text(run, "overview")
    assert "NOT THE PUBLISHED DATA: the fingerprint is known to be another one" in text(run)
    assert "no known fingerprint" not in text(run) + text(run, "overview")


def test_a_split_that_is_not_the_official_one_is_a_note_of_the_data_set() -> None:
    told = {"title": "MNIST, 8x8", "split": "own stratified split, version 1"}
    run = RunBuilder(notes={"mnist": told}).ok(CNN).ok(case("digits", "cnn", "pytorch"))
    assert "mnist¹" in text(run, "overview")
    assert "¹ MNIST, 8x8: own stratified split, version 1" in text(run, "overview")
    assert "digits¹" not in text(run, "overview")


@pytest.mark.parametrize(("truth", "said"), [((5, 0, 7), True), ((5, 6, 7), False)])
def test_classes_without_a_test_row_are_named(truth: tuple[int, ...], said: bool) -> None:
    confusion = tuple(tuple(rows if column == row else 0 for column in range(3)) for row, rows in enumerate(truth))
    scored = Scores(rows=sum(truth), accuracy=1, balanced_accuracy=1, macro_f1=1, confusion=confusion)
    run = RunBuilder(seeds=1).ok(CNN, scores=scored)
    sentence = "Without a test row, 1 of 10 classes: 1. They have no recall, and the balanced accuracy is the mean"
    assert (sentence in text(run)) is said


@pytest.mark.parametrize("view", ["overview", "datasets"])
def test_tracks_are_never_in_one_table(view: View) -> None:
    run = RunBuilder().ok(CNN).ok(case("mnist", "cnn", "keras-tensorflow", track="idiomatic"))
    before, matched, idiomatic = text(run, view).partition("idiomatic track")
    assert "matched track" in before
    assert "keras-tensorflow" in idiomatic
    assert "keras-tensorflow 9" not in before
    assert matched


def test_a_throughput_that_drifts_is_marked() -> None:
    run = RunBuilder()
    run.cases.append(CNN)
    for seed, last in enumerate((2.0, 2.1, 1.9)):
        epochs = tuple(EpochFigures(seconds=seconds, samples=100) for seconds in (1.0, 1.0, 1.5, last))
        run.records.append(trial(CNN, seed, phases=Phases(import_s=1, load_s=0, build_s=0, epochs=epochs)))
    assert "not steady: its trials agree that throughput changes by 5 % or more" in text(run)
    assert "not steady" in text(run, "overview")
    assert "not steady" not in text(RunBuilder().ok(CNN))


def test_the_head_says_how_busy_the_machine_was_and_no_row_is_marked_for_it() -> None:
    busy = Noise(other_cpu_percent=40.2, steal_percent=2.6, marks=("other processes used 40 % of a core",))
    quiet = Noise(other_cpu_percent=2.0, steal_percent=0.1)
    run = RunBuilder().ok(CNN, noise=busy).ok(case("mnist", "mlp", "pytorch"), noise=quiet)
    run.ok(case("mnist", "mlp-plain", "pytorch"), noise=quiet)
    said = "load other processes used 2 % of a core in the median trial, 40 % at most · hypervisor up to 3 % of the CPU"
    assert said in text(run)
    assert "other processes used 40 % of a core" not in text(run, "case")
    alike = [text(RunBuilder().ok(CNN, noise=noise)).partition("mnist images")[2] for noise in (busy, quiet)]
    assert alike[0] == alike[1]
    assert "hypervisor" not in text(RunBuilder().ok(CNN, noise=quiet))


def test_a_machine_that_counts_nothing_says_nothing_of_its_load() -> None:
    assert " load " not in text(RunBuilder().ok(CNN, noise=Noise()))


def test_a_case_with_fewer_seeds_than_asked_for_says_so() -> None:
    run = RunBuilder()
    run.cases.append(CNN)
    run.records += [trial(CNN, 0), trial(CNN, 1), failure(CNN, 2, "diverged", "The loss became NaN in epoch 2.")]
    assert "¹ 2 of 3 seeds" in text(run)
    assert "diverged 1 case, 1 of 3 trials: The loss became NaN in epoch 2." in text(run)


def test_seeds_that_all_gave_the_same_are_not_taken_for_certainty() -> None:
    run = RunBuilder().ok(CNN, scores=scores("mnist", 0.98))
    assert "98.00¹ 98.00–98.00" in text(run)
    assert "¹ every seed gave the same value: the spread is not informative" in text(run)


def test_two_seeds_have_their_range_and_no_interval() -> None:
    run = RunBuilder(seeds=2)
    run.cases.append(CNN)
    run.records += [trial(CNN, seed, scores=scores("mnist", accuracy)) for seed, accuracy in enumerate((0.97, 0.98))]
    assert "97.50 97.00–98.00" in text(run)
    assert "±9" not in text(run)


def test_seeds_that_differ_too_much_for_an_interval_have_their_range() -> None:
    run = RunBuilder(seeds=3)
    run.cases.append(CNN)
    run.records += [trial(CNN, seed, scores=scores("mnist", share)) for seed, share in enumerate((0.2, 0.3, 0.5))]
    assert "33.33¹ 20.00–50.00" in text(run)
    assert "¹ the range of its seeds: a 95 % interval would cover more than half of 0 to 100 %" in text(run)


def test_an_execution_that_is_not_eager_is_named_with_its_framework() -> None:
    run = RunBuilder().ok(CNN).ok(case("mnist", "mlp-plain", "scikit-learn"))
    assert "execution eager · float32" in text(run)
    run.ok(case("mnist", "cnn", "keras-tensorflow"))
    assert "execution graph: keras-tensorflow, eager otherwise · float32" in text(run)
    assert "execution graph · float32" in text(RunBuilder().ok(case("mnist", "cnn", "keras-tensorflow")))


def test_a_run_whose_name_does_not_tell_when_says_when_it_was_started() -> None:
    results = realistic().results()
    named = replace(results, manifest=results.manifest.model_copy(update={"name": "before-the-upgrade"}))
    assert "before-the-upgrade · started 2026-11-22T10:15:00Z · bench 0.1.0" in terminal.render(named)


def test_a_run_of_one_seed_says_once_that_nothing_has_a_spread() -> None:
    views: tuple[View, ...] = ("overview", "datasets", "default")
    for view in views:
        shown = text(realistic(seeds=1), view)
        assert shown.count("One seed: no figure has an interval or a range") == 1
        assert "±" not in shown
        assert "none beside a single trial" not in shown


def test_a_range_among_intervals_is_marked() -> None:
    run = RunBuilder(seeds=6).ok(CNN).ok(case("mnist", "cnn", "keras-tensorflow"))
    run.ok(case("mnist", "mlp", "pytorch"))
    asked = case("mnist", "mlp", "keras-tensorflow")
    run.cases.append(asked)
    run.records += [trial(asked, seed) for seed in range(5)] + [failure(asked, 5, "timeout", "no end after 300 s")]
    assert "int. or range" in text(run)
    assert "fewer than 6 rounds: the range" in text(run)


def test_the_speed_of_many_trials_has_a_range_and_their_ratio_an_interval() -> None:
    run = RunBuilder(seeds=8).ok(CNN).ok(case("mnist", "cnn", "keras-tensorflow"))
    table = text(run, "overview").partition("training speed")[2]
    assert table.startswith(", steady, median over trials pytorch keras-tensorflow samples/s × pytorch")
    assert "range 95 % int." in table
    assert "A range of" not in table


@pytest.mark.parametrize(("rounds", "one_in"), [(2, 2), (3, 4), (5, 16)])
def test_a_range_of_few_rounds_says_how_often_it_leaves_out_1_for_equal_systems(rounds: int, one_in: int) -> None:
    run = RunBuilder(seeds=rounds).ok(CNN).ok(case("mnist", "cnn", "keras-tensorflow"))
    said = f"A range of {rounds} rounds leaves 1 out for one in {one_in} pairs of equally fast systems."
    assert said in text(run)
    assert said in text(run, "overview")


@pytest.mark.parametrize(("models", "said"), [(("cnn",), ""), (("cnn", "mlp"), ", corrected for the best of 2 rows")])
def test_the_test_part_leaves_open_more_of_the_best_of_several_rows(models: tuple[str, ...], said: str) -> None:
    run = RunBuilder()
    for model in models:
        run.ok(case("mnist", model, "pytorch"))
    assert f"however many seeds (Wilson, 95 %{said})." in text(run)


def test_the_floor_is_explained_only_where_it_is() -> None:
    assert "always answers" in text(realistic())
    assert "always answers" not in text(RunBuilder().ok(CNN))


def test_a_latency_tail_with_too_few_calls_is_a_dash_with_its_reason() -> None:
    measured = phases(CNN, 1.0, random.Random(1)).model_copy(update={"latency_us": (110.0,) * 50})
    run = RunBuilder().ok(CNN, phases=measured)
    assert "0.11 0.11–0.11 –¹" in text(run)
    assert "¹ too few calls for a p95" in text(run)


def test_a_ratio_without_its_reference_is_a_dash_with_its_reason() -> None:
    run = RunBuilder().ok(case("mnist", "cnn", "keras-tensorflow")).failed(CNN, "crashed", "signal 11", range(3))
    assert "¹ no round in which pytorch ran the same and succeeded" in text(run)


def test_a_run_of_one_framework_has_no_ratios() -> None:
    assert "×" not in text(RunBuilder().ok(CNN), "overview")
    assert "× pytorch" not in text(RunBuilder().ok(CNN))


def test_the_reference_alone_is_not_divided_by_itself() -> None:
    run = RunBuilder().ok(CNN).ok(case("mnist", "cnn", "keras-tensorflow"))
    assert "accuracy % train samples/s × pytorch" in text(run)
    shown = terminal.render(run.results().only(frameworks=["pytorch"]), view="datasets")
    assert "× pytorch" not in shown


def test_without_pytorch_the_first_framework_is_the_reference() -> None:
    run = RunBuilder().ok(case("mnist", "mlp-plain", "scikit-learn")).ok(case("mnist", "mlp-plain", "keras-jax"))
    assert "× scikit-learn" in text(run, "overview")


def test_models_trained_differently_say_how_in_the_head() -> None:
    run = RunBuilder().ok(CNN).ok(case("mnist", "mlp", "pytorch", training=Training(epochs=5, batch_size=64)))
    head = text(run)
    assert "3 epochs, batch 128, adam 0.001 (cnn)" in head
    assert "5 epochs, batch 64, adam 0.001 (mlp)" in head


def test_parameters_that_the_suite_gives_all_cases_of_an_estimator_are_in_the_head() -> None:
    """Labels name only what separates cases."""
    weights = {"class_weight": "balanced"}
    forest = case("mnist", "random-forest", "scikit-learn", parameters={**weights, "n_estimators": 10})
    both = [case("mnist", "logistic-regression", "scikit-learn", parameters=given) for given in ({}, weights)]
    run = RunBuilder().ok(case("mnist", "knn", "scikit-learn")).ok(forest).ok(both[0]).ok(both[1])
    assert "estimators balanced class weights, n estimators 10 (random-forest)" in text(run, "overview")
    assert "logistic-regression, balanced class weights" in text(run, "overview")
    assert "estimators" not in text(RunBuilder().ok(case("mnist", "knn", "scikit-learn")), "overview")


def test_a_run_resumed_on_another_machine_names_both() -> None:
    other = environment(cpu="Apple M9", cores=10)
    run = RunBuilder().ok(CNN).ok(case("mnist", "mlp", "pytorch"), environment=other.hash)
    results = run.results({environment().hash: environment(), other.hash: other})
    head = " ".join(terminal.render(results, view="overview").split())
    assert "AMD EPYC 9V74 · 2 cores · 2 threads · 23.4 GiB (3 trials)" in head
    assert "Apple M9 · 10 cores · 2 threads · 23.4 GiB (3 trials)" in head


def test_a_filtered_report_says_how_much_it_shows() -> None:
    results = realistic().results().only(datasets=["mnist"], models=["cnn"])
    assert "3 of the run's 28 shown: 2 ok, 1 unavailable" in terminal.render(results, view="overview")


def test_cases_that_share_a_reason_share_a_line() -> None:
    lines = terminal.render(realistic().results(), view="overview").splitlines()
    at = lines.index("unavailable  4 cases: keras-jax is not installed. Run: pip install jax")
    assert lines[at + 1].strip() == "{digits, mnist}/{mlp, cnn}/keras-jax/cpu"


def test_a_case_in_full_shows_how_it_learned_what_it_cost_and_how_to_run_it_again() -> None:
    whole = text(RunBuilder().ok(CNN), "case")
    for part in (
        "34,826 trained parameters, 1,200,000 FLOPs per sample",
        "60,000 training, 10,000 test",
        "optimizer.epsilon = 1e-07",
        "1 0.3000 –¹",
        "3 0.1000 –¹",
        "¹ no validation part was cut",
        "peak in train",
        "steal 0.1 %, other processes 3 % of a core, calibration 20.0 ms before, 20.1 ms after",
        "bench run --case mnist/cnn/pytorch/cpu --seed 0",
    ):
        assert part in whole


def test_a_case_in_full_ends_with_what_the_failed_worker_said() -> None:
    run = RunBuilder()
    run.cases.append(CNN)
    run.records.append(failure(CNN, 0, "crashed", "The worker died of signal 11.", stderr_tail=("Fatal error", "core")))
    assert "seed 0 crashed The worker died of signal 11. Fatal error core" in text(run, "case")


def test_text_from_outside_cannot_control_the_terminal() -> None:
    run = RunBuilder().failed(CNN, "error", "bad\x1b[2J\x07\nline")
    run.ok(case("mine\x1b[31m", "cnn", "pytorch"))
    views: tuple[View, ...] = ("overview", "datasets", "case")
    for view in views:
        shown = terminal.render(run.results(), view=view)
        assert "\x1b" not in shown
        assert "\x07" not in shown


@pytest.mark.parametrize(("reached", "said"), [(1, True), (3, False)])
def test_a_time_to_target_that_not_every_trial_came_to_says_of_how_many_it_is(reached: int, said: bool) -> None:
    asked = CNN.model_copy(update={"training": Training(target_accuracy=0.9, validation_rows=10)})
    run = RunBuilder(seeds=3)
    run.cases.append(asked)
    for seed in range(3):
        share = 0.95 if seed < reached else 0.85
        looked_at = (Checkpoint(samples=100, seconds=3.0, validation_accuracy=share),)
        epochs = (EpochFigures(seconds=4.0, samples=100, checkpoints=looked_at),)
        run.records.append(trial(asked, seed, phases=Phases(import_s=1, load_s=0, build_s=0, epochs=epochs)))
    assert "to target" in text(run)
    assert "3.00" in text(run)
    assert ("reached by 1 of 3 trials" in text(run)) is said
