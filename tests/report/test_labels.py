"""The labels *agrees* and *proved*: said once where all share them, at the row where not, and never a figure hidden."""

import csv
import io
import json
from collections.abc import Mapping

import pytest

from bench.case import Case, Training
from bench.models.catalog import find_model
from bench.models.model import Network
from bench.record import Record
from bench.report import csv as csv_format
from bench.report import json as json_format
from bench.report import markdown, terminal
from bench.report.views import View
from bench.stats.results import Results
from tests.report.builder import RunBuilder, case, trial

CNN = case("mnist", "cnn", "pytorch")
KERAS = case("mnist", "cnn", "keras-tensorflow")
FRAMEWORKS = ("pytorch", "keras-tensorflow", "scikit-learn")
BETTER_ACCURACY = {"accuracy": 0.99, "balanced_accuracy": 0.99, "macro_f1": 0.99}


def text(run: RunBuilder | Results, view: View = "datasets") -> str:
    """The report on one line: line breaks do not matter here."""
    return " ".join(terminal.render(run if isinstance(run, Results) else run.results(), view=view).split())


def plain(framework: str) -> Case:
    """``mlp-plain``, in which nothing is drawn at random."""
    network = find_model("mlp-plain")
    assert isinstance(network, Network)
    return case("mnist", "mlp-plain", framework, training=Training(epochs=3), model_digest=network.digest)


def with_losses(record: Record, factors: Mapping[int, float]) -> Record:
    """The record with the loss of some epochs, by number, multiplied."""
    assert record.phases is not None
    epochs = tuple(
        epoch.model_copy(update={"loss": (epoch.loss or 0.0) * factors.get(number, 1.0)})
        for number, epoch in enumerate(record.phases.epochs, start=1)
    )
    return record.model_copy(update={"phases": record.phases.model_copy(update={"epochs": epochs})})


def strayed(framework: str = "scikit-learn", **changes: object) -> Results:
    """Three frameworks in three seeds; one of them stops learning after the first epoch, in two seeds."""
    run = RunBuilder()
    for name in FRAMEWORKS:
        asked = plain(name)
        run.cases.append(asked)
        for seed in range(3):
            record = trial(asked, seed, **changes)
            run.records.append(with_losses(record, {2: 2.0, 3: 3.0}) if name == framework and seed else record)
    return run.results()


def test_labels_that_differ_are_said_at_each_row() -> None:
    run = RunBuilder().ok(CNN).ok(KERAS, equivalence="proved")
    assert "3 seeds · agrees (cnn in pytorch) · agrees and proved (cnn in keras-tensorflow) ·" in text(run)
    notes = terminal.render(run.results(), view="datasets").partition("memory and prediction")[0].splitlines()
    assert {line[2:] for line in notes if line[:1] in "¹²³" and line[:1]} >= {"agrees", "agrees and proved"}


def test_a_label_that_all_rows_share_is_said_in_the_head_alone() -> None:
    run = RunBuilder().ok(CNN, equivalence="proved").ok(KERAS, equivalence="proved")
    assert "3 seeds · agrees and proved ·" in text(run)
    assert text(run).count("agrees and proved") == 1


def test_a_first_run_of_a_newcomer_agrees_without_a_proof() -> None:
    run = RunBuilder().ok(CNN, equivalence="not proved").ok(KERAS, equivalence="not proved")
    assert "3 seeds · agrees ·" in text(run)
    assert "proved" not in text(run)
    assert "× pytorch" in text(run, "overview")


def test_a_proof_of_an_earlier_version_is_none_of_today() -> None:
    run = RunBuilder().ok(CNN, equivalence="verified").ok(KERAS, equivalence="verified")
    assert "3 seeds · agrees ·" in text(run)
    assert "proved" not in text(run) + text(run, "overview")


def test_labels_that_differ_between_models_are_said_in_the_head_alone() -> None:
    run = RunBuilder().ok(CNN, equivalence="proved").ok(case("mnist", "Wide", "pytorch"), equivalence="own model")
    assert "· proved (cnn) · own model: not compared (Wide) machine" in text(run)
    assert text(run).count("not compared") == 1


def test_a_model_that_only_one_framework_has_needs_no_label() -> None:
    run = RunBuilder().ok(case("mnist", "knn", "scikit-learn"), equivalence="not compared")
    assert "track matched · 3 seeds machine" in text(run)
    run.ok(CNN, equivalence="proved")
    assert "track matched · 3 seeds · proved machine" in text(run)


def test_the_labels_a_run_has_are_explained_and_no_others() -> None:
    overview = text(RunBuilder().ok(CNN, equivalence="not proved").ok(KERAS, equivalence="not proved"), "overview")
    assert "agrees: at each seed near to the other frameworks of its row" in overview
    assert "proved:" not in overview
    assert "differs from the others of its row:" not in overview
    assert "agrees:" not in text(RunBuilder().ok(CNN), "overview")


