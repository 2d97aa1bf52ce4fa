"""Noise: what else the machine did during a trial, from counters read before it starts and after it has ended.

Runs in the parent. Nothing is read, and no kernel runs, while a worker measures. The readings are kept as they are:
none of them predicts which trial's figure deviates, so none of them marks a trial (docs/statistics.md).
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, perf_counter_ns

from bench.record import Noise

CALIBRATION_STEPS = 300_000
"""About 20 ms of interpreted integer arithmetic: long against the timer, short against a trial."""

_REPEATS = 3


@dataclass(frozen=True)
class CpuCounters:
    """CPU seconds since boot, over all cores, and of this process's family since it began."""

    at_s: float
    """``perf_counter`` when they were read."""
    busy_s: float
    """Spent in processes, of this system or (in a container) of its host."""
    steal_s: float
    total_s: float
    """All kinds, idle included."""
    own_s: float
    """Spent in this process and its ended children."""


class NoiseWatch:
    """The machine before a trial, to be compared with the machine after it.

        watch = NoiseWatch.start()
        ...                             # the worker starts, works, ends, and is waited for
        noise = watch.finish()

    The two readings are all it does.
    """

    def __init__(self, calibration_ms: float, counters: CpuCounters | None) -> None:
        self._calibration_ms = calibration_ms
        self._counters = counters

    @classmethod
    def start(cls) -> NoiseWatch:
        """Calibrate (about 60 ms), then read the counters. Call before the worker is started."""
        return cls(calibration_ms(), read_counters())

    def finish(self) -> Noise:
        """Read the counters, then calibrate. Call once the worker has ended and been waited for."""
        counters = read_counters()
        return assess(self._counters, counters, self._calibration_ms, calibration_ms())


def assess(before: CpuCounters | None, after: CpuCounters | None, before_ms: float, after_ms: float) -> Noise:
    """The noise between two readings."""
    steal = other = None
    if before is not None and after is not None:
        steal = _percent(after.steal_s - before.steal_s, after.total_s - before.total_s)
        others_s = (after.busy_s - before.busy_s) - (after.own_s - before.own_s)
        other = _percent(others_s, after.at_s - before.at_s)
    return Noise(
        steal_percent=steal,
        other_cpu_percent=other,
        calibration_before_ms=before_ms,
        calibration_after_ms=after_ms,
    )


def calibration_ms() -> float:
    """Milliseconds of a fixed piece of integer arithmetic in this thread; the median of three."""
    return median(_kernel_ms() for _ in range(_REPEATS))


def read_counters(stat: Path = Path("/proc/stat")) -> CpuCounters | None:
    """The counters now; None where the system does not keep them in this form (macOS, Windows)."""
    if sys.platform != "linux":
        return None
    try:
        with stat.open() as file:
            fields = file.readline().split()
    except OSError:
        return None
    if len(fields) < 9 or fields[0] != "cpu":
        return None
    tick = 1 / os.sysconf("SC_CLK_TCK")
    # proc(5): user nice system idle iowait irq softirq steal; the guest fields after them are part of user and nice.
    user, nice, system, idle, iowait, irq, softirq, steal = (int(field) * tick for field in fields[1:9])
    return CpuCounters(
        at_s=perf_counter(),
        busy_s=user + nice + system,
        steal_s=steal,
        total_s=user + nice + system + idle + iowait + irq + softirq + steal,
        own_s=_own_s(),
    )


def _own_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _percent(part: float, whole: float) -> float:
    """``part`` of ``whole``, not below 0: the counters tick 100 times a second and may disagree by a tick or two."""
    return max(0.0, 100 * part / whole) if whole > 0 else 0.0


def _kernel_ms() -> float:
    state = 1
    began = perf_counter_ns()
    for _ in range(CALIBRATION_STEPS):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    return (perf_counter_ns() - began) / 1e6
