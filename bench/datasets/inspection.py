"""What an honest reader wants to know of a data set: balance, duplicates, groups that leak, and the floors."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.datasets.dataset import Dataset, Split
from bench.datasets.floors import sample
from bench.datasets.source import Say
from bench.manifest import Floor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.datasets.near_duplicates import Pairs, Pictures

MOST_COMPARED = 100_000
"""Rows of a part that are looked at for near duplicates at most: the work grows with their square."""
MOST_SHOWN = 100
"""Pairs of duplicates that are named at most, of near ones the closest."""


@dataclass(frozen=True)
class Balance:
    """How often each class occurs in one part."""

    counts: tuple[int, ...]

    @property
    def absent(self) -> int:
        """Classes that the part does not hold."""
        return self.counts.count(0)

    @property
    def ratio(self) -> float:
        """As ``class_ratio``."""
        return class_ratio(self.counts)


def class_ratio(counts: Sequence[int]) -> float:
    """The rows of the largest class over those of the smallest that is there; 1.0 where there is none."""
    present = [count for count in counts if count]
    return max(present) / min(present) if present else 1.0


@dataclass(frozen=True)
class NearPair:
    """Two rows with nearly the same image; ``left`` is of the part named first. Rows count from 0."""

    left: int
    right: int
    correlation: float


@dataclass(frozen=True)
class EqualPair:
    """Two rows with the same image: of one part the first and another one, else a test row and the first in train."""

    left: int
    right: int


@dataclass(frozen=True)
class Duplicates:
    """Duplicates within one part, or of the test part in the training part."""

    where: str
    """``train``, ``test``, or ``test in train``."""
    exact_rows: int
    """Rows equal to another row of the part, the first of them included; ``test in train``: to a training row."""
    exact_relabelled: int
    """Those of them with such a partner of another label."""
    near_rows: int
    """Rows that have a near duplicate, and none that is equal; ``test in train``: test rows only."""
    compared: tuple[int, int]
    """Rows looked at for near duplicates, and how many there are; of two parts, the smaller share of both."""
    near: tuple[NearPair, ...]
    """The closest near pairs."""
    equal: tuple[EqualPair, ...] = ()
    """The first equal pairs."""

    @property
    def copies(self) -> float:
        """About how many rows have a partner, equal or near; of near ones in proportion where a sample was compared."""
        looked, whole = self.compared
        return self.exact_rows + self.near_rows * whole / looked if looked else float(self.exact_rows)


@dataclass(frozen=True)
class GroupCounts:
    """How groups of rows that belong together (a lesion's photographs, a slide's tiles) lie in the two parts."""

    groups: int
    several: int
    """Groups with more than one row."""
    rows_of_several: int
    on_both_sides: int
    """Groups with rows in both parts: what a model learns by heart counts as known."""
    test_rows_leaked: int
    """Test rows of groups on both sides."""


@dataclass(frozen=True)
class Inspection:
    """Everything found."""

    train: Balance
    test: Balance
    duplicates: tuple[Duplicates, ...]
    groups: GroupCounts | None
    floors: tuple[Floor, ...]


def inspect(dataset: Dataset, floors: tuple[Floor, ...], say: Say) -> Inspection:
    """Look at all of it; for 60,000 training and 10,000 test rows of 784 values a minute or so, within 1 GiB.

    ``floors`` are those of all training rows (``bench.datasets.floors``), which a run may have computed already.
    """
    train, test = dataset.train, dataset.test
    say("looking for duplicates")
    duplicates = find_duplicates(train, test)
    return Inspection(_balance(train), _balance(test), duplicates, count_groups(train, test), floors)


def find_duplicates(train: Split, test: Split) -> tuple[Duplicates, ...]:
    """Within the training part, within the test part, and of the test part in the training part."""
    from bench.datasets.exact_duplicates import image_numbers

    numbers = image_numbers(train.images, test.images)
    within = [_Distinct.of(part, number) for part, number in zip((train, test), numbers, strict=True)]
    return (
        within[0].duplicates("train"),
        within[1].duplicates("test"),
        _of_test_in_train(within[0], within[1]),
    )


def count_groups(train: Split, test: Split) -> GroupCounts | None:
    """How the groups lie; None where the data set has none."""
    import numpy as np

    if train.groups is None or test.groups is None:
        return None
    _, sizes = np.unique(np.concatenate([train.groups, test.groups]), return_counts=True)
    leaked = np.isin(test.groups, train.groups)
    return GroupCounts(
        groups=len(sizes),
        several=int((sizes > 1).sum()),
        rows_of_several=int(sizes[sizes > 1].sum()),
        on_both_sides=len(np.unique(test.groups[leaked])),
        test_rows_leaked=int(leaked.sum()),
    )


@dataclass(frozen=True, eq=False)
class _Distinct:
    """A part, the number of each image (``image_numbers``), and the first row of every number, sorted by number."""

    split: Split
    number: NDArray[np.int64]
    first: NDArray[np.int64]
    pictures: Pictures

    @classmethod
    def of(cls, split: Split, number: NDArray[np.int64]) -> _Distinct:
        import numpy as np

        from bench.datasets.near_duplicates import Pictures

        _, first = np.unique(number, return_index=True)
        rows = np.sort(first)[sample(len(first), MOST_COMPARED)]
        return cls(split, number, first, Pictures(split.images, split.scale, rows))

    @property
    def compared(self) -> tuple[int, int]:
        return len(self.pictures.rows), len(self.first)

    def duplicates(self, where: str) -> Duplicates:
        """Within the part."""
        import numpy as np

        from bench.datasets.near_duplicates import near_pairs

        repeated = np.setdiff1d(np.arange(len(self.split)), self.first)
        original = self.first[np.searchsorted(self.number[self.first], self.number[repeated])]
        equal = np.union1d(repeated, original)
        lowest, highest = self.extreme_labels()
        relabelled = int((lowest < highest)[self.number[equal]].sum())
        pairs = near_pairs(self.pictures)
        near = np.setdiff1d(np.union1d(pairs.left, pairs.right), equal)
        return Duplicates(
            where, len(equal), relabelled, len(near), self.compared, _closest(pairs), _first(original, repeated)
        )

    def extreme_labels(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """By image number, the lowest and the highest label of its rows; they differ where there are several."""
        import numpy as np

        lowest = np.full(self.number.max() + 1, self.split.classes, np.int64)
        highest = np.full(self.number.max() + 1, -1, np.int64)
        np.minimum.at(lowest, self.number, self.split.labels)
        np.maximum.at(highest, self.number, self.split.labels)
        return lowest, highest


def _of_test_in_train(train: _Distinct, test: _Distinct) -> Duplicates:
    import numpy as np

    from bench.datasets.near_duplicates import near_pairs

    shared = np.flatnonzero(test.number < len(train.split))
    originals, labels = test.number[shared], test.split.labels[shared]
    lowest, highest = train.extreme_labels()
    new = dataclasses.replace(test.pictures, rows=np.setdiff1d(test.pictures.rows, shared))
    pairs = near_pairs(new, train.pictures)
    return Duplicates(
        "test in train",
        len(shared),
        int(((lowest[originals] != labels) | (highest[originals] != labels)).sum()),
        len(np.unique(pairs.left)),
        min(train.compared, test.compared, key=lambda two: two[0] / two[1]),
        _closest(pairs),
        _first(shared, originals),
    )


def _closest(pairs: Pairs) -> tuple[NearPair, ...]:
    order = (-pairs.correlation).argsort(kind="stable")[:MOST_SHOWN]
    return tuple(
        NearPair(int(pairs.left[at]), int(pairs.right[at]), round(float(pairs.correlation[at]), 4)) for at in order
    )


def _first(left: NDArray[np.int64], right: NDArray[np.int64]) -> tuple[EqualPair, ...]:
    return tuple(map(EqualPair, left[:MOST_SHOWN].tolist(), right[:MOST_SHOWN].tolist()))


def _balance(split: Split) -> Balance:
    import numpy as np

    return Balance(tuple(np.bincount(split.labels, minlength=split.classes).tolist()))
