"""``bench report``: show a run in any format."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bench.cli.reader import may_leave
from bench.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.report.views import View
    from bench.stats.results import Results

ViewName = Literal["overview", "datasets", "case", "gaps", "all"]


def report(
    run: Annotated[str, typer.Argument(help="A run's name or folder.", show_default="the newest")] = "",
    format: Annotated[str, typer.Option(help="terminal, markdown, csv, json or svg.")] = "terminal",
    view: Annotated[ViewName | None, typer.Option(help="Which tables.", show_default="overview and datasets")] = None,
    dataset: Annotated[list[str] | None, typer.Option(help="Only this data set, or glob; repeatable.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only this model, or glob; repeatable.")] = None,
    framework: Annotated[list[str] | None, typer.Option(help="Only this framework, or glob; repeatable.")] = None,
    per_trial: Annotated[bool, typer.Option("--per-trial", help="One row a trial (csv, json).")] = False,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")] = None,
    results: Annotated[Path, typer.Option(help="The folder of the runs.")] = Path("results"),
) -> None:
    """Show a run again: the newest, or the one named."""
    from bench.adapters.catalog import ALIASES
    from bench.report.formats import REPORTS
    from bench.runs import find, newest
    from bench.stats.results import Results

    REPORTS.get(format)  # report a misspelt format before looking for a run
    folder = find(results, run) if run else newest(results)
    frameworks = [ALIASES.get(name, name) for name in framework or ()]
    shown = Results.of(folder).only(datasets=dataset or (), models=model or (), frameworks=frameworks)
    if output is None:
        print_report(shown, format, view=view or "default", per_trial=per_trial)
    else:
        write(output, REPORTS.get(format)(shown, view=view or "default", per_trial=per_trial))


def print_report(
    results: "Results", format: str = "terminal", *, view: "View" = "default", per_trial: bool = False
) -> None:
    """Print a report in a format of ``bench.report.formats``, in colours if the terminal shows them."""
    from bench.report.formats import REPORTS

    print_text(lambda color: REPORTS.get(format)(results, view=view, per_trial=per_trial, color=color))


def print_text(render: "Callable[[bool], str]") -> None:
    """Print ``render(color)``, where ``color`` is True if the terminal shows colours."""
    _print(render(_colorful()))


def _colorful() -> bool:
    """True on a terminal that shows colours, unless the user wants none (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _print(text: str) -> None:
    """Print UTF-8 off a terminal, whatever the locale: ``bench report > file`` gives the same bytes everywhere."""
    with may_leave():
        if sys.stdout.isatty() or not hasattr(sys.stdout, "buffer"):
            sys.stdout.write(text)
        else:
            sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()


def write(path: Path, text: str) -> None:
    """Write a report to a file. Raises BenchError."""
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise BenchError(
            f"the report cannot be written to {str(path)!r}: {error.strerror or type(error).__name__}.",
            "Name another file: --output FILE",
        ) from error
