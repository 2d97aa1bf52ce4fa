"""Checks of labels and images against a data set, and one way to say where the first wrong label is.

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
"""Describes the place of a row, counted from 0."""


def row_at(row: int) -> str:
    """The row in a file of a single array."""
    return f"row {row:,}"


def row_of(array: str, first: int = 0) -> At:
    """The row in one of several arrays, by name; ``first`` is the row of the first label checked."""
    return lambda row: f"row {first + row:,} of {array}"


def line_of(table: PixelTable) -> At:
    """The line in a text file."""
    return lambda row: f"line {table.lines[row]:,}"


def problem(labels: NDArray[Any], allowed: Sequence[int], at: At = row_at, expected: str = "") -> str:
    """The problem with the first of ``labels`` not in ``allowed``, as a phrase that begins with a verb.

    Empty if all are right. ``expected`` says what is allowed if that is neither a range nor a short list.
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
    """``labels`` as int64, all of them among ``allowed``. Raises BrokenFile with the text of ``problem``."""
    import numpy as np

    if found := problem(labels, allowed, at, expected):
        raise BrokenFile(file, f"{found}.")
    return labels.astype(np.int64, copy=False)


def check_images(file: Path, images: NDArray[Any], side: int) -> None:
    """Raises BrokenFile if ``images``, ``(n, height, width, …)``, are not ``side`` pixels high and wide."""
    if images.shape[1:3] != (side, side):
        size = f"{images.shape[1]}x{images.shape[2]}"
        raise BrokenFile(file, f"holds images of {size} pixels; {side}x{side} expected.", OTHER)


def check_counts(file: Path, images: NDArray[Any], labels: NDArray[Any], among: Path) -> None:
    """Raises BrokenFile if ``file`` does not hold as many ``images`` as the file ``among`` has labels."""
    if len(images) != len(labels):
        raise BrokenFile(file, f"holds {len(images):,} images, but {among.name} holds {len(labels):,} labels.")
