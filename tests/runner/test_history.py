"""Durations of trials: a hint for the next plan; a broken history file is never an error."""

import json
from pathlib import Path

import pytest

from bench.case import Case
from bench.runner.history import KEPT, History

CASE = Case(dataset="digits", model="mlp", framework="pytorch")
OTHER = CASE.model_copy(update={"threads": 2})


def test_a_case_that_has_run_is_estimated_by_the_median_of_its_trials(tmp_path: Path) -> None:
    History(tmp_path / "cache" / "durations.json").add({CASE.id: [9.0, 1.0, 2.0]})
    history = History(tmp_path / "cache" / "durations.json")
    assert history.seconds(CASE) == 2.0
    assert history.seconds(OTHER) is None


def test_only_the_newest_trials_count(tmp_path: Path) -> None:
    history = History(tmp_path / "durations.json")
    history.add({CASE.id: [100.0] * KEPT})
    history.add({CASE.id: [3.0] * KEPT, OTHER.id: [7.0]})
    assert history.seconds(CASE) == 3.0
    assert history.seconds(OTHER) == 7.0


def test_what_another_run_added_meanwhile_is_kept(tmp_path: Path) -> None:
    one, other = History(tmp_path / "durations.json"), History(tmp_path / "durations.json")
    one.add({CASE.id: [1.0]})
    other.add({OTHER.id: [2.0]})
    assert set(json.loads((tmp_path / "durations.json").read_text())) == {CASE.id, OTHER.id}


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '{"a": 3}', '{"a": ["x", NaN, null]}', "\xff"])
def test_a_damaged_file_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "durations.json"
    path.write_bytes(text.encode("latin-1"))
    history = History(path)
    assert history.seconds(CASE) is None
    history.add({CASE.id: [4.0]})
    assert History(path).seconds(CASE) == 4.0


def test_a_folder_that_cannot_be_written_loses_the_hint_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = History(tmp_path / "file" / "durations.json")
    history.add({CASE.id: [4.0]})
    assert history.seconds(CASE) is None


def test_the_history_lies_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "cache"))
    History().add({CASE.id: [4.0]})
    assert (tmp_path / "cache" / "durations.json").is_file()
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["durations.json"]
