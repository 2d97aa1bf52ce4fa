"""A report as plain text within 80 columns; colours only on request, and never instead of a figure."""

import textwrap
from collections.abc import Iterator, Sequence

from bench.errors import BenchError
from bench.record import FAILED
from bench.report.document import (
    Block,
    Cell,
    Column,
    Command,
    Facts,
    Heading,
    Paragraph,
    Row,
    Table,
    marks,
    note_mark,
    width,
)
from bench.report.layout import GAP, INDENT, Measure, fit, wrap
from bench.report.views import View, document
from bench.stats.results import Results

WIDTH = 80
FLOOR = "┄"

BOLD, DIM, RED = "1", "2", "31"


def render(results: Results, *, view: View = "default", per_trial: bool = False, color: bool = False) -> str:
    """The report as text that ends in a newline. Raises BenchError if ``per_trial``: tables show cases."""
    if per_trial:
        raise BenchError("rows per trial are for csv and json.", "Add: --format csv")
    return text(document(results, view), color=color)


def text(blocks: Sequence[Block], *, color: bool = False, columns: int = WIDTH) -> str:
    """Any document as text, lines within ``columns`` where no single word or figure is longer."""
    paint = Paint(color)
    parts = ["\n".join(line.rstrip() for line in _lines(block, paint, columns)) for block in blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


class Paint:
    """Wraps text in colour codes, or leaves it alone."""

    def __init__(self, on: bool) -> None:
        self._on = on

    def __call__(self, text: str, code: str) -> str:
        """``text`` in the colour or weight of an ANSI ``code``; blanks stay bare."""
        return f"\x1b[{code}m{text}\x1b[0m" if self._on and text.strip() else text


def _lines(block: Block, paint: Paint, columns: int) -> Iterator[str]:
    match block:
        case Heading():
            yield from _heading(block, paint, columns)
        case Paragraph():
            yield from (paint(line, DIM) for line in wrap(block.text, columns))
        case Facts():
            yield from _facts(block, paint, columns)
        case Command():
            yield from _command(block.text, columns)
        case Table():
            yield from _table(block, paint, columns)


def _heading(heading: Heading, paint: Paint, columns: int) -> Iterator[str]:
    lines = wrap(heading.text, columns)
    yield from (paint(line, BOLD) for line in lines)
    if heading.level < 3:
        rule = "═" if heading.level == 1 else "─"
        yield rule * (max(map(width, lines)) if heading.level == 1 else columns)


def _facts(facts: Facts, paint: Paint, columns: int) -> Iterator[str]:
    label_width = max(width(name) for name, _ in facts.entries)
    for name, lines in facts.entries:
        label = paint(_left(name, label_width), RED if name in FAILED else BOLD)
        for line in lines:
            for piece in wrap(line, columns - label_width - GAP):
                yield label + " " * GAP + piece
                label = " " * label_width


def _command(command: str, columns: int) -> Iterator[str]:
    """The command, broken where a shell allows it; long words stay whole, so that they can be copied."""
    lines = textwrap.wrap(command, columns - 6, break_long_words=False, break_on_hyphens=False)
    for index, line in enumerate(lines):
        yield ("    " if index else "  ") + line + (" \\" if index < len(lines) - 1 else "")


def _table(table: Table, paint: Paint, columns: int) -> Iterator[str]:
    yield from (paint(line, BOLD) for line in wrap(table.title, columns))
    notes = table.notes
    for number, (part, measures) in enumerate(fit(table, columns, notes)):
        if number:
            yield ""
        yield from _part(part, measures, notes, paint, columns)
    for number, note in enumerate(notes, start=1):
        mark = note_mark(number)
        lines = wrap(note, columns - width(mark) - 1)
        for line in lines:
            yield paint(f"{mark} {line}", DIM)
            mark = " " * width(mark)


def _part(table: Table, measures: Sequence[Measure], notes: Sequence[str], paint: Paint, columns: int) -> Iterator[str]:
    indent = " " * (INDENT if any(row.group for row in table.rows) else 0)
    whole = len(indent) + sum(one.whole for one in measures) + GAP * (len(measures) - 1)
    for line in _head(table.columns, measures):
        yield paint(indent + line, BOLD)
    group = None
    for index, row in enumerate(table.rows):
        if row.group is not None and row.group != group:
            group = row.group
            yield from wrap(group.text + marks(group, notes), columns)
        if row.floor:
            yield FLOOR * whole
        for line in _row(row, table.columns, measures, notes, paint):
            yield indent + line
        if row.floor and index < len(table.rows) - 1:
            yield FLOOR * whole


def _head(columns: Sequence[Column], measures: Sequence[Measure]) -> Iterator[str]:
    """Head lines, the last one of every column on the same line."""
    height = max(len(column.head) for column in columns)
    for line in range(height):
        cells = []
        for column, one in zip(columns, measures, strict=True):
            # Empty lines of a head are kept below a name, so that units stand beside units.
            shown = ("",) * (height - len(column.head)) + column.head
            cells.append(_aligned(shown[line][: one.whole], column, one))
        text = (" " * GAP).join(cells)
        if text.strip():
            yield text


def _row(
    row: Row, columns: Sequence[Column], measures: Sequence[Measure], notes: Sequence[str], paint: Paint
) -> Iterator[str]:
    """One line, or more if a label is wrapped: figures are on the first."""
    columns_of_lines = [
        wrap(cell.text + marks(cell, notes), one.whole, hyphens=True) if cell.word else [_figure(cell, one, notes)]
        for cell, one in zip(row.cells, measures, strict=True)
    ]
    for line in range(max(map(len, columns_of_lines))):
        cells = []
        for lines, column, one, cell in zip(columns_of_lines, columns, measures, row.cells, strict=True):
            shown = _aligned(lines[line] if line < len(lines) else "", column, one)
            cells.append(paint(shown, RED) if cell.word and cell.text in FAILED else shown)
        yield (" " * GAP).join(cells)


def _figure(cell: Cell, one: Measure, notes: Sequence[str]) -> str:
    """Values align on the right, marks follow, spreads align on the left."""
    if not (cell.text or cell.spread):
        return ""
    value = " " * (one.value - width(cell.text)) + cell.text + _left(marks(cell, notes), one.mark)
    return f"{value} {cell.spread}" if cell.spread else value


def _aligned(text: str, column: Column, one: Measure) -> str:
    """Figures with a spread begin where their head begins; others end where it ends."""
    if column.align == "left" or one.spread:
        return _left(text, one.whole)
    return " " * (one.whole - width(text)) + text


def _left(text: str, size: int) -> str:
    return text + " " * (size - width(text))
