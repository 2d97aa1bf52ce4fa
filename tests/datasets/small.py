"""Small data sets in the formats under test, written byte by byte and not with the code under test."""

import gzip
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.datasets.fingerprint import fingerprint
from bench.datasets.mnist_like import IDX_FILES, MnistLike


class Tiny(MnistLike):
    """MNIST's files with 20 training and 10 test images."""

    name = "tiny"
    title = "Tiny"
    licence = "none"
    class_names = tuple("0123456789")
    npz_files = ("tiny.npz",)


def idx_bytes(shape: Sequence[int], payload: bytes, magic: int | None = None) -> bytes:
    """An IDX file of unsigned bytes: 0x0800 plus the number of axes, the axes' lengths, the values."""
    return struct.pack(f">{1 + len(shape)}I", 0x0800 + len(shape) if magic is None else magic, *shape) + payload


def digits(rows: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Random 28x28 images, and labels 0 to 9 in turn."""
    images = np.random.default_rng(seed).integers(0, 256, (rows, 28, 28), dtype=np.uint8)
    return images, (np.arange(rows) % 10).astype(np.uint8)


def write_idx(folder: Path, *, zipped: bool = True, seed: int = 0) -> Path:
    """The four files of ``Tiny``."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: list[NDArray[Any]] = [*digits(20, seed), *digits(10, seed + 1)]
    for name, array in zip(IDX_FILES, arrays, strict=True):
        content = idx_bytes(array.shape, array.tobytes())
        if zipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


def write_npz(file: Path, *, seed: int = 0) -> Path:
    """The same data as ``write_idx`` in Keras' layout."""
    file.parent.mkdir(parents=True, exist_ok=True)
    (x_train, y_train), (x_test, y_test) = digits(20, seed), digits(10, seed + 1)
    np.savez(file, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return file


def fingerprint_of(folder: Path) -> str:
    """The fingerprint of what ``write_idx`` wrote."""
    definition = Tiny()
    return fingerprint(definition.read(next(definition.find(folder))))
