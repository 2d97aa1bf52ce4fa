"""Every cell of the overview that is not wholly ``ok`` or differs from its row, the empty ones too, with its reason."""

from collections.abc import Iterator

from bench.report.document import Block, Cell, Column, Heading, Paragraph, Row, Table, plain
from bench.report.grid import Grid
from bench.report.labels import straying_reason
from bench.report.naming import Names
from bench.report.problems import complaints
from bench.stats.agreement import DIFFERS
from bench.stats.results import Results
from bench.stats.summary import CaseSummary

NO_CASE = "no case"
NOT_ASKED = "the suite does not ask for it there"
HEADS = ("model", "systems", "status", "reason")


def gaps(results: Results, names: Names) -> list[Block]:
    """Data set, model, systems, status and reason; one sentence if every cell is ``ok``."""
    rows = tuple(row for grid in Grid.by_track(results, names).values() for row in _rows(grid))
    heading = Heading("cells that are not ok", 2)
    if not rows:
        return [heading, Paragraph("Every cell is ok.")]
    columns = tuple(Column((head,), "left", label=True) for head in HEADS)
    return [heading, Table("status and reason, by cell", columns, rows, "data set")]


def _rows(grid: Grid) -> Iterator[Row]:
    """Systems whose cells have the same reason share a line."""
    systems = grid.systems(grid.summaries)
    for (dataset, model), found in grid.rows(grid.summaries).items():
        sharing: dict[tuple[str, str], list[str]] = {}
        for system in systems:
            for complaint in _cell(grid, found, system):
                sharing.setdefault(complaint, []).append(system)
        for (status, reason), named in sharing.items():
            words = (model, ", ".join(named), status, reason)
            yield Row(tuple(Cell(word, word=True) for word in words), Cell(plain(dataset), word=True))


def _cell(grid: Grid, row: dict[str, CaseSummary], system: str) -> list[tuple[str, str]]:
    """(status, reason) of one cell; none if it is wholly ``ok`` and does not differ from its row."""
    if system in row:
        found = [(status + share, reason) for status, reason, share in complaints(row[system])]
        if not grid.results.is_ranked(row[system]):
            found.append((DIFFERS, straying_reason(grid.results, row[system], grid.names)))
        return found
    if all(one.case.training is None for one in row.values()):
        return [(NO_CASE, f"a model of {plain(next(iter(row.values())).case.framework)} alone")]
    return [(NO_CASE, NOT_ASKED)]
