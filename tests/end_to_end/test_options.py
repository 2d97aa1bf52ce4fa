"""Options of ``bench run``, and a run from Python."""

import json
import subprocess
import sys

import pytest

from tests.end_to_end.command import Bench, cells


def test_a_dry_run_shows_every_case_with_its_time_and_runs_nothing(bench: Bench) -> None:
    ended = bench("run", "--suite", "smoke", "--seeds", "2", "--dry-run")
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    for cell, trials in (
        ("digits/mlp-plain/pytorch/cpu", "2 trials"),
        ("digits/cnn/keras-tensorflow/cpu", "2 trials"),
        ("digits/majority/scikit-learn/cpu", "1 trial"),
    ):
        (line,) = (line for line in lines if line.startswith(f"{cell} "))
        assert f" {trials} " in line
        assert line.endswith(" s")
    assert "14 trials of 8 cases, about " in ended.stdout  # majority and logistic regression know no second seed
    assert not (bench.folder / "results").exists()


def test_seeds_run_in_rounds_and_a_deterministic_estimator_once(bench: Bench) -> None:
    models = ("majority", "random-forest", "mlp-plain")
    words = [word for model in models for word in ("--model", model)]
    ended = bench("run", "--suite", "smoke", "--framework", "sklearn", "--seeds", "2", "--threads", "1", *words)
    assert ended.returncode == 0, ended.stderr
    records = bench.records()
    assert [(record["round"], record["case"]["model"]) for record in records] == [
        (0, "mlp-plain"),
        (0, "majority"),
        (0, "random-forest"),
        (1, "random-forest"),  # every second round runs backwards
        (1, "mlp-plain"),
    ]
    assert [record["deterministic"] for record in records] == [False, True, False, False, False]
    assert {record["case"]["threads"] for record in records} == {1}
    assert set(records[2]["settings"]["thread_pools"].values()) == {1}
    assert records[2]["settings"]["parameters"]["n_jobs"] == 1
    first, second = (record["model"]["final_weights_sha256"] for record in (records[0], records[4]))
    assert first != second


def test_one_seed_alone_can_be_run(bench: Bench) -> None:
    ended = bench("run", "--suite", "smoke", "--framework", "sklearn", "--model", "mlp-plain", "--seed", "3")
    assert ended.returncode == 0, ended.stderr
    assert [record["seed_index"] for record in bench.records()] == [3]


def test_globs_select_from_a_suite(bench: Bench) -> None:
    ended = bench("run", "--suite", "smoke", "--dataset", "dig*", "--model", "*-forest", "--framework", "sci*")
    assert ended.returncode == 0, ended.stderr
    assert cells(bench.records()) == ["digits/random-forest/scikit-learn"]


def test_epochs_are_set_for_every_network_and_the_curve_has_as_many_points(bench: Bench) -> None:
    ended = bench(
        *("run", "--suite", "smoke", "--framework", "sklearn", "--model", "mlp-plain"),
        *("--epochs", "5", "--results", "elsewhere/runs"),
    )
    assert ended.returncode == 0, ended.stderr
    (file,) = bench.folder.glob("elsewhere/runs/*/records.jsonl")
    (record,) = map(json.loads, file.read_text().splitlines())
    assert record["case"]["training"]["epochs"] == 5
    losses = [epoch["loss"] for epoch in record["phases"]["epochs"]]
    assert len(losses) == 5
    assert losses == sorted(losses, reverse=True)
    assert "--epochs 5" in record["command"]


def test_a_suite_of_the_users_own_runs_and_is_called_by_its_name(bench: Bench) -> None:
    (bench.folder / "mine.toml").write_text(
        '[[matrix]]\ndatasets = ["digits"]\nmodels = ["majority"]\nframeworks = ["scikit-learn"]\n'
    )
    ended = bench("run", "--suite", "./mine.toml")
    assert ended.returncode == 0, ended.stderr
    assert bench.runs()[-1].name.endswith("-mine")
    assert [record["status"] for record in bench.records()] == ["ok"]


NOTEBOOK = """
import sys
import bench

run = bench.run("smoke", datasets=["digits"], models=["majority"])
frame = run.to_frame()
assert not {"torch", "tensorflow", "keras", "sklearn"} & set(sys.modules), "the caller imports no framework"
row = frame.iloc[0]
print(len(frame), row["dataset"], row["model"], row["framework"], row["status"], round(row["accuracy_mean"], 4))
print(run._repr_html_())
"""


def test_a_run_from_python_gives_a_frame_and_shows_its_table_in_a_notebook(bench: Bench) -> None:
    pytest.importorskip("pandas", reason="a frame needs pandas: the extra 'frame' is not installed")
    ended = subprocess.run(
        [sys.executable, "-P", "-c", NOTEBOOK],
        capture_output=True,
        text=True,
        cwd=bench.folder,
        env=bench.environment,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    first, _, html = ended.stdout.partition("\n")
    assert first == "1 digits majority scikit-learn ok 0.1028"  # 37 of 360
    assert "<table" in html
    assert "majority" in html
    assert [record["status"] for record in bench.records()] == ["ok"]
