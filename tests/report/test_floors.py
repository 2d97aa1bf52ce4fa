"""Floors, unequal classes, recalls and generated data in every format."""

import csv
import io
import json
from dataclasses import replace

import pytest

from bench.case import Training
from bench.manifest import Floors
from bench.record import Scores
from bench.report import markdown, terminal
from bench.report.csv import render as render_csv
from bench.report.document import width
from bench.report.html import fragment
from bench.report.json import render as render_json
from bench.report.views import View, document
from bench.stats.results import Results
from tests.report.builder import RunBuilder, case

PRINT = "0" * 64
CNN = case("mnist", "cnn", "pytorch", data_fingerprint=PRINT)  # accuracy 0.989
NAIVE = case("mnist", "gaussian-nb", "scikit-learn", data_fingerprint=PRINT)  # 0.5558
MAJORITY = case("mnist", "majority", "scikit-learn", data_fingerprint=PRINT)  # 0.1135
CAPPED = case("mnist", "knn", "scikit-learn", data_fingerprint=PRINT, train_rows=5_000)  # 0.9688


def floors(rows: int = 60_000, counts: tuple[int, ...] = (6_000,) * 10, tested: int = 10_000) -> Floors:
    """MNIST's, as scikit-learn's own estimators score them; the balanced ones a tenth lower."""
    held = {"majority": 0.1135, "nearest centroid": 0.8203, "1-NN": 0.9691}
    return Floors.model_validate(
        {
            "dataset": "mnist",
            "fingerprint": PRINT,
            "train_rows": rows,
            "class_counts": counts,
            "floors": [
                {"method": method, "accuracy": value, "balanced_accuracy": value - 0.1, "tested_rows": tested}
                for method, value in held.items()
            ],
        }
    )


def run(*known: Floors) -> Results:
    """Four models on MNIST."""
    builder = RunBuilder().ok(CNN).ok(NAIVE).ok(MAJORITY).ok(CAPPED)
    return replace(builder.results(), floors=known)


def flat(text: str) -> str:
    """On one line: line breaks do not matter here."""
    return " ".join(text.split())


@pytest.mark.parametrize("view", ["overview", "datasets"])
def test_a_row_below_a_floor_is_marked_in_words_and_the_floors_own_row_is_not(view: View) -> None:
    shown = terminal.render(run(floors()), view=view)
    table = shown[shown.index("accuracy") :]
    notes = {line[0]: line[2:] for line in table.splitlines() if line[:1] in tuple("¹²³⁴⁵")}
    below = {mark for mark, note in notes.items() if note in ("below nearest centroid, 82.03", "below 1-NN, 96.91")}
    assert len(below) == 2
    line = next(line for line in table.splitlines() if "gaussian-nb" in line)
    assert all(mark in line for mark in below)
    for name in ("cnn", "majority"):
        line = next(line for line in table.splitlines() if line.strip().startswith(name))
        assert not any(mark in line for mark in below)


@pytest.mark.parametrize(
    ("accuracy", "said"),
    [(0.1135, "not shown to beat majority, 11.35"), (0.09, "below majority, 11.35"), (0.13, "")],
)
def test_what_is_not_shown_to_beat_the_majority_is_said_so(accuracy: float, said: str) -> None:
    scored = Scores(rows=10_000, accuracy=accuracy, balanced_accuracy=0.1, macro_f1=0.02)
    results = replace(RunBuilder().ok(CNN, scores=scored).results(), floors=(floors(),))
    assert said in flat(terminal.render(results))
    assert ("majority, 11.35" in flat(terminal.render(results))) is bool(said)
    (row,) = rows_of(results)
    assert row["beats_majority"] == ("false" if said else "true")


def test_a_row_is_held_against_the_floors_of_its_own_training_rows() -> None:
    few = floors(5_000)
    lower = tuple(floor.model_copy(update={"accuracy": floor.accuracy - 0.01}) for floor in few.floors)
    (knn,) = [row for row in rows_of(run(floors())) if row["model"] == "knn"]
    assert (knn["below_floors"], knn["beats_majority"], knn["floor_1nn_accuracy"]) == ("", "", "")
    results = run(floors(), few.model_copy(update={"floors": lower}))
    (knn,) = [row for row in rows_of(results) if row["model"] == "knn"]
    assert (knn["below_floors"], knn["beats_majority"], knn["floor_1nn_accuracy"]) == ("", "true", "0.9591")
    shown = terminal.render(results, view="datasets")
    assert "60,000            11.35             82.03  96.91" in shown
    assert "5,000             10.35             81.03  95.91" in shown


def test_a_floor_of_some_test_rows_says_of_how_many() -> None:
    assert "96.91¹" in terminal.render(run(floors(tested=2_000)), view="datasets")
    assert "on 2,000 of the 10,000 test rows" in flat(terminal.render(run(floors(tested=2_000)), view="datasets"))


def test_a_run_without_floors_reads_as_it_always_did() -> None:
    views: tuple[View, ...] = ("overview", "datasets", "all")
    for view in views:
        shown = terminal.render(run(), view=view)
        assert "nearest centroid" not in shown
        assert "Unequal" not in shown
    assert json.loads(render_json(run()))["floors"] == []


