"""``bench equivalence``: verify on this machine that the frameworks compute the same, and certify it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.case import Execution, Input, Precision
from bench.cli.run_options import Frameworks, Threads
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.equivalence.verdict import Verification


def equivalence(
    framework: Frameworks = None,
    model: Annotated[list[str] | None, typer.Option(help="Only this neutral network. May be repeated.")] = None,
    optimizer: Annotated[list[str] | None, typer.Option(help="Only this recipe: adam, nesterov, …")] = None,
    device: Annotated[str, typer.Option(help="Device, as bench list devices names it.")] = "cpu",
    execution: Annotated[
        Execution | None, typer.Option(help="How a network is run.", show_default="each framework's own")
    ] = None,
    precision: Annotated[Precision, typer.Option(help="The precision that is timed.")] = "float32",
    input: Annotated[Input, typer.Option(help="Arrays in memory, or the framework's input pipeline.")] = "resident",
    steps_per_execution: Annotated[int, typer.Option(min=1, help="Steps in one call of a compiled function.")] = 1,
    channels_last: Annotated[bool, typer.Option("--channels-last", help="Channels innermost in memory.")] = False,
    threads: Threads = None,
    seeds: Annotated[int, typer.Option(min=1, help="Repeat every proof with so many seeds.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="Two networks, two recipes, small images.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every figure to this file too.")] = None,
) -> None:
    """Verify that the frameworks compute the same, on this machine, on the path that is timed.

    Exits with 1 where one does not; what holds gets a certificate, by which tables rank.
    """
    from bench.equivalence.verify import Asked, verify
    from bench.measure.cores import usable_cores

    asked = Asked(
        frameworks=tuple(framework or ()),
        models=tuple(model or ()),
        recipes=tuple(optimizer or ()),
        device=device,
        execution=execution,
        precision=precision,
        input=input,
        steps_per_execution=steps_per_execution,
        channels_last=channels_last,
        threads=threads or usable_cores(),
        seeds=seeds,
        quick=quick,
    )
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
    """One line on a terminal, redrawn as a worker begins something; nothing where nobody is watching."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()

    def __call__(self, framework: str, phase: str) -> None:
        if self._on:
            line = f"{framework} · {phase}"
            sys.stderr.write(f"\r\x1b[K{line[:78]}")
            sys.stderr.flush()

    def close(self) -> None:
        """Leave the line empty."""
        if self._on:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
