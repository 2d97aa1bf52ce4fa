"""The pauses of a training: an epoch is cut into stretches, each with a clock of its own."""

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
    """Its own rows."""
    kind: StretchKind
    """``first step``: the first batch of its size, so that tracing and compiling are in its seconds."""
    evaluated: bool = False
    """True if an evaluation follows it."""
    steps: int = 1


def stretches(rows: int, training: Training, *, first: bool, calls_of: int = 1) -> tuple[Stretch, ...]:
    """The stretches of an epoch over ``rows`` rows.

    An epoch has ``training.evaluations_per_epoch`` evaluations. In the ``first`` epoch the first batch and the short
    one are stretches of their own; every epoch is still one pass in its own order. A framework that takes ``calls_of``
    steps in one call of a compiled function pauses only between calls: its first step is then a whole call, and the
    short batch is a stretch only if it is a call of its own.
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
    """Batches at the end of each of ``pieces`` parts of an epoch, as equal as possible.

    With fewer batches than pieces, one part per batch.
    """
    ends = dict.fromkeys(number * batches // pieces for number in range(1, pieces + 1))
    return [end for end in ends if end]


def _whole_calls(batches: int, calls_of: int, all_batches: int) -> int:
    return min(math.ceil(batches / calls_of) * calls_of, all_batches)