def test_what_differs_is_named_in_the_head_and_at_its_row_with_where_it_strayed() -> None:
    views: tuple[View, ...] = ("overview", "datasets")
    for view in views:
        found = text(strayed(), view)
        assert "differs from the others of its row (mlp-plain in scikit-learn)" in found
        assert "differs from the others of its row, from epoch 2" in found


def test_what_differs_comes_after_all_that_is_ranked_however_high_its_accuracy() -> None:
    results = strayed()
    best = [
        record.model_copy(update={"scores": record.scores.model_copy(update=BETTER_ACCURACY)})
        if record.case.framework == "scikit-learn" and record.scores
        else record
        for record in results.records
    ]
    found = terminal.render(Results(results.manifest, best, results.environments), view="datasets")
    table = found.partition("accuracy and training")[2].partition("memory and prediction")[0]
    order = [line.split()[1] for line in table.splitlines() if line.startswith("mlp-plain")][:3]
    assert order[-1] == "scikit-learn"
    assert "the best accuracy, 97." in " ".join(found.split())


def test_what_differs_has_its_figures_and_no_ratio() -> None:
    rows = [line for line in markdown.render(strayed(), view="datasets").splitlines() if line.startswith("| mlp-plain")]
    (row,) = (line for line in rows[:3] if "scikit-learn" in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2].startswith("97.")
    assert cells[4].startswith("–")


def test_a_reference_that_differs_leaves_the_others_without_a_ratio_and_says_why() -> None:
    found = text(strayed("pytorch"), "overview")
    assert "no ratio: pytorch differs from the others of its row" in found
    assert "differs from the others of its row, from epoch 2" in found


def test_of_two_frameworks_that_differ_both_are_marked() -> None:
    run = RunBuilder(seeds=1)
    for name, factor in (("pytorch", 1.0), ("scikit-learn", 2.0)):
        asked = plain(name)
        run.cases.append(asked)
        run.records.append(with_losses(trial(asked, 0), {1: factor}))
    found = "differs from the others of its row (mlp-plain in pytorch, mlp-plain in scikit-learn)"
    assert found in text(run)


def test_the_list_of_gaps_has_what_differs_with_its_reason() -> None:
    (row,) = (line for line in markdown.render(strayed(), view="gaps").splitlines() if line.startswith("| mnist"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        *("mnist", "mlp-plain", "scikit-learn", "differs"),
        "from epoch 2, in 2 of 3 seeds; not near to pytorch, keras-tensorflow",
    ]


def test_a_case_says_against_whom_it_was_held_and_how_far_it_is_from_each() -> None:
    alone = strayed().only(frameworks=["scikit-learn"])
    found = text(alone, "case")
    assert "row from epoch 2, in 2 of 3 seeds; not near to pytorch, keras-tensorflow" in found
    # thrice the loss of the others is 200 % above it
    assert "pytorch: loss of epoch 3 200 % apart at seed 1 (limit" in found
    honest = text(strayed().only(frameworks=["keras-tensorflow"]), "case")
    assert "row pytorch: loss of epoch 1 <0.001 % apart at seed 0 (limit" in honest
    assert "track matched, agrees" in honest


def test_without_stored_predictions_a_report_says_that_scores_stood_for_them() -> None:
    assert "predictions not stored: compared by losses and scores" in text(RunBuilder().ok(CNN).ok(KERAS))


@pytest.mark.parametrize(("view", "column"), [(False, "agreement"), (True, "agreement")])
def test_tidy_rows_have_the_label_and_where_a_row_strayed(view: bool, column: str) -> None:
    results = strayed()
    rows = list(csv.DictReader(io.StringIO(csv_format.render(results, per_trial=view))))
    found = {(row["framework"], row.get("seed_index")): (row[column], row["agreement_from"]) for row in rows}
    if view:
        assert found["scikit-learn", "0"] == ("agrees", "")
        assert found["scikit-learn", "1"] == ("differs", "from epoch 2")
        assert found["pytorch", "1"] == ("agrees", "")
    else:
        assert found == {
            ("pytorch", None): ("agrees", ""),
            ("keras-tensorflow", None): ("agrees", ""),
            ("scikit-learn", None): ("differs", "from epoch 2"),
        }
    as_json = json.loads(json_format.render(results, per_trial=view))
    assert {"agrees", "differs"} == {row["agreement"] for row in _rows(as_json)}


def _rows(content: object) -> list[dict[str, object]]:
    """The rows of the JSON report, wherever it has them."""
    if isinstance(content, dict):
        return next(_rows(value) for value in content.values() if isinstance(value, list) and value)
    assert isinstance(content, list)
    return content
