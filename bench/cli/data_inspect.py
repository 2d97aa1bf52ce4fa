"""``bench data inspect``: class balance, duplicates, groups that leak, and the floors a model must beat."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from bench.cli.data_options import DataDir, Name, Offline, check_target
from bench.cli.data_progress import aside, resolved


def inspect(
    name: Name,
    data_dir: DataDir = None,
    offline: Offline = False,
    format: Annotated[Literal["terminal", "json"], typer.Option(help="terminal or json.")] = "terminal",
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")] = None,
) -> None:
    """Look for what would flatter a model: imbalance, duplicates, groups that leak; and compute the floors.

    MNIST takes about a minute, and the work grows with the square of the rows; from 100,000 rows on a sample is
    searched for near duplicates.
    """
    import json

    from bench.cli.report import print_text, write
    from bench.cli.screen import columns
    from bench.datasets.cache import load
    from bench.datasets.inspection import inspect as look
    from bench.report.inspection import document, values
    from bench.report.terminal import WIDTH, text
    from bench.runner.floors import floors_of

    if output:
        check_target(output, "--output")
    cached = resolved(name, data_dir, offline)
    found = look(load(cached.folder), floors_of(cached, None, aside).floors, aside)

    def render(color: bool) -> str:
        if format == "json":
            return json.dumps(values(cached.info, found), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        wide = columns() if output is None else WIDTH
        return text(document(cached.info, found), color=color, columns=wide)

    if output is None:
        print_text(render)
    else:
        write(output, render(False))
