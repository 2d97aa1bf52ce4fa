"""Tables of bytes, ``label,pixel1,…`` or ``pixel0000,…,label``: one image a line, read quickly and as a stream.

Some hundred thousand bytes at a time are decoded by whole-array arithmetic: a value is the byte before its comma,
plus ten times the one before that, plus a hundred times the one before that, as far as these are digits. Values
go straight into the result, so memory holds the array and one chunk. Anything else a CSV file may hold (words,
fractions, quotes) is refused: ``bench.datasets.csv`` reads those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING

from bench.datasets.source import BrokenFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK = 1 << 18
"""Bytes decoded at once: they and the arrays of them fit a second-level cache."""
LONGEST_LINE = 1 << 19
"""Bytes; a line of 150x150 RGB pixels has up to 270,000."""
COMMA, NEWLINE, ZERO = 44, 10, 48
LABEL = "label"


@dataclass(frozen=True, eq=False)
class PixelTable:
    """``pixels`` uint8 ``(n, pixels)`` and ``labels`` int64 ``(n,)``, as they stand in the file."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    lines: NDArray[np.int64]
    """The line of each row, ``(n,)``; the first line of the file is 1."""


def read_pixel_table(stream: IO[bytes], file: Path, *, rows: int, pixels: int) -> PixelTable:
    """The table of ``rows`` lines and a header line, with ``pixels`` values and a label a line.

    The header calls the first or the last column ``label``. Lines may end in LF or CRLF; empty ones are skipped. Errors
    name ``file``. Reads at most one chunk past ``rows`` lines. Raises BrokenFile.
    """
    lines = whole_lines(stream, file)
    head, _, rest = next(lines, b"").partition(b"\n")
    label_first = _label_is_first(file, head, pixels)
    below = chain((rest,), lines)
    return read_pixel_rows(below, file, rows=rows, pixels=pixels, label_first=label_first, line=2)


def read_pixel_rows(
    chunks: Iterable[bytes], file: Path, *, rows: int, pixels: int, label_first: bool, line: int
) -> PixelTable:
    """The table of chunks of whole lines (``whole_lines``) without a header. Raises BrokenFile.

    The first line is line ``line`` of the file.
    """
    import numpy as np

    held = 0
    images = np.empty((rows, pixels), dtype=np.uint8)
    labels = np.empty(rows, dtype=np.int64)
    lines = np.empty(rows, dtype=np.int64)
    for chunk in chunks:
        table = _values(chunk, pixels + 1)
        has_empty_lines = table is None
        if table is None:
            table = _values(_without_empty_lines(chunk), pixels + 1)
        if table is None:
            raise BrokenFile(file, _problem(chunk, line, pixels + 1))
        if held + len(table) > rows:
            raise BrokenFile(file, f"holds more than {rows:,} rows of data, {rows:,} expected.")
        place = slice(held, held + len(table))
        images[place] = table[:, 1:] if label_first else table[:, :-1]
        labels[place] = table[:, 0] if label_first else table[:, -1]
        lines[place] = line + (_filled_lines(chunk) if has_empty_lines else np.arange(len(table)))
        held += len(table)
        line += chunk.count(b"\n") if has_empty_lines else len(table)
    if held < rows:
        raise BrokenFile(file, f"holds {held:,} rows of data, {rows:,} expected: the file is cut short.")
    return PixelTable(images, labels, lines)


def whole_lines(stream: IO[bytes], file: Path) -> Iterator[bytes]:
    """The content in chunks of whole lines, each ended by a newline, without carriage returns before them."""
    left = b""
    while block := stream.read(CHUNK):
        whole, newline, tail = block.rpartition(b"\n")
        if newline:
            text = left + whole + newline
            yield text.replace(b"\r\n", b"\n") if b"\r" in text else text
            left = tail
        else:
            left += block
        if len(left) > LONGEST_LINE:
            raise BrokenFile(file, f"holds a line of more than {LONGEST_LINE:,} bytes: it is not a table of images.")
    if left.strip():
        yield left.rstrip(b"\r") + b"\n"


def _filled_lines(text: bytes) -> NDArray[np.intp]:
    """The numbers, from 0, of the non-empty lines."""
    import numpy as np

    ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == NEWLINE)
    return np.flatnonzero(np.diff(ends, prepend=-1) > 1)


def _without_empty_lines(text: bytes) -> bytes:
    while b"\n\n" in text:
        text = text.replace(b"\n\n", b"\n")
    return text.removeprefix(b"\n")


def _label_is_first(file: Path, head: bytes, pixels: int) -> bool:
    if not head:
        raise BrokenFile(file, "is empty.")
    names = [name.strip(' "').lower() for name in head.decode("utf-8-sig", "replace").split(",")]
    if len(names) != pixels + 1:
        raise BrokenFile(
            file,
            f"holds {len(names):,} columns in its first line, {pixels + 1:,} expected: {pixels:,} pixels and a label.",
        )
    if LABEL not in (names[0], names[-1]):
        raise BrokenFile(file, "calls neither its first nor its last column label: its header line is missing.")
    return names[0] == LABEL


def _values(text: bytes, columns: int) -> NDArray[np.uint8] | None:
    """The values ``(lines, columns)`` of whole lines, or None if any of them is malformed."""
    import numpy as np

    codes = np.full(len(text) + 4, NEWLINE, dtype=np.uint8)  # as if separators stood before the first value
    codes[4:] = np.frombuffer(text, dtype=np.uint8)
    digits = codes - np.uint8(ZERO)
    breaks = digits > 9
    digits *= (~breaks).view(np.uint8)
    # Breaks at the byte itself, and at one, two, three and four bytes before it
    here, before_1, before_2, before_3, before_4 = (breaks[4 - back : len(breaks) - back] for back in range(5))
    hundreds = digits[1:-3] * (~before_2).view(np.uint8)
    values = digits[3:-1] + digits[2:-2] * np.uint8(10) + hundreds * np.uint8(100)
    # A sum above 255 has wrapped round to less than the hundreds alone
    too_large = (hundreds > 2) | (values < hundreds * np.uint8(100))
    too_long = ~(before_1 | before_2 | before_3 | before_4)
    wrong = here & (before_1 | too_large | too_long)
    ends = np.flatnonzero(here)
    marks = codes[4:].take(ends)
    if wrong.any() or len(ends) % columns:
        return None
    marks = marks.reshape(-1, columns)
    if (marks[:, -1] != NEWLINE).any() or (marks[:, :-1] != COMMA).any():
        return None
    table: NDArray[np.uint8] = values.take(ends).reshape(-1, columns)
    return table


def _problem(text: bytes, first: int, columns: int) -> str:
    """The problem with the first bad line, as a phrase that begins with a verb; ``first`` numbers the first line."""
    for number, line in enumerate(text.split(b"\n"), start=first):
        fields = line.split(b",")
        if line and len(fields) != columns:
            return f"holds {len(fields):,} values in line {number:,}, {columns:,} expected."
        for column, field in enumerate(fields if line else (), start=1):
            if not (field.isdigit() and len(field) <= 3 and int(field) <= 255):
                shown = field[:20].decode("utf-8", "replace")
                return f"holds {shown!r} in line {number:,}, column {column:,}; a whole number from 0 to 255 expected."
    raise AssertionError("a table refused by its bytes has a bad line")
