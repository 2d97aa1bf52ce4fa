"""A user's own models and data sets, given as files, in one table with what ships."""

import json
import shlex
from pathlib import Path

import pytest

from tests.end_to_end.command import Bench, Ended, Json, cells
from tests.end_to_end.own_files import NET, TORCH_NET, write_csv, write_image_folder, write_npz

pytestmark = pytest.mark.slow

Run = tuple[Bench, Ended, list[Json]]


@pytest.fixture(scope="module")
def own(installed: Bench, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The command in a folder with the user's files."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "net.py").write_text(NET)
    (folder / "torch_net.py").write_text(TORCH_NET)
    write_npz(folder / "mine.npz")
    write_csv(folder / "table.csv")
    write_image_folder(folder / "corners")
    return installed.inside(folder)


@pytest.fixture(scope="module")
def frameworks(own: Bench) -> Run:
    """One data set of the user's, with models of theirs and one that ships, in every framework."""
    models = ("./torch_net.py:Net", "./net.py:keras_net", "./net.py:Everywhere", "random-forest", "majority")
    ended = own(
        *("run", "--suite", "smoke", "--dataset", "./mine.npz", "--epochs", "8"),
        *(word for model in models for word in ("--model", model)),
    )
    assert ended.returncode == 0, ended.stderr
    return own, ended, own.records()


@pytest.fixture(scope="module")
def formats(own: Bench, frameworks: Run) -> Run:
    """All three data sets of the user's, in the framework that starts quickest."""
    data = ("./mine.npz", "table.csv", "corners")
    ended = own(
        *("run", "--suite", "smoke", "--model", "net.py:pipeline", "--model", "majority", "--framework", "sklearn"),
        *(word for file in data for word in ("--dataset", file)),
    )
    assert ended.returncode == 0, ended.stderr
    return own, ended, own.records()


def test_a_users_models_run_in_every_framework_they_are_written_for(frameworks: Run) -> None:
    _, _, records = frameworks
    assert sorted(cells(records)) == [
        "mine/Everywhere/keras-tensorflow",
        "mine/Everywhere/pytorch",
        "mine/Everywhere/scikit-learn",
        "mine/Net/pytorch",
        "mine/keras_net/keras-tensorflow",
        "mine/majority/scikit-learn",
        "mine/random-forest/scikit-learn",
    ]
    assert {record["status"] for record in records} == {"ok"}


def test_a_users_models_learn_what_they_are_shown(frameworks: Run, formats: Run) -> None:
    for _, _, records in (frameworks, formats):
        for record in records:
            accuracy = record["scores"]["accuracy"]
            if record["case"]["model"] == "majority":
                assert accuracy == pytest.approx(1 / 3)
            elif record["case"]["training"]:
                losses = [epoch["loss"] for epoch in record["phases"]["epochs"]]
                assert len(losses) == 8
                assert losses[-1] < losses[0]
            else:
                assert accuracy > 0.95  # three corners, a bright square in one of them


def test_a_users_models_and_what_ships_stand_in_one_table(frameworks: Run) -> None:
    _, ended, _ = frameworks
    table = ended.stdout
    for name in ("Net", "keras_net", "Everywhere", "random-forest", "majority"):
        assert name in table
    assert max(map(len, table.splitlines())) <= 80


def test_a_users_model_is_counted_as_the_framework_counts_it(frameworks: Run) -> None:
    _, _, records = frameworks
    counts = {cell: record["model"]["parameters"] for cell, record in zip(cells(records), records, strict=True)}
    assert counts["mine/Net/pytorch"] == (64 * 32 + 32) + (32 * 3 + 3)
    assert counts["mine/keras_net/keras-tensorflow"] == 64 * 3 + 3
    assert counts["mine/Everywhere/pytorch"] == 64 * 3 + 3


def test_npz_csv_and_image_folder_stand_in_one_table(formats: Run) -> None:
    _, ended, records = formats
    assert sorted(cells(records)) == [
        f"{data}/{model}/scikit-learn" for data in ("corners", "mine", "table") for model in ("majority", "pipeline")
    ]
    for name in ("corners", "mine", "table"):
        assert name in ended.stdout


def test_a_users_data_are_cut_where_they_have_no_test_part_and_never_called_verified(formats: Run) -> None:
    bench, ended, records = formats
    rows = {record["case"]["dataset"]: (record["train_rows"], record["test_rows"]) for record in records}
    assert rows["mine"] == (150, 60)  # as they lie in the archive
    assert sum(rows["table"]) == 120
    assert sum(rows["corners"]) == 90
    assert "unverified" in ended.stdout
    assert '"verified": true' not in (bench.runs()[-1] / "run.json").read_text()


@pytest.mark.parametrize(
    "cell", ["mine/Net/pytorch", "mine/keras_net/keras-tensorflow", "corners/pipeline/scikit-learn"]
)
def test_the_command_of_a_record_runs_a_users_model_and_data_to_the_same_result(
    cell: str, frameworks: Run, formats: Run, own: Bench
) -> None:
    known = [record for _, _, records in (frameworks, formats) for record in records]
    (record,) = (record for record in known if cells([record]) == [cell])
    ended = own(*shlex.split(record["command"])[1:], "--results", f"again/{record['case_id']}")
    assert ended.returncode == 0, ended.stderr
    (file,) = own.folder.glob(f"again/{record['case_id']}/*/records.jsonl")
    (repeated,) = map(json.loads, file.read_text().splitlines())
    assert repeated["case_id"] == record["case_id"]
    assert repeated["scores"] == record["scores"]
    assert repeated["model"] == record["model"]


def test_nothing_a_run_leaves_behind_holds_a_path_of_the_users(frameworks: Run, formats: Run) -> None:
    bench, _, _ = formats
    home = str(Path(bench.environment["HOME"]).parent)
    for run in bench.runs():
        texts = [file for file in run.rglob("*") if file.suffix in {".json", ".jsonl", ".csv", ".md"}]
        assert len(texts) >= 4
        for file in texts:
            assert home not in file.read_text(), file.name
