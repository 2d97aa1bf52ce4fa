"""Run folders: what was finished is read back, whatever tore in between."""

import json
import multiprocessing
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bench.store
from bench.case import Case, Training
from bench.errors import BenchError
from bench.manifest import Floors, RunManifest
from bench.record import SCHEMA_VERSION, Environment, EpochFigures, Phases, Record, Status
from bench.store import RunFolder

CASES = [Case(dataset="digits", model=model, framework="pytorch", training=Training()) for model in ("mlp", "cnn")]
ENVIRONMENT = Environment(cpu="a", cores=2, memory_gib=8, system="Linux 6", machine="x86_64", python="3.11.7")


def manifest(name: str = "2026-11-22T10-15-00-quick", created_at: str = "2026-11-22T10:15:00Z") -> RunManifest:
    return RunManifest(bench_version="0.1", name=name, suite="quick", created_at=created_at, cases=tuple(CASES))


def record(case: int = 0, seed_index: int = 0, status: Status = "ok", **fields: Any) -> Record:
    return Record(case_id=CASES[case].id, case=CASES[case], status=status, seed_index=seed_index, **fields)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "results", manifest())


@contextmanager
def refused(*fragments: str) -> Iterator[None]:
    with pytest.raises(BenchError) as caught:
        yield
    for fragment in fragments:
        assert fragment in str(caught.value)


# --- making and opening -------------------------------------------------------------------------------------------


def test_a_new_run_has_the_manifests_name_and_opens_again(run: RunFolder, tmp_path: Path) -> None:
    assert run.path == tmp_path / "results" / "2026-11-22T10-15-00-quick"
    assert RunFolder.open(run.path).manifest == run.manifest == manifest()
    assert run.records() == []
    assert run.finished() == set()


def test_two_runs_of_one_second_get_folders_of_their_own(run: RunFolder, tmp_path: Path) -> None:
    second = RunFolder.create(tmp_path / "results", manifest())
    assert second.path.name == second.manifest.name == "2026-11-22T10-15-00-quick-2"
    assert RunFolder.open(second.path).manifest.name == "2026-11-22T10-15-00-quick-2"


def test_results_below_a_file_are_refused_and_the_file_is_named(tmp_path: Path) -> None:
    blocking = tmp_path / "notes.txt"
    blocking.write_text("mine")
    for results in (blocking, blocking / "results", blocking / "a" / "b"):
        with refused(f"results cannot be written to {str(results)!r}", f"{str(blocking)!r} is a file", "--results"):
            RunFolder.create(results, manifest())
    assert blocking.read_text() == "mine"


def test_a_folder_the_system_refuses_is_one_clear_message(tmp_path: Path) -> None:
    with refused("results cannot be written to", "name too long"):
        RunFolder.create(tmp_path / ("x" * 300), manifest())


def test_a_run_name_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    for name in ("../elsewhere", "a/b", "..", ""):
        with refused("cannot be the name of a run"):
            RunFolder.create(tmp_path, manifest(name))


def test_a_folder_without_a_manifest_is_no_run(tmp_path: Path) -> None:
    with refused("is not a run", "run.json", "No such file"):
        RunFolder.open(tmp_path)


def test_a_damaged_manifest_is_refused_in_words(run: RunFolder) -> None:
    (run.path / "run.json").write_text('{"name": "x"')
    with refused("run.json: not JSON"):
        RunFolder.open(run.path)
    (run.path / "run.json").write_text('{"name": "x", "suite": "quick"}')
    with refused("run.json: not a RunManifest: bench_version: Field required"):
        RunFolder.open(run.path)


def test_a_manifest_of_a_newer_bench_is_refused_and_says_to_update(run: RunFolder) -> None:
    newer = {"schema_version": SCHEMA_VERSION + 1, "a key of tomorrow": 1}
    (run.path / "run.json").write_text(json.dumps(newer))
    with refused(f"newer bench (schema version {SCHEMA_VERSION + 1}; this one reads up to {SCHEMA_VERSION})", "Update"):
        RunFolder.open(run.path)


# --- records ------------------------------------------------------------------------------------------------------


def test_an_appended_record_is_read_back_and_is_one_line(run: RunFolder) -> None:
    stored = run.append(record(reason="two\nlines", status="error"))
    assert RunFolder.open(run.path).records() == [stored]
    assert (run.path / "records.jsonl").read_bytes().count(b"\n") == 1


