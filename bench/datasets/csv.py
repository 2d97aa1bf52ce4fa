"""CSV files of images: one image a line, its pixels row by row (RGB: three values a pixel) and its label.

The label is in the column called ``label`` (or ``labels``, ``class``, ``target``, ``y``), else in the first or the
last one, if it is clear which.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.datasets.packed import GZIP_MAGIC, Gunzipped, said_of
from bench.datasets.parts import RawPart, RawParts
from bench.datasets.source import BrokenFile, unreadable_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABEL_NAMES = frozenset({"label", "labels", "class", "target", "y"})
LONGEST_LINE = 1 << 20
"""Characters; a line of 256x256 RGB pixels has up to 790,000."""
ADVICE = "Give it a header line that calls the label's column: label"


def read_csv(path: Path) -> RawParts:
    """The images ``(n, pixels)`` and labels of a CSV file, plain or gzipped; it has no test part. Raises BrokenFile."""
    try:
        header, columns = _header(path)
        first, last = _outer_columns(path, header is not None, columns)
        column = _label_column(path, header, columns, first, last)
        labels = first if column == 0 else last if column == columns - 1 else _column(path, column, header is not None)
        pixels = _pixels(path, header is not None, [index for index in range(columns) if index != column])
    except (EOFError, zlib.error) as error:
        raise BrokenFile(path, f"is broken gzip: {said_of(error)}.") from error
    except UnicodeDecodeError as error:
        raise BrokenFile(path, f"is not UTF-8 text: {error.reason} at byte {error.start:,}.") from error
    except OSError as error:
        raise unreadable_file(path, error) from error
    return RawParts(RawPart(pixels, _numbers_or_words(labels)))


@contextmanager
def _lines(path: Path, skip: int = 0) -> Iterator[Iterator[str]]:
    """The non-empty lines, without the first ``skip``."""
    with path.open("rb") as stored:
        zipped = stored.read(2) == GZIP_MAGIC
        stored.seek(0)
        with TextIOWrapper(Gunzipped(stored, path) if zipped else stored, encoding="utf-8-sig") as text:
            filled = _filled(text, path)
            for _ in range(skip):
                next(filled, None)
            yield filled


def _filled(text: TextIOWrapper, path: Path) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise BrokenFile(path, f"holds a line of more than {LONGEST_LINE:,} characters: not a table of images.")
        if line.strip():
            yield line


def _header(path: Path) -> tuple[list[str] | None, int]:
    """The column names, or None if the first line holds data; and the number of columns."""
    with _lines(path) as lines:
        fields = [_unquoted(field) for field in next(lines, "").split(",")]
        second = [_unquoted(field) for field in next(lines, "").split(",")]
    if len(fields) < 2:
        raise BrokenFile(path, "is not a table of images: its first line holds no comma." if fields[0] else "is empty.")
    inner = fields[1:-1] or fields
    words_over_numbers = not all(map(_is_number, inner)) and all(map(_is_number, second[1:-1]))
    headed = words_over_numbers or any(field.lower() in LABEL_NAMES for field in fields)
    return (fields if headed else None), len(fields)


def _outer_columns(path: Path, headed: bool, columns: int) -> tuple[list[str], list[str]]:
    """The first and last field of every line; every line must have ``columns`` fields."""
    first: list[str] = []
    last: list[str] = []
    seen: dict[str, str] = {}  # a label is kept once, however many rows have it
    with _lines(path, skip=int(headed)) as lines:
        for number, line in enumerate(lines, start=1 + headed):
            held = line.count(",") + 1
            if held != columns:
                raise BrokenFile(path, f"holds {held:,} values in line {number:,}, {columns:,} expected.")
            for column, field in ((first, line[: line.index(",")]), (last, line[line.rindex(",") + 1 :])):
                label = _unquoted(field)
                column.append(seen.setdefault(label, label))
    if not first:
        raise BrokenFile(path, "holds a header line and nothing below it.")
    return first, last


def _column(path: Path, column: int, headed: bool) -> list[str]:
    with _lines(path, skip=int(headed)) as lines:
        return [_unquoted(line.split(",")[column]) for line in lines]


def _label_column(path: Path, header: list[str] | None, columns: int, first: list[str], last: list[str]) -> int:
    """Index of the label column: the named one, or the only outer one that could be it.

    A corner pixel is often the same in all images, a label never is; and words are not pixels.
    """
    named = [index for index, name in enumerate(header or []) if name.lower() in LABEL_NAMES]
    if len(named) == 1:
        return named[0]
    if len(named) > 1:
        raise BrokenFile(path, f"names more than one column of labels: {', '.join(map(repr, named))}.", ADVICE)
    possible = {0: first, columns - 1: last}
    for plausible in (_holds_words, _varies):
        found = [index for index, values in possible.items() if plausible(values)]
        if len(found) == 1:
            return found[0]
    raise BrokenFile(path, "does not say which column holds the labels: the first and the last could both be.", ADVICE)


def _pixels(path: Path, headed: bool, columns: list[int]) -> NDArray[Any]:
    """Pixel values ``(n, pixels)``: uint8 if all are, else float64."""
    import numpy as np

    for kind in (np.uint8, np.float64):
        try:
            with _lines(path, skip=int(headed)) as lines:
                return np.loadtxt(lines, dtype=kind, delimiter=",", usecols=columns, comments=None, ndmin=2)
        except ValueError as error:
            refused = error
    raise BrokenFile(path, f"holds a pixel that is not a number: {said_of(refused).split('; use', maxsplit=1)[0]}.")


def _numbers_or_words(labels: list[str]) -> NDArray[Any]:
    import numpy as np

    if all(map(_is_number, labels)):
        return np.array(labels, dtype=np.float64)
    return np.array(labels)


def _holds_words(values: list[str]) -> bool:
    return not all(map(_is_number, values))


def _varies(values: list[str]) -> bool:
    return len(set(values)) > 1


def _unquoted(field: str) -> str:
    return field.strip().strip('"').strip()


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
