"""The arrays of a user's file as stored, and the data set made from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.datasets.class_ids import class_ids
from bench.datasets.dataset import Dataset, Split
from bench.datasets.pixels import as_images
from bench.datasets.source import BrokenFile
from bench.datasets.stratified import OWN_SPLIT, stratified_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

USERS_SPLIT = "the user's"
"""The name of a split given by the user's own files."""


@dataclass(frozen=True, eq=False)
class RawPart:
    """Images and labels of any type and shape, one label an image."""

    images: NDArray[Any]
    labels: NDArray[Any]


@dataclass(frozen=True, eq=False)
class RawParts:
    """The parts of a user's file: the training part, and the test part if it has one."""

    train: RawPart
    test: RawPart | None = None


def assemble(name: str, title: str, file: Path, parts: RawParts) -> Dataset:
    """The data set of ``parts``; without a test part the harness cuts one. Raises BrokenFile, which names ``file``."""
    held = [parts.train] if parts.test is None else [parts.train, parts.test]
    for part in held:
        if len(part.images) != len(part.labels):
            raise BrokenFile(file, f"holds {len(part.images):,} images, but {len(part.labels):,} labels.")
    try:
        pictures = [as_images(part.images) for part in held]
    except ValueError as error:
        raise BrokenFile(file, f"holds images that {error}.") from error
    try:
        ids, names = class_ids(parts.train.labels, parts.test.labels if parts.test else None)
    except ValueError as error:
        raise BrokenFile(file, f"holds labels that {error}.") from error
    scale = max(scale for _, scale in pictures)
    splits = [Split(images, labels, scale, len(names)) for (images, _), labels in zip(pictures, ids, strict=True)]
    if parts.test is not None:
        _check_alike(file, splits[0], splits[1])
        return Dataset(name, title, splits[0], splits[1], names, USERS_SPLIT)
    train_rows, test_rows = stratified_rows(ids[0], file)
    return Dataset(name, title, splits[0].take(train_rows), splits[0].take(test_rows), names, OWN_SPLIT)


def _check_alike(file: Path, train: Split, test: Split) -> None:
    if train.shape != test.shape:
        raise BrokenFile(file, f"holds training images of shape {train.shape}, but test images of {test.shape}.")
    if train.images.dtype != test.images.dtype:
        raise BrokenFile(file, "holds training images and test images of which only one are whole numbers.")