def test_a_nan_comes_back_from_append_as_every_later_reader_sees_it(run: RunFolder) -> None:
    phases = Phases(import_s=1, load_s=1, build_s=1, epochs=(EpochFigures(seconds=1, samples=1, loss=float("nan")),))
    stored = run.append(record(phases=phases))
    assert run.records() == [stored]
    assert stored.phases is not None
    assert stored.phases.epochs[0].loss is None


def test_a_figure_that_could_not_be_read_back_never_reaches_the_file(run: RunFolder) -> None:
    run.append(record())
    with pytest.raises(ValueError, match="wall_s"):
        run.append(record(seed_index=1, wall_s=float("nan")))
    assert [stored.seed_index for stored in run.records()] == [0]


def test_the_newest_record_of_a_case_and_seed_wins_and_history_keeps_all(run: RunFolder) -> None:
    run.append(record(0, 0, "crashed"))
    run.append(record(1, 0, "ok"))
    run.append(record(0, 0, "ok"))
    assert [(stored.case.model, stored.status) for stored in run.records()] == [("cnn", "ok"), ("mlp", "ok")]
    assert [stored.status for stored in run.history()] == ["crashed", "ok", "ok"]


def test_a_resumed_run_repeats_what_the_machine_may_have_caused_and_nothing_else(run: RunFolder) -> None:
    repeated: list[Status] = ["error", "timeout", "out-of-memory", "crashed", "interrupted", "unavailable"]
    final: list[Status] = ["ok", "diverged", "unsupported"]
    for index, status in enumerate(repeated + final):
        run.append(record(0, index, status))
    assert {seed for _, seed in run.finished()} == set(range(len(repeated), len(repeated + final)))
    assert {case_id for case_id, _ in run.finished()} == {CASES[0].id}


def test_a_torn_last_line_is_ignored_and_reading_leaves_it_alone(run: RunFolder) -> None:
    first = run.append(record())
    path = run.path / "records.jsonl"
    torn = path.read_bytes() + b'{"schema_version": 1, "case_id": "ab'
    path.write_bytes(torn)
    assert run.records() == [first]
    assert path.read_bytes() == torn


def test_the_next_append_cuts_a_torn_line_away(run: RunFolder) -> None:
    first = run.append(record())
    with (run.path / "records.jsonl").open("ab") as file:
        file.write(b'{"torn')
    second = run.append(record(seed_index=1))
    assert run.records() == [first, second]
    assert b"torn" not in (run.path / "records.jsonl").read_bytes()


def test_a_damaged_line_in_the_middle_is_refused_with_its_number(run: RunFolder) -> None:
    run.append(record())
    with (run.path / "records.jsonl").open("ab") as file:
        file.write(b"scribble\n")
    run.append(record(seed_index=1))
    with refused("records.jsonl, line 2: not JSON", "damaged or edited"):
        run.records()


def test_a_record_of_a_newer_bench_is_refused_in_words(run: RunFolder) -> None:
    run.append(record())
    path = run.path / "records.jsonl"
    newer = {**json.loads(path.read_text()), "schema_version": SCHEMA_VERSION + 1, "energy_j": 3}
    with path.open("a") as file:
        file.write(json.dumps(newer) + "\n")
    with refused("records.jsonl, line 2: written by a newer bench", "Update bench to read it."):
        run.records()


TORN = st.binary(min_size=1, max_size=40).filter(lambda data: b"\n" not in data)
STATUSES: list[Status] = ["ok", "error", "interrupted", "diverged", "unavailable"]
APPENDED = st.tuples(st.integers(0, 1), st.integers(0, 2), st.sampled_from(STATUSES), st.text(max_size=10))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(APPENDED, TORN, st.just("cut the last line short")), max_size=12))
def test_any_sequence_of_appends_and_torn_writes_reads_back_what_was_finished(
    events: list[tuple[int, int, Status, str] | bytes | str],
) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        run = RunFolder.create(folder, manifest())
        path = run.path / "records.jsonl"
        expected: list[Record] = []
        for event in events:
            if isinstance(event, tuple):
                case, seed, status, reason = event
                expected.append(record(case, seed, status, reason=reason))
                run.append(expected[-1])
            elif isinstance(event, bytes):
                with path.open("ab") as file:
                    file.write(event)
            elif path.exists() and path.read_bytes().endswith(b"\n"):  # a crash before the newline was written
                path.write_bytes(path.read_bytes()[:-1])
                expected.pop()
            assert run.history() == expected
        last = {(stored.case_id, stored.seed_index): stored for stored in expected}
        assert {(stored.case_id, stored.seed_index): stored for stored in run.records()} == last
        done = {key for key, stored in last.items() if stored.status in ("ok", "diverged", "unsupported")}
        assert RunFolder.open(run.path).finished() == done
    finally:
        shutil.rmtree(folder)


