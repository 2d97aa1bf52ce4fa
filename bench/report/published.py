"""Figures that others published, beside what was measured here."""

from collections.abc import Sequence

from bench.manifest import PublishedFigure
from bench.report import numbers
from bench.report.document import Block, Cell, Column, Row, Table, plain
from bench.report.figures import missing, share_spread
from bench.report.naming import Names
from bench.stats.results import Results
from bench.stats.summary import CaseSummary

Pair = tuple[CaseSummary, PublishedFigure]


def published_table(results: Results, names: Names, cases: Sequence[CaseSummary]) -> list[Block]:
    """Ours, theirs, the difference, and whether it is within the tolerance; nothing if nothing was published."""
    pairs = [(one, figure) for one in cases for figure in results.published(one.case)]
    if not pairs:
        return []
    columns = (
        Column(("model",), "left", label=True),
        Column(("framework",), "left", label=True),
        Column(("ours", "%")),
        Column(("published", "%")),
        Column(("difference", "points")),
        Column(("within",), "left"),
    )
    rows = tuple(_row(names, *pair) for pair in pairs)
    return [Table("accuracy and published figures", columns, rows, "data set")]


def _row(names: Names, one: CaseSummary, published: PublishedFigure) -> Row:
    figure = one.figures["accuracy"]
    theirs = Cell(numbers.percent(published.value), notes=(plain(published.source),))
    named = (Cell(names.model(one.case), word=True), Cell(names.system(one.case), word=True))
    group = Cell(plain(one.case.dataset), word=True)
    allowed = numbers.plus_minus(published.tolerance)
    if figure is None:
        return Row((*named, missing(one, "not scored"), theirs, Cell(), Cell(allowed, word=True)), group)
    difference = figure.value - published.value
    verdict = "yes" if within(figure.value, published) else "NO"
    ours = Cell(numbers.percent(figure.value), share_spread(figure))
    return Row(
        (*named, ours, theirs, Cell(f"{100 * difference:+.2f}"), Cell(f"{allowed}: {verdict}", word=True)), group
    )


def within(ours: float, published: PublishedFigure) -> bool:
    """True if our figure is within the tolerance; the difference is rounded to a hundredth of a point, as shown."""
    return abs(round(ours - published.value, 4)) <= published.tolerance
