"""Peak memory of a trial by phase, read inside the worker between phases, never during one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.measure.resident import ResidentCounter, resident_counter
from bench.record import Memory


class PhaseMemory:
    """A worker's memory, by phase.

        memory = PhaseMemory()
        import_the_framework()
        memory.mark_import()
        with memory.phase("load"):
            ...
        memory.result()

    Made before the framework is imported, so that the import's own peak is seen; read once at the end.
    """

    def __init__(self, counter: ResidentCounter | None = None) -> None:
        self._counter = counter or resident_counter()
        self._after_import: float | None = None
        self._peak = 0.0
        self._phases: dict[str, float] = {}
        self._before: dict[str, float] = {}
        self._inside: str | None = None
        self._counter.reset()

    def mark_import(self) -> None:
        """Take the baseline: the framework is imported and no data have been touched.

        The import's own peak is kept as the phase ``import``, but is not part of the trial's peak if the counter
        can be reset: a small model must not be charged for it.
        """
        self._phases["import"] = self._counter.peak()
        self._counter.reset()
        self._after_import = self._counter.now()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Keep the peak of the block under ``name``; of a phase entered more than once, the largest.

        Phases do not nest (an inner one would reset the outer one's peak): RuntimeError if they do, or if
        ``mark_import`` has not been called.
        """
        if self._inside is not None:
            raise RuntimeError(f"phase {name!r} began inside phase {self._inside!r}")
        if self._after_import is None:
            raise RuntimeError(f"phase {name!r} began before mark_import")
        self._note_peak()  # what happened between phases belongs to the trial, though to no phase
        self._counter.reset()
        self._before[name] = self._counter.now()
        self._inside = name
        try:
            yield
        finally:
            self._inside = None
            self._phases[name] = max(self._phases.get(name, 0.0), self._note_peak())

    def growth(self, name: str) -> float | None:
        """MiB by which the peak of an ended phase exceeded what was resident when it began.

        None where the counter cannot be reset, so that its peak may be that of an earlier phase.
        """
        return self._phases[name] - self._before[name] if self._counter.resettable else None

    def result(
        self, *, device_allocated_peak_mib: float | None = None, device_driver_peak_mib: float | None = None
    ) -> Memory:
        """Baseline, peak and phase peaks in MiB; the device's peaks are passed through.

        Raises RuntimeError if ``mark_import`` has not been called.
        """
        if self._after_import is None:
            raise RuntimeError("result asked for before mark_import")
        self._note_peak()
        return Memory(
            method=self._counter.method,
            after_import_mib=self._after_import,
            peak_rss_mib=self._peak,
            phase_peak_mib=dict(self._phases),
            device_allocated_peak_mib=device_allocated_peak_mib,
            device_driver_peak_mib=device_driver_peak_mib,
        )

    def _note_peak(self) -> float:
        # The two counters are read one after the other, and batched: a peak is never below what is resident.
        peak = max(self._counter.peak(), self._counter.now())
        self._peak = max(self._peak, peak)
        return peak
