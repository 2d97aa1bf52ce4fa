"""Figures as cells: value, spread, and a footnote where a reader would otherwise be misled."""

from collections.abc import Callable, Sequence

from bench.report import numbers
from bench.report.document import Cell
from bench.stats.interval import Figure
from bench.stats.metrics import METRICS
from bench.stats.summary import CaseSummary

DETERMINISTIC = "deterministic: another seed gives the same, so it ran once and has no interval over seeds"
NOT_STEADY = "not steady: throughput of the first and last third of its epochs differs by more than 5 %"
NOISY = "the machine was disturbed in every trial of it"
NO_SPREAD = "every seed gave the same: the interval says less than it seems to"
RANGE = "below 6 trials: the range"

Text = Callable[[float], str]


def spread_head(figures: Sequence[Figure | None]) -> str:
    """What the spread of a column is called: its interval, its range, or both where the column mixes them."""
    kinds = {figure.kind for figure in figures if figure is not None}
    if {"interval", "range"} <= kinds:
        return "int. or range"
    if "interval" in kinds:
        return "95 % int."
    return "range" if "range" in kinds else ""


def share_cell(summary: CaseSummary, metric: str, seeds: int, notes: Sequence[str] = ()) -> Cell:
    """A quality figure in percent with half its interval: ``99.02 ±0.08``. ``seeds`` is what the run set out to do."""
    figure = summary.figures[metric]
    if figure is None:
        return missing(summary, METRICS[metric].absent)
    half = None if figure.high is None else figure.high - figure.value
    spread = "" if half is None else numbers.plus_minus(half)
    return Cell(numbers.percent(figure.value), spread, (*notes, *_quality_notes(figure, seeds)))


def speed_cell(summary: CaseSummary, metric: str, text: Text, *, spread: bool = False, mark_noise: bool = True) -> Cell:
    """A figure of speed or memory, with its interval or range if ``spread``.

    ``mark_noise`` is for speeds in a run that was not disturbed throughout: the head says it of such a run, once.
    """
    figure = summary.figures[metric]
    if figure is None:
        return missing(summary, METRICS[metric].absent)
    notes = []
    if metric == "train_samples_per_s" and summary.steady is False:
        notes.append(NOT_STEADY)
    if mark_noise and summary.noisy_trials == len(summary.ok):
        notes.append(NOISY)
    return Cell(text(figure.value), bounds(figure, text) if spread else "", tuple(notes))


def ratio_cell(figure: Figure, column: Sequence[Figure | None]) -> Cell:
    """A ratio with its interval or range; a footnote says which, where the ``column`` mixes them."""
    mixed = spread_head(column).endswith("or range")
    notes = (RANGE,) if mixed and figure.kind == "range" else ()
    return Cell(numbers.ratio(figure.value), bounds(figure, numbers.ratio), notes)


def bounds(figure: Figure, text: Text) -> str:
    """``1.91–2.04``; empty for a figure without bounds."""
    if figure.low is None or figure.high is None:
        return ""
    return numbers.between(text(figure.low), text(figure.high))


def missing(summary: CaseSummary, reason: str) -> Cell:
    """The status of a case without figures, else a dash and why."""
    if not summary.ok:
        return Cell(summary.status, word=True)
    return Cell(numbers.DASH, notes=(reason,))


def _quality_notes(figure: Figure, seeds: int) -> tuple[str, ...]:
    if figure.kind == "deterministic":
        return (DETERMINISTIC,)
    notes = [f"{figure.n} of {seeds} seeds"] if figure.n < seeds else []
    if figure.kind == "interval" and figure.low == figure.high:
        notes.append(NO_SPREAD)
    return tuple(notes)
