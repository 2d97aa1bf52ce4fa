"""``sign-language-mnist``: 34,627 hands that show letters of American Sign Language, 28x28 grey."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bench.datasets.dataset import Dataset
from bench.datasets.definition import DatasetDefinition
from bench.datasets.download import Bundle, kaggle_file
from bench.datasets.hmnist import find_packed
from bench.datasets.packed import unpacked
from bench.datasets.source import Source, missing_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TABLES = ("sign_mnist_train.csv", "sign_mnist_test.csv")
ARCHIVES = ("sign-language-mnist.zip", "archive.zip")
KAGGLE = "datamunge/sign-language-mnist/versions/1"
SIDE = 28
NO_J = 9
"""J, the tenth letter, is drawn in the air, as Z is: pictures show neither, and the stored labels leave 9 out."""
LAST = 24


class SignLanguage(DatasetDefinition):
    """Two tables, ``label,pixel1,…,pixel784``, in the parts their author gave.

    The training part was made from 1,704 photographs by small changes, so its rows come in near copies: a validation
    part cut from it looks easier than the test part, whose photographs differ.
    """

    name = "sign-language-mnist"
    title = "Sign Language MNIST"
    licence = "CC0 1.0"
    citation = "tecperson, Sign Language MNIST, Kaggle datamunge/sign-language-mnist, version 1, 2017"
    class_names = tuple("ABCDEFGHIKLMNOPQRSTUVWXY")
    rows = (27_455, 7_172)
    folders = ("sign-language-mnist", "sign_language_mnist", "sign_mnist")
    downloads = (
        # Sizes and hashes of a public copy in another repository (Git LFS); line ends may differ from Kaggle's
        Bundle(
            (
                kaggle_file(
                    KAGGLE, TABLES[0], 83_253_609, "b7ff39ad5f1210fa765ce11aa5f20c2e97fe467ffc22231aac923c863eef75c4"
                ),
                kaggle_file(
                    KAGGLE, TABLES[1], 21_770_312, "178c0dd21c4b0e86d58df12f14ea1e9efa795ad19d146802b3b28094a16d56ae"
                ),
            )
        ),
    )

    def find(self, folder: Path) -> Iterator[Source]:
        """The two tables, plain, gzipped or zipped. Raises BrokenFile for one alone."""
        found = [find_packed(folder, name, ARCHIVES) for name in TABLES]
        present = tuple(file for file in found if file is not None)
        if len(present) == len(TABLES):
            yield Source(present, "CSV")
        elif present:
            raise missing_file([folder / name for name in TABLES], found)

    def read(self, source: Source) -> Dataset:
        """Images uint8 ``(n, 28, 28, 1)``; labels 0 to 23, with those after J lowered by one."""
        train, test = (
            _read_part(file, name, rows) for file, name, rows in zip(source.files, TABLES, self.rows, strict=True)
        )
        return self.dataset(train=train, test=test, scale=255)


def _read_part(file: Path, name: str, rows: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    from bench.datasets.labels import checked, line_of
    from bench.datasets.pixel_csv import read_pixel_table

    with unpacked(file, name) as stream:
        table = read_pixel_table(stream, file, rows=rows, pixels=SIDE * SIDE)
    allowed = [label for label in range(LAST + 1) if label != NO_J]
    labels = checked(file, table.labels, allowed, line_of(table), f"0 to {LAST} without {NO_J} (J)")
    return table.pixels.reshape(-1, SIDE, SIDE, 1), labels - (labels > NO_J)
