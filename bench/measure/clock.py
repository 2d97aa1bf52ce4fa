"""The clock: every duration the harness reports is taken here."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from types import TracebackType


class Stopwatch:
    """Times a ``with`` block on a device: waits until it is idle before the clock starts and before it stops.

        watch = Stopwatch(learner.synchronize)
        with watch:
            learner.train(order)
        watch.seconds

    May be used again and again; each block replaces the figure before. A block that raises has no figure, and the
    device is not waited for, because a device in error may never be idle again.
    """

    __slots__ = ("_began", "_synchronize", "nanoseconds")

    def __init__(self, synchronize: Callable[[], object]) -> None:
        self._synchronize = synchronize
        self._began = 0
        self.nanoseconds = 0

    def __enter__(self) -> Stopwatch:
        self._synchronize()
        self._began = perf_counter_ns()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self.nanoseconds = 0
            return
        self._synchronize()
        self.nanoseconds = perf_counter_ns() - self._began

    @property
    def seconds(self) -> float:
        """Seconds of the last block."""
        return self.nanoseconds / 1e9

    @property
    def microseconds(self) -> float:
        """Microseconds of the last block."""
        return self.nanoseconds / 1e3
