"""Near duplicates are found, and what only looks alike is not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.datasets import near_duplicates
from bench.datasets.catalog import load, resolve
from bench.datasets.near_duplicates import Pictures, near_pairs


def pictures(images: NDArray[Any], scale: float = 255) -> Pictures:
    return Pictures(images, scale, np.arange(len(images)))


def found(images: NDArray[Any], scale: float = 255) -> set[tuple[int, int]]:
    pairs = near_pairs(pictures(images, scale))
    return set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))


def scenes(rows: int, shape: tuple[int, ...], seed: int = 0) -> NDArray[np.uint8]:
    """Smooth random pictures that fill their frame, like photographs."""
    generator = np.random.default_rng(seed)
    values = np.zeros((rows, *shape), np.float64)
    places = np.meshgrid(*(np.linspace(0, 1, side) for side in shape[:-1]), indexing="ij")
    for row in range(rows):
        for _ in range(12):
            waves = sum(one * generator.normal(0, 9) for one in places)
            values[row] += generator.normal(0, 25, shape[-1]) * np.cos(waves + generator.uniform(0, 6))[..., None]
    return (values + 128).clip(0, 255).astype(np.uint8)


def cut(larger: NDArray[np.uint8], corner: tuple[int, ...], side: int) -> NDArray[np.uint8]:
    return larger[tuple(slice(start, start + side) for start in corner)]


@pytest.mark.parametrize(("side", "axes", "channels"), [(28, 2, 1), (28, 2, 3), (64, 2, 3), (16, 3, 1)])
def test_a_shifted_brighter_copy_is_found_in_grey_in_colour_and_in_volumes(side: int, axes: int, channels: int) -> None:
    step = 2 if side >= 20 else 1
    larger = scenes(40, (*[side + 2] * axes, channels))
    images = np.stack([cut(one, (0,) * axes, side) for one in larger])
    images[30] = cut(larger[3], (step, *[1] * (axes - 1)), side) * 0.9 + 12  # the same scene, seen a little aside
    assert found(images) == {(3, 30)}


def test_pictures_of_one_colour_are_near_to_nothing() -> None:
    images = np.concatenate([np.full((3, 28, 28, 1), level, np.uint8) for level in (0, 128, 255)])
    assert found(images) == set()


def test_each_pair_is_found_once_and_with_its_rows_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_duplicates, "BLOCK", 2**12)
    images = scenes(60, (28, 28, 1))
    for row in range(5):
        images[50 + row] = np.roll(images[row * 9], (0, 0), (0, 1)) // 2 + 20
    assert found(images) == {(row * 9, 50 + row) for row in range(5)}
    left, right = Pictures(images, 255, np.arange(50)), Pictures(images, 255, np.arange(50, 60))
    pairs = near_pairs(left, right)
    assert set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)) == {(row * 9, 50 + row) for row in range(5)}


def test_a_shift_by_five_pixels_is_another_picture() -> None:
    larger = scenes(20, (34, 34, 1))
    images = larger[:, :28, :28].copy()
    images[15] = larger[2, 5:33, :28]
    assert found(images) == set()


@pytest.mark.data
def test_fifty_copies_planted_in_mnist_are_found_and_no_pair_beside_them(data_dir: Path) -> None:
    generator = np.random.default_rng(1)
    images = load(resolve("mnist", data_dir=data_dir).folder).train.images[:20_000].copy()
    originals, copies = generator.permutation(10_000)[:50], 10_000 + generator.permutation(10_000)[:50]
    for original, copy in zip(originals, copies, strict=True):
        shift = (0, 0)
        while shift == (0, 0):
            shift = tuple(generator.integers(-2, 3, 2))
        shifted = np.roll(images[original], shift, (0, 1)) * generator.uniform(0.85, 1.15)
        images[copy] = shifted.clip(0, 255).astype(np.uint8)
    assert found(images) == set(zip(originals.tolist(), copies.tolist(), strict=True))
