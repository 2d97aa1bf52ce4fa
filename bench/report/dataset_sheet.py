"""A data set at a glance: shapes, ranges and counts per class, as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.datasets.dataset import Dataset, DatasetInfo, Split
from bench.report.document import Document, Facts, Heading
from bench.report.inspection import class_table, facts
from bench.report.numbers import DASH

if TYPE_CHECKING:
    from bench.datasets.definition import DatasetDefinition

BLOCK = 2**24


def document(info: DatasetInfo, dataset: Dataset, definition: DatasetDefinition | None) -> Document:
    """What the arrays are and hold; licence and citation where the data set is a catalogued one."""
    import numpy as np

    counts = [np.bincount(part.labels, minlength=part.classes).tolist() for part in (dataset.train, dataset.test)]
    entries = [*facts(info).entries, *_arrays(dataset)]
    if definition is not None:
        entries.append(("licence", (definition.licence,)))
        if definition.citation:
            entries.append(("citation", (definition.citation,)))
    return [Heading(info.title, 1), Facts(tuple(entries)), class_table(info.class_names, counts[0], counts[1])]


def first_rows(part: Split, images: int) -> tuple[list[int], str]:
    """The first rows, and what they are called; where rows are sorted by class, the first of each class in turn.

    Sorted are those whose first ``images`` hold less than half of the classes they could.
    """
    import numpy as np

    if 2 * len(np.unique(part.labels[:images])) >= min(images, part.classes):
        return list(range(min(images, len(part)))), "the first training images"
    rank = np.empty(len(part), np.int64)
    for class_id in range(part.classes):
        members = np.flatnonzero(part.labels == class_id)
        rank[members] = np.arange(len(members))
    return np.lexsort((part.labels, rank))[:images].tolist(), "the first training images of each class"


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