def test_markdown_html_and_json_have_the_floors() -> None:
    results = run(floors())
    assert "| training rows | majority | nearest centroid |  1-NN |" in markdown.render(results)
    html = fragment(document(results, "datasets"))
    assert "floors, accuracy %" in html
    assert "below 1-NN" in html
    (known,) = json.loads(render_json(results))["floors"]
    assert known["train_rows"] == 60_000
    assert known["floors"][2] == {
        "method": "1-NN",
        "accuracy": 0.9691,
        "balanced_accuracy": pytest.approx(0.8691),
        "tested_rows": 10_000,
    }


def rows_of(results: Results) -> list[dict[str, str]]:
    """The lines of the CSV."""
    return list(csv.DictReader(io.StringIO(render_csv(results))))


def test_the_csv_has_the_floors_beside_each_row_and_which_it_is_below() -> None:
    by_model = {row["model"]: row for row in rows_of(run(floors()))}
    assert by_model["gaussian-nb"]["below_floors"] == "nearest centroid; 1-NN"
    assert by_model["cnn"]["below_floors"] == ""
    assert by_model["cnn"]["floor_majority_accuracy"] == "0.1135"
    assert by_model["cnn"]["class_ratio"] == "1.0"


UNEQUAL = (5_000,) * 9 + (1_000,)


def test_where_classes_are_unequal_balanced_accuracy_stands_beside_accuracy_with_its_interval() -> None:
    results = run(floors(counts=UNEQUAL))
    shown = terminal.render(results, view="datasets")
    assert "Unequal classes: of 60,000 training rows the largest has 5,000, the smallest 1,000 (5.00 times" in flat(
        shown
    )
    head = shown[shown.index("accuracy and training") : shown.index("memory and prediction")]
    assert "balanced" in head
    assert "balanced" not in shown[shown.index("further figures") :].split("Sorted by")[0]
    (cnn,) = [line for line in head.splitlines() if line.startswith("cnn ") and line.count("±") == 2]
    assert cnn
    assert "balanced accuracy %, where classes are unequal" in terminal.render(results, view="overview")


def test_where_they_are_about_equal_it_stays_among_the_further_figures() -> None:
    shown = terminal.render(run(floors()), view="datasets")
    assert "Unequal" not in shown
    assert "balanced" in shown[shown.index("further figures") :]
    assert "balanced accuracy %" not in terminal.render(run(floors()), view="overview")


def test_no_line_is_wider_than_80_with_floors_and_unequal_classes() -> None:
    views: tuple[View, ...] = ("overview", "datasets", "all")
    for view in views:
        shown = terminal.render(run(floors(counts=UNEQUAL, tested=500)), view=view)
        assert max(map(width, shown.splitlines())) <= 80


def test_generated_data_are_called_so_wherever_their_rows_stand() -> None:
    results = run(floors())
    notes = tuple(note.model_copy(update={"generated": True, "verified": False}) for note in results.manifest.datasets)
    generated = replace(results, manifest=results.manifest.model_copy(update={"datasets": notes}))
    assert "generated data: made by the harness, not the published ones" in flat(
        terminal.render(generated, view="overview")
    )
    assert "mnist¹" in terminal.render(generated, view="overview")
    assert "GENERATED: made by the harness, not the published data" in flat(terminal.render(generated, view="datasets"))
    assert "unverified" not in terminal.render(generated).lower()
    assert {row["data_generated"] for row in rows_of(generated)} == {"true"}
    assert {row["data_generated"] for row in rows_of(results)} == {"false"}


def test_the_detail_of_a_row_has_the_recall_of_each_class_and_a_dash_for_one_without_a_test_row() -> None:
    confusion = ((8, 2, 0), (1, 3, 0), (0, 0, 0))
    scored = Scores(rows=14, accuracy=11 / 14, balanced_accuracy=0.775, macro_f1=0.7, confusion=confusion)
    results = RunBuilder(seeds=2).ok(CNN, scores=scored).results()
    table = terminal.render(results, view="case").partition("recall of each class")[2].partition("\n\n")[0]
    lines = {line.split()[0]: line.split()[1:] for line in table.splitlines()[3:]}
    assert lines["0"] == ["10", "80.00", "80.00–80.00", "1", "20.00"]
    assert lines["1"] == ["4", "75.00", "75.00–75.00", "0", "25.00"]
    assert lines["2"] == ["0", "–¹"]
    assert "¹ no test row" in table
    assert "recall of each class" in fragment(document(results, "case"))


def test_weighted_and_unweighted_rows_of_one_model_are_told_apart_in_the_same_words() -> None:
    weighted = case(
        "mnist", "cnn", "pytorch", data_fingerprint=PRINT, training=Training(epochs=3, class_weights="balanced")
    )
    forest = case("mnist", "random-forest", "scikit-learn", data_fingerprint=PRINT)
    balanced = case(
        "mnist", "random-forest", "scikit-learn", data_fingerprint=PRINT, parameters={"class_weight": "balanced"}
    )
    shown = terminal.render(RunBuilder().ok(CNN).ok(weighted).ok(forest).ok(balanced).results(), view="overview")
    assert "cnn, balanced class weights" in shown
    assert "random-forest, balanced class weights" in shown
