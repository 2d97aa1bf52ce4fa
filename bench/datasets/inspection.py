"""The inspection of a data set: balance, duplicates, groups that leak, and the floors."""

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
"""Most rows of a part compared for near duplicates: the work grows with their square."""
MOST_SHOWN = 100
"""Most pairs of duplicates listed; of near ones, the closest."""


@dataclass(frozen=True)
class Balance:
    """The class counts of one part."""

    counts: tuple[int, ...]

    @property
    def absent(self) -> int:
        """Number of classes without rows."""
        return self.counts.count(0)

    @property
    def ratio(self) -> float:
        """As ``class_ratio``."""
        return class_ratio(self.counts)


def class_ratio(counts: Sequence[int]) -> float:
    """Rows of the largest class divided by those of the smallest one present; 1.0 if there is none."""
    present = [count for count in counts if count]
    return max(present) / min(present) if present else 1.0


@dataclass(frozen=True)
class NearPair:
    """Two rows, from 0, with nearly the same image; ``left`` is in the part named first."""

    left: int
    right: int
    correlation: float


@dataclass(frozen=True)
class EqualPair:
    """Two rows with the same image: the first and another one of a part, or a test row and the first in train."""

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
    """Those equal to such a row of another label."""
    near_rows: int
    """Rows with a near duplicate, but no equal one; ``test in train``: test rows only."""
    compared: tuple[int, int]
    """Distinct rows compared for near duplicates, and all of them; for two parts, the smaller share."""
    near: tuple[NearPair, ...]
    """The closest near pairs."""
    equal: tuple[EqualPair, ...] = ()
    """The first equal pairs."""

    @property
    def copies(self) -> float:
        """Estimated rows with an equal or near partner; near ones are scaled up if a sample was compared."""
        looked, whole = self.compared
        return self.exact_rows + self.near_rows * whole / looked if looked else float(self.exact_rows)


@dataclass(frozen=True)
class GroupCounts:
    """Counts of groups of rows that belong together (a lesion's photographs, a slide's tiles) in both parts."""

    groups: int
    several: int
    """Groups with more than one row."""
    rows_of_several: int
    on_both_sides: int
    """Groups with rows in both parts: memorising them looks like learning."""
    test_rows_leaked: int
    """Test rows of groups on both sides."""


@dataclass(frozen=True)
class Inspection:
    """All findings."""

    train: Balance
    test: Balance
    duplicates: tuple[Duplicates, ...]
    groups: GroupCounts | None
    floors: tuple[Floor, ...]


def inspect(dataset: Dataset, floors: tuple[Floor, ...], say: Say) -> Inspection:
    """Inspect both parts; 60,000 training and 10,000 test rows of 784 values take a minute or so and 1 GiB.

    ``floors`` are those of all training rows (``bench.datasets.floors``), which a run may have computed already.
    """
    train, test = dataset.train, dataset.test
    say("looking for duplicates")
    duplicates = find_duplicates(train, test)
    return Inspection(_balance(train), _balance(test), duplicates, count_groups(train, test), floors)


def find_duplicates(train: Split, test: Split) -> tuple[Duplicates, ...]:
    """Duplicates within the training part, within the test part, and of test rows in training."""
    from bench.datasets.exact_duplicates import image_numbers

    numbers = image_numbers(train.images, test.images)
    within = [_Distinct.of(part, number) for part, number in zip((train, test), numbers, strict=True)]
    return (
        within[0].duplicates("train"),
        within[1].duplicates("test"),
        _of_test_in_train(within[0], within[1]),
    )


def count_groups(train: Split, test: Split) -> GroupCounts | None:
    """The group counts; None if the data set has no groups."""
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
        """Duplicates in the part."""
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
        """The lowest and highest label by image number; they differ if equal images have several labels."""
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
