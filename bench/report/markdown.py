"""A report as GitHub Markdown that also reads well raw: padded tables, short lists."""

import re
from collections.abc import Iterator, Sequence

from bench.errors import BenchError
from bench.report.document import (
    Align,
    Block,
    Cell,
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
from bench.report.views import View, document
from bench.stats.results import Results

_SPECIAL = re.compile(r"[\\`*|<\[~]|(?<!\w)_|_(?!\w)")
_AT_START = re.compile(r"^(?=[#>+=-])|^(\d+)(?=[.)])")


def render(results: Results, *, view: View = "default", per_trial: bool = False, color: bool = False) -> str:
    """The report as Markdown; ``color`` has no meaning here. Raises BenchError if ``per_trial``: tables show cases."""
    if per_trial:
        raise BenchError("rows per trial are for csv and json.", "Add: --format csv")
    return text(document(results, view))


def text(blocks: Sequence[Block]) -> str:
    """Any document as Markdown that ends in a newline."""
    return "\n\n".join("\n".join(_lines(block)) for block in blocks) + "\n"


def escape(text: str) -> str:
    """``text`` escaped so that Markdown shows it unchanged; inner underscores stay readable."""
    return _SPECIAL.sub(lambda found: "\\" + found.group(), text)


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield "#" * (block.level + 1) + " " + escape(block.text)
        case Paragraph():
            yield _start(escape(block.text))
        case Facts():
            yield from _facts(block)
        case Command():
            yield from ("```sh", block.text, "```")
        case Table():
            yield from _table(block)


def _start(text: str) -> str:
    """Escape a leading ``#`` or ``1.`` that would make a heading or list."""
    return _AT_START.sub(lambda found: f"{found.group(1) or ''}\\", text)


def _facts(facts: Facts) -> Iterator[str]:
    for name, lines in facts.entries:
        first, *rest = lines or ("",)
        yield f"- **{escape(name)}**: {escape(first)}".rstrip()
        yield from (f"  - {_start(escape(line))}" for line in rest)


def _table(table: Table) -> Iterator[str]:
    yield f"**{escape(table.title)}**"
    yield ""
    notes = table.notes
    grouped = any(row.group for row in table.rows)
    heads = ["<br>".join(escape(line) for line in column.head if line) for column in table.columns]
    aligns: list[Align] = [column.align for column in table.columns]
    if grouped:
        heads.insert(0, escape(table.group_head))
        aligns.insert(0, "left")
    body = [_row(row, grouped, notes) for row in table.rows]
    # A rule needs at least three dashes, and a colon for the alignment.
    widths = [max(4, *(width(line[index]) for line in [heads, *body])) for index in range(len(heads))]
    yield _joined(heads, widths, aligns)
    yield "|" + "|".join(_rule(size, align) for size, align in zip(widths, aligns, strict=True)) + "|"
    yield from (_joined(line, widths, aligns) for line in body)
    if notes:
        yield ""
        yield from (f"- {note_mark(number)} {escape(note)}" for number, note in enumerate(notes, start=1))


def _row(row: Row, grouped: bool, notes: Sequence[str]) -> list[str]:
    cells = [_cell(cell, notes) for cell in row.cells]
    if grouped:
        cells.insert(0, _cell(row.group or Cell(), notes))
    if row.floor:
        cells[0] = f"*{cells[0]}*, the floor"
    return cells


def _cell(cell: Cell, notes: Sequence[str]) -> str:
    return escape(f"{cell.text}{marks(cell, notes)} {cell.spread}".strip())


def _rule(size: int, align: Align) -> str:
    """A rule as wide as its column's padded cells."""
    return "-" * (size + 1) + ":" if align == "right" else ":" + "-" * (size + 1)


def _joined(cells: Sequence[str], widths: Sequence[int], aligns: Sequence[Align]) -> str:
    padded = [
        " " * (size - width(cell)) + cell if align == "right" else cell + " " * (size - width(cell))
        for cell, size, align in zip(cells, widths, aligns, strict=True)
    ]
    return "| " + " | ".join(padded) + " |"
