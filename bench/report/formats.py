"""The report formats by name. Another package adds one by an entry point of the group ``bench.reports``."""

from typing import Protocol

from bench.registry import Registry
from bench.report.views import View
from bench.stats.results import Results


class Renderer(Protocol):
    """Writes a run in one format. The same run gives the same text, byte for byte."""

    def __call__(self, results: Results, *, view: View = ..., per_trial: bool = ..., color: bool = ...) -> str:
        """The whole report as text. Options that mean nothing in the format are ignored or refused by BenchError."""


REPORTS: Registry[Renderer] = Registry(
    "report format",
    "bench.reports",
    "bench report --help",
    {
        "terminal": "bench.report.terminal:render",
        "markdown": "bench.report.markdown:render",
        "csv": "bench.report.csv:render",
        "json": "bench.report.json:render",
        "svg": "bench.report.svg:render",
    },
)
