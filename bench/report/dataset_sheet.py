"""A data set at a glance: shapes, ranges, counts per class, and its first images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.datasets.catalog import DATASETS, definition_of
from bench.datasets.dataset import Dataset, DatasetInfo, Split
from bench.report.document import Document, Facts, Heading, plain
from bench.report.inspection import class_table, facts
from bench.report.numbers import DASH

if TYPE_CHECKING:
    from bench.datasets.definition import DatasetDefinition
    from bench.report.picture_file import Sheet

BLOCK = 2**24
VOLUME_AXES = 4
"""Axes of one volume, channels included."""


class Glance:
    """A data set and the first ``images`` of its training images, as text or as a sheet of a PNG file."""

    def __init__(self, info: DatasetInfo, dataset: Dataset, images: int) -> None:
        from bench.report.pictures import as_pictures

        self._info, self._dataset = info, dataset
        self._definition = definition_of(info.name) if info.name in DATASETS else None
        rows, self._called = first_rows(dataset.train, images)
        if len(dataset.train.shape) == VOLUME_AXES:
            self._called += ", seen along their last axis"
        self._pictures = as_pictures(dataset.train.images[rows], dataset.train.scale)
        self._labels = [plain(dataset.class_names[label]) for label in dataset.train.labels[rows].tolist()]

    def text(self, columns: int, *, color: bool, colors: int | None, pictures: bool) -> str:
        """The arrays' shapes, ranges and class counts, within ``columns``; with ``pictures``, the images too.

        ``colors`` is the number the pictures may use, None for none.
        """
        from bench.report.pictures import terminal_pictures
        from bench.report.terminal import text

        blocks = list(document(self._info, self._dataset, self._definition))
        if not pictures:
            return text(blocks, color=color, columns=columns)
        drawn = terminal_pictures(self._pictures, self._labels, colors=colors, columns=columns)
        return text([*blocks, Heading(self._called, 3)], color=color, columns=columns) + "\n" + drawn

    def sheet(self) -> Sheet:
        """The images with their labels, under the title; licence and citation if the data set is catalogued."""
        from bench.report.picture_file import Sheet

        known = self._definition
        credit = " · ".join(part for part in (f"licence: {known.licence}", known.citation) if part) if known else ""
        return Sheet(self._pictures, self._labels, f"{plain(self._dataset.title)}: {self._called}", credit)


def document(info: DatasetInfo, dataset: Dataset, definition: DatasetDefinition | None) -> Document:
    """The arrays' shapes, ranges and class counts; licence and citation of a catalogued data set."""
    import numpy as np

    counts = [np.bincount(part.labels, minlength=part.classes).tolist() for part in (dataset.train, dataset.test)]
    entries = [*facts(info).entries, *_arrays(dataset)]
    if definition is not None:
        entries.append(("licence", (definition.licence,)))
        if definition.citation:
            entries.append(("citation", (definition.citation,)))
    return [Heading(plain(info.title), 1), Facts(tuple(entries)), class_table(info.class_names, counts[0], counts[1])]


def first_rows(part: Split, images: int) -> tuple[list[int], str]:
    """The first rows, and words for them; if rows are sorted by class, the first of each class in turn.

    With fewer images than classes: the first classes.

    Rows count as sorted if the first ``images`` hold less than half of the classes they could.
    """
    import numpy as np

    if 2 * len(np.unique(part.labels[:images])) >= min(images, part.classes):
        return list(range(min(images, len(part)))), "the first training images"
    rank = np.empty(len(part), np.int64)
    for class_id in range(part.classes):
        members = np.flatnonzero(part.labels == class_id)
        rank[members] = np.arange(len(members))
    classes = len(np.unique(part.labels))
    called = "of each class" if images >= classes else f"of {images} of the {classes} classes"
    return np.lexsort((part.labels, rank))[:images].tolist(), f"the first training images {called}"


def _arrays(dataset: Dataset) -> list[tuple[str, tuple[str, ...]]]:
    entries: list[tuple[str, tuple[str, ...]]] = []
    for name, part in (("train", dataset.train), ("test", dataset.test)):
        low, high, mean, deviation = spread(part)
        shape = ", ".join(map(str, part.images.shape))
        entries.append(
            (
                name,
                (
                    f"images ({shape}) {part.images.dtype}, {low:g}{DASH}{high:g}, {part.scale:g} means 1.0; "
                    f"scaled: mean {mean:.4f}, deviation {deviation:.4f}",
                    f"labels ({len(part)},) {part.labels.dtype}, {part.labels.min()}{DASH}{part.labels.max()}",
                ),
            )
        )
    return entries


def spread(part: Split) -> tuple[float, float, float, float]:
    """Lowest and highest value as stored, and mean and standard deviation in units of the scale; in blocks."""
    import numpy as np

    size = max(1, BLOCK // int(np.prod(part.shape)))
    low, high, total, squares = np.inf, -np.inf, 0.0, 0.0
    for start in range(0, len(part), size):
        block = part.images[start : start + size]
        low, high = min(low, float(block.min())), max(high, float(block.max()))
        scaled = block.astype(np.float32) / np.float32(part.scale)
        total += float(scaled.sum(dtype=np.float64))
        squares += float(np.square(scaled, out=scaled).sum(dtype=np.float64))
    mean = total / part.images.size
    return low, high, mean, float(np.sqrt(max(0.0, squares / part.images.size - mean**2)))
