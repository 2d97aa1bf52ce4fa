"""Where a training pauses: an epoch cut into stretches, of which each has a clock of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from bench.case import Training

StretchKind = Literal["first step", "epoch"]


@dataclass(frozen=True)
class Stretch:
    """Some batches of an epoch, trained without a pause."""

    batches: int
    """Batches of the epoch trained when it ends."""
    rows: int
    """Its own."""
    kind: StretchKind
    """``first step``: a size of batch is met for the first time, so that tracing and compiling are in its seconds."""
    evaluated: bool = False
    """The validation part is answered after it."""
    steps: int = 1


def stretches(rows: int, training: Training, *, first: bool, calls_of: int = 1) -> tuple[Stretch, ...]:
    """The stretches of an epoch over ``rows`` rows.

    The evaluations lie ``training.evaluations_per_epoch`` to an epoch. In the ``first`` epoch the first batch and the
    short one are stretches of their own; every epoch is one pass in its own order all the same. A framework that takes
    ``calls_of`` steps in one call of a compiled function pauses between calls alone: then its first step is a whole
    call, and the short batch stands apart only where it is one.
    """
    size = training.batch_size
    batches = math.ceil(rows / size)
    evaluated = {_whole_calls(end, calls_of, batches) for end in piece_ends(batches, training.evaluations_per_epoch)}
    first_steps: set[int] = set()
    ends = evaluated | {batches}
    if first:
        first_steps.add(min(calls_of, batches))
        full = rows // size
        if full < batches and full > 0 and full % calls_of == 0:
            first_steps.add(batches)
            ends.add(full)
    ordered = sorted(ends | first_steps)
    return tuple(
        Stretch(
            batches=end,
            rows=min(end * size, rows) - begin * size,
            kind="first step" if end in first_steps else "epoch",
            evaluated=end in evaluated,
            steps=end - begin,
        )
        for begin, end in zip([0, *ordered], ordered, strict=False)
    )


def piece_ends(batches: int, pieces: int) -> list[int]:
    """After how many batches each of ``pieces`` parts of an epoch ends, as equal as can be.

    With fewer batches than pieces there are only as many.
    """
    ends = dict.fromkeys(number * batches // pieces for number in range(1, pieces + 1))
    return [end for end in ends if end]


def _whole_calls(batches: int, calls_of: int, all_batches: int) -> int:
    return min(math.ceil(batches / calls_of) * calls_of, all_batches)
