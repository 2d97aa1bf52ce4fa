"""What building a learner on a large data set takes and leaves behind: memory, files, threads, images it holds.

Gathering and converting batches is work that the training clock covers. Done in the build it takes memory for as many
floats as there are pixels, wherever they are kept, or the space of a file, or a thread that goes on.
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
"""Of the images as stored, that a learner may take besides those it is given."""
BESIDES_MIB = 64.0
"""What else a build and a few steps may take: the compiler's memory, the framework's pools."""
WRITTEN = 0.5
"""Share of the images that may be written to files meanwhile."""
MIB = 2**20


class Start:
    """A learner of softmax regression, and what was there before it was built."""

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
        """What is wrong with all that, now that the learner has been trained a little."""
        found = list(self._held)
        found += [one for one in findings(self.learner, self.train.images, owner=self._owner) if one not in found]
        if self._started:
            names = ", ".join(sorted(self._started))
            found.append(f"starts a thread in its build that goes on after it: {names}")
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
    """MiB that this process has written so far, to files and pipes; None where the system does not tell (proc(5))."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / MIB for line in lines if line.startswith("wchar")), None)
