"""Figures of the pairs of a reading, and the table of all."""

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.stats.interval import median_interval

ENOUGH_PAIRS = 30
PAIRS = int(os.environ.get("BENCH_PAIRS", ENOUGH_PAIRS))
LIMITS = {"IDX": 1.2, "npz": 1.2, "npz, stored": 1.2, "CSV": 1 / 2, "CSV, gzipped": 1 / 1.2}
"""Limits of our time divided by the other reader's."""
MOST_MEMORY = 4.0
"""Limit of our peak memory over the bytes of the arrays."""
MOST_OPENING_MS = 10.0


@dataclass(frozen=True)
class Reading:
    """One row: seconds as medians, the ratio as the median over the pairs."""

    way: str
    beside: str
    pairs: int
    ours_s: float
    theirs_s: float
    ratio: float
    """Our time divided by theirs in the same pair; below 1 is faster."""
    low: float
    high: float
    peak: float
    """Our peak memory over the bytes of the arrays."""

    @property
    def holds(self) -> bool:
        """True if ours is shown to stay within the limit; with too few pairs, if it is not shown to miss it."""
        return (self.high if self.pairs >= ENOUGH_PAIRS else self.low) <= LIMITS[self.way]


@dataclass(frozen=True)
class Opening:
    """One data set opened from the cache, each time in a new process; milliseconds."""

    dataset: str
    size: int
    """Bytes on the disk."""
    median_ms: float
    slowest_ms: float


def summarise(way: str, beside: str, pairs: Sequence[tuple[float, float]], peak: float) -> Reading:
    """The row of ``pairs``, each our seconds and theirs. Raises ValueError for fewer than 6: no interval."""
    ratios = [ours / theirs for ours, theirs in pairs]
    low, high = median_interval(ratios)
    if low is None or high is None:
        raise ValueError(f"{len(pairs)} pairs give no 95 % interval: BENCH_PAIRS must be 6 or more")
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    return Reading(way, beside, len(pairs), ours, theirs, statistics.median(ratios), low, high, peak)


def table(readings: Sequence[Reading], openings: Sequence[Opening]) -> str:
    """All rows, within 80 columns."""
    return "\n".join([*(_readings(readings) if readings else []), *(_openings(openings) if openings else [])])


def _readings(rows: Sequence[Reading]) -> list[str]:
    pairs = " or ".join(str(count) for count in sorted({row.pairs for row in rows}))
    return [
        f"decoding only · {pairs} pairs, alternated in one process",
        "",
        f"{'':31}{'seconds':^16}{'ours / theirs':^22}{'peak over':>11}",
        f"{'files':<14}{'beside':<17}{'ours':>7}{'theirs':>8}{'median':>8}{'95 % int.':>12}{'limit':>6}{'arrays':>7}",
        *(
            f"{row.way:<14}{row.beside:<17}{row.ours_s:>7.3f}{row.theirs_s:>8.3f}{row.ratio:>8.2f}"
            f"{f'{row.low:.2f}–{row.high:.2f}':>12}{LIMITS[row.way]:>6.2f}{row.peak:>7.2f}"
            for row in rows
        ),
        "",
        "ours / theirs: our time over that of the other reader in the same pair; below 1",
        f"is faster. The upper bound must be at most the limit, the peak at most {MOST_MEMORY:g}.",
    ]


def _openings(rows: Sequence[Opening]) -> list[str]:
    return [
        "",
        "opening a cached data set, each time in a new process that has numpy",
        "",
        f"{'data set':<38}{'MiB':>9}{'median ms':>11}{'slowest ms':>12}",
        *(f"{row.dataset:<38}{row.size / 2**20:>9,.1f}{row.median_ms:>11.2f}{row.slowest_ms:>12.2f}" for row in rows),
        "",
        f"The median must be below {MOST_OPENING_MS:g} ms.",
    ]
