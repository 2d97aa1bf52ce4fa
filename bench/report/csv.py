"""A run as CSV: one row per case or record, stable column names, figures in full precision."""

import csv
import io

from bench.report.rows import Value, case_rows, columns, trial_rows
from bench.report.views import View
from bench.stats.results import Results


def render(results: Results, *, view: View = "default", per_trial: bool = False, color: bool = False) -> str:
    """All cases (or records) as CSV with a head line; an empty field means no figure.

    ``view`` and ``color`` have no meaning here: every column is always written.
    """
    file = io.StringIO()
    writer = csv.DictWriter(file, columns(per_trial), lineterminator="\n")
    writer.writeheader()
    for row in trial_rows(results) if per_trial else case_rows(results):
        writer.writerow({name: _field(value) for name, value in row.items()})
    return file.getvalue()


def _field(value: Value) -> str:
    """Booleans in the form every CSV reader knows; floats that read back unchanged."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
