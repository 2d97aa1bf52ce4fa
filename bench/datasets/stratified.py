"""The harness's own test part, for data that come without one: fixed, stratified by class, versioned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.datasets.source import BrokenFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OWN_SPLIT = "own stratified split, version 1"
SEED = 1
TEST_SHARE = 5
"""One row in this many is a test row, rounded up."""


def stratified_rows(labels: NDArray[np.int64], file: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Train rows and test rows, each in increasing order; one fifth (rounded up) are test rows.

    Every class gives its fifth rounded down; the rows still missing come from the classes with the largest
    remainders (the lower class first), so no class is off by more than one. A class of one row keeps it for training: a
    model cannot be tested on a class it never saw; if most classes are such, the test part is smaller. Within a class
    the rows are drawn by ``numpy.random.RandomState(1)``, whose stream numpy promises never to change (NEP 19), classes
    in order. Raises BrokenFile, naming ``file``, if no class has two rows.
    """
    import numpy as np

    counts = np.bincount(labels)
    wanted = -(-len(labels) // TEST_SHARE)
    taken = counts // TEST_SHARE
    can_give = counts > 1
    if not can_give.any():
        raise BrokenFile(file, "holds no class with two rows: too few to cut a test part from.")
    by_remainder = np.argsort(np.where(can_give, -(counts % TEST_SHARE), 1), kind="stable")
    taken[by_remainder[: min(wanted - taken.sum(), can_give.sum())]] += 1
    generator = np.random.RandomState(SEED)
    drawn = [
        generator.permutation(np.flatnonzero(labels == class_id))[: taken[class_id]] for class_id in range(len(counts))
    ]
    test = np.sort(np.concatenate(drawn)).astype(np.int64)
    return np.setdiff1d(np.arange(len(labels), dtype=np.int64), test), test
