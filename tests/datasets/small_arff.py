"""A small data set in ARFF, as OpenML distributes MNIST: written word by word and not with the code under test."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.datasets.small import Tiny, digits

COMMENT = "% Author: nobody\n%   Source: noise, 100% of it, {0 1}\n%\n"
NOMINAL = "{0,1,2,3,4,5,6,7,8,9}"


class TinyArff(Tiny):
    """MNIST's files with 20 training and 10 test images, and a file of OpenML's."""

    rows = (20, 10)
    folders = ("tiny", "4711")
    arff_files = ("tiny.arff", "4711")


def table() -> NDArray[np.int64]:
    """The rows of the file: 784 pixels and the label, 20 of the training part and 10 of the test part."""
    (train, train_labels), (test, test_labels) = digits(20, 0), digits(10, 1)
    images = np.concatenate([train, test]).reshape(-1, 784)
    return np.column_stack([images, np.concatenate([train_labels, test_labels])]).astype(np.int64)


def header(pixels: int = 784, *, kind: str = "real", classes: str = NOMINAL) -> str:
    """The lines above the data, with that of ``@DATA``."""
    declared = "".join(f"@ATTRIBUTE pixel{number} {kind}\n" for number in range(1, pixels + 1))
    return f"{COMMENT}@RELATION mnist_784\n\n{declared}@ATTRIBUTE class {classes}\n\n@DATA\n"


def lines(rows: NDArray[Any] | Sequence[Sequence[int]]) -> str:
    """Rows of data."""
    return "".join(",".join(map(str, row)) + "\n" for row in np.asarray(rows).tolist())


def arff_bytes() -> bytes:
    """The whole file."""
    return (header() + lines(table())).encode()
