"""The reports a run leaves beside its records: ``report.md`` and ``report.csv`` in its folder."""

from pathlib import Path

from bench.report.formats import REPORTS
from bench.stats.results import Results
from bench.store import RunFolder

WRITTEN = {"report.md": "markdown", "report.csv": "csv"}


def write_reports(folder: RunFolder) -> tuple[Path, ...]:
    """Write the reports of a run into its folder and return their paths."""
    results = Results.of(folder)
    for name, report_format in WRITTEN.items():
        text = REPORTS.get(report_format)(results)
        (folder.path / name).write_text(text, encoding="utf-8", newline="\n")
    return tuple(folder.path / name for name in WRITTEN)
