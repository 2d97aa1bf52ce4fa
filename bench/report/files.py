"""The reports a run leaves beside its records: ``report.md`` and ``report.csv`` in its folder."""

from pathlib import Path

from bench.durable import write_text_whole
from bench.errors import BenchError
from bench.report.formats import REPORTS
from bench.stats.results import Results
from bench.store import RunFolder

WRITTEN = {"report.md": "markdown", "report.csv": "csv"}


def write_reports(folder: RunFolder) -> tuple[Path, ...]:
    """Write the reports of a run into its folder and return their paths. Raises BenchError if the disk refuses."""
    results = Results.of(folder)
    for name, report_format in WRITTEN.items():
        text = REPORTS.get(report_format)(results)
        try:
            write_text_whole(folder.path / name, text)
        except OSError as error:
            raise BenchError(
                f"{name} of run {folder.manifest.name!r} cannot be written: {error.strerror or type(error).__name__}.",
                f"Its records are kept; show them again with: bench report {folder.path}",
            ) from error
    return tuple(folder.path / name for name in WRITTEN)
