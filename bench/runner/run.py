"""A whole run: expand, plan, run each trial in its own process, store each record as soon as it is there."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import __version__, certificate
from bench.adapters.catalog import ADAPTERS, find_adapter
from bench.case import PROTOCOL_VERSION
from bench.certificate import Certificate, DataKind
from bench.datasets.transfer import Watch
from bench.datasets.verification import noted
from bench.errors import BenchError
from bench.manifest import RunManifest
from bench.measure.environment import capture
from bench.measure.noise import NoiseWatch
from bench.measure.threads import clean_environment, thread_settings
from bench.models.model import NativeModel
from bench.record import FAILED, Noise, Record
from bench.runner.command import Commands
from bench.runner.events import Observer, Silent
from bench.runner.expand import Expansion, PlannedCase
from bench.runner.floors import keep_floors
from bench.runner.history import History
from bench.runner.job import Job
from bench.runner.local import Outcome, run_job
from bench.runner.plan import Plan, PlannedTrial, make_plan, remaining_s
from bench.runner.request import Request
from bench.runner.runtime import Runtimes
from bench.runs import run_names
from bench.store import RunFolder
from bench.suite import Suite, read_suite

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIBRARIES = ("numpy", "scipy", "psutil", "bench-mnist")
"""Packages in every environment, with the frameworks' own."""


@dataclass
class Run:
    """One request, read and planned, ready to be started."""

    request: Request
    suite: Suite
    plan: Plan
    history: History
    commands: Commands
    folder: RunFolder | None = None
    """The folder that is resumed."""
    runtimes: Runtimes = field(default_factory=Runtimes)

    def start(self, observer: Observer) -> RunFolder:
        """Run every trial of the plan, then, with nothing left to measure, compute the floors of its data.

        KeyboardInterrupt leaves all finished records, and one of the trial it ended.
        """
        folder = self.folder or RunFolder.create(self.request.results, self._manifest())
        with folder.lock():
            observer.planned(self.plan, folder.path)
            self._store_blocked(folder)
            durations: dict[str, list[float]] = {}
            try:
                for number, trial in enumerate(self.plan.trials, start=1):
                    observer.started(trial, number, remaining_s(self.plan.trials[number - 1 :]))
                    record = self._trial(trial, folder, observer)
                    if record.status == "ok":
                        durations.setdefault(record.case_id, []).append(record.wall_s)
                    observer.finished(record)
            finally:
                self.history.add(durations)
            keep_floors(self.plan.cases, folder.add_floors, observer.preparing)
        return folder

    def _case_seeds(self, seeds: int) -> dict[str, int]:
        """Seeds of each case whose part of the suite sets another number; empty if the request sets it."""
        own = {} if self.request.seeds else {case.case.id: case.seeds for case in self.plan.cases}
        return {case_id: number for case_id, number in own.items() if number and number != seeds}

    def _manifest(self) -> RunManifest:
        seeds = self.request.seeds or self.suite.seeds
        data = {case.data.info.name: noted(case.data.info) for case in self.plan.cases if case.data}
        now = datetime.now(UTC)
        return RunManifest(
            bench_version=__version__,
            name=f"{now:%Y-%m-%dT%H-%M-%S}-{self.suite.name}",
            suite=self.suite.name,
            description=self.suite.description,
            track=self.suite.track,
            seeds=seeds,
            created_at=now.isoformat(timespec="seconds"),
            command=self.request.command,
            cases=tuple(case.case for case in self.plan.cases),
            datasets=tuple(data.values()),
            case_seeds=self._case_seeds(seeds),
            published=self.suite.published,
        )

    def _store_blocked(self, folder: RunFolder) -> None:
        known = {record.case_id for record in folder.records()}
        for planned in self.plan.blocked:
            if planned.case.id not in known:
                assert planned.blocked is not None
                command = self.commands.trial(planned, 0)
                found = _certificate(planned)
                folder.append(_record(planned, 0, planned.blocked, command, found, planned.reason))

    def _trial(self, trial: PlannedTrial, folder: RunFolder, observer: Observer) -> Record:
        planned = trial.planned
        started = datetime.now(UTC).isoformat(timespec="seconds")
        timeout_s = self.request.timeout_s or self.suite.timeout_s
        with tempfile.TemporaryDirectory() as scratch:
            predictions = Path(scratch) / "predictions.npz"
            watch = NoiseWatch.start()
            try:
                outcome = run_job(
                    _job(trial, predictions), planned.adapter.environment(planned.case), timeout_s, observer.phase
                )
                noise = watch.finish()
            except KeyboardInterrupt:
                outcome, noise = Outcome("interrupted", "stopped by the user.", None, (), 0.0), None
                folder.append(self._outcome_record(trial, outcome, noise, started, folder))
                raise
            record = self._outcome_record(trial, outcome, noise, started, folder)
            return folder.append(record, _arrays(predictions) if outcome.measured else None)

    def _outcome_record(
        self, trial: PlannedTrial, outcome: Outcome, noise: Noise | None, started: str, folder: RunFolder
    ) -> Record:
        measured = outcome.measured
        environment = capture(
            [*LIBRARIES, *_packages()],
            thread_settings(clean_environment(trial.planned.case.threads)),
            measured.accelerators if measured else (),
        )
        command = self.commands.trial(trial.planned, trial.seed_index)
        if (found := _certificate(trial.planned)) is not None:
            folder.add_certificate(found.id, found)
        if measured is not None:
            runtime_mib = self.runtimes.of(trial.planned.adapter, trial.planned.case, environment.hash)
            measured = measured.model_copy(
                update={"memory": measured.memory.model_copy(update={"runtime_mib": runtime_mib})}
            )
        record = _record(trial.planned, trial.seed_index, outcome.status, command, found).model_copy(
            update={
                "reason": outcome.reason,
                "stderr_tail": outcome.stderr_tail,
                "started_at": started,
                "wall_s": round(outcome.wall_s, 3),
                "environment": folder.add_environment(environment),
                "noise": noise,
            }
        )
        if measured is None:
            return record
        figures = ("train_rows", "test_rows", "phases", "scores", "memory", "model", "settings")
        return record.model_copy(update={name: getattr(measured, name) for name in figures})


