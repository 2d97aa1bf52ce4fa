"""``bench run``: run a suite, or what the options name, and show its table."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bench.runner.plan import Plan
    from bench.store import RunFolder

INTERRUPTED = 130


def run(
    suite: Annotated[str, typer.Option(help="A shipped suite, or a suite file (.toml).")] = "quick",
    dataset: Annotated[
        list[str] | None, typer.Option(help="Data set: a name, a glob, or a file of your own. May be repeated.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Model: a name, a glob, or ./net.py:NAME. May be repeated.")
    ] = None,
    framework: Annotated[list[str] | None, typer.Option(help="Framework, alias or glob. May be repeated.")] = None,
    device: Annotated[list[str] | None, typer.Option(help="Device, as bench list devices names it.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Trials of each case, one per seed.")] = None,
    seed: Annotated[list[int] | None, typer.Option(min=0, help="Run this seed index alone. May be repeated.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of every framework (default: all cores).")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs of every network.")] = None,
    timeout: Annotated[float | None, typer.Option(min=0.1, help="Seconds after which a trial is ended.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder with your copies of the data sets.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Download nothing.")] = False,
    results: Annotated[Path, typer.Option(help="Folder for run folders.")] = Path("results"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the newest run of this suite.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan and its estimated time; run nothing.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show the table alone.")] = False,
) -> None:
    """Run a suite, or any part of it, and show its table.

    What the suite has is selected by --dataset, --model, --framework and --device; what it has not is added.
    """
    from bench.report.progress import progress
    from bench.runner.request import Request
    from bench.runner.run import failed, prepare

    request = Request(
        suite=suite,
        datasets=tuple(dataset or ()),
        models=tuple(model or ()),
        frameworks=tuple(framework or ()),
        devices=tuple(device or ()),
        seeds=seeds,
        only_seeds=tuple(seed or ()),
        threads=threads,
        epochs=epochs,
        timeout_s=timeout,
        data_dir=data_dir,
        offline=offline,
        results=results,
        resume=resume,
        command=_command_line(),
    )
    watching = progress(quiet)
    prepared = prepare(request, watching)
    if dry_run:
        typer.echo(plan_text(prepared.plan))
        return
    try:
        folder = prepared.start(watching)
    except KeyboardInterrupt:
        _close(watching)
        typer.echo("interrupted: all finished records are kept; go on with: bench run --resume", err=True)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        _close(watching)
    _show(folder)
    if failed(folder):
        raise typer.Exit(1)


def plan_text(plan: Plan) -> str:
    """The plan as lines: a case, its trials and their estimated time; what cannot run, by reason; the sum."""
    from bench.report.progress import duration, plural, summary

    lines: list[str] = []
    for case in plan.cases:
        trials = [trial for trial in plan.trials if trial.planned is case]
        if trials:
            seconds = sum(trial.estimate_s for trial in trials)
            name = f"{case.case.dataset}/{case.case.model_label}/{case.case.framework}/{case.case.device}"
            lines.append(f"{name:<58}{plural(len(trials), 'trial'):>9}{duration(seconds):>10}")
    blocked: dict[str, list[str]] = {}
    for case in plan.blocked:
        blocked.setdefault(f"{case.blocked}: {case.reason}", []).append(case.case.cell)
    for reason, cells in blocked.items():
        shown = ", ".join(cells[:3]) + (f" and {len(cells) - 3} more" if len(cells) > 3 else "")
        lines.append(f"{shown}\n    {reason}")
    lines.append(f"\n{summary(plan)}")
    lines.append(f"The estimate rests on earlier trials here for {plan.measured_before} of {len(plan.trials)}.")
    return "\n".join(lines)


def _show(folder: RunFolder) -> None:
    from bench.cli.report import print_report
    from bench.report.files import write_reports
    from bench.stats.results import Results

    files = write_reports(folder)
    print_report(Results.of(folder))
    for file in files:
        typer.echo(f"written: {file}", err=True)


def _close(watching: object) -> None:
    close = getattr(watching, "close", None)
    if close is not None:
        close()


def _command_line() -> str:
    """The command as given, its files by their name alone: results hold no absolute path."""
    words = [Path(word).name if Path(word.partition(":")[0]).is_absolute() else word for word in sys.argv[1:]]
    return shlex.join(["bench", *words])
