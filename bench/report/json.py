"""A run as JSON: its manifest, its environments, and its tidy rows."""

import json

from bench.report.rows import case_rows, trial_rows
from bench.report.views import View
from bench.stats.results import Results


def render(results: Results, *, view: View = "default", per_trial: bool = False, color: bool = False) -> str:
    """``{"run": …, "environments": …, "cases": [rows]}``, or ``"trials"`` if ``per_trial``; null means no figure.

    ``view`` and ``color`` have no meaning here: every column is always written.
    """
    content = {
        # The cases themselves are the rows below.
        "run": results.manifest.model_dump(mode="json", exclude={"cases"}),
        "environments": {
            key: results.environments[key].model_dump(mode="json") for key in sorted(results.environments)
        },
        "floors": [floors.model_dump(mode="json") for floors in results.floors],
        "reference": results.reference,
        "trials" if per_trial else "cases": trial_rows(results) if per_trial else case_rows(results),
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
