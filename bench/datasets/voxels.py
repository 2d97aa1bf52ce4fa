"""Volumes from clouds of points: relative point counts in the voxels of a cube around the cloud.

As 3D MNIST's author does it, with pyntcloud's ``VoxelGrid``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MARGIN = 0.001
"""Widening of the bounding box on each side, so that no point lies on its border."""


def voxel_counts(points: NDArray[np.float64], side: int) -> NDArray[np.int64]:
    """Number of ``points``, ``(3, n)`` in rows x, y, z, in each voxel: ``(side, side, side)``, axes z, y, x.

    The grid is a cube about the middle of the widened bounding box, as long as its longest side. A point between two
    voxels counts for the lower one.
    """
    import numpy as np

    low, high = points.min(axis=1) - MARGIN, points.max(axis=1) + MARGIN
    widening = ((high - low).max() - (high - low)) / 2
    low, high = low - widening, high + widening
    index = np.zeros(points.shape[1], np.intp)
    for axis in (2, 1, 0):
        index *= side
        index += _bins(points[axis], np.linspace(low[axis], high[axis], side + 1))
    return np.bincount(index, minlength=side**3).reshape(side, side, side)


def volume(points: NDArray[np.float64], side: int = 16) -> NDArray[np.float32]:
    """The counts of ``points`` divided by the greatest: ``(side, side, side, 1)`` from 0 to 1, axes z, y, x."""
    import numpy as np

    counts = voxel_counts(points, side)
    shares: NDArray[np.float32] = (counts / counts.max()).astype(np.float32)
    return shares[..., None]


def _bins(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.intp]:
    """``edges.searchsorted(values) - 1`` for evenly spaced edges around all values, several times faster.

    The computed bin may be off by one for a value at an edge, so it is checked against the edges themselves.
    """
    import numpy as np

    scaled = values - edges[0]
    scaled *= (len(edges) - 1) / (edges[-1] - edges[0])
    bins: NDArray[np.intp] = scaled.astype(np.intp)
    np.minimum(bins, len(edges) - 2, out=bins)
    bins -= values <= edges.take(bins)
    bins += values > edges.take(bins + 1)
    return bins
