"""Departures in images and rows, planted by hand in a small question; the sentence that names each."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bench.equivalence.evidence import Evidence
from tests.equivalence.planted_departures import (
    ADAM,
    BATCH,
    DENSE,
    MOMENTUM,
    ROWS,
    SGD,
    Change,
    Plant,
    asked,
    scheduled,
)

Rows = NDArray[np.int64]
PER_EPOCH = 4
SHORT = ROWS % BATCH


def with_order(order: Callable[[list[Rows]], list[Rows]]) -> Change:
    """Each epoch, given as its batches, is another; a step that is left over takes no rows."""

    def change(evidence: Evidence) -> Evidence:
        epochs = [evidence.order[:PER_EPOCH], evidence.order[PER_EPOCH:]]
        return replace(evidence, order=[rows for epoch in epochs for rows in order(list(epoch))])

    return change


def with_short(change: Callable[[Rows, list[Rows]], Rows]) -> Change:
    """The short batch of an epoch, given with all batches of its epoch, is another."""
    return with_order(lambda epoch: [*epoch[:-1], change(epoch[-1], epoch)])


def with_steps(taken: Callable[[int], bool]) -> Change:
    """Nothing is trained on in the other steps."""
    return lambda e: replace(e, order=[rows if taken(step) else rows[:0] for step, rows in enumerate(e.order)])


def order_of_first_epoch(evidence: Evidence) -> Evidence:
    return replace(evidence, order=2 * list(evidence.order[:PER_EPOCH]))


def filled_with_empty_images(evidence: Evidence) -> Evidence:
    blank = np.zeros_like(evidence.images[:1])
    padded = with_short(lambda rows, epoch: np.append(rows, [ROWS] * (BATCH - SHORT)))(evidence)
    return replace(padded, images=np.append(evidence.images, blank, axis=0), labels=np.append(evidence.labels, 0))


def in_batches_of(size: int) -> Change:
    def batches(epoch: list[Rows]) -> list[Rows]:
        rows = np.concatenate(epoch)
        return np.split(rows, range(size, ROWS, size))

    return with_order(batches)


def turned(turn: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], *, trained: bool = True) -> Change:
    """Images of the training, or those that are answered, are turned."""

    def change(evidence: Evidence) -> Evidence:
        if trained:
            return replace(evidence, images=turn(evidence.images))
        return replace(evidence, evaluated=turn(np.asarray(evidence.evaluated)))

    return change


def transpose(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return images.swapaxes(1, 2)


NORMALIZED = asked(mean=np.array([0.5, 0.25]), std=np.array([0.5, 0.25]))
SHORT_ONE = "the last batch of an epoch, which is short, is"

ROW_PLANTS: dict[str, Plant] = {
    "training images transposed": (
        asked(),
        turned(transpose),
        "images are transposed: width and height are exchanged, in training alone",
    ),
    "test images transposed": (
        asked(),
        turned(transpose, trained=False),
        "images are transposed: width and height are exchanged, in prediction alone",
    ),
    "training images flipped": (
        asked(DENSE, SGD),
        turned(lambda images: images[:, :, ::-1]),
        "images are flipped: left is right, in training alone",
    ),
    "channels reversed": (
        asked(),
        lambda e: turned(lambda x: x[..., ::-1], trained=False)(turned(lambda x: x[..., ::-1])(e)),
        "the channels of the images are in reversed order",
    ),
    "pixels inverted": (
        asked(),
        lambda e: replace(e, images=255 - e.images, evaluated=255 - np.asarray(e.evaluated)),
        "pixels are inverted",
    ),
    "test images not scaled": (
        asked(),
        lambda e: replace(e, evaluated=np.asarray(e.evaluated) * 256.0),
        "pixels are divided by 1 against 256, in prediction alone",
    ),
    "scale that is in no list": (asked(), lambda e: replace(e, scale=263.5), "pixels are divided by 263.5 against 256"),
    "pixels from -1 to 1": (
        asked(),
        lambda e: replace(e, mean=np.full(2, 0.5), std=np.full(2, 0.5)),
        "pixels run from -1 to 1 against 0 to 1",
    ),
    "test images not normalised": (
        NORMALIZED,
        lambda e: replace(e, evaluated=np.asarray(e.evaluated) * np.array([0.5, 0.25]) + np.array([128.0, 64.0])),
        "pixels are not normalised, in prediction alone",
    ),
    "batches reversed": (
        asked(),
        with_order(lambda epoch: epoch[::-1]),
        "batches of an epoch are taken in reversed order",
    ),
    "rows reversed": (
        asked(),
        with_order(lambda epoch: np.split(np.concatenate(epoch)[::-1], range(BATCH, ROWS, BATCH))),
        "rows of an epoch are taken in reversed order",
    ),
    "first order used again": (asked(), order_of_first_epoch, "the order of the first epoch is used again in each one"),
    "filled with the last row": (
        asked(),
        with_short(lambda rows, epoch: np.append(rows, [rows[-1]] * (BATCH - SHORT))),
        f"{SHORT_ONE} filled up with its last row",
    ),
    "filled with the first row": (
        asked(),
        with_short(lambda rows, epoch: np.append(rows, [rows[0]] * (BATCH - SHORT))),
        f"{SHORT_ONE} filled up with its first row",
    ),
    "filled from the start of the epoch": (
        asked(),
        with_short(lambda rows, epoch: np.append(rows, np.concatenate(epoch)[: BATCH - SHORT])),
        f"{SHORT_ONE} filled up with rows of its start",
    ),
    "filled with the rows before": (
        asked(DENSE, SGD),
        with_short(lambda rows, epoch: np.append(epoch[-2][SHORT:], rows)),
        f"{SHORT_ONE} filled up with the rows before it",
    ),
    "filled with what is stored first": (
        asked(DENSE, SGD),
        with_short(lambda rows, epoch: np.append(rows, np.arange(BATCH - SHORT))),
        f"{SHORT_ONE} filled up with the rows stored first",
    ),
    "filled with empty images": (asked(), filled_with_empty_images, f"{SHORT_ONE} filled up with empty images"),
    "last row of the short batch dropped": (
        asked(),
        with_short(lambda rows, epoch: rows[:-1]),
        f"{SHORT_ONE} without its last row",
    ),
    "first row of the short batch dropped": (
        asked(),
        with_short(lambda rows, epoch: rows[1:]),
        f"{SHORT_ONE} without its first row",
    ),
    "short batch joined": (
        asked(DENSE, SGD),
        with_order(lambda epoch: [*epoch[:-2], np.concatenate(epoch[-2:]), epoch[0][:0]]),
        f"{SHORT_ONE} joined to the one before it",
    ),
    "every second batch skipped": (
        asked(),
        with_steps(lambda step: step % 2 == 0),
        "only every second batch is trained on: one of two batches skipped",
    ),
    "every second batch skipped under a schedule": (
        scheduled(SGD),
        lambda e: replace(with_steps(lambda step: step % 2 == 1)(e), rates=2**-4 * np.array([1] * 8)),
        "only every second batch is trained on: one of two batches skipped",
    ),
    "three of four batches skipped": (
        asked(DENSE, MOMENTUM),
        with_steps(lambda step: step % PER_EPOCH == 0),
        "only every fourth batch is trained on: three of four batches skipped",
    ),
    "training ends early": (
        asked(optimizer=ADAM),
        with_steps(lambda step: step < PER_EPOCH),
        "nothing is trained on from epoch 2 on",
    ),
}

SIZES: dict[str, tuple[Evidence, Change, str]] = {
    "batches of 20": (asked(DENSE, SGD), in_batches_of(20), "batches are of 20 rows against 8"),
    "batches of 16": (asked(DENSE, ADAM), in_batches_of(16), "batches are of 16 rows against 8"),
    "all rows at once": (asked(DENSE, ADAM), in_batches_of(ROWS), f"batches are of {ROWS} rows against 8"),
}
"""Another number of steps: seen by the final weights alone."""
