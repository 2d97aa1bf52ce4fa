"""A bound on the processor time of a thread, which does not depend on what else the machine does."""

from __future__ import annotations

import time

EVERY = 0.25
"""Seconds between two questions to the system, which takes milliseconds on some."""


class Allowance:
    """So many seconds of this thread's own time, from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.thread_time() + seconds
        self._next = time.monotonic()
        self._spent = False

    def spent(self) -> bool:
        """Whether it is used up."""
        now = time.monotonic()
        if not self._spent and now >= self._next:
            self._next = now + EVERY
            self._spent = time.thread_time() >= self._end
        return self._spent
