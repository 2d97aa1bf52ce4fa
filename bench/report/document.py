"""A neutral document: what a report says, before any format.

Views build it, renderers write it. Text is plain: no markup, no colour, no line breaks except between parts.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Align = Literal["left", "right"]


@dataclass(frozen=True)
class Heading:
    """A title; level 1 is the report's own."""

    text: str
    level: Literal[1, 2, 3]


@dataclass(frozen=True)
class Paragraph:
    """Running text, such as a legend."""

    text: str


@dataclass(frozen=True)
class Facts:
    """Named facts below one another; a fact may hold several lines."""

    entries: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Command:
    """A command line to be copied."""

    text: str


@dataclass(frozen=True)
class Column:
    """A column: the lines of its head, units included.

    A ``label`` names the row: it may be wrapped, and is repeated where a wide table is split.
    """

    head: tuple[str, ...]
    align: Align = "right"
    label: bool = False


@dataclass(frozen=True)
class Cell:
    """A figure with its spread, or a word; ``notes`` are written once below the table and marked here."""

    text: str = ""
    spread: str = ""
    notes: tuple[str, ...] = ()
    word: bool = False
    """Not a number: takes the whole width of the column."""


@dataclass(frozen=True)
class Row:
    """A line of a table. Rows of one ``group`` stand together below its name; ``floor`` is drawn as a line."""

    cells: tuple[Cell, ...]
    group: Cell | None = None
    floor: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of figures under a title."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    group_head: str = ""
    """Head of the groups' column, in formats that have one."""

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of all cells in the order of reading, each once."""
        cells = (cell for row in self.rows for cell in ((row.group,) if row.group else ()) + row.cells)
        return tuple(dict.fromkeys(note for cell in cells for note in cell.notes))


Block = Heading | Paragraph | Facts | Command | Table
Document = Sequence[Block]

_SUPERSCRIPT = str.maketrans("0123456789,", "⁰¹²³⁴⁵⁶⁷⁸⁹˒")


def marks(cell: Cell, notes: Sequence[str]) -> str:
    """The superscript numbers of a cell's notes among all ``notes`` of its table."""
    return note_mark(*sorted(notes.index(note) + 1 for note in cell.notes))


def note_mark(*numbers: int) -> str:
    """``¹˒²`` for 1 and 2."""
    return ",".join(str(number) for number in numbers).translate(_SUPERSCRIPT)


def plain(text: str) -> str:
    """``text`` as one line that a terminal can show: no control characters, white space collapsed."""
    printable = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in text)
    return " ".join(printable.split())


def width(text: str) -> int:
    """Columns that ``text`` takes in a terminal: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
