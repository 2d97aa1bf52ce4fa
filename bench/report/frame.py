"""A run as a pandas frame: the columns of the CSV, with their types."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.errors import BenchError
from bench.report.rows import Value, case_rows, columns, trial_rows
from bench.stats.results import Results

if TYPE_CHECKING:
    from pandas import DataFrame


def to_frame(results: Results, *, per_trial: bool = False) -> "DataFrame":
    """One row per case, or per record. Raises BenchError if pandas is not installed."""
    try:
        import pandas
    except ImportError as error:
        raise BenchError(
            "a frame needs pandas, which is not installed.", "To install it: pip install 'bench-mnist[frame]'"
        ) from error
    rows = trial_rows(results) if per_trial else case_rows(results)
    frame = pandas.DataFrame(rows, columns=list(columns(per_trial)))
    # By default pandas turns integers into floats and booleans into objects if some values are missing.
    return frame.astype({name: dtype for name in frame.columns if (dtype := _dtype([row[name] for row in rows]))})


def _dtype(values: Sequence[Value]) -> str | None:
    """The pandas type of a column that must not be guessed; None if the guess is right."""
    kinds = {type(value) for value in values if value is not None}
    return {frozenset({bool}): "boolean", frozenset({int}): "Int64"}.get(frozenset(kinds))
