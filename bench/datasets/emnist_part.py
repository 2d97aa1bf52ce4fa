"""One part of an EMNIST split as NIST stores it, and as it is used: upright, with labels from 0."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.datasets.labels import check_counts, check_images, checked
from bench.datasets.source import BrokenFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.datasets.emnist_files import Files

    Arrays = tuple[NDArray[np.uint8], NDArray[np.int64]]

SIDE = 28
ROWS_AT_ONCE = 8192
"""Images turned at once: 6 MiB beside the array itself."""


def read_part(files: Files, images: Path, labels: Path, first_label: int, classes: int) -> Arrays:
    """Images ``(n, 28, 28, 1)``, upright, and labels ``(n,)`` in ``0..classes-1``. Raises BrokenFile.

    ``first_label`` is the lowest label in the file.
    """
    pixels = files.idx(images, 3)
    stored = files.idx(labels, 1)
    check_images(images, pixels, SIDE)
    check_counts(images, pixels, stored, labels)
    ids = checked(labels, stored, range(first_label, first_label + classes)) - first_label
    turn_upright(pixels)
    return pixels[..., None], ids


def turn_upright(images: NDArray[np.uint8]) -> None:
    """Exchange rows and columns of each image ``(n, 28, 28)`` in place: NIST stores them transposed.

    tensorflow-datasets 4.9.10 (emnist) says so in other words: inverted horizontally and turned by 90 degrees.
    """
    for start in range(0, len(images), ROWS_AT_ONCE):
        block = images[start : start + ROWS_AT_ONCE]
        block[:] = block.transpose(0, 2, 1).copy()


def check_mapping(file: Path, text: str, first_label: int, class_names: tuple[str, ...]) -> None:
    """Check NIST's mapping file against the class names. Raises BrokenFile.

    A line has a label and the codes of the characters it stands for, the capital first if there are two.
    """
    names: dict[int, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            label, code, *_ = (int(word) for word in line.split())
            names[label] = chr(code)
        except (ValueError, OverflowError) as error:
            raise BrokenFile(
                file, f"has {line[:40]!r} in line {number}; a label and codes of characters expected."
            ) from error
    expected = dict(enumerate(class_names, start=first_label))
    for label in sorted(expected.keys() | names.keys()):
        if names.get(label) != expected.get(label):
            said, meant = (repr(each[label]) if label in each else "nothing" for each in (names, expected))
            raise BrokenFile(file, f"says that label {label} stands for {said}; {meant} expected.")
