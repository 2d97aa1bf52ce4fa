"""Resident memory of this process, as its operating system counts it: now, and the peak the kernel itself keeps.

Peaks are the kernel's, so a block that was taken and released between two readings is still seen and nothing
needs to poll. A child's ``ru_maxrss`` is never read on Linux: it is inherited from the parent through fork and exec.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

MIB = 1024 * 1024


class ResidentCounter(ABC):
    """Reads the resident size of this process in MiB. ``method`` says how, for the record."""

    method: str
    resettable: bool
    """True if ``reset`` starts a new peak; if not, a peak is that of the whole process so far."""

    @abstractmethod
    def now(self) -> float:
        """Resident size in MiB."""

    @abstractmethod
    def peak(self) -> float:
        """Largest resident size in MiB since the last reset, or since the process began."""

    @abstractmethod
    def reset(self) -> None:
        """Start a new peak at the present size; does nothing where that is impossible."""


class LinuxCounter(ResidentCounter):
    """``VmHWM`` and ``VmRSS`` of ``/proc/self/status``; 5 written to ``/proc/self/clear_refs`` resets the former.

    See proc(5). The kernel updates both in batches per CPU: they may be behind by some hundred KiB.
    Sandboxes may lack either file, or ``VmHWM``: ``method`` then says what the figures are worth.
    """

    def __init__(self, proc: Path = Path("/proc/self")) -> None:
        self._status = proc / "status"
        self._clear_refs = proc / "clear_refs"
        self._has_peak = self._read("VmHWM") is not None
        self.resettable = self._has_peak and self._try_reset()
        if self.resettable:
            self.method = "VmHWM, reset by clear_refs"
        elif self._has_peak:
            self.method = "VmHWM, not reset: phase peaks are cumulative"
        else:
            self.method = "VmRSS at the end of each phase: no peak counter here"

    def now(self) -> float:
        """``VmRSS`` in MiB."""
        return self._read("VmRSS") or 0.0

    def peak(self) -> float:
        """``VmHWM`` in MiB; ``VmRSS`` without such a counter."""
        return self._read("VmHWM") or self.now()

    def reset(self) -> None:
        """Set ``VmHWM`` to ``VmRSS``."""
        if self.resettable:
            self._try_reset()

    def _try_reset(self) -> bool:
        try:
            with self._clear_refs.open("w") as file:
                file.write("5")
        except OSError:
            return False
        return True

    def _read(self, field: str) -> float | None:
        with self._status.open() as file:
            for line in file:
                if line.startswith(field):
                    return int(line.split()[1]) / 1024
        return None


class LifetimeCounter(ResidentCounter):
    """A counter whose peak is that of the whole process: psutil's ``rss`` now, the system's own peak."""

    resettable = False

    def __init__(self) -> None:
        import psutil  # not at module level: on Linux it would be charged to the baseline for nothing

        self._process: Any = psutil.Process()

    def now(self) -> float:
        """Resident size in MiB."""
        return float(self._process.memory_info().rss) / MIB

    def reset(self) -> None:
        """Do nothing."""


class RusageCounter(LifetimeCounter):
    """``ru_maxrss`` of this process, for macOS: right only in a spawned process, which every worker is.

    ``unit`` is the unit of the count: bytes on macOS, KiB elsewhere (getrusage(2) of each).
    """

    method = "ru_maxrss: phase peaks are cumulative"

    def __init__(self, unit: int = 1) -> None:
        super().__init__()
        self._unit = unit

    def peak(self) -> float:
        """``ru_maxrss`` in MiB."""
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * self._unit / MIB


class WindowsCounter(LifetimeCounter):
    """Working set and peak working set."""

    method = "peak_wset: phase peaks are cumulative"

    def peak(self) -> float:
        """Peak working set in MiB."""
        return float(self._process.memory_info().peak_wset) / MIB


def resident_counter() -> ResidentCounter:
    """The counter of this operating system."""
    counter: ResidentCounter
    if sys.platform == "linux":
        counter = LinuxCounter()
    elif sys.platform == "win32":
        counter = WindowsCounter()
    else:
        counter = RusageCounter(unit=1 if sys.platform == "darwin" else 1024)
    return counter
