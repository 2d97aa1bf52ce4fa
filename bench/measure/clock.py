"""The clock: every duration the harness reports is taken here."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from types import TracebackType


class Stopwatch:
    """Times work on a device: waits until it is idle before the clock starts and before it stops.

        watch = Stopwatch(learner.synchronize)
        with watch:
            predict(images)
        watch.seconds

    May be reused, each time replacing the last figure; ``start`` and ``stop`` are for work that pauses in a
    callback. A block that raises has no figure, and the device is not waited for, because a device in error may
    never be idle again.
    """

    __slots__ = ("_began", "_synchronize", "nanoseconds")

    def __init__(self, synchronize: Callable[[], object]) -> None:
        self._synchronize = synchronize
        self._began = 0
        self.nanoseconds = 0

    def start(self) -> None:
        """Wait for the device, then start the clock."""
        self._synchronize()
        self._began = perf_counter_ns()

    def stop(self) -> float:
        """Wait for the device, then stop the clock; the seconds since it was started."""
        self._synchronize()
        self.nanoseconds = perf_counter_ns() - self._began
        return self.seconds

    def __enter__(self) -> Stopwatch:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self.nanoseconds = 0
            return
        self.stop()

    @property
    def seconds(self) -> float:
        """Seconds of the last block."""
        return self.nanoseconds / 1e9

    @property
    def microseconds(self) -> float:
        """Microseconds of the last block."""
        return self.nanoseconds / 1e3
