"""A decoded data set, and the facts about it that need no arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.manifest import OFFICIAL, DatasetNote

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Split:
    """Images and labels of one part of a data set, as an adapter gets them.

    ``images`` is uint8 or float32 ``(n, *spatial, channels)``; ``labels`` int64 ``(n,)`` in ``0..classes-1``;
    ``scale`` is the value that means 1.0 (255 for bytes, 16 for digits, 1 for floats).
    """

    images: NDArray[np.uint8] | NDArray[np.float32]
    labels: NDArray[np.int64]
    scale: float
    classes: int
    groups: NDArray[np.int64] | None = None
    """Group of each row (one lesion, one slide), int64 ``(n,)``, numbered alike in both parts; None if unknown."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image: ``(*spatial, channels)``."""
        return tuple(self.images.shape[1:])

    @property
    def independent_rows(self) -> int | None:
        """Effective number of independent rows if all rows of a group are answered alike.

        ``n² / Σ m²`` over the group sizes ``m``, rounded down: the design effect of clusters whose members agree
        entirely (Kish, Survey Sampling, 1965, section 5.4). None if no groups are known.
        """
        import numpy as np

        if self.groups is None:
            return None
        _, sizes = np.unique(self.groups, return_counts=True)
        return int(len(self) ** 2 // (sizes.astype(np.int64) ** 2).sum())

    def take(self, rows: NDArray[np.int64]) -> Split:
        """Copy of the given rows, in that order."""
        groups = None if self.groups is None else self.groups[rows]
        return Split(self.images[rows], self.labels[rows], self.scale, self.classes, groups)

    def problem(self) -> str | None:
        """The problem with the arrays, as a phrase that begins with a noun; None if there is none."""
        import numpy as np

        if self.images.dtype not in (np.uint8, np.float32) or self.images.ndim < 3:
            return f"images {self.images.dtype} {self.images.shape}; uint8 or float32 (n, *spatial, channels) expected"
        if self.labels.dtype != np.int64 or self.labels.ndim != 1:
            return f"labels {self.labels.dtype} {self.labels.shape}; int64 (n,) expected"
        if len(self.images) != len(self.labels) or not len(self.labels):
            return f"images and labels, {len(self.images):,} and {len(self.labels):,}; as many of both expected"
        if self.labels.min() < 0 or self.labels.max() >= self.classes:
            return f"labels from {self.labels.min()} to {self.labels.max()}; 0 to {self.classes - 1} expected"
        if self.groups is not None and (self.groups.dtype != np.int64 or self.groups.shape != self.labels.shape):
            return f"groups {self.groups.dtype} {self.groups.shape}; int64 {self.labels.shape} expected"
        if not np.isfinite(self.images).all():
            return "images with values that are not finite (NaN or infinite)"
        return None


@dataclass(frozen=True, eq=False)
class Dataset:
    """A decoded data set: its train and test parts, and what to call it."""

    name: str
    title: str
    train: Split
    test: Split
    class_names: tuple[str, ...]
    split: str = OFFICIAL
    """``official``, or how the harness cut the test part, with the version of the rule."""
    generated: bool = False
    """True if the harness made it from other data, instead of reading published files."""

    def problem(self) -> str | None:
        """The problem with the data set, as a phrase that begins with a verb; None if there is none."""
        for part, split in (("training", self.train), ("test", self.test)):
            if problem := split.problem():
                return f"holds {part} {problem}"
        if self.train.shape != self.test.shape or self.train.images.dtype != self.test.images.dtype:
            return "holds training images and test images of different shape or type"
        if len(self.class_names) != self.train.classes:
            return f"names {len(self.class_names)} classes, but has {self.train.classes}"
        return None


@dataclass(frozen=True)
class DatasetInfo:
    """Facts about a cached data set, known without opening its arrays (``info.json`` beside them)."""

    name: str
    title: str
    fingerprint: str
    """SHA-256 over the decoded arrays, train then test."""
    verified: bool
    """True if the fingerprint is a known one."""
    shape: tuple[int, ...]
    scale: float
    class_names: tuple[str, ...]
    train_rows: int
    test_rows: int
    split: str
    source: str
    """The format and kind of place it was read from, without a path: ``IDX, Debian package``."""
    generated: bool = False
    """True if the harness made it from other data, instead of reading published files."""
    independent_test_rows: int | None = None
    """``Split.independent_rows`` of the test part."""

    @classmethod
    def of(cls, dataset: Dataset, fingerprint: str, *, verified: bool, source: str) -> DatasetInfo:
        """The facts about a decoded data set."""
        return cls(
            name=dataset.name,
            title=dataset.title,
            fingerprint=fingerprint,
            verified=verified,
            shape=dataset.train.shape,
            scale=dataset.train.scale,
            class_names=dataset.class_names,
            train_rows=len(dataset.train),
            test_rows=len(dataset.test),
            split=dataset.split,
            source=source,
            generated=dataset.generated,
            independent_test_rows=dataset.test.independent_rows,
        )

    def note(self) -> DatasetNote:
        """The entry for a run's manifest."""
        return DatasetNote(
            name=self.name,
            title=self.title,
            verified=self.verified,
            fingerprint=self.fingerprint,
            shape=self.shape,
            classes=self.class_names,
            train_rows=self.train_rows,
            test_rows=self.test_rows,
            split=self.split,
            generated=self.generated,
            independent_test_rows=self.independent_test_rows,
        )
