"""Runs that are interrupted and go on, and runs that are refused before anything is measured."""

from dataclasses import replace
from pathlib import Path

import pytest

import bench.runner.run
from bench.case import PROTOCOL_VERSION, Case
from bench.errors import BenchError
from bench.runner.events import Silent
from bench.runner.history import History
from bench.runner.local import Outcome
from bench.runner.request import Request
from bench.runner.run import failed, prepare
from bench.store import RunFolder
from tests.runner.small import Interrupting, own_npz, suite_file


def one(folder: Path, models: tuple[str, ...], seeds: int = 1) -> Request:
    """A run of quick estimators on a small data set of the user's."""
    names = ", ".join(f'"{name}"' for name in models)
    text = f'seeds = {seeds}\n[[matrix]]\ndatasets = ["digits"]\nmodels = [{names}]\nframeworks = ["scikit-learn"]\n'
    suite = suite_file(folder, text)
    return Request(suite=suite, datasets=(str(own_npz(folder)),), offline=True, results=folder / "results")


def test_an_interrupted_run_keeps_what_was_finished_and_goes_on_from_there(tmp_path: Path) -> None:
    request = one(tmp_path, ("majority", "knn", "gaussian-nb"))
    with pytest.raises(KeyboardInterrupt):
        prepare(request).start(Interrupting(number=2))
    (name,) = [path.name for path in request.results.iterdir()]
    before = RunFolder.open(request.results / name)
    assert [(record.case.model, record.status) for record in before.records()] == [
        ("majority", "ok"),
        ("knn", "interrupted"),
    ]
    assert before.records()[1].reason == "stopped by the user."
    lines = (before.path / "records.jsonl").read_text().splitlines()

    resumed = prepare(replace(request, resume=True))
    assert [trial.planned.case.model for trial in resumed.plan.trials] == ["knn", "gaussian-nb"]
    after = resumed.start(Silent())
    assert after.path == before.path
    assert [(record.case.model, record.status) for record in after.records()] == [
        ("majority", "ok"),
        ("knn", "ok"),
        ("gaussian-nb", "ok"),
    ]
    assert (after.path / "records.jsonl").read_text().splitlines()[:2] == lines
    assert not failed(after)
    assert prepare(replace(request, resume=True)).plan.trials == ()


class Pretended:
    """Trials that end at once, for tests of what is done with them; real workers are tested above."""

    def __init__(self, *outcomes: str) -> None:
        self._outcomes = list(outcomes)
        self.timeouts: list[float] = []

    def __call__(self, job: object, environment: object, timeout_s: float, announce: object) -> Outcome:
        self.timeouts.append(timeout_s)
        status = self._outcomes.pop(0)
        return Outcome(status, f"it was {status}.", None, (), 1.0)  # type: ignore[arg-type]


def test_a_resumed_run_tries_again_what_failed_by_the_machines_state_and_not_what_diverged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = one(tmp_path, ("random-forest", "decision-tree", "knn"))
    monkeypatch.setattr(bench.runner.run, "run_job", Pretended("crashed", "diverged", "timeout"))
    prepare(request).start(Silent())
    left = prepare(replace(request, resume=True)).plan.trials
    assert [trial.planned.case.model for trial in left] == ["random-forest", "knn"]


def test_the_time_a_trial_may_take_is_the_suites_unless_the_request_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = one(tmp_path, ("majority",))
    pretended = Pretended("timeout", "timeout")
    monkeypatch.setattr(bench.runner.run, "run_job", pretended)
    prepare(request).start(Silent())
    prepare(replace(request, timeout_s=3.5)).start(Silent())
    assert pretended.timeouts == [600.0, 3.5]


def test_a_trial_that_failed_says_nothing_about_how_long_the_next_will_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = one(tmp_path, ("majority",))
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(bench.runner.run, "run_job", Pretended("crashed"))
    folder = prepare(request).start(Silent())
    case: Case = folder.records()[0].case
    assert History().seconds(case) is None


def test_a_run_with_other_cases_is_not_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = one(tmp_path, ("majority",))
    monkeypatch.setattr(bench.runner.run, "run_job", Pretended("crashed"))
    prepare(request).start(Silent())
    with pytest.raises(BenchError, match=r"-mine has other cases than those asked for now \(1 new, 1 gone\)"):
        prepare(replace(request, resume=True, threads=7))


def test_there_must_be_a_run_to_resume(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"no run of suite 'mine' in .* to resume"):
        prepare(replace(one(tmp_path, ("majority",)), resume=True))


def test_a_request_of_which_nothing_can_run_is_refused_with_the_first_reason(tmp_path: Path) -> None:
    suite = suite_file(tmp_path, '[[matrix]]\ndatasets = ["mnist"]\nmodels = ["knn", "majority"]')
    with pytest.raises(BenchError, match=r"no case can run here: mnist/knn/scikit-learn/cpu \(and 1 more\): "):
        prepare(Request(suite=suite, offline=True, results=tmp_path / "results"))
    assert not (tmp_path / "results").exists()


def test_results_that_cannot_be_written_are_refused_before_anything_runs(tmp_path: Path) -> None:
    request = one(tmp_path, ("majority",))
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchError, match="is a file"):
        prepare(replace(request, results=tmp_path / "file" / "results")).start(Silent())


def test_a_run_of_an_earlier_protocol_is_not_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = one(tmp_path, ("majority",))
    monkeypatch.setattr(bench.runner.run, "run_job", Pretended("crashed"))
    folder = prepare(request).start(Silent())
    manifest = folder.path / "run.json"
    manifest.write_text(folder.manifest.model_copy(update={"protocol": 1}).model_dump_json())
    with pytest.raises(BenchError, match=f"-mine was measured by protocol 1, this is {PROTOCOL_VERSION}"):
        prepare(replace(request, resume=True))


def test_a_run_with_a_number_of_seeds_asked_for_goes_on_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = replace(one(tmp_path, ("random-forest",)), seeds=3)
    monkeypatch.setattr(bench.runner.run, "run_job", Pretended("crashed", "crashed", "crashed"))
    prepare(request).start(Silent())
    assert len(prepare(replace(request, seeds=None, resume=True)).plan.trials) == 3
