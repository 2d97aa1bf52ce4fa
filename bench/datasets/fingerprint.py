"""The fingerprint of a data set: equal for all sources of the same data."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.datasets.dataset import Dataset


def fingerprint(dataset: Dataset) -> str:
    r"""SHA-256, hexadecimal, over the decoded arrays with their types and shapes.

    For each of ``train-images``, ``train-labels``, ``test-images``, ``test-labels``, in this order, the hash takes
    the line ``"<part> <type> <shape>\n"`` in ASCII, with the type in numpy's spelling (``|u1``, ``<f4``, ``<i8``)
    and the shape joined by ``x``, then the array's bytes, C order, little-endian. The first line of MNIST is
    ``train-images |u1 60000x28x28x1``. Scale, names and titles are not hashed.
    """
    import numpy as np

    hashed = hashlib.sha256()
    parts = {
        "train-images": dataset.train.images,
        "train-labels": dataset.train.labels,
        "test-images": dataset.test.images,
        "test-labels": dataset.test.labels,
    }
    for part, array in parts.items():
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        shape = "x".join(str(length) for length in little.shape)
        hashed.update(f"{part} {little.dtype.str} {shape}\n".encode("ascii"))
        hashed.update(little.reshape(-1).view(np.uint8).data)
    return hashed.hexdigest()
