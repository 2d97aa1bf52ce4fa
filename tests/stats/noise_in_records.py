"""Do readings of the machine's load tell which trial's figure deviates? Prints the tables of docs/statistics.md.

    python -m tests.stats.noise_in_records results/reference/all/records.jsonl [more files]

A trial's figure and each reading are compared with those of the other trials of its case, so that cases of any speed
count alike. Only cases with three trials or more are looked at.
"""

import math
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from bench.record import Noise, Record
from bench.stats.metrics import METRICS

FIGURES = ("train_samples_per_s", "predict_samples_per_s", "latency_p50_ms")
DEVIATES = math.log(1.1)
"""A trial deviates where its figure is 10 % worse than the mean of its case's other trials."""


def _calibrations(noise: Noise) -> tuple[float, float] | None:
    before, after = noise.calibration_before_ms, noise.calibration_after_ms
    return None if before is None or after is None else (math.log(before), math.log(after))


def other_cpu(noise: Noise) -> float | None:
    """Percent of a core that other processes used."""
    return noise.other_cpu_percent


def calibration_change(noise: Noise) -> float | None:
    """Size of the log ratio of the calibrations after and before."""
    found = _calibrations(noise)
    return None if found is None else abs(found[1] - found[0])


def calibration_level(noise: Noise) -> float | None:
    """Log of the geometric mean of both calibrations."""
    found = _calibrations(noise)
    return None if found is None else sum(found) / 2


READINGS: dict[str, Callable[[Noise], float | None]] = {
    "CPU of other processes": other_cpu,
    "change of the calibration": calibration_change,
    "level of the calibration": calibration_level,
}
THRESHOLDS = {
    "CPU of other processes": ((20.0, "20 % of a core"), (40.0, "40 % of a core")),
    "change of the calibration": ((math.log(1.1), "10 %"), (math.log(1.3), "30 %")),
    "level of the calibration": ((math.log(1.1), "10 %"), (math.log(1.3), "30 %")),
}


def against_other_trials(values: Sequence[float]) -> list[float]:
    """Each value less the mean of the others."""
    return [value - statistics.fmean([*values[:i], *values[i + 1 :]]) for i, value in enumerate(values)]


def deviations(
    records: Iterable[Record], metric: str, reading: Callable[[Noise], float | None]
) -> tuple[list[float], list[float]]:
    """For each trial how much worse its figure is (log) and how much higher the reading, than in its case's others."""
    cases: dict[str, list[tuple[float, float]]] = {}
    worse = -1 if METRICS[metric].higher_is_better else 1
    for record in records:
        figure = METRICS[metric].read(record) if record.status == "ok" else None
        found = reading(record.noise) if record.noise else None
        if figure and found is not None:
            cases.setdefault(record.case_id, []).append((worse * math.log(figure), found))
    kept = [pairs for pairs in cases.values() if len(pairs) >= 3]
    slower = [one for pairs in kept for one in against_other_trials([pair[0] for pair in pairs])]
    higher = [one for pairs in kept for one in against_other_trials([pair[1] for pair in pairs])]
    return slower, higher


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Spearman's rank correlation and its two-sided p by the normal approximation; equal values in any order."""
    ranks = [np.argsort(np.argsort(values)).astype(float) for values in (first, second)]
    rho = float(np.corrcoef(ranks)[0, 1])
    return rho, math.erfc(abs(rho) * math.sqrt((len(first) - 1) / 2))


def share(found: Sequence[bool]) -> str:
    """``12 of 34``."""
    return f"{sum(found)} of {len(found)}"


def main(paths: Sequence[str]) -> None:
    """Print both tables for the records of each file."""
    for path in paths:
        records = [Record.model_validate_json(line) for line in Path(path).read_text("utf-8").splitlines()]
        print(f"\n{path}\n\n| figure | reading | trials | rank correlation | p |\n|:--|:--|--:|--:|--:|")
        for metric in FIGURES:
            for name, reading in READINGS.items():
                slower, higher = deviations(records, metric, reading)
                rho, p = rank_correlation(slower, higher)
                print(f"| {metric} | {name} | {len(slower)} | {rho:+.2f} | {p:.2g} |")
        print("\n| figure | reading higher by | 10 % slower, of these | of the others |\n|:--|:--|--:|--:|")
        for metric in FIGURES:
            for name, reading in READINGS.items():
                slower, higher = deviations(records, metric, reading)
                for threshold, words in THRESHOLDS[name]:
                    marked = [one > DEVIATES for one, read in zip(slower, higher, strict=True) if read > threshold]
                    others = [one > DEVIATES for one, read in zip(slower, higher, strict=True) if read <= threshold]
                    print(f"| {metric} | {name}, {words} | {share(marked)} | {share(others)} |")


if __name__ == "__main__":
    main(sys.argv[1:])
