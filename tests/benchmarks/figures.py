"""What a series of pairs comes to, and the table of all."""

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.stats.interval import median_interval

ENOUGH_PAIRS = 100
PAIRS = int(os.environ.get("BENCH_PAIRS", ENOUGH_PAIRS))
FLOORS = {"train": 0.97, "predict": 0.97, "batch 1": 0.9}
"""Of the throughput by hand, what the harness must be shown to reach.

On one sample a call takes 50 to 200 µs, and the harness's answer, which holds the labels and the values, a few of them:
there the floor is lower.
"""


@dataclass(frozen=True)
class Figures:
    """One row: throughputs as medians over the blocks, the ratio as the median over the pairs."""

    framework: str
    model: str
    way: str
    work: str
    pairs: int
    block_samples: int
    block_s: float
    """Seconds of the median block by hand."""
    harness: float
    """Samples per second, as the three that follow."""
    by_hand: float
    fastest: float | None
    ratio: float
    """Throughput of the harness divided by that of the loop by hand in the same pair; above 1 is faster."""
    low: float
    high: float

    @property
    def judged(self) -> bool:
        """Whether there are enough pairs for a verdict."""
        return self.pairs >= ENOUGH_PAIRS

    @property
    def holds(self) -> bool:
        """Whether the harness is shown to reach the floor; of too few pairs, whether it is not shown to miss it."""
        return (self.low if self.judged else self.high) > FLOORS[self.work]


def summarise(
    framework: str, model: str, way: str, work: str, samples: int, pairs: Sequence[Mapping[str, float]]
) -> Figures:
    """The row of ``pairs``, each the seconds of its blocks. Raises ValueError for fewer than 6: no interval."""
    ratios = [pair["by_hand"] / pair["harness"] for pair in pairs]
    low, high = median_interval(ratios)
    if low is None or high is None:
        raise ValueError(f"{len(pairs)} pairs give no 95 % interval: BENCH_PAIRS must be 6 or more")
    speed: dict[str, float] = {}
    for name in ("harness", "by_hand", "fastest"):
        seconds = [pair[name] for pair in pairs if name in pair]
        if seconds:
            speed[name] = samples / statistics.median(seconds)
    ratio = statistics.median(ratios)
    return Figures(
        framework=framework,
        model=model,
        way=way,
        work=work,
        pairs=len(pairs),
        block_samples=samples,
        block_s=samples / speed["by_hand"],
        harness=speed["harness"],
        by_hand=speed["by_hand"],
        fastest=speed.get("fastest"),
        ratio=ratio,
        low=low,
        high=high,
    )


def table(rows: Sequence[Figures], threads: int) -> str:
    """All rows, within 80 columns."""
    pairs = " or ".join(str(count) for count in sorted({row.pairs for row in rows}))
    lines = [
        f"mnist · cpu, {threads} threads · training in batches of 128, prediction of 1000 and of 1",
        f"{pairs} pairs of blocks, alternated (ABBA) in one process",
        "",
        f"{'':44}{'1000 samples/s':^14}{'harness / by hand':^14}",
        f"{'framework, way':<26}{'model':<10}{'work':<8}{'harness':>8}{'by hand':>8}{'median':>7}{'95 % int.':>12}",
        *(_line(row) for row in rows),
        "",
        "harness / by hand: throughput of the harness divided by that of a plain loop in",
        f"the same pair; above 1 is faster. The lower bound must be above {FLOORS['train']}, for one",
        f"sample above {FLOORS['batch 1']}.",
        "scikit-learn has no dropout (mlp-plain is its mlp) and no cnn.",
        "",
        "Fastest script known, pixels converted beforehand, 1000 samples/s; for information:",
        *_fastest(rows),
    ]
    if not all(row.judged for row in rows):
        lines.append(f"A try: with fewer than {ENOUGH_PAIRS} pairs only what is surely slower fails.")
    return "\n".join(lines)


def _line(row: Figures) -> str:
    interval = f"{row.low:.3f}–{row.high:.3f}"
    name = row.framework if row.way == "default" else f"{row.framework}, {row.way}"
    short = name.replace("keras-tensorflow", "keras-tf").replace(" steps a call", " a call")
    return (
        f"{short:<26}{row.model:<10}{row.work:<8}{_thousands(row.harness):>8}{_thousands(row.by_hand):>8}"
        f"{row.ratio:>7.3f}{interval:>12}"
    )


def _fastest(rows: Sequence[Figures]) -> list[str]:
    """Lines for the fastest scripts, where there is one: for information."""
    known = [row for row in rows if row.fastest is not None]
    return [
        f"{row.framework:<26}{row.model:<10}{row.work:<8}{_thousands(row.fastest or 0.0):>8}"
        f"  the harness reaches {100 * row.harness / (row.fastest or 1.0):.0f} % of it"
        for row in known
    ]


def _thousands(speed: float) -> str:
    return f"{speed / 1000:.1f}" if speed >= 10_000 else f"{speed / 1000:.2f}"
