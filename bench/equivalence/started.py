"""Resources that the build of a learner on a large data set takes and keeps: memory, files, threads, images.

Gathering and converting batches is work that the training clock covers. Done in the build, it takes memory for a float
per pixel, wherever it is kept, or space in a file, or a thread that keeps running.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from bench.equivalence.answered import EPOCHS, SHAPE, zeros
from bench.equivalence.proof import network_of
from bench.measure.resident import resident_counter
from bench.runner.holdings import findings

if TYPE_CHECKING:
    from bench.equivalence.work import Workplace

ROWS = 70_000
"""More than MNIST has, and more than 16 bits can number: 52 MiB of bytes, 209 MiB of floats."""
COPIES = 1.5
"""Copies of the stored images that a learner may take beyond those given."""
BESIDES_MIB = 64.0
"""Other MiB for a build and a few steps: the compiler's memory, the framework's pools."""
WRITTEN = 0.5
"""Share of the images that may be written to files meanwhile."""
MIB = 2**20


class Start:
    """A learner of softmax regression, and the resources before its build."""

    def __init__(self, place: Workplace) -> None:
        self._owner = place.adapter
        self.train = place.split(ROWS, SHAPE)
        self._threads = set(threading.enumerate())
        self._written = written()
        self._counter = resident_counter()
        self._resident = self._counter.now()
        self.learner = place.build(network_of("softmax"), self.train, SHAPE, EPOCHS, zeros())
        self._held = findings(self.learner, self.train.images, owner=place.adapter)
        self._started = [one.name for one in threading.enumerate() if one not in self._threads]

    def findings(self) -> list[str]:
        """Findings on these resources, once the learner has been trained a little."""
        found = list(self._held)
        found += [one for one in findings(self.learner, self.train.images, owner=self._owner) if one not in found]
        if self._started:
            names = ", ".join(sorted(self._started))
            found.append(f"starts a thread in its build that keeps running: {names}")
        megabytes = self.train.images.nbytes / MIB
        growth = self._counter.peak() - self._resident
        if self._counter.resettable and growth > COPIES * megabytes + BESIDES_MIB:
            found.append(
                f"takes {growth:.0f} MiB to be built and to begin, where its images are {megabytes:.0f} MiB: they are "
                "gathered or converted before they are asked for"
            )
        after = written()
        if self._written is not None and after is not None and after - self._written > WRITTEN * megabytes:
            found.append(f"writes {after - self._written:.0f} MiB to files while it is built and begins")
        return found


def written() -> float | None:
    """MiB that this process has written to files and pipes; None if the system does not report it (proc(5))."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / MIB for line in lines if line.startswith("wchar")), None)
