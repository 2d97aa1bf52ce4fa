"""Fitting a table into a width: label columns are wrapped first, then the figures go into a second table."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from bench.report.document import Cell, Column, Row, Table, marks, width

GAP = 2
"""Blanks between columns."""

INDENT = 2
"""Blanks before a row that stands below the name of its group."""

NARROWEST_LABEL = 12
"""A label column is wrapped down to this before a table is split."""

_TIE = "\N{NO-BREAK SPACE}"
_TOGETHER = re.compile(r"\([^()]{,20}\)|[×±–] (?=\S)")


@dataclass(frozen=True)
class Measure:
    """Widths in a column: of the values, of the marks after them, of the spreads, and of the whole."""

    value: int
    mark: int
    spread: int
    whole: int


def measure(column: Column, cells: Iterable[Cell], notes: Sequence[str]) -> Measure:
    """The widths a column needs when nothing is wrapped."""
    found = list(cells)
    figures = [cell for cell in found if not cell.word]
    value = max((width(cell.text) for cell in figures), default=0)
    spread = max((width(cell.spread) for cell in figures), default=0)
    # Where a column has spreads, the mark of a cell without one may stand in the spread's place.
    mark = max((width(marks(cell, notes)) for cell in figures if cell.spread or not spread), default=0)
    bare = max((value + width(marks(cell, notes)) for cell in figures if not cell.spread), default=0)
    words = max((width(cell.text + marks(cell, notes)) for cell in found if cell.word), default=0)
    head = max((width(line) for line in column.head), default=0)
    return Measure(value, mark, spread, max(value + mark + (spread + 1 if spread else 0), bare, words, head))


def fit(table: Table, limit: int, notes: Sequence[str]) -> Iterator[tuple[Table, list[Measure]]]:
    """``table`` as one or more tables at most ``limit`` wide, each with its labels, and the widths of its columns."""
    widths = [
        measure(column, (row.cells[index] for row in table.rows), notes) for index, column in enumerate(table.columns)
    ]
    labels = [index for index, column in enumerate(table.columns) if column.label]
    indent = INDENT if any(row.group for row in table.rows) else 0
    for chosen in _chunks(widths, labels, limit - indent):
        shrunk = _shrink(table, widths, chosen, limit - indent)
        tight = [_tightened(table, index, shrunk[index]) if index in labels else shrunk[index] for index in chosen]
        yield _part(table, chosen), tight


def wrap(text: str, limit: int, *, hyphens: bool = False) -> list[str]:
    """``text`` in lines of at most ``limit``, broken at blanks, at ``hyphens`` if allowed, and else anywhere.

    Text in brackets stays together if it fits, and so does a sign with its name (``× pytorch``).
    """
    if width(text) <= limit:
        return [text]
    tied = _TOGETHER.sub(
        lambda found: found.group().replace(" ", _TIE) if len(found.group()) <= limit else found.group(), text
    )
    lines = textwrap.wrap(tied, limit, break_on_hyphens=hyphens, break_long_words=True)
    # textwrap counts characters; wide ones take two columns.
    if any(width(line) > limit for line in lines):
        lines = textwrap.wrap(tied, max(1, limit // 2))
    return [line.replace(_TIE, " ") for line in lines]


def _total(widths: Iterable[int]) -> int:
    found = list(widths)
    return sum(found) + GAP * (len(found) - 1)


def _chunks(widths: Sequence[Measure], labels: Sequence[int], limit: int) -> list[list[int]]:
    """Column indices of each part: every label, and figures that fit beside the narrowest labels.

    The fewest parts possible, the widest of them as narrow as possible, to leave the labels room.
    """
    room = limit - sum(min(widths[index].whole, NARROWEST_LABEL) + GAP for index in labels)
    figures = [index for index in range(len(widths)) if index not in labels]
    fewest = len(_filled(widths, figures, room))
    evened = (_filled(widths, figures, narrower) for narrower in range(1, max(room, 1) + 1))
    return [[*labels, *part] for part in next(parts for parts in evened if len(parts) == fewest)]


def _filled(widths: Sequence[Measure], figures: Sequence[int], room: int) -> list[list[int]]:
    """The figures in order, each part filled as far as ``room`` goes; at least one part, and one figure in each."""
    parts: list[list[int]] = [[]]
    for index in figures:
        if parts[-1] and _total(widths[one].whole for one in [*parts[-1], index]) > room:
            parts.append([])
        parts[-1].append(index)
    return parts


def _shrink(table: Table, widths: Sequence[Measure], chosen: Sequence[int], limit: int) -> list[Measure]:
    """Narrow the label column where that adds the fewest lines, in a tie the widest, until the columns fit."""
    shrunk = list(widths)
    while _total(shrunk[index].whole for index in chosen) > limit:
        labels = [index for index in chosen if table.columns[index].label and shrunk[index].whole > NARROWEST_LABEL]
        if not labels:
            break
        cost = {index: _lines_lost(table, index, shrunk[index].whole) for index in labels}
        cheapest = min(labels, key=lambda index: (cost[index], -shrunk[index].whole))
        shrunk[cheapest] = replace(shrunk[cheapest], whole=shrunk[cheapest].whole - 1)
    return shrunk


def _lines_lost(table: Table, index: int, given: int) -> int:
    """Extra lines that a label column takes with one blank less than ``given``."""
    texts = [row.cells[index].text for row in table.rows]
    return sum(_height(text, given - 1) - _height(text, given) for text in texts)


@lru_cache(maxsize=4096)  # the same labels stand in every table of a data set
def _height(text: str, limit: int) -> int:
    return len(wrap(text, limit, hyphens=True))


def _tightened(table: Table, index: int, given: Measure) -> Measure:
    """A label wrapped at its words may need less than it was given."""
    lines = (line for row in table.rows for line in wrap(row.cells[index].text, given.whole, hyphens=True))
    needed = max(map(width, (*lines, *table.columns[index].head)), default=0)
    return replace(given, whole=min(given.whole, needed))


def _part(table: Table, chosen: Sequence[int]) -> Table:
    rows = tuple(Row(tuple(row.cells[index] for index in chosen), row.group, row.floor) for row in table.rows)
    return replace(table, columns=tuple(table.columns[index] for index in chosen), rows=rows)
