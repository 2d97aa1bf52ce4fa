"""A report as an HTML fragment for a notebook: the same tables, no style of its own."""

from collections.abc import Iterator, Sequence
from html import escape

from bench.report.document import Align, Block, Cell, Command, Facts, Heading, Paragraph, Row, Table, marks, note_mark


def fragment(blocks: Sequence[Block]) -> str:
    """Any document as HTML that can stand inside a page; every text is escaped."""
    return "<div>" + "\n".join(line for block in blocks for line in _lines(block)) + "</div>\n"


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield f"<h{block.level + 1}>{escape(block.text)}</h{block.level + 1}>"
        case Paragraph():
            yield f"<p>{escape(block.text)}</p>"
        case Facts():
            yield "<ul>"
            for name, lines in block.entries:
                yield f"<li><b>{escape(name)}</b>: {'<br>'.join(map(escape, lines))}</li>"
            yield "</ul>"
        case Command():
            yield f"<pre>{escape(block.text)}</pre>"
        case Table():
            yield from _table(block)


def _table(table: Table) -> Iterator[str]:
    notes = table.notes
    grouped = any(row.group for row in table.rows)
    heads = ["<br>".join(escape(line) for line in column.head if line) for column in table.columns]
    aligns: list[Align] = [column.align for column in table.columns]
    if grouped:
        heads.insert(0, escape(table.group_head))
        aligns.insert(0, "left")
    yield f"<table><caption>{escape(table.title)}</caption>"
    yield "<thead>" + _line("th", heads, aligns) + "</thead><tbody>"
    for row in table.rows:
        yield _line("td", _cells(row, grouped, notes), aligns)
    yield "</tbody></table>"
    if notes:
        lines = (f"{note_mark(number)} {escape(note)}" for number, note in enumerate(notes, start=1))
        yield f"<p><small>{'<br>'.join(lines)}</small></p>"


def _cells(row: Row, grouped: bool, notes: Sequence[str]) -> list[str]:
    cells = [*([row.group or Cell()] if grouped else []), *row.cells]
    texts = [escape(f"{cell.text}{marks(cell, notes)} {cell.spread}".strip()) for cell in cells]
    return [f"<i>{text}</i>" for text in texts] if row.floor else texts


def _line(tag: str, cells: Sequence[str], aligns: Sequence[Align]) -> str:
    inner = "".join(
        f'<{tag} style="text-align:{align}">{cell}</{tag}>' for cell, align in zip(cells, aligns, strict=True)
    )
    return f"<tr>{inner}</tr>"
