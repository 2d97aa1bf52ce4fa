"""``qmnist``: MNIST rebuilt from NIST's originals, with the 50,000 test digits that MNIST left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bench.datasets.dataset import Dataset
from bench.datasets.definition import DatasetDefinition
from bench.datasets.download import Bundle, RemoteFile
from bench.datasets.source import BrokenFile, Source, first_file, missing_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILES = (
    "qmnist-train-images-idx3-ubyte",
    "qmnist-train-labels-idx2-int",
    "qmnist-test-images-idx3-ubyte",
    "qmnist-test-labels-idx2-int",
)
MIRROR = "https://raw.githubusercontent.com/facebookresearch/qmnist/master/"
COLUMNS = 8
"""Numbers per label: the first is the class, the third the writer (README of facebookresearch/qmnist, 2.2)."""
CLASS, WRITER = 0, 2


class Qmnist(DatasetDefinition):
    """60,000 training digits and 60,000 test digits, the first 10,000 of them MNIST's own; groups are the writers."""

    name = "qmnist"
    title = "QMNIST"
    licence = "BSD 3-Clause"
    citation = "C. Yadav, L. Bottou, Cold Case: The Lost MNIST Digits, arXiv:1905.10498, 2019"
    class_names = tuple("0123456789")
    rows = (60_000, 60_000)
    folders = ("qmnist", "QMNIST", "QMNIST/raw", "qmnist/raw")
    downloads = (
        # MD5: torchvision 0.29.2 (datasets/mnist.py); sizes: git-annex keys of datasets-mila/datasets--qmnist
        Bundle(
            tuple(
                RemoteFile(f"{name}.gz", (f"{MIRROR}{name}.gz",), size, sha256="", md5=md5)
                for name, size, md5 in zip(
                    FILES,
                    (9_704_059, 463_024, 9_742_279, 526_800),
                    (
                        "ed72d4157d28c017586c42bc6afe6370",
                        "0058f8dd561b90ffdd0f734c6a30e5e4",
                        "1394631089c404de565df7b7aeaf9412",
                        "5b5b05890a5e13444e108efe57b788aa",
                    ),
                    strict=True,
                )
            )
        ),
    )

    def find(self, folder: Path) -> Iterator[Source]:
        """Four IDX files, gzipped or not. Raises BrokenFile for fewer."""
        found = [first_file(folder, (name, f"{name}.gz")) for name in FILES]
        present = tuple(file for file in found if file)
        if len(present) == len(FILES):
            yield Source(present, "IDX")
        elif present:
            raise missing_file([folder / f"{name}.gz" for name in FILES], found)

    def read(self, source: Source) -> Dataset:
        """Images uint8 ``(n, 28, 28, 1)``."""
        train, train_writers = self._part(*source.files[:2])
        test, test_writers = self._part(*source.files[2:])
        return self.dataset(train=train, test=test, scale=255, groups=(train_writers, test_writers))

    def _part(
        self, images: Path, labels: Path
    ) -> tuple[tuple[NDArray[np.uint8], NDArray[np.int64]], NDArray[np.int64]]:
        import numpy as np

        from bench.datasets.idx import read_idx, read_idx_integers
        from bench.datasets.labels import check_counts, check_images, checked

        pixels, table = read_idx(images, axes=3), read_idx_integers(labels, axes=2)
        check_images(images, pixels, 28)
        if table.shape[1] != COLUMNS:
            raise BrokenFile(labels, f"holds {table.shape[1]} numbers a label; {COLUMNS} expected.")
        check_counts(images, pixels, table, labels)
        ids = checked(labels, table[:, CLASS], range(len(self.class_names)))
        return (pixels[..., None], ids), table[:, WRITER].astype(np.int64)
