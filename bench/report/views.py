"""The parts of a report: the head, then the views asked for."""

from typing import Literal

from bench.report.case_view import case_views
from bench.report.dataset_view import dataset_views
from bench.report.document import Block, Document, Paragraph
from bench.report.gaps import gaps
from bench.report.head import head
from bench.report.naming import Names
from bench.report.overview import overview
from bench.stats.results import Results

View = Literal["default", "overview", "datasets", "case", "gaps", "all"]
"""``default`` is the overview and the data sets; ``all`` adds every case in full; ``gaps`` is what is not ``ok``."""

PARTS: dict[View, tuple[str, ...]] = {
    "default": ("overview", "datasets"),
    "overview": ("overview",),
    "datasets": ("datasets",),
    "case": ("case",),
    "gaps": ("gaps",),
    "all": ("overview", "datasets", "case"),
}


def document(results: Results, view: View = "default") -> Document:
    """The report as a neutral document; the same run gives the same document."""
    names = Names(one.case for one in results.summaries)
    parts = PARTS[view]
    blocks: list[Block] = head(results)
    if not results.summaries:
        return [*blocks, Paragraph("The run has no cases.")]
    if "overview" in parts:
        blocks += overview(results, names)
    if "datasets" in parts:
        blocks += dataset_views(results, names, alone="overview" not in parts)
    if "case" in parts:
        blocks += case_views(results, names)
    if "gaps" in parts:
        blocks += gaps(results, names)
    return blocks
