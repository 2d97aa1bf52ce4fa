"""A bound on the processor time of a thread, independent of other load on the machine."""

from __future__ import annotations

import time

EVERY = 0.25
"""Seconds between reads of the thread clock, which take milliseconds on some systems."""


class Allowance:
    """``seconds`` of this thread's processor time, from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.thread_time() + seconds
        self._next = time.monotonic()
        self._spent = False

    def spent(self) -> bool:
        """True if the time is used up."""
        now = time.monotonic()
        if not self._spent and now >= self._next:
            self._next = now + EVERY
            self._spent = time.thread_time() >= self._end
        return self._spent
