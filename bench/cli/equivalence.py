"""``bench equivalence``: prove on this machine that the frameworks compute the same, and certify it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli import run_options as options
from bench.cli.data_options import joined
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.equivalence.asked import Asked
    from bench.equivalence.verdict import Verification
    from bench.runner.request import Request

OF_SUITES = {"datasets": "--dataset", "batch_sizes": "--batch-size", "class_weights": "--class-weights"}
"""Fields of a request that have a meaning only with a suite."""


def equivalence(
    suite: Annotated[
        str | None, typer.Option(help="Prove what this suite asks, narrowed as bench run narrows it, and nothing else.")
    ] = None,
    dataset: options.Datasets = None,
    model: options.Models = None,
    framework: options.Frameworks = None,
    optimizer: Annotated[list[str] | None, typer.Option(help="Only this recipe: adam, nesterov, …")] = None,
    device: options.Devices = None,
    execution: options.Executions = None,
    precision: options.Precisions = None,
    input: options.Inputs = None,
    batch_size: options.BatchSizes = None,
    steps_per_execution: options.StepsPerExecution = None,
    channels_last: options.ChannelsLast = None,
    class_weights: options.Weights = None,
    threads: options.Threads = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds per proof.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="Two networks, two recipes.")] = False,
    data_dir: options.DataFolder = None,
    offline: options.Offline = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every figure to this file too.")] = None,
) -> None:
    """Prove that the frameworks compute the same, on this machine, on the path that is timed.

    Without --suite, the proofs together cover the shipped suites in each framework's own way of running. Exits with 1
    if one does not compute the same; the others get a certificate, and the records of a run say so.
    """
    from bench.equivalence.verify import verify
    from bench.runner.request import Request

    request = Request(
        suite=suite or "",
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
        class_weights=class_weights.value if class_weights else None,
        threads=threads,
        data_dir=joined(data_dir),
        offline=offline,
    )
    asked = _of_suite(request, seeds, optimizer, quick) if suite else _of_all(request, seeds, optimizer, quick)
    show = _Progress()
    try:
        found = verify(asked, show)
    finally:
        show.close()
    _print(found)
    if json_file is not None:
        _write(json_file, found)
    if not found.holds:
        raise typer.Exit(1)


def _of_suite(request: Request, seeds: int, recipes: list[str] | None, quick: bool) -> Asked:
    from bench.equivalence.asked import Asked

    if recipes or quick:
        given = "--quick" if quick else "--optimizer"
        raise BenchError(
            f"{given} and --suite exclude each other: a suite names its recipes.", "Leave one of them out."
        )
    return Asked(seeds=seeds, suite=request)


def _of_all(request: Request, seeds: int, recipes: list[str] | None, quick: bool) -> Asked:
    from bench.equivalence.asked import Asked
    from bench.measure.cores import usable_cores

    named = [option for field, option in OF_SUITES.items() if getattr(request, field)]
    for option in [*named, *(["--device all"] * ("all" in request.devices))]:
        raise BenchError(f"{option} narrows or widens a suite, and none is named.", "Name one: --suite NAME")
    return Asked(
        frameworks=request.frameworks,
        models=request.models,
        recipes=tuple(recipes or ()),
        devices=request.devices or ("cpu",),
        executions=request.executions,
        precisions=request.precisions or ("float32",),
        inputs=request.inputs or ("resident",),
        steps_per_execution=request.steps_per_execution or (1,),
        channels_last=request.channels_last or (False,),
        threads=request.threads or usable_cores(),
        seeds=seeds,
        quick=quick,
    )


def _values(chosen: Iterable[Enum] | None) -> tuple[Any, ...]:
    return tuple(one.value for one in chosen or ())


def _print(found: Verification) -> None:
    from bench.cli.report import print_text
    from bench.report.equivalence import document
    from bench.report.terminal import text

    print_text(lambda color: text(document(found), color=color))


def _write(path: Path, found: Verification) -> None:
    from bench.report.equivalence import as_json

    try:
        path.write_text(json.dumps(as_json(found), indent=1) + "\n", "utf-8")
    except OSError as error:
        raise BenchError(
            f"the figures cannot be written to {str(path)!r}: {error.strerror or type(error).__name__}.",
            "Name another file: --json FILE",
        ) from error


class _Progress:
    """One line on a terminal, redrawn as a worker begins a phase; nothing without a terminal."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()

    def __call__(self, framework: str, phase: str) -> None:
        if self._on:
            line = f"{framework} · {phase}"
            sys.stderr.write(f"\r\x1b[K{line[:78]}")
            sys.stderr.flush()

    def close(self) -> None:
        """Clear the line."""
        if self._on:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
