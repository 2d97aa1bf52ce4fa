"""The floors of a run: of the rows its models get, found after its trials, once, and kept with it."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.datasets.catalog import CachedDataset, load
from bench.datasets.floors import VERSION
from bench.datasets.floors import floors as computed
from bench.errors import BenchError
from bench.manifest import Floors
from bench.record import Record
from bench.runner import floors as floors_module
from bench.runner.expand import Expansion, PlannedCase
from bench.runner.floors import floors_of, keep_floors
from bench.runner.request import Request
from bench.runner.rows import capped
from bench.runner.run import prepare
from bench.store import RunFolder
from tests.runner.conftest import Alone
from tests.runner.small import digits, suite_file, suite_of
from tests.runner.test_run import Watching

SUITE = """
    seeds = 1
    [[matrix]]
    datasets = ["digits"]
    models = ["majority", "gaussian-nb"]
    frameworks = ["scikit-learn"]
    [[matrix]]
    datasets = ["digits", "mnist"]
    models = ["gaussian-nb"]
    frameworks = ["scikit-learn"]
    train_rows = 200
    """


class Hearing(Watching):
    """Keeps what is said before and after the trials, too."""

    def preparing(self, line: str) -> None:
        self.told.append(line)


@pytest.fixture(scope="module")
def run(alone: Alone, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, Watching]:
    """Digits with all its rows and with 200; mnist is not to be had."""
    place = tmp_path_factory.mktemp("floors")
    request = Request(suite=suite_file(place, SUITE), threads=1, offline=True, results=place / "results")
    with alone():
        watching = Hearing()
        return prepare(request, watching).start(watching), watching


def test_a_run_keeps_the_floors_of_each_number_of_training_rows(run: tuple[RunFolder, Watching]) -> None:
    folder, _ = run
    data = digits()
    dataset = load(data.folder)
    few = capped(dataset.train, 200, data.info.fingerprint)
    kept = {floors.train_rows: floors for floors in folder.floors()}
    assert set(kept) == {1437, 200}
    assert kept[200].floors == computed(few, dataset.test)
    assert kept[1437].floors == computed(dataset.train, dataset.test)
    assert kept[200].class_counts == tuple(np.bincount(few.labels))
    assert {floors.fingerprint for floors in kept.values()} == {data.info.fingerprint}


def test_the_majority_of_a_run_is_the_floor_of_that_name(run: tuple[RunFolder, Watching]) -> None:
    folder, _ = run
    (majority,) = [record for record in folder.records() if record.case.model == "majority"]
    (floors,) = [floors for floors in folder.floors() if floors.train_rows == 1437]
    assert majority.scores is not None
    assert majority.scores.accuracy == pytest.approx(floors.floors[0].accuracy)
    assert majority.scores.balanced_accuracy == pytest.approx(floors.floors[0].balanced_accuracy)


def test_they_are_found_when_no_trial_is_left(run: tuple[RunFolder, Watching]) -> None:
    _, watching = run
    told = [line for line in watching.told if line in ("ok", "unavailable") or line.startswith("computing")]
    assert told[-1].startswith("computing the floors of digits")
    assert "ok" not in told[told.index("computing the floors of digits, 1,437 training rows (once)") :]


def test_no_record_of_published_data_is_called_generated(run: tuple[RunFolder, Watching]) -> None:
    folder, _ = run
    assert [record.generated for record in folder.records()] == [False] * len(folder.records())


def test_a_record_of_generated_data_says_so(tmp_path: Path, alone: Alone) -> None:
    request = Request(
        suite=suite_file(tmp_path, SUITE), datasets=("digits",), threads=1, offline=True, results=tmp_path / "results"
    )
    prepared = prepare(request)
    made = [
        replace(case, data=CachedDataset(replace(case.data.info, generated=True), case.data.folder))
        for case in prepared.plan.cases
        if case.data
    ]
    by_id = {case.case.id: case for case in made}
    trials = [replace(trial, planned=by_id[trial.planned.case.id]) for trial in prepared.plan.trials[:1]]
    prepared.plan = replace(prepared.plan, cases=tuple(made), trials=tuple(trials))
    with alone():
        folder = prepared.start(Watching())
    records: list[Record] = folder.records()
    assert [record.generated for record in records] == [True]
    assert folder.manifest.datasets[0].generated


def copied(place: Path, **changes: Any) -> CachedDataset:
    """Digits in a cache folder of its own; ``changes`` are its info's."""
    data = digits()
    folder = place / "digits"
    folder.mkdir(parents=True)
    for file in data.folder.glob("*.npy"):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "info.json").write_bytes((data.folder / "info.json").read_bytes())
    return CachedDataset(replace(data.info, **changes), folder)


def test_what_was_computed_once_is_read_and_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    data = copied(tmp_path)
    said: list[str] = []
    first = floors_of(data, 300, said.append)
    assert floors_of(data, 300, said.append) == first
    assert said == ["computing the floors of digits, 300 training rows (once)"]
    (kept,) = data.folder.glob("floors-*.json")
    kept.write_text("{")
    assert floors_of(data, 300, said.append) == first
    assert len(said) == 2


def planned(data: CachedDataset) -> PlannedCase:
    (found,) = Expansion(
        suite_of({"datasets": ["digits"], "models": ["majority"], "frameworks": ["scikit-learn"]}),
        Request(offline=True),
    ).cases()
    return replace(found, data=data)


def test_of_floors_that_cannot_be_had_one_line_is_said_and_the_others_are_kept(tmp_path: Path) -> None:
    gone, damaged, whole = (copied(tmp_path / name, fingerprint=name) for name in ("gone", "damaged", "whole"))
    shutil.rmtree(gone.folder)
    for file in damaged.folder.glob("*.npy"):
        file.write_bytes(file.read_bytes()[:200])
    kept: list[Floors] = []
    said: list[str] = []
    keep_floors([planned(data) for data in (gone, damaged, whole)], kept.append, said.append)
    assert len(kept) == 1
    assert [line for line in said if line.startswith("no floors of digits: ")] == [said[1], said[3]]
    assert max(map(len, said)) < 300


def test_floors_that_the_run_cannot_store_end_nothing(tmp_path: Path) -> None:
    said: list[str] = []

    def full(floors: Floors) -> None:
        raise BenchError("floors/x.json of run 'r' cannot be written: No space left on device.", "Make room.")

    keep_floors([planned(copied(tmp_path))], full, said.append)
    assert said[-1] == "no floors of digits: floors/x.json of run 'r' cannot be written: No space left on device."


def test_a_cap_that_takes_nothing_away_shares_the_floors_of_all_rows(tmp_path: Path) -> None:
    data = copied(tmp_path)
    assert floors_of(data, 5_000, print) == floors_of(data, None, print)
    assert len(list(data.folder.glob("floors-*.json"))) == 1


def test_another_version_of_the_floors_computes_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = copied(tmp_path)
    floors_of(data, 300, print)
    monkeypatch.setattr(floors_module, "VERSION", VERSION + 1)
    said: list[str] = []
    floors_of(data, 300, said.append)
    assert said
