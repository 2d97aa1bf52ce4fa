"""Finding runs: the newest, one by its name, and the error if there is none."""

from pathlib import Path

import pytest

from bench.errors import BenchError, UnknownName
from bench.manifest import RunManifest
from bench.runs import find, newest, run_names
from bench.store import RunFolder


def manifest(name: str = "2026-11-22T10-15-00-quick", created_at: str = "2026-11-22T10:15:00Z") -> RunManifest:
    return RunManifest(bench_version="0.1", name=name, suite="quick", created_at=created_at, cases=())


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "results", manifest())


def test_the_newest_run_is_the_one_created_last_whatever_its_name(tmp_path: Path) -> None:
    RunFolder.create(tmp_path, manifest("zebra", "2026-11-22T10:00:00Z"))
    RunFolder.create(tmp_path, manifest("apple", "2026-11-22T11:00:00Z"))
    (tmp_path / "reference").mkdir()
    assert newest(tmp_path).manifest.name == "apple"
    assert run_names(tmp_path) == ["zebra", "apple"]


def test_no_run_yet_is_answered_with_how_to_make_one(tmp_path: Path) -> None:
    for results in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BenchError, match=r"no run in (.|\n)*bench run --suite quick"):
            newest(results)


def test_a_run_is_found_by_its_name_by_a_name_with_a_folder_and_by_its_path(run: RunFolder, tmp_path: Path) -> None:
    results = tmp_path / "results"
    reference = RunFolder.create(results / "reference", manifest("quick"))
    assert find(results, run.manifest.name).path == run.path
    assert find(results, "reference/quick").path == reference.path
    assert find(tmp_path / "elsewhere", str(run.path)).path == run.path


def test_a_misspelt_run_is_answered_with_the_nearest(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(UnknownName) as caught:
        find(tmp_path / "results", "2026-11-22T10-15-00-quik")
    assert caught.value.nearest == "2026-11-22T10-15-00-quick"
    assert "unknown run" in str(caught.value)
