"""Rows, batches and evaluations as a model itself counts them, over several epochs of more than a thousand rows.

The model is the harness's own (``bench.adapters.counting``), given to the framework as a user's would be. Its counts
show what was trained on, however the learner counts, and when: before the first pause asks for anything.
"""

from __future__ import annotations

import math
from itertools import pairwise
from random import SystemRandom
from typing import TYPE_CHECKING

import numpy as np

from bench.adapters import counting
from bench.adapters.base import Adapter, Epoch, Learner
from bench.models.model import NativeModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.equivalence.work import Workplace

ROWS = (1040, 1400)
"""Bounds of the number of rows, drawn each time so that an adapter cannot know it."""
EPOCHS = 5
SHAPE = (12, 12, 1)
PREDICTIONS = (
    (128, 256, False),
    (128, 256, False),
    (128, 256, True),
    (128, 200, True),
    (0, 128, True),
    (1, 3, True),
)
"""Requests to predictors: batch size, rows, decisions alone. The first is made twice."""

COUNTING = NativeModel(
    "counting",
    frozenset(kind for kind in ("pytorch", "keras") if hasattr(counting, kind)),
    "counting",
    module="bench.adapters.counting",
)


def counts(adapter: Adapter) -> bool:
    """True if rows and calls can be counted in this framework."""
    return adapter.builder in COUNTING.builders


def counted_findings(place: Workplace) -> list[str]:
    """Differences between what a counting model saw and what was requested, one clause each."""
    called = len(counting.called())
    rows = _rows(place.batch_size)
    learner = place.build(COUNTING, rows, SHAPE, EPOCHS)
    start = _counters(learner)
    found = []
    # a build may try a few rows, to see the model's output
    large = [seen for seen in counting.called()[called:] if seen is None or seen >= place.batch_size // 2]
    if large or start[counting.TRAINED_ROWS]:
        found.append("trains in its build: what the first step is to show is over before the clock starts")
    watched = Watched(learner, rows, place.batch_size)
    learner.train(watched.epochs(), watched.look)
    return [*found, *watched.found, *_predictions(learner, place)]


def _rows(batch_size: int) -> int:
    """Random number of rows: full batches and a short one."""
    drawn = SystemRandom().randint(*ROWS)
    return drawn + 1 if drawn % batch_size == 0 else drawn


class Watched:
    """A training run whose pauses read what the model counted since the previous one."""

    def __init__(self, learner: Learner, rows: int, batch_size: int) -> None:
        self.found: list[str] = []
        self._learner = learner
        self._rows = rows
        self._size = batch_size
        self._batches = math.ceil(rows / batch_size)
        self._before = _counters(learner)
        self._told = counting.told()[0]
        self._ahead = [
            (epoch, begin, end) for epoch in range(EPOCHS) for begin, end in pairwise((0, *self._ends(epoch)))
        ]
        """Stretches to come: epoch from 0, batches before it, batches at its end."""

    def _ends(self, epoch: int) -> tuple[int, ...]:
        """Ends of stretches in batches; in the first epoch the first and short batch stand alone, as in a trial."""
        return (1, self._batches - 1, self._batches) if epoch == 0 else (self._batches,)

    def epochs(self) -> list[Epoch]:
        """All rows, in a new order each epoch."""
        generator = np.random.Generator(np.random.PCG64(9))
        orders = (generator.permutation(self._rows).astype(np.int64) for _ in range(EPOCHS))
        return [Epoch(order, self._ends(number)) for number, order in enumerate(orders)]

    def look(self) -> None:
        """Compare the counts since the previous pause with what was given, before asking for anything else."""
        past = counting.trained_rows()
        own = self._learner.progress()
        now = _counters(self._learner)
        if past is not None and past != counting.trained_rows():
            self._note("trains off the clock: its model trains on when queried in a pause")
        rows, calls, evaluated, _ = (now[name] - self._before[name] for name in counting.COUNTERS)
        evaluated += counting.told()[0] - self._told
        if self._ahead:
            self._compare(*self._ahead.pop(0), rows, calls)
        for counted, true, words in ((own.rows, rows, "rows"), (own.steps, calls, "steps")):
            if counted is not None and counted != true:
                self._note(f"says that it trained {counted} {words}: the model saw {true}")
        if evaluated:
            self._note(f"evaluates inside the training clock: {evaluated} rows")
        self._before, self._told = now, counting.told()[0]

    def _compare(self, epoch: int, begin: int, end: int, rows: int, calls: int) -> None:
        given = min(end * self._size, self._rows) - begin * self._size
        if rows != given:
            where = f"in epoch {epoch + 1}" if epoch else f"up to batch {end}"
            self._note(f"trains on {rows} rows where {given} were given, {where}: {self._skipped(rows, given)}")
        elif calls != end - begin:
            self._note(f"trains in {calls} batches where {end - begin} were asked for")

    def _skipped(self, rows: int, given: int) -> str:
        if rows > given:
            return "rows are taken more than once"
        if rows == given // self._size * self._size:
            return "the short last batch is dropped"
        if rows == given - math.ceil(given / self._size):
            return "a sample of each batch is skipped"
        return "rows are left out"

    def _note(self, finding: str) -> None:
        """Add the first finding of its kind: later pauses repeat it."""
        kind = finding.split()[:2]
        if not any(one.split()[:2] == kind for one in self.found):
            self.found.append(finding)


def _predictions(learner: Learner, place: Workplace) -> list[str]:
    """Findings if the model does not see each row, in batches of the requested size, on every request."""
    images: NDArray[np.uint8] = place.images(max(rows for _, rows, _ in PREDICTIONS), SHAPE)
    found = []
    for size, rows, decisions_only in PREDICTIONS:
        predict = learner.predictor(size, decisions_only=decisions_only)
        before = _evaluated(learner)
        predict(images[:rows])
        evaluated, calls = (now - then for now, then in zip(_evaluated(learner), before, strict=True))
        way = f"in batches of {size}" if size else "at once"
        alone = ", decisions alone" if decisions_only else ""
        if evaluated != rows:
            found.append(f"answers {rows} rows {way}{alone}, of which its model sees {evaluated}")
        elif calls != math.ceil(rows / (size or rows)):
            found.append(f"answers {rows} rows {way}{alone}, which its model is given in {calls} calls")
    return found[:1]


def _evaluated(learner: Learner) -> tuple[int, int]:
    """Rows and calls in evaluation so far."""
    counters, (rows, calls) = _counters(learner), counting.told()
    return counters[counting.EVALUATED_ROWS] + rows, counters[counting.EVALUATED_CALLS] + calls


def _counters(learner: Learner) -> dict[str, int]:
    """Counts of a counting model, by the end of its weights' names. Raises ValueError unless each is there once."""
    found = {}
    weights = learner.weights()
    for counter in counting.COUNTERS:
        values = [int(value) for name, value in weights.items() if name.endswith(counter)]
        if len(values) != 1:
            raise ValueError(f"the weights of a counting model show {len(values)} of {counter}: {sorted(weights)}")
        found[counter] = values[0]
    return found
