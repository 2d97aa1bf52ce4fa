"""Images in dense ARFF, as OpenML distributes MNIST and its like: a header, then ``pixel,…,pixel,class`` a line.

Reads the header (format: Weka's manual, "ARFF") and strips what may surround the values of a row: comments, blanks,
quotes. ``bench.datasets.pixel_csv`` reads the values themselves. Sparse rows are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from pathlib import Path

from bench.datasets.labels import checked, line_of
from bench.datasets.packed import unpacked
from bench.datasets.pixel_csv import PixelTable, read_pixel_rows, whole_lines
from bench.datasets.source import BrokenFile

ATTRIBUTE = re.compile(
    rb"""@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s'"{]+)\s*(.*)""", re.IGNORECASE | re.DOTALL
)
"""A name, perhaps quoted, and its declared type."""
NUMERIC = frozenset({b"numeric", b"real", b"integer"})
CLASS = b"class"
BLANKS = b" \t"
ROUND_VALUES = (b" ", b"\t", b"%", b"'", b'"', b"{")
"""Bytes that a row of only numbers and commas never holds."""


@dataclass(frozen=True)
class _Attribute:
    name: bytes
    kind: bytes
    """``real``, ``{0,1}``, …; as written."""

    @property
    def is_numeric(self) -> bool:
        return self.kind.lower() in NUMERIC


def read_arff(file: Path, *, rows: int, pixels: int, classes: int) -> PixelTable:
    """The images and labels of ``rows`` rows: values from 0 to 255, then a class from 0 to ``classes - 1``.

    The file may be gzipped. The class is a number, or a nominal value that reads as one, quoted or not. Raises
    BrokenFile.
    """
    with unpacked(file, file.name.removesuffix(".gz")) as stream:
        chunks = whole_lines(stream, file)
        attributes, rest, number = _header(chunks, file, pixels + 1)
        allowed = _classes(attributes, file, pixels, classes)
        plain = (_plain(chunk, file) for chunk in chain((rest,), chunks))
        table = read_pixel_rows(plain, file, rows=rows, pixels=pixels, label_first=False, line=number + 1)
    checked(file, table.labels, sorted(allowed), line_of(table))
    return table


def _header(chunks: Iterable[bytes], file: Path, most: int) -> tuple[list[_Attribute], bytes, int]:
    """At most ``most`` attributes, the rest of the last chunk read after ``@DATA``, and the number of that line."""
    attributes: list[_Attribute] = []
    for number, (line, lines) in enumerate(_lines(chunks), start=1):
        keyword = (line.split(None, 1) or [b""])[0].lower()
        if keyword == b"@data":
            return attributes, lines.read(), number
        if keyword == b"@attribute":
            attributes.append(_attribute(line.strip(), number, file))
            if len(attributes) > most:
                raise BrokenFile(file, f"declares more than {most:,} attributes, {most:,} expected.")
        elif keyword not in (b"", b"@relation") and not keyword.startswith(b"%"):
            raise BrokenFile(
                file, f"holds {_shown(keyword)} in line {number:,}; @RELATION, @ATTRIBUTE or @DATA expected."
            )
    raise BrokenFile(file, "ends before a line @DATA: it is cut short, or no ARFF file.")


def _lines(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, BytesIO]]:
    """Each line, with the remaining lines of its chunk."""
    for chunk in chunks:
        lines = BytesIO(chunk)
        for line in lines:
            yield line, lines


def _attribute(line: bytes, number: int, file: Path) -> _Attribute:
    declared = ATTRIBUTE.fullmatch(line)
    if not declared:
        raise BrokenFile(file, f"declares no attribute in line {number:,}: @ATTRIBUTE, a name and a type expected.")
    return _Attribute(_unquoted(declared[1]), declared[2])


def _classes(attributes: Sequence[_Attribute], file: Path, pixels: int, classes: int) -> frozenset[int]:
    """The allowed labels, after checking that the header declares pixels and a class."""
    if len(attributes) != pixels + 1:
        raise BrokenFile(
            file,
            f"declares {len(attributes):,} attributes, {pixels + 1:,} expected: {pixels:,} pixels and a class.",
        )
    for attribute in attributes[:-1]:
        if not attribute.is_numeric:
            raise BrokenFile(
                file, f"declares attribute {_shown(attribute.name)} as {_shown(attribute.kind)}; a number expected."
            )
    last = attributes[-1]
    if last.name.lower() != CLASS:
        raise BrokenFile(file, f"calls its last attribute {_shown(last.name)}; class expected.")
    return frozenset(range(classes)) if last.is_numeric else _nominal(last.kind, file, classes)


def _nominal(kind: bytes, file: Path, classes: int) -> frozenset[int]:
    """The numbers in ``{0,'1',…}``."""
    if not (kind.startswith(b"{") and kind.endswith(b"}")):
        raise BrokenFile(file, f"declares the class as {_shown(kind)}; a number or {{0,1,…}} expected.")
    number_of = {b"%d" % label: label for label in range(classes)}
    values = [_unquoted(value.strip(BLANKS)) for value in kind[1:-1].split(b",")]
    for value in values:
        if value not in number_of:
            raise BrokenFile(file, f"declares a class {_shown(value)}; 0 to {classes - 1} expected.")
    return frozenset(number_of[value] for value in values)


def _plain(text: bytes, file: Path) -> bytes:
    """Whole lines of data, reduced to values, commas and line ends."""
    if not any(mark in text for mark in ROUND_VALUES):
        return text
    plain = bytearray()  # b"".join would take some 90 bytes a line, however short
    for line in BytesIO(text):
        plain += _plain_line(line.strip(b" \t\n"), file)
    return bytes(plain)


def _plain_line(line: bytes, file: Path) -> bytes:
    if not line or line.startswith(b"%"):
        return b"\n"  # so that lines are counted as they stand in the file
    if line.startswith(b"{"):
        raise BrokenFile(
            file,
            "holds sparse rows, as {number value, …}; dense ones expected.",
            "Save it with every value of every row.",
        )
    pixels, comma, label = line.rpartition(b",")
    if b" " in pixels or b"\t" in pixels:
        pixels = b",".join(value.strip(BLANKS) for value in pixels.split(b","))
    return pixels + comma + _unquoted(label.strip(BLANKS)) + b"\n"


def _unquoted(word: bytes) -> bytes:
    return word[1:-1] if len(word) > 1 and word[:1] in (b"'", b'"') and word[-1:] == word[:1] else word


def _shown(word: bytes) -> str:
    return repr(word[:20].decode("utf-8", "replace"))
