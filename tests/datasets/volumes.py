"""Small files of 3D MNIST in the published layouts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray


def vectors(rows: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Sparse random volumes in 0..1, and labels 0 to 9 in turn."""
    generator = np.random.default_rng(seed)
    filled = generator.random((rows, 4096)) < 0.05
    return np.where(filled, generator.random((rows, 4096)), 0.0), np.arange(rows) % 10


def write_vectors(file: Path, replaced: Mapping[str, Any] | None = None) -> Path:
    """``full_dataset_vectors.h5`` with 20 and 10 volumes, some arrays replaced by others or, by None, left out."""
    arrays: dict[str, Any] = dict(zip(("X_train", "y_train"), vectors(20, 0), strict=True))
    arrays |= dict(zip(("X_test", "y_test"), vectors(10, 1), strict=True))
    file.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(file, "w") as opened:
        for name, values in (arrays | dict(replaced or {})).items():
            if values is not None:
                opened.create_dataset(name, data=values, compression="gzip")
    return file


def write_clouds(file: Path, clouds: list[NDArray[np.float64]], labels: list[Any]) -> Path:
    """``train_point_clouds.h5``: a group for each cloud ``(3, n)``, its points in rows, the label an attribute."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(file, "w") as opened:
        for number, (points, label) in enumerate(zip(clouds, labels, strict=True)):
            group = opened.create_group(str(number))
            group.create_dataset("img", data=np.zeros((30, 30)), compression="gzip")
            group.create_dataset("points", data=points.T, compression="gzip")
            group.create_dataset("normals", data=np.zeros(points.T.shape), compression="gzip")
            group.attrs["label"] = label
    return file
