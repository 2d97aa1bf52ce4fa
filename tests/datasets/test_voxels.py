import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.datasets.voxels import volume, voxel_counts


def by_searchsorted(points: NDArray[np.float64], side: int) -> NDArray[np.int64]:
    """The published rule, word by word: edges by ``searchsorted(...) - 1``, index y*side + x + z*side*side."""
    low, high = points.min(axis=1) - 0.001, points.max(axis=1) + 0.001
    missing = max(high - low) - (high - low)
    low, high = low - missing / 2, high + missing / 2
    x, y, z = (np.searchsorted(np.linspace(low[i], high[i], side + 1), points[i]) - 1 for i in range(3))
    vector = np.zeros(side**3, np.int64)
    np.add.at(vector, y * side + x + z * side * side, 1)
    return vector.reshape(side, side, side)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3, 8, 16]), st.sampled_from([0.0, 0.25, 1e-3]))
def test_voxels_are_those_of_the_published_rule_also_for_points_between_them(
    seed: int, side: int, lattice: float
) -> None:
    points = np.random.default_rng(seed).normal(size=(3, 300)) * np.array([[1.0], [3.0], [0.1]])
    if lattice:
        points = np.round(points / lattice) * lattice  # many lie exactly on an edge
    assert np.array_equal(voxel_counts(points, side), by_searchsorted(points, side))


def test_axes_of_a_volume_are_z_y_x() -> None:
    corners = np.array([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    counts = voxel_counts(corners, 2)
    assert {index: int(counts[index]) for index in np.ndindex(2, 2, 2) if counts[index]} == {
        (0, 0, 0): 1,
        (0, 0, 1): 1,
        (0, 1, 0): 1,
        (1, 0, 0): 1,
    }


def test_a_volume_goes_from_zero_to_one_and_has_one_channel() -> None:
    points = np.array([[0.0, 1.0, 1.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    cells = volume(points, 4)
    assert cells.shape == (4, 4, 4, 1)
    assert cells.dtype == np.float32
    assert sorted(cells[cells > 0].tolist()) == pytest.approx([0.5, 1.0])


def test_points_all_in_one_place_are_one_voxel() -> None:
    cells = volume(np.full((3, 5), 7.0), 4)
    assert cells.max() == 1
    assert np.count_nonzero(cells) == 1
