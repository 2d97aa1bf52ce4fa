"""Distances between honest frameworks, the basis of the limits in ``bench.stats.agreement_limits``.

    bench run --suite tests/benchmarks/honest_runs.toml --results honest
    python -m tests.benchmarks.honest_runs honest/*

Prints, for each kind of network and number of steps, the largest difference of two frameworks at one seed and the
largest share of a limit; then the accused cases. ``--seeds 1`` reads each seed by itself, as a run of one seed.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bench.stats.agreement import ANSWERS, DIFFERS, Distance
from bench.stats.agreement_limits import DEEP, RANDOM, SHALLOW, drift_of
from bench.stats.results import Results
from bench.stats.summary import CaseSummary
from bench.store import RunFolder

KINDS = {id(SHALLOW): "shallow", id(DEEP): "deep", id(RANDOM): "random"}
STEPS = (1, 12, 24, 48, 96, 200, 400, 800, 1_600, 3_200, math.inf)
"""Upper ends of the lines of the table."""

Line = tuple[str, float]


def compared(results: Results) -> Iterator[tuple[CaseSummary, Line, Distance]]:
    """Every distance of a run with its line of the table."""
    for one in results.summaries:
        for apart in results.agreement(one).distances:
            end = math.inf if apart.stretch == ANSWERS else next(end for end in STEPS if apart.stretch.steps <= end)
            quantity = "answers" if apart.stretch == ANSWERS else "loss"
            yield one, (f"{KINDS[id(drift_of(one.case))]:8} {quantity:8}", end), apart


def table(runs: Sequence[Results]) -> list[str]:
    """Kind and quantity, steps up to, pairs, largest difference, largest share of a limit and where that was."""
    lines: dict[Line, list[tuple[Distance, CaseSummary]]] = {}
    for run in runs:
        for one, line, apart in compared(run):
            lines.setdefault(line, []).append((apart, one))
    text = []
    for (kind, end), found in sorted(lines.items()):
        largest = max(apart.difference for apart, _ in found)
        apart, one = max(found, key=lambda pair: pair[0].difference / pair[0].limit)
        where = f"{one.case.cell} seed {apart.seed_index}, {apart.stretch.words}: {apart.difference:.1e}"
        share = f"{apart.difference / apart.limit:.2f} of its limit"
        text.append(f"{kind} {end:6g} steps {len(found) // 2:6} pairs, largest {largest:.1e}, {share} ({where})")
    return text


def accused(runs: Sequence[Results]) -> tuple[int, list[str]]:
    """Number of rows compared, seed by seed, and the cases that differ from theirs."""
    rows = {
        (number, tuple(sorted({one.case_id, *(apart.other for apart in found)})), seed)
        for number, run in enumerate(runs)
        for one in run.summaries
        for seed in {apart.seed_index for apart in run.agreement(one).distances}
        if (found := [apart for apart in run.agreement(one).distances if apart.seed_index == seed])
    }
    names = [
        f"{one.case.cell}: {run.agreement(one).since}"
        for run in runs
        for one in run.summaries
        if run.agreement(one).label == DIFFERS
    ]
    return len(rows), names


def by_seed(run: Results) -> list[Results]:
    """A run of several seeds as runs of one."""
    seeds = sorted({record.seed_index for record in run.records})
    return [replace(run, records=[one for one in run.records if one.seed_index == seed]) for seed in seeds]


def main() -> None:
    """Print the table of the given runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, choices=[1], help="read each seed by itself")
    options = parser.parse_args()
    runs = [Results.of(RunFolder.open(path)) for path in options.runs]
    if options.seeds:
        runs = [one for run in runs for one in by_seed(run)]
    print("\n".join(table(runs)))
    rows, names = accused(runs)
    print(f"{rows} rows of one seed compared, {len(names)} cases accused", *names, sep="\n")


if __name__ == "__main__":
    main()
