"""The base of MNIST and its drop-in replacements: 28x28 bytes in four IDX files, Keras' npz, or OpenML's ARFF.

Or pictures in class folders, as in the common unpacked copies.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench.datasets.dataset import Dataset
from bench.datasets.definition import DatasetDefinition
from bench.datasets.download import Bundle, RemoteFile
from bench.datasets.labels import check_images, checked, row_of
from bench.datasets.source import OTHER, BrokenFile, Source, first_file, missing_file

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
PICTURES, SOME_PICTURES = "image folders", "image folders, a part"
"""The formats of pictures: as many as were published, or another number."""
PICTURE_ENDINGS = ("", "png", "jpg", "jpeg", "images")
"""Endings of a picture folder after the data set's name; letters and digits only."""
SIDE = 28


class MnistLike(DatasetDefinition):
    """A data set of 28x28 grey images that is distributed in MNIST's files."""

    npz_files: ClassVar[tuple[str, ...]]
    """File names of its npz archive."""
    arff_files: ClassVar[tuple[str, ...]] = ()
    """Names of OpenML's file, without ``.gz``; it holds the rows of both parts, as many as ``rows`` says."""
    # All pictures in another order than published have an unknown fingerprint; too few are not the published data
    known_formats = frozenset({"IDX", "npz", ARFF, SOME_PICTURES})

    def find(self, folder: Path) -> Iterator[Source]:
        """Four IDX files, then an archive, then OpenML's file, gzipped or not, then pictures in folders of classes.

        Raises BrokenFile for one to three IDX files, and for pictures of one part or of an unknown class.
        """
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
        if pictures := self._pictures_in(folder):
            yield pictures
        if 0 < len(present) < len(IDX_FILES):
            raise missing_file([folder / f"{name}.gz" for name in IDX_FILES], found)

    def read(self, source: Source) -> Dataset:
        """Images uint8 ``(n, 28, 28, 1)``."""
        if source.format == "npz":
            train, test = self._read_npz(source.files[0])
        elif source.format == ARFF:
            train, test = self._read_arff(source.files[0])
        elif source.format in (PICTURES, SOME_PICTURES):
            train, test = self._read_pictures(source.files)
        else:
            from bench.datasets.idx import read_pair

            classes = len(self.class_names)
            train = read_pair(source.files[0], source.files[1], classes)
            test = read_pair(source.files[2], source.files[3], classes)
        for (images, _), file in ((train, source.files[0]), (test, source.files[len(source.files) // 2])):
            check_images(file, images, SIDE)
        return self.dataset(train=train, test=test, scale=255)

    def _pictures_in(self, folder: Path) -> Source | None:
        """``train/<class>/*.png`` and ``test/<class>/*.png``, in a folder that has the data set's name.

        Such folders of any other name may hold anything: many data sets have digits as classes.
        """
        from bench.datasets.image_folder import numbered_files, part_folders

        found = part_folders(folder)
        if not any(found) or not self._is_named_like(folder):
            return None
        if not all(found):
            raise missing_file([folder / "train", folder / "test"], found)
        parts = [numbered_files(part) for part in found if part]
        for part, files in zip(found, parts, strict=True):
            if part and not files:
                raise BrokenFile(part, "holds no images in folders of classes.", OTHER)
        for group in dict.fromkeys(file.parent for files in parts for file in files):
            self._class_of(group)
        whole = self.rows is None or tuple(map(len, parts)) == self.rows
        return Source((*parts[0], *parts[1]), PICTURES if whole else SOME_PICTURES)

    def _is_named_like(self, folder: Path) -> bool:
        called, name = _letters(os.path.basename(os.path.abspath(folder))), _letters(self.name)
        return called in {name + ending for ending in PICTURE_ENDINGS}

    def _class_of(self, folder: Path) -> int:
        """Class by name, ignoring all but letters and digits, or by number. Raises BrokenFile."""
        called, names = _letters(folder.name), [_letters(name) for name in self.class_names]
        if called in names:
            return names.index(called)
        if re.fullmatch("[0-9]{1,3}", folder.name) and int(folder.name) < len(names):
            return int(folder.name)
        known = ", ".join(self.class_names)
        problem = f"is the name of no class of {self.title}; {known}, or their numbers, expected."
        raise BrokenFile(folder, problem, OTHER)

    def _read_pictures(
        self, files: tuple[Path, ...]
    ) -> tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]:
        """``files`` lie in class folders in the folder of their part; those of the training part come first."""
        import numpy as np

        from bench.datasets.image_folder import read_grey

        train = files[0].parent.parent
        border = next(at for at, file in enumerate(files) if file.parent.parent != train)
        classes = {group.name: self._class_of(group) for group in {file.parent for file in files}}
        read = [read_grey(part, SIDE) for part in (files[:border], files[border:])]
        first, second = (
            (part.images, np.array([classes[name] for name in part.labels.tolist()], np.int64)) for part in read
        )
        return first, second

    def _read_arff(self, file: Path) -> tuple[tuple[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]:
        """The rows of the training part, then those of the test part."""
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
            raise BrokenFile(file, "holds no test part: x_train, y_train, x_test and y_test expected.", OTHER)
        return self._checked(file, "train", parts.train), self._checked(file, "test", parts.test)

    def _checked(self, file: Path, part: str, raw: RawPart) -> tuple[NDArray[Any], NDArray[Any]]:
        import numpy as np

        images, labels = raw.images, raw.labels
        if images.ndim != 3 or images.dtype != np.uint8 or labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise BrokenFile(
                file,
                f"holds x_{part} {images.dtype} {images.shape} and y_{part} {labels.dtype} {labels.shape}; "
                "uint8 (n, 28, 28) and integers (n,) expected.",
                OTHER,
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


def _letters(name: str) -> str:
    """Only letters and digits, in lower case."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def idx_files(folder: Path) -> list[Path | None]:
    """The files of ``IDX_FILES`` in ``folder``, None for each that is missing."""
    return [_existing(folder, name) for name in IDX_FILES]


def _existing(folder: Path, name: str) -> Path | None:
    """The file under one of the names in use: ``-idx3`` or ``.idx3``, plain or gzipped."""
    dotted = name.replace("-idx", ".idx")
    return first_file(folder, (name, f"{name}.gz", dotted, f"{dotted}.gz"))