def prepare(request: Request, observer: Observer | None = None, watch: Watch | None = None) -> Run:
    """Read the suite, find the data, expand and plan; nothing is measured yet. ``watch`` shows download progress.

    Raises BenchError if anything is wrong with the request.
    """
    suite = read_suite(request.suite)
    say = (observer or Silent()).preparing
    expansion = Expansion(suite, request, where=f"suite {suite.name!r}", progress=say, watch=watch)
    cases = expansion.cases()
    history, commands = History(), Commands(expansion)
    if not request.resume:
        seeds, asked = request.seeds or suite.seeds, request.seeds is not None
        plan = make_plan(cases, seeds, history, request.only_seeds, seeds_are_asked=asked)
        _refuse_if_nothing_runs(plan)
        return Run(request, suite, plan, history, commands)
    folder = _to_resume(request, suite, cases)
    begun_with = folder.manifest.seeds if folder.manifest.seeds != suite.seeds else None
    request = replace(request, seeds=request.seeds or begun_with)
    seeds, asked = request.seeds or suite.seeds, request.seeds is not None
    finished = frozenset(folder.finished())
    plan = make_plan(cases, seeds, history, request.only_seeds, finished, seeds_are_asked=asked)
    return Run(request, suite, plan, history, commands, folder)


def failed(folder: RunFolder) -> bool:
    """True if a trial of the run failed, so that the command exits with 1."""
    return any(record.status in FAILED for record in folder.records())


def _refuse_if_nothing_runs(plan: Plan) -> None:
    if plan.blocked and len(plan.blocked) == len(plan.cases):
        first = plan.blocked[0]
        others = f" (and {len(plan.blocked) - 1} more)" if len(plan.blocked) > 1 else ""
        raise BenchError(f"no case can run here: {first.case.cell}{others}: {first.reason}")


def _to_resume(request: Request, suite: Suite, cases: list[PlannedCase]) -> RunFolder:
    """The newest run of the suite, if its cases are those of the request. Raises BenchError if there is none."""
    folders = (RunFolder.open(request.results / name) for name in reversed(run_names(request.results)))
    newest = next((folder for folder in folders if folder.manifest.suite == suite.name), None)
    if newest is None:
        raise BenchError(
            f"no run of suite {suite.name!r} in {str(request.results)!r} to resume", "Start one without --resume."
        )
    if newest.manifest.protocol != PROTOCOL_VERSION:
        raise BenchError(
            f"{newest.path.name} was measured by protocol {newest.manifest.protocol}, this is {PROTOCOL_VERSION}: "
            "their figures cannot stand in one run.",
            "Start a new run without --resume.",
        )
    planned = {item.case.id for item in cases}
    recorded = {case.id for case in newest.manifest.cases}
    if planned != recorded:
        raise BenchError(
            f"{newest.path.name} has other cases than those asked for now ({len(planned - recorded)} new, "
            f"{len(recorded - planned)} gone): its settings, data or models have changed.",
            "Start a new run without --resume, or resume with the same options.",
        )
    return newest


def _record(
    planned: PlannedCase,
    seed_index: int,
    status: str,
    command: str,
    found: Certificate | None,
    reason: str | None = None,
) -> Record:
    return Record.model_validate(
        {
            "case_id": planned.case.id,
            "case": planned.case,
            "status": status,
            "reason": reason,
            "seed_index": seed_index,
            "round": seed_index,
            "deterministic": planned.deterministic,
            "generated": planned.data is not None and planned.data.info.generated,
            "equivalence": _equivalence(planned, found),
            "certificate": found.id if found else None,
            "command": command,
        }
    )


def _certificate(planned: PlannedCase) -> Certificate | None:
    """The certificate of the case from ``bench equivalence`` here, found by files alone."""
    if planned.data is None:
        return None
    versions = planned.adapter.installed().versions
    return certificate.find(planned.case, DataKind.of(planned.data.info), planned.adapter, versions)


def _equivalence(planned: PlannedCase, found: Certificate | None) -> str:
    if isinstance(planned.model, NativeModel):
        return "own model"
    if planned.case.training is None or planned.case.track != "matched":
        return "not compared"
    return certificate.PROVED if found else certificate.NOT_PROVED


def _job(trial: PlannedTrial, predictions: Path) -> Job:
    planned = trial.planned
    assert planned.data is not None
    return Job(
        case=planned.case,
        seed_index=trial.seed_index,
        dataset_folder=str(planned.data.folder),
        model_reference=planned.model_reference,
        predictions_path=str(predictions),
    )


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    import numpy as np

    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _packages() -> list[str]:
    return [package for name in ADAPTERS for package in find_adapter(name).packages]
