"""3D MNIST's recipe: from a digit to a cloud of points on its surface, and a randomly rotated, noisy copy of it.

Source: the notebooks of 3D MNIST's author, D. de la Iglesia Castro, kept in the history of GEO-IASS/3D_Deep_Learning
(March 2017). The author gives no seed: the rotations and the noise here are drawn with one of ours, so the copies are
of the published kind, but not the published ones. Sums and products are in a fixed order, without BLAS, whose sums
differ between processors: points lie exactly between voxels, where the last bit decides.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = tuple[tuple[float, float, float], ...]

VERSION = 1
"""Raised when the same digits would give other volumes."""
SEED = 3
NOISE = 0.25
"""Largest noise, in each axis's standard deviations."""
ACROSS, DEEP = 5, 30
"""Points along an edge of a pixel's box, and through its depth."""
DEPTH = 3.0
"""Half the depth, in pixels."""


def cloud(image: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float64]:
    """Points ``(3, n)``, rows x, y, z, on the surface of a digit ``(28, 28)`` that is six pixels deep, upright.

    Their mean is 0 and their greatest extent 1. Only whether a pixel is zero matters. Raises ValueError for an image
    without ink.
    """
    import numpy as np

    ink = np.pad(image > 0, 1)
    if not ink.any():
        raise ValueError("an image without ink has no points")
    rows, columns = np.nonzero(ink)
    faces, face_of_point = _box()
    always = np.ones(len(rows), bool)
    bare = [~ink[rows + down, columns + right] for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1))]
    shown = np.stack([always, always, *bare], axis=1)[:, face_of_point]
    pixel, point = np.nonzero(shown)
    points = faces[:, point]
    points[0] += rows[pixel]
    points[1] += columns[pixel]
    return _turned(_normalised(points), _about_y(math.radians(90)))


def rotated_copy(points: NDArray[np.float64], digit: int, part: int) -> NDArray[np.float64]:
    """``points`` ``(3, n)`` rotated about all three axes, with noise added.

    Angles are normal, of deviation 90 degrees about x and y, 180 about z; the noise is uniform within a quarter of
    each axis's standard deviation. ``digit`` is the number of the digit in its ``part`` (0 training, 1 test): each has
    a stream of its own from ``numpy.random.RandomState``, which numpy promises never to change (NEP 19).
    """
    import numpy as np

    generator = np.random.RandomState([SEED, part, digit])
    x, y, z = (math.radians(float(degrees)) for degrees in generator.standard_normal(3) * (90, 90, 180))
    turned = _turned(points, _product(_product(_about_z(z), _about_y(y)), _about_x(x)))
    noise = generator.random_sample(turned.shape)
    noise -= 0.5
    noise *= 2 * NOISE * turned.std(axis=1, keepdims=True)
    turned += noise
    return turned


def volume_pair(points: NDArray[np.float64], digit: int, part: int) -> NDArray[np.float32]:
    """Volumes ``(2, 16, 16, 16, 1)`` of a digit's cloud, then of its rotated copy."""
    import numpy as np

    from bench.datasets.voxels import volume

    return np.stack([volume(points), volume(rotated_copy(points, digit, part))])


@cache
def _box() -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Points ``(3, 650)`` of a pixel's box, and the face of each: front, back, top, bottom, left, right."""
    import numpy as np

    edge, depth = np.linspace(-0.5, 0.5, ACROSS), np.linspace(-DEPTH, DEPTH, DEEP)
    near, far = np.array([-0.5]), np.array([0.5])
    sides = (
        (edge, edge, np.array([DEPTH])),
        (edge, edge, np.array([-DEPTH])),
        (near, edge, depth),
        (far, edge, depth),
        (edge, near, depth),
        (edge, far, depth),
    )
    faces = [np.array(np.meshgrid(*axes)).T.reshape(-1, 3) for axes in sides]
    return np.concatenate(faces).T.copy(), np.repeat(np.arange(len(faces)), [len(face) for face in faces])


def _normalised(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """As the author: subtract the longest axis's minimum, divide by its extent, subtract each axis's mean."""
    low = points.min(axis=1)
    extent = points.max(axis=1) - low
    longest = extent.argmax()
    points = (points - low[longest]) / extent[longest]
    means = points.cumsum(axis=1)[:, -1:] / points.shape[1]  # one after the other, as numpy sums points in rows
    centred: NDArray[np.float64] = points - means
    return centred


def _turned(points: NDArray[np.float64], matrix: Matrix) -> NDArray[np.float64]:
    """``points.T @ matrix``, transposed."""
    import numpy as np

    turned = np.empty_like(points)
    for axis, (a, b, c) in enumerate(zip(*matrix, strict=True)):
        np.multiply(points[0], a, out=turned[axis])
        turned[axis] += points[1] * b
        turned[axis] += points[2] * c
    return turned


def _product(first: Matrix, second: Matrix) -> Matrix:
    columns = tuple(zip(*second, strict=True))
    return tuple((_dot(row, columns[0]), _dot(row, columns[1]), _dot(row, columns[2])) for row in first)


def _dot(row: tuple[float, ...], column: tuple[float, ...]) -> float:
    return row[0] * column[0] + row[1] * column[1] + row[2] * column[2]


def _about_x(angle: float) -> Matrix:
    cos, sin = math.cos(angle), math.sin(angle)
    return ((1.0, 0.0, 0.0), (0.0, cos, sin), (0.0, -sin, cos))


def _about_y(angle: float) -> Matrix:
    cos, sin = math.cos(angle), math.sin(angle)
    return ((cos, 0.0, -sin), (0.0, 1.0, 0.0), (sin, 0.0, cos))


def _about_z(angle: float) -> Matrix:
    cos, sin = math.cos(angle), math.sin(angle)
    return ((cos, sin, 0.0), (-sin, cos, 0.0), (0.0, 0.0, 1.0))
