"""Runs from Python: ``bench.open_run()`` opens one; it shows its tables in a notebook and becomes a pandas frame."""

from collections.abc import Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

from bench.case import ClassWeights, Execution, Input, Precision
from bench.errors import UnknownName
from bench.manifest import RunManifest
from bench.record import Record
from bench.report.views import View
from bench.runs import find, newest
from bench.stats.results import Results
from bench.store import RunFolder

if TYPE_CHECKING:
    from pandas import DataFrame

    from bench.runner.request import Request

Value = TypeVar("Value", bound=str)


class Run:
    """One run, as its folder was when it was first read."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self._folder.path

    @property
    def manifest(self) -> RunManifest:
        """The run's manifest."""
        return self._folder.manifest

    @cached_property
    def results(self) -> Results:
        """Its records with their summaries, intervals and ratios."""
        return Results.of(self._folder)

    @property
    def records(self) -> tuple[Record, ...]:
        """Every trial's record, in the order written."""
        return tuple(self.results.records)

    def to_frame(self, per_trial: bool = False) -> "DataFrame":
        """A pandas frame: one row per case, or per trial; the columns of the CSV.

        Raises BenchError if pandas is not installed.
        """
        from bench.report.frame import to_frame

        return to_frame(self.results, per_trial=per_trial)

    def to_markdown(self, view: View = "default") -> str:
        """The tables as GitHub Markdown."""
        from bench.report.markdown import render

        return render(self.results, view=view)

    def __str__(self) -> str:
        from bench.report.terminal import render

        return render(self.results)

    def __repr__(self) -> str:
        return f"Run({self.manifest.name!r}: {len(self.manifest.cases)} cases, {len(self.records)} records)"

    def _repr_html_(self) -> str:
        """The overview, for a notebook."""
        from bench.report.html import fragment
        from bench.report.views import document

        return fragment(document(self.results, "overview"))


def run(
    suite: str = "quick",
    *,
    datasets: Sequence[str] = (),
    models: Sequence[str] = (),
    frameworks: Sequence[str] = (),
    devices: Sequence[str] = (),
    executions: Sequence[Execution] = (),
    precisions: Sequence[Precision] = (),
    inputs: Sequence[Input] = (),
    batch_sizes: Sequence[int] = (),
    steps_per_execution: Sequence[int] = (),
    channels_last: bool | None = None,
    case: str = "",
    seeds: int | None = None,
    only_seeds: Sequence[int] = (),
    threads: int | None = None,
    epochs: int | None = None,
    class_weights: ClassWeights | None = None,
    timeout_s: float | None = None,
    data_dir: Path | None = None,
    offline: bool = False,
    results: Path = Path("results"),
    resume: bool = False,
    quiet: bool = False,
) -> Run:
    """Run a suite, or the part of it that is named, and return the run; the arguments are those of ``bench run``.

    Every trial runs in a process of its own, so the calling process, a notebook say, imports no framework and is not
    measured. Failed trials are records like any other. Raises BenchError if an argument is wrong.
    """
    from bench.runner.request import Request

    request = Request(
        suite=suite,
        datasets=tuple(datasets),
        models=tuple(models),
        frameworks=tuple(frameworks),
        devices=tuple(devices),
        executions=_known("execution", executions, get_args(Execution)),
        precisions=_known("precision", precisions, get_args(Precision)),
        inputs=_known("input", inputs, get_args(Input)),
        batch_sizes=tuple(batch_sizes),
        steps_per_execution=tuple(steps_per_execution),
        channels_last=() if channels_last is None else (channels_last,),
        case=case,
        seeds=seeds,
        only_seeds=tuple(only_seeds),
        threads=threads,
        epochs=epochs,
        class_weights=class_weights,
        timeout_s=timeout_s,
        data_dir=data_dir,
        offline=offline,
        results=results,
        resume=resume,
        command=f"bench.run({suite!r})",
    )
    return _performed(request, quiet)


def _performed(request: "Request", quiet: bool) -> Run:
    from bench.report.files import write_reports
    from bench.report.progress import progress
    from bench.runner.run import prepare

    with closing(progress(quiet)) as observer:
        folder = prepare(request, observer).start(observer)
    write_reports(folder)
    return Run(folder)


def _known(kind: str, values: Sequence[Value], known: Sequence[str]) -> tuple[Value, ...]:
    for value in values:
        if value not in known:
            raise UnknownName(kind, value, known)
    return tuple(values)


def open_run(path: str | Path | None = None) -> Run:
    """The run in the folder ``path``, or of that name below ``./results``; the newest one if None.

    Raises BenchError if there is none.
    """
    results = Path("results")
    return Run(newest(results) if path is None else find(results, str(path)))
