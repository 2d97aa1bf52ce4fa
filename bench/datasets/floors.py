"""The floors of a data set: scores of three methods without training, which a model must beat.

Distances are Euclidean over raw pixels. Everything runs in blocks, one matrix product each, so that memory does not
grow with the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.datasets.dataset import Split
from bench.manifest import Floor, FloorMethod

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Labels = NDArray[np.int64]

VERSION = 1
"""Raised when the same rows would give other floors, so that stored ones are recomputed."""
MOST_TESTED = 10_000
"""Most test rows for 1-NN: its work grows with the product of both parts."""
BLOCK = 2**23
"""Values in a block: 32 MiB as float32."""


def floors(train: Split, test: Split) -> tuple[Floor, ...]:
    """All three floors, cheapest first; 1-NN on a fixed sample of at most ``MOST_TESTED`` test rows."""
    import numpy as np

    majority = np.full(len(test), np.bincount(train.labels).argmax())
    rows = sample(len(test), MOST_TESTED)
    return (
        _floor("majority", test.labels, majority),
        _floor("nearest centroid", test.labels, nearest_centroid(train, test)),
        _floor("1-NN", test.labels[rows], nearest_neighbour(train, test, rows)),
    )


def nearest_centroid(train: Split, test: Split) -> Labels:
    """The class with the nearest mean training image, by test row."""
    import numpy as np

    counts = np.bincount(train.labels, minlength=train.classes)
    sums = np.zeros((train.classes, int(np.prod(train.shape))))
    for rows, block in _blocks(train):
        labels = train.labels[rows]
        members = np.zeros((train.classes, len(labels)), np.float32)
        members[labels, np.arange(len(labels))] = 1
        sums += members @ block
    with np.errstate(invalid="ignore"):
        centroids = (sums / counts[:, None]).astype(np.float32)
    # the length of the test row itself is the same for all classes
    lengths = np.where(counts > 0, (centroids**2).sum(axis=1), np.inf)
    centroids = np.nan_to_num(centroids)
    return np.concatenate([(lengths - 2 * (block @ centroids.T)).argmin(axis=1) for _, block in _blocks(test)])


def nearest_neighbour(train: Split, test: Split, rows: Labels) -> Labels:
    """The label of the nearest training image, for each of ``rows`` of the test part; ties go to any."""
    import numpy as np

    middle = _middle(train)  # distances of centred values lose less to float32
    found: list[Labels] = []
    for _, asked in _blocks(test, rows):
        asked -= middle
        nearest = np.full(len(asked), np.inf, np.float32)
        label = np.zeros(len(asked), np.int64)
        for held, block in _blocks(train):
            block -= middle
            distance = asked @ block.T
            distance *= -2
            distance += np.einsum("ij,ij->i", block, block)
            best = distance.argmin(axis=1)
            value = distance[np.arange(len(asked)), best]
            closer = value < nearest
            nearest[closer] = value[closer]
            label[closer] = train.labels[held][best[closer]]
        found.append(label)
    return np.concatenate(found)


def sample(rows: int, most: int) -> Labels:
    """``most`` of ``rows`` in increasing order, always the same ones; all if ``rows`` is smaller."""
    import numpy as np

    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.RandomState(1).permutation(rows)[:most])  # a stream that never changes (NEP 19)


def _floor(method: FloorMethod, labels: Labels, answered: Labels) -> Floor:
    import numpy as np

    right = answered == labels
    counts = np.bincount(labels)
    recalls = np.bincount(labels, weights=right)[counts > 0] / counts[counts > 0]
    return Floor(
        method=method,
        accuracy=float(right.mean()),
        balanced_accuracy=float(recalls.mean()),
        tested_rows=len(labels),
    )


def _blocks(split: Split, rows: Labels | None = None) -> Iterator[tuple[Labels, NDArray[np.float32]]]:
    """Row numbers and their images ``(rows, values)`` in units of the scale, a block at a time."""
    import numpy as np

    wanted = np.arange(len(split)) if rows is None else rows
    values = int(np.prod(split.shape))
    size = min(4096, max(1, BLOCK // values))
    for start in range(0, len(wanted), size):
        chosen = wanted[start : start + size]
        block = split.images[chosen].reshape(len(chosen), values).astype(np.float32)
        block /= np.float32(split.scale)
        yield chosen, block


def _middle(split: Split) -> NDArray[np.float32]:
    import numpy as np

    total = np.zeros(int(np.prod(split.shape)))
    for _, block in _blocks(split):
        total += block.sum(axis=0, dtype=np.float64)
    return (total / len(split)).astype(np.float32)