def test_a_writer_killed_in_the_middle_of_a_run_loses_no_finished_record(run: RunFolder) -> None:
    code = (
        "import os, sys; from pathlib import Path; from bench.store import RunFolder; from bench.record import Record\n"
        "run = RunFolder.open(Path(sys.argv[1])); record = Record.model_validate_json(sys.argv[2])\n"
        "with run.lock():\n"
        "    for seed in range(1000):\n"
        "        run.append(record.model_copy(update={'seed_index': seed})); print(seed, flush=True)\n"
    )
    root = Path(bench.store.__file__).parents[1]
    command = [sys.executable, "-c", code, str(run.path), record().model_dump_json()]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(20):
            acknowledged = int(writer.stdout.readline())
        writer.kill()
    seeds = [stored.seed_index for stored in run.records()]
    assert seeds == list(range(len(seeds)))
    assert len(seeds) > acknowledged
    run.append(record(1))  # the dead writer's lock is gone with it


# --- predictions and environments ---------------------------------------------------------------------------------


def test_predictions_are_stored_beside_the_record_and_read_back(run: RunFolder) -> None:
    labels = np.arange(5)
    values = np.linspace(0, 1, 50, dtype=np.float32).reshape(5, 10)
    stored = run.append(record(seed_index=2), {"labels": labels, "values": values})
    assert stored.predictions == f"predictions/{CASES[0].id}-2.npz"
    read = run.predictions(run.records()[0])
    assert read is not None
    assert set(read) == {"labels", "values"}
    np.testing.assert_array_equal(read["labels"], labels)
    np.testing.assert_array_equal(read["values"], values)
    assert read["values"].dtype == np.float32
    assert [path.name for path in (run.path / "predictions").iterdir()] == [f"{CASES[0].id}-2.npz"]


def test_a_record_without_predictions_has_none(run: RunFolder) -> None:
    assert run.predictions(run.append(record())) is None


def test_predictions_that_cannot_be_written_leave_no_record(run: RunFolder) -> None:
    (run.path / "predictions").write_text("in the way")
    with refused("a record of run '2026-11-22T10-15-00-quick' cannot be written", "--resume"):
        run.append(record(), {"labels": np.zeros(3)})
    assert run.records() == []


def test_objects_are_refused_when_predictions_are_written_and_when_they_are_read(run: RunFolder) -> None:
    objects = np.array([{"a": 1}], dtype=object)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        run.append(record(), {"labels": objects})
    assert run.records() == []
    assert list((run.path / "predictions").iterdir()) == []
    stored = run.append(record(), {"labels": np.zeros(3)})
    np.savez(run.path / str(stored.predictions), labels=objects, allow_pickle=True)
    with refused("predictions of digits/mlp/pytorch/cpu, seed 0, cannot be read"):
        run.predictions(stored)


def test_missing_and_damaged_predictions_are_one_clear_message(run: RunFolder) -> None:
    stored = run.append(record(), {"labels": np.zeros(1000)})
    path = run.path / str(stored.predictions)
    whole = path.read_bytes()
    zeros = bytes(40)
    for damaged in (whole[:100], b"", b"not a zip", whole[:60] + zeros + whole[100:], whole[:80] + zeros + whole[120:]):
        path.write_bytes(damaged)
        with refused("predictions of digits/mlp/pytorch/cpu, seed 0, cannot be read"):
            run.predictions(stored)
    path.unlink()
    with refused("FileNotFoundError"):
        run.predictions(stored)


