"""What MNIST and its drop-in replacements share: 28x28 bytes in four IDX files, Keras' npz, or OpenML's ARFF."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench.datasets.dataset import Dataset
from bench.datasets.definition import DatasetDefinition
from bench.datasets.download import Bundle, RemoteFile
from bench.datasets.labels import check_images, checked, row_of
from bench.datasets.source import BrokenFile, Source, first_file, missing_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.datasets.parts import RawPart

IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
ARFF = "OpenML ARFF"
SIDE = 28


class MnistLike(DatasetDefinition):
    """A data set of 28x28 grey images that is distributed in MNIST's files."""

    npz_files: ClassVar[tuple[str, ...]]
    """Names its npz archive goes by."""
    arff_files: ClassVar[tuple[str, ...]] = ()
    """Names that OpenML's file goes by, without ``.gz``; its rows are those of both parts, as many as ``rows`` says."""

    def find(self, folder: Path) -> Iterator[Source]:
        """Four IDX files, then an archive, then OpenML's file, gzipped or not. Three IDX files are a BrokenFile."""
        found = idx_files(folder)
        present = tuple(file for file in found if file is not None)
        if len(present) == len(IDX_FILES):
            yield Source(present, "IDX")
        for name in self.npz_files:
            if os.path.isfile(folder / name):
                yield Source((folder / name,), "npz")
        for name in self.arff_files:
            if file := first_file(folder, (name, f"{name}.gz")):
                yield Source((file,), ARFF)
        if 0 < len(present) < len(IDX_FILES):
            raise missing_file([folder / f"{name}.gz" for name in IDX_FILES], found)

    def read(self, source: Source) -> Dataset:
        """Images uint8 ``(n, 28, 28, 1)``."""
        if source.format == "npz":
            train, test = self._read_npz(source.files[0])
        elif source.format == ARFF:
            train, test = self._read_arff(source.files[0])
        else:
            from bench.datasets.idx import read_pair

            classes = len(self.class_names)
            train = read_pair(source.files[0], source.files[1], classes)
            test = read_pair(source.files[2], source.files[3], classes)
        for (images, _), file in ((train, source.files[0]), (test, source.files[len(source.files) // 2])):
            check_images(file, images, SIDE)
        return self.dataset(train=train, test=test, scale=255)

    def _read_arff(self, file: Path) -> tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]:
        """The rows of the training part, and those of the test part behind them."""
        from bench.datasets.arff import read_arff

        if self.rows is None:
            raise ValueError(f"{self.name} has arff_files, but not the rows of its parts")
        first, rows = self.rows[0], sum(self.rows)
        table = read_arff(file, rows=rows, pixels=SIDE * SIDE, classes=len(self.class_names))
        images = table.pixels.reshape(-1, SIDE, SIDE, 1)
        return (images[:first], table.labels[:first]), (images[first:], table.labels[first:])

    def _read_npz(self, file: Path) -> tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]:
        from bench.datasets.npz import read_npz

        parts = read_npz(file)
        if parts.test is None:
            raise BrokenFile(file, "holds no test part: x_train, y_train, x_test and y_test expected.")
        return self._checked(file, "train", parts.train), self._checked(file, "test", parts.test)

    def _checked(self, file: Path, part: str, raw: RawPart) -> tuple[NDArray[Any], NDArray[Any]]:
        import numpy as np

        images, labels = raw.images, raw.labels
        if images.ndim != 3 or images.dtype != np.uint8 or labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise BrokenFile(
                file,
                f"holds x_{part} {images.dtype} {images.shape} and y_{part} {labels.dtype} {labels.shape}; "
                "uint8 (n, 28, 28) and integers (n,) expected.",
            )
        if len(images) != len(labels):
            raise BrokenFile(file, f"holds {len(images):,} images in x_{part}, but {len(labels):,} labels in y_{part}.")
        return images[..., None], checked(file, labels, range(len(self.class_names)), row_of(f"y_{part}"))


def idx_bundle(mirrors: tuple[str, ...], files: Mapping[str, tuple[int, str]]) -> Bundle:
    """The four gzipped IDX files below each of ``mirrors``; ``files`` gives size in bytes and SHA-256 by name."""
    return Bundle(
        tuple(
            RemoteFile(name, tuple(mirror + name for mirror in mirrors), size, sha256)
            for name, (size, sha256) in files.items()
        )
    )


def idx_files(folder: Path) -> list[Path | None]:
    """The files of ``IDX_FILES`` in ``folder``, None for each that is missing."""
    return [_existing(folder, name) for name in IDX_FILES]


def _existing(folder: Path, name: str) -> Path | None:
    """The file under one of the names in use: ``-idx3`` or ``.idx3``, plain or gzipped."""
    dotted = name.replace("-idx", ".idx")
    return first_file(folder, (name, f"{name}.gz", dotted, f"{dotted}.gz"))
