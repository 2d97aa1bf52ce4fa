"""Labels and images held against what a data set has, and one way to say where the first wrong label stands.

Rows of arrays are counted from 0, as numpy does; lines of text files from 1, as editors do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.datasets.source import OTHER, BrokenFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.datasets.pixel_csv import PixelTable

At = Callable[[int], str]
"""The place of a row, counted from 0, in words."""


def row_at(row: int) -> str:
    """Of an array that is all a file holds."""
    return f"row {row:,}"


def row_of(array: str, first: int = 0) -> At:
    """Of one of several arrays, by its name; ``first`` is the row that the labels looked at begin with."""
    return lambda row: f"row {first + row:,} of {array}"


def line_of(table: PixelTable) -> At:
    """Of a text file."""
    return lambda row: f"line {table.lines[row]:,}"


def problem(labels: NDArray[Any], allowed: Sequence[int], at: At = row_at, expected: str = "") -> str:
    """What is wrong with the first of ``labels`` that is none of ``allowed``, as a phrase that begins with a verb.

    Empty where all are right. ``expected`` says what is allowed where that is neither a range nor a short list.
    """
    import numpy as np

    wrong = np.flatnonzero(~np.isin(labels, np.asarray(allowed)))
    if not len(wrong):
        return ""
    if not expected:
        is_range = isinstance(allowed, range)
        expected = f"{allowed[0]} to {allowed[-1]}" if is_range else f"one of {', '.join(map(str, allowed))}"
    row = int(wrong[0])
    return f"holds label {labels[row]} in {at(row)}; {expected} expected"


def checked(
    file: Path, labels: NDArray[Any], allowed: Sequence[int], at: At = row_at, expected: str = ""
) -> NDArray[np.int64]:
    """``labels`` as int64, all of them among ``allowed``. Raises BrokenFile, in the words of ``problem``."""
    import numpy as np

    if found := problem(labels, allowed, at, expected):
        raise BrokenFile(file, f"{found}.")
    return labels.astype(np.int64, copy=False)


def check_images(file: Path, images: NDArray[Any], side: int) -> None:
    """Raises BrokenFile where ``images``, ``(n, height, width, …)``, are not ``side`` pixels high and wide."""
    if images.shape[1:3] != (side, side):
        size = f"{images.shape[1]}x{images.shape[2]}"
        raise BrokenFile(file, f"holds images of {size} pixels; {side}x{side} expected.", OTHER)


def check_counts(file: Path, images: NDArray[Any], labels: NDArray[Any], among: Path) -> None:
    """Raises BrokenFile where ``file`` does not hold as many ``images`` as the file ``among`` has labels."""
    if len(images) != len(labels):
        raise BrokenFile(file, f"holds {len(images):,} images, but {among.name} holds {len(labels):,} labels.")