def test_the_decisions_of_a_trial_are_read_without_its_values(run: RunFolder) -> None:
    labels = np.array([3, 1, 4, 1, 5], np.int16)
    stored = run.append(record(), {"labels": labels, "logits": np.zeros((5, 10), np.float32)})
    whole = np.load(run.path / str(stored.predictions))
    np.savez(run.path / str(stored.predictions), labels=whole["labels"], logits=np.array([{}]))  # cannot be read
    found = run.decisions(stored)
    assert found is not None
    assert found.dtype == np.int64
    assert found.tolist() == [3, 1, 4, 1, 5]


def test_decisions_are_read_once(run: RunFolder) -> None:
    stored = run.append(record(), {"labels": np.arange(5)})
    first = run.decisions(stored)
    (run.path / str(stored.predictions)).write_bytes(b"gone")
    assert run.decisions(stored) is first


def test_a_run_handed_on_without_its_predictions_has_no_decisions(run: RunFolder) -> None:
    stored = run.append(record(), {"labels": np.arange(5)})
    shutil.rmtree(run.path / "predictions")
    assert run.decisions(stored) is None
    assert run.decisions(record()) is None


def test_damaged_decisions_are_one_clear_message(run: RunFolder) -> None:
    stored = run.append(record(), {"labels": np.arange(5)})
    (run.path / str(stored.predictions)).write_bytes(b"not a zip")
    with refused("predictions of digits/mlp/pytorch/cpu, seed 0, cannot be read"):
        run.decisions(stored)


def test_a_record_cannot_name_a_file_outside_the_run(run: RunFolder) -> None:
    for name in ("../../secret.npz", "/etc/passwd", "run.json"):
        with refused("is not a file of predictions"):
            run.predictions(record(predictions=name))
    with refused("is not a file of predictions"):
        run.decisions(record(predictions="run.json"))


def test_what_stands_beside_the_records_is_refused_in_words_where_the_disk_refuses_it(run: RunFolder) -> None:
    for name in ("environments", "certificates", "floors"):
        (run.path / name).write_text("a file where a folder is wanted")
    floors = Floors(dataset="digits", fingerprint="0" * 64, train_rows=10, class_counts=(5, 5), floors=())
    with refused("environments/", "cannot be written", "--resume"):
        run.add_environment(ENVIRONMENT)
    with refused("certificates/c.json", "cannot be written"):
        run.add_certificate("c", ENVIRONMENT)
    with refused("floors/", "cannot be written"):
        run.add_floors(floors)


def test_an_environment_is_stored_once_under_its_hash(run: RunFolder) -> None:
    key = run.add_environment(ENVIRONMENT)
    assert run.add_environment(ENVIRONMENT) == key
    other = ENVIRONMENT.model_copy(update={"cores": 4})
    run.add_environment(other)
    assert run.environments() == {key: ENVIRONMENT, other.hash: other}
    assert len(list((run.path / "environments").iterdir())) == 2


# --- the lock -----------------------------------------------------------------------------------------------------


def append_in_another_process(path: Path, answer: Any) -> None:
    try:
        RunFolder.open(path).append(record(1))
        answer.put("written")
    except BenchError as error:
        answer.put(str(error))


def test_a_second_writer_is_told_so_and_may_write_once_the_first_has_ended(run: RunFolder) -> None:
    spawn = multiprocessing.get_context("spawn")
    answer = spawn.Queue()
    with run.lock():
        run.append(record())  # the holder may
        other = spawn.Process(target=append_in_another_process, args=(run.path, answer))
        other.start()
        assert "is being written by another process" in answer.get(timeout=60)
        other.join()
    run_again = RunFolder.open(run.path)
    run_again.append(record(1))
    assert len(run.records()) == 2


def test_a_second_writer_in_the_same_process_is_refused_too(run: RunFolder) -> None:
    other = RunFolder.open(run.path)
    with run.lock(), refused("is being written by another process"), other.lock():
        pass


def test_reading_needs_no_lock(run: RunFolder) -> None:
    stored = run.append(record())
    with run.lock():
        assert RunFolder.open(run.path).records() == [stored]


def test_the_store_imports_no_numpy() -> None:
    code = "import sys, bench.store; print([name for name in ('numpy', 'filelock', 'psutil') if name in sys.modules])"
    root = Path(bench.store.__file__).parents[1]
    result = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
