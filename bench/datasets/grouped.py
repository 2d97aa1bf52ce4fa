"""Parts cut without dividing groups of images: the harness's own test part, and validation parts.

The test part is fixed and versioned. Pictures of one lesion, or of one slide, are near copies: with some of them in
training, a model would be tested on what it has seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bench.datasets.stratified import SEED, TEST_SHARE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Share = tuple[int, int]
"""Rows wanted, of a total."""

TEST: Share = (1, TEST_SHARE)
FEW = 12
"""Most groups for which every choice of test groups is tried (4,096)."""


def split_name(group: str) -> str:
    """Name in records of a split by ``group`` (``lesion``, ``slide``)."""
    return f"own split by {group}, version 1"


def grouped_rows(labels: NDArray[np.int64], groups: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Train rows and test rows, each in increasing order; about one fifth of each class are test rows.

    ``groups`` gives a row's group as an id in ``0..g-1``. Groups go whole to one part, so that the class counts come
    as near to a fifth as the groups allow, by the sum over classes of (test rows - n/5)^2 / n. With few groups the best
    choice (the first of equals) among those that leave the fewest classes without training rows is taken. With many,
    groups are drawn by ``numpy.random.RandomState(1)``, and each one that brings the counts nearer is taken. All sums
    are of integers, so every machine makes the same split.
    """
    import numpy as np

    by_group, totals = _counts(labels, groups)
    if len(by_group) <= FEW:
        chosen = _best_choice(by_group, totals)
    else:
        order = np.random.RandomState(SEED).permutation(len(by_group))
        chosen = _drawn_choice(by_group, totals, order.tolist(), TEST)
    in_test = np.isin(groups, np.array(sorted(chosen), dtype=np.int64))
    return np.flatnonzero(~in_test).astype(np.int64), np.flatnonzero(in_test).astype(np.int64)


def grouped_sample(
    labels: NDArray[np.int64], groups: NDArray[np.int64], rows: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """About ``rows`` row numbers in increasing order: whole groups, each class as near to its share as they allow.

    ``groups`` may be numbered in any way. They are drawn in the ``generator``'s order, and each one that brings the
    class counts nearer is taken; if none does, because all are too large, the nearest one.

    Raises ValueError if all rows belong to one group.
    """
    import numpy as np

    _, numbered = np.unique(groups, return_inverse=True)
    by_group, totals = _counts(labels, numbered)
    if len(by_group) < 2:
        raise ValueError("all rows belong to one group: no part can be cut without it")
    share = (rows, len(labels))
    order = generator.permutation(len(by_group)).tolist()
    chosen = _drawn_choice(by_group, totals, order, share)
    if not chosen:
        weights = _weights(totals)
        chosen = {min(order, key=lambda group: _distance(by_group[group], totals, weights, share))}
    return np.flatnonzero(np.isin(numbered, np.array(sorted(chosen)))).astype(np.int64)


def _counts(labels: NDArray[np.int64], groups: NDArray[np.int64]) -> tuple[list[list[int]], list[int]]:
    """Rows of each class, by group and in total."""
    import numpy as np

    counts = np.zeros((groups.max() + 1, labels.max() + 1), dtype=np.int64)
    np.add.at(counts, (groups, labels), 1)
    return counts.tolist(), counts.sum(axis=0).tolist()


def _best_choice(by_group: Sequence[Sequence[int]], totals: Sequence[int]) -> set[int]:
    weights = _weights(totals)
    best: tuple[int, int] | None = None
    chosen: set[int] = set()
    for mask in range(1, 2 ** len(by_group) - 1):
        members = {group for group in range(len(by_group)) if mask >> group & 1}
        test = [sum(by_group[group][class_id] for group in members) for class_id in range(len(totals))]
        untrained = sum(held == total > 0 for held, total in zip(test, totals, strict=True))
        value = (untrained, _distance(test, totals, weights, TEST))
        if best is None or value < best:
            best, chosen = value, members
    return chosen


def _drawn_choice(
    by_group: Sequence[Sequence[int]], totals: Sequence[int], order: Iterable[int], share: Share
) -> set[int]:
    weights = _weights(totals)
    test = [0] * len(totals)
    now = _distance(test, totals, weights, share)
    chosen: set[int] = set()
    for group in order:
        with_it = [held + more for held, more in zip(test, by_group[group], strict=True)]
        then = _distance(with_it, totals, weights, share)
        if then < now:
            test, now = with_it, then
            chosen.add(group)
    return chosen


def _weights(totals: Sequence[int]) -> list[int]:
    """Integers in proportion to 1/n; 0 for a class without rows."""
    from math import lcm

    common = lcm(*(total for total in totals if total))
    return [common // total if total else 0 for total in totals]


def _distance(held: Sequence[int], totals: Sequence[int], weights: Sequence[int], share: Share) -> int:
    """Distance of the class counts ``held`` from their ``share``, an integer."""
    wanted, among = share
    return sum(
        weight * (among * here - wanted * total) ** 2 for here, total, weight in zip(held, totals, weights, strict=True)
    )
