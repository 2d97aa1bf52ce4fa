"""``bench run``: run a suite, or what the options name, and show its table."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from contextlib import closing
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bench.cli import run_options as options
from bench.cli.data_options import joined

if TYPE_CHECKING:
    from bench.runner.plan import Plan
    from bench.runner.request import Request
    from bench.store import RunFolder


def run(
    suite: options.SuiteName = "quick",
    dataset: options.Datasets = None,
    model: options.Models = None,
    framework: options.Frameworks = None,
    device: options.Devices = None,
    execution: options.Executions = None,
    precision: options.Precisions = None,
    input: options.Inputs = None,
    batch_size: options.BatchSizes = None,
    steps_per_execution: options.StepsPerExecution = None,
    channels_last: options.ChannelsLast = None,
    case: options.CaseId = "",
    seeds: options.Seeds = None,
    seed: options.OneSeed = None,
    threads: options.Threads = None,
    epochs: options.Epochs = None,
    class_weights: options.Weights = None,
    timeout: options.Timeout = None,
    data_dir: options.DataFolder = None,
    offline: options.Offline = False,
    results: options.Results = Path("results"),
    resume: options.Resume = False,
    dry_run: options.DryRun = False,
    quiet: options.Quiet = False,
) -> None:
    """Run a suite, or any part of it, and show its table.

    The options that may be repeated select what the suite has, and add what it has not.
    """
    from bench.runner.request import Request

    request = Request(
        suite=suite,
        datasets=tuple(dataset or ()),
        models=tuple(model or ()),
        frameworks=tuple(framework or ()),
        devices=tuple(device or ()),
        executions=_values(execution),
        precisions=_values(precision),
        inputs=_values(input),
        batch_sizes=tuple(batch_size or ()),
        steps_per_execution=tuple(steps_per_execution or ()),
        channels_last=() if channels_last is None else (channels_last,),
        case=case,
        seeds=seeds,
        only_seeds=tuple(seed or ()),
        threads=threads,
        epochs=epochs,
        class_weights=class_weights.value if class_weights else None,
        timeout_s=timeout,
        data_dir=joined(data_dir),
        offline=offline,
        results=results,
        resume=resume,
        command=_command_line(),
    )
    _run(request, dry_run=dry_run, quiet=quiet)


def _values(chosen: Iterable[Enum] | None) -> tuple[Any, ...]:
    return tuple(one.value for one in chosen or ())


def _run(request: Request, *, dry_run: bool, quiet: bool) -> None:
    from bench.cli.data_progress import bar_on_terminal
    from bench.report.progress import progress
    from bench.runner.run import failed, prepare

    watching = progress(quiet)
    prepared = prepare(request, watching, None if quiet else bar_on_terminal())
    if dry_run:
        typer.echo(plan_text(prepared.plan))
        return
    try:
        with closing(watching):
            folder = prepared.start(watching)
    except KeyboardInterrupt:
        typer.echo("interrupted: all finished records are kept; continue with: bench run --resume", err=True)
        raise
    _show(folder)
    if failed(folder):
        raise typer.Exit(1)


def plan_text(plan: Plan) -> str:
    """The plan as lines: a case, its trials and their estimated time; what cannot run, by reason; the sum."""
    from bench.report.naming import Names
    from bench.report.numbers import count
    from bench.report.progress import duration, summary

    names = Names(case.case for case in plan.cases)
    lines: list[str] = []
    for case in plan.cases:
        trials = [trial for trial in plan.trials if trial.planned is case]
        if trials:
            seconds = sum(trial.estimate_s for trial in trials)
            name = names.line(case.case)
            lines += [name] * (len(name) > 58)
            shown = name if len(name) <= 58 else ""
            lines.append(f"{shown:<58}{count(len(trials), 'trial'):>9}{duration(seconds):>10}")
    blocked: dict[str, list[str]] = {}
    for case in plan.blocked:
        blocked.setdefault(f"{case.blocked}: {case.reason}", []).append(names.cell(case.case))
    for reason, cells in blocked.items():
        shown = ", ".join(cells[:3]) + (f" and {len(cells) - 3} more" if len(cells) > 3 else "")
        lines.append(f"{shown}\n    {reason}")
    lines.append(f"\n{summary(plan)}")
    lines.append(
        f"The estimate rests on earlier trials on this machine for {plan.measured_before} of {len(plan.trials)}."
    )
    return "\n".join(lines)


def _show(folder: RunFolder) -> None:
    from bench.cli.report import print_report
    from bench.report.files import write_reports
    from bench.stats.results import Results

    print_report(Results.of(folder))  # first: it must appear even if the disk is full
    for file in write_reports(folder):
        typer.echo(f"written: {file}", err=True)
    _tell_unproved(folder)


def _tell_unproved(folder: RunFolder) -> None:
    """Print the command that proves the unproved cases."""
    from bench.certificate import NOT_PROVED, PROVED
    from bench.equivalence.command import proving_command

    ran = [record for record in folder.records() if record.status == "ok"]
    unproved = {record.case_id: record.case for record in ran if record.equivalence == NOT_PROVED}
    if unproved:
        command = proving_command(sys.argv[1:], list(unproved.values()), folder.manifest.cases)
        provable = {record.case_id for record in ran if record.equivalence in (PROVED, NOT_PROVED)}
        told = f"not proved: {len(unproved)} of {len(provable)} networks"
        typer.echo(f"{told}; prove them with: {command}", err=True)


def _command_line() -> str:
    """The command as given, its files by their name alone: results hold no absolute path."""
    words = [Path(word).name if Path(word.partition(":")[0]).is_absolute() else word for word in sys.argv[1:]]
    return shlex.join(["bench", *words])
