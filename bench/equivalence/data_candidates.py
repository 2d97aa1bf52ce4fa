"""Departures in the rows of a step: their order, batches that are cut, padded, left out, or of another size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain

import numpy as np

from bench.equivalence.candidate import Candidate, Rows, cut, epochs, other, reordered, rows_of
from bench.equivalence.evidence import Evidence

SIZES = (32, 64, 100, 128, 200, 256, 512, 50, 16, 1000, 1024, 8, 10, 20, 500)
"""Batch sizes that a framework may choose itself."""


def data_candidates(asked: Evidence) -> Iterator[Candidate]:
    """Departures in the rows of a step, the likeliest first; of those with the same rows only the first."""
    known = {_key(asked)}
    for candidate in chain(_of_short_batches(asked), _of_order(asked), _left_out(asked), _of_size(asked)):
        key = _key(candidate.evidence)
        if key not in known:
            known.add(key)
            yield candidate


def _key(evidence: Evidence) -> tuple[object, ...]:
    rows = tuple(
        (rows.tobytes(), rate) for rows, rate in zip(evidence.order, evidence.rates, strict=False) if len(rows)
    )
    return len(evidence.images), evidence.labels[-1], rows


def _of_order(asked: Evidence) -> Iterator[Candidate]:
    stored = "rows are not taken in the given order, but as they are stored"
    everything = np.arange(len(asked.images))
    yield from _by_epoch(asked, stored, lambda rows: everything)
    yield from _by_epoch(asked, stored, np.sort)  # an incomplete epoch keeps its own rows
    first = "rows are not taken in the given order: each call trains on the first ones"
    yield other(asked, first, "gradients", order=[everything[: len(rows)] for rows in asked.order])
    same = "each step trains on the rows of the first"
    yield other(asked, same, "gradients", order=[asked.order[0] for _ in asked.order])
    of_first = rows_of(asked, next(epochs(asked)))
    yield from _by_epoch(asked, "the order of the first epoch is used again in each one", lambda rows: of_first)
    yield from _by_epoch(asked, "rows of an epoch are taken in reversed order", lambda rows: rows[::-1])
    order = [asked.order[step] for steps in epochs(asked) for step in reversed(steps)]
    yield from reordered(asked, "batches of an epoch are taken in reversed order", order)


def _by_epoch(asked: Evidence, sentence: str, change: Callable[[Rows], Rows]) -> Iterator[Candidate]:
    """Other rows in each epoch, in batches of the requested sizes."""
    order: list[Rows] = []
    for steps in epochs(asked):
        order += cut(change(rows_of(asked, steps)), [len(asked.order[step]) for step in steps])
    yield from reordered(asked, sentence, order)


def _of_short_batches(asked: Evidence) -> Iterator[Candidate]:
    full = max(map(len, asked.order))
    short = {step for step, rows in enumerate(asked.order) if 0 < len(rows) < full}
    if not short:
        return

    def changed(sentence: str, change: Callable[[Rows, Rows], Rows], of: Evidence = asked) -> Iterator[Candidate]:
        order = list(asked.order)
        for steps in epochs(asked):
            for step in short & set(steps):
                order[step] = change(order[step], rows_of(asked, steps))
        yield from reordered(of, sentence, order)

    last = "the last batch of an epoch, which is short, is"
    yield from changed(f"{last} dropped", lambda rows, epoch: rows[:0])
    yield from changed(f"{last} without its last row", lambda rows, epoch: rows[:-1])
    yield from changed(f"{last} without its first row", lambda rows, epoch: rows[1:])
    filled = f"{last} filled up with"
    yield from changed(f"{filled} rows of its start", lambda rows, epoch: np.append(rows, epoch[: full - len(rows)]))
    yield from changed(f"{filled} its own rows once more", lambda rows, epoch: np.resize(rows, full))
    yield from changed(f"{filled} its last row", lambda rows, epoch: _padded(rows, rows[-1], full))
    yield from changed(f"{filled} its first row", lambda rows, epoch: _padded(rows, rows[0], full))
    yield from changed(f"{filled} the rows stored first", lambda rows, epoch: np.append(rows, np.arange(full))[:full])
    yield from changed(f"{filled} the rows before it", lambda rows, epoch: epoch[-full:])
    evaluated = asked.images if asked.evaluated is None else asked.evaluated
    for label in (0, asked.network.classes - 1):
        # one image more, of zeros
        blank = {"images": np.append(asked.images, np.zeros_like(asked.images[:1]), axis=0), "evaluated": evaluated}
        of = replace(asked, **blank, labels=np.append(asked.labels, label))  # type: ignore[arg-type]
        yield from changed(f"{filled} empty images", lambda rows, epoch: _padded(rows, len(asked.images), full), of)
    joined = [step + 1 in short and step >= 0 for step in range(len(asked.order))]
    order = [
        np.concatenate([rows, asked.order[step + 1]]) if joined[step] else rows[: 0 if step in short else None]
        for step, rows in enumerate(asked.order)
    ]
    yield from reordered(asked, f"{last} joined to the one before it", order)


def _padded(rows: Rows, row: int, full: int) -> Rows:
    return np.append(rows, np.full(full - len(rows), row))


def _left_out(asked: Evidence) -> Iterator[Candidate]:
    for taken, words in ((slice(1, None), "first"), (slice(None, -1), "last")):
        sentence = f"a sample is skipped in each batch: its {words}"
        yield from reordered(asked, sentence, [rows[taken] for rows in asked.order])

    parts = list(epochs(asked))
    numbers = [(epoch, number) for epoch, steps in enumerate(parts) for number in range(len(steps))]

    def kept(sentence: str, steps: Iterable[int]) -> Iterator[Candidate]:
        """Training on ``steps`` alone."""
        wanted = set(steps)
        if wanted:
            order = [rows if step in wanted else rows[:0] for step, rows in enumerate(asked.order)]
            yield from reordered(asked, sentence, order)

    for count in range(1, len(parts)):
        yield from kept(f"nothing is trained on from epoch {count + 1} on", range(parts[count].start))
    for every, words in ((2, "one of two batches"), (3, "two of three batches"), (4, "three of four batches")):
        sentence = f"only every {_ordinal(every)} batch is trained on: {words} skipped"
        for first in range(every):
            yield from kept(sentence, (step for step, (_, number) in enumerate(numbers) if number % every == first))
            yield from kept(sentence, range(first, len(numbers), every))
    sentence = "the first batch of each epoch is skipped"
    yield from kept(sentence, (step for step, (_, number) in enumerate(numbers) if number))
    if len(set(map(len, asked.order))) == 1:  # otherwise it is short, and has its own sentence
        ends = {steps[-1] for steps in parts}
        yield from kept("the last batch of each epoch is skipped", set(range(len(numbers))) - ends)


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third", 4: "fourth"}[number]


def _of_size(asked: Evidence) -> Iterator[Candidate]:
    """Batches of another size; an epoch's losses are read after its first ones and its last, no more than requested."""
    full = max(map(len, asked.order))
    for size in dict.fromkeys((*SIZES, 2 * full, full // 2, len(asked.images))):
        if not 0 < size <= len(asked.images) or size == full:
            continue
        order: list[Rows] = []
        reads: list[int] = []
        for steps in epochs(asked):
            whole = rows_of(asked, steps)
            start, batches = len(order), np.split(whole, range(size, len(whole), size))
            order += batches
            reads += [*range(start, start + min(len(steps), len(batches)) - 1), len(order) - 1]
        sentence = f"batches are of {size} rows against {full}"
        yield from reordered(replace(asked, reads=reads), sentence, order)
