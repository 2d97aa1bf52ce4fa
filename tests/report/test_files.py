"""CSV, JSON and frame: the same tidy rows, readable by other programs, every figure to its last digit."""

import csv
import io
import json

import pytest

from bench.report.csv import render as render_csv
from bench.report.frame import to_frame
from bench.report.html import fragment
from bench.report.json import render as render_json
from bench.report.rows import columns
from bench.report.views import document
from tests.report.builder import RunBuilder, case, realistic, scores

STABLE = [
    "dataset",
    "model",
    "framework",
    "device",
    "status",
    "accuracy_mean",
    "accuracy_low",
    "accuracy_high",
    "train_s_median",
    "train_samples_per_s_median",
    "predict_samples_per_s_median",
    "latency_p50_ms_median",
    "latency_p95_ms_median",
    "peak_rss_mib_median",
    "model_mib_median",
    "runtime_mib_median",
    "train_speed_ratio_median",
]


def read(text: str) -> list[dict[str, str]]:
    """As any reader of CSV would."""
    return list(csv.DictReader(io.StringIO(text)))


def test_the_columns_that_others_build_on_are_there() -> None:
    assert [name for name in STABLE if name not in columns(per_trial=False)] == []


def test_an_empty_run_has_the_same_columns_as_a_full_one() -> None:
    for per_trial in (False, True):
        full = render_csv(realistic().results(), per_trial=per_trial).splitlines()[0]
        assert render_csv(RunBuilder().results(), per_trial=per_trial) == full + "\n"
        assert tuple(full.split(",")) == columns(per_trial)


def test_a_figure_in_the_csv_is_the_figure_in_full() -> None:
    results = RunBuilder(seeds=3).ok(case("mnist", "cnn", "pytorch")).results()
    (row,) = read(render_csv(results))
    found = [record.scores.accuracy for record in results.records if record.scores]
    assert float(row["accuracy_mean"]) == pytest.approx(sum(found) / 3, abs=1e-15)
    assert row["accuracy_spread"] == "interval"
    assert row["train_samples_per_s_spread"] == "range"


def test_a_ratio_of_the_csv_is_that_of_the_rounds() -> None:
    results = (
        RunBuilder(seeds=1).ok(case("mnist", "cnn", "pytorch")).ok(case("mnist", "cnn", "keras-tensorflow")).results()
    )
    base, other = read(render_csv(results))
    expected = float(other["train_samples_per_s_median"]) / float(base["train_samples_per_s_median"])
    assert float(other["train_speed_ratio_median"]) == pytest.approx(expected)
    assert (other["reference"], base["reference"]) == ("pytorch", "")


def test_what_could_not_run_has_a_row_with_its_reason_and_empty_figures() -> None:
    reason = 'no wheel, "none", for this Python'
    (row,) = read(render_csv(RunBuilder().failed(case("mnist", "cnn", "pytorch"), "unavailable", reason).results()))
    assert (row["status"], row["reason"], row["accuracy_mean"]) == ("unavailable", reason, "")


def test_json_names_the_run_its_machine_and_its_rows() -> None:
    content = json.loads(render_json(realistic().results()))
    assert content["run"]["name"] == "2026-11-22T10-15-00-quick"
    assert [machine["cpu"] for machine in content["environments"].values()] == ["AMD EPYC 9V74"]
    assert content["reference"] == "pytorch"
    assert len(content["cases"]) == 28


def test_csv_and_json_tell_the_same() -> None:
    results = realistic().results()
    for per_trial, key in ((False, "cases"), (True, "trials")):
        rows = json.loads(render_json(results, per_trial=per_trial))[key]
        for line, row in zip(read(render_csv(results, per_trial=per_trial)), rows, strict=True):
            assert {name: "" if value is None else str(value) for name, value in row.items()} == {
                name: value.capitalize() if value in {"true", "false"} else value for name, value in line.items()
            }


def test_a_frame_has_the_columns_of_the_csv_with_types_of_their_own() -> None:
    pytest.importorskip("pandas", reason="the frame is pandas'")
    frame = to_frame(realistic().results())
    assert tuple(frame.columns) == columns(per_trial=False)
    assert len(frame) == 28
    types = {name: str(frame[name].dtype) for name in ("accuracy_mean", "trials", "steady", "parameters")}
    assert types == {"accuracy_mean": "float64", "trials": "Int64", "steady": "boolean", "parameters": "Int64"}
    assert len(to_frame(realistic().results(), per_trial=True)) == 64


def test_html_escapes_every_text() -> None:
    run = RunBuilder().ok(case("<script>", "cnn", "pytorch"), scores=scores("mnist", 0.98))
    html = fragment(document(run.results(), "overview"))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "98.00" in html
