"""Figures as cells: value, spread, and a footnote where a reader would otherwise be misled."""

from collections.abc import Callable, Sequence

from bench.report import numbers
from bench.report.document import Cell, plain
from bench.stats.interval import Figure
from bench.stats.metrics import METRICS
from bench.stats.summary import CaseSummary

DETERMINISTIC = "deterministic: another seed gives the same, so it ran once"
NOT_STEADY = "not steady: throughput of the first and last third of its epochs differs by more than 5 %"
NOISY = "the machine was disturbed in every trial of it"
NO_SPREAD = "every seed gave the same: the interval says less than it seems to"
RANGE = "below 6 trials: the range"

NOT_COMPARED = "not compared"
"""The label of what no other framework is meant to compute alike: of no interest where only one has it."""

OWN_MODEL = "own model"

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
    return Cell(numbers.percent(figure.value), half_interval(figure), (*notes, *_quality_notes(figure, seeds)))


def further_share_cell(summary: CaseSummary, metric: str, notes: Sequence[str] = ()) -> Cell:
    """A quality figure beside or below the accuracy, whose footnotes on its seeds hold for it too."""
    figure = summary.figures[metric]
    if figure is None:
        return missing(summary, METRICS[metric].absent)
    return Cell(numbers.percent(figure.value), half_interval(figure), tuple(notes))


def half_interval(figure: Figure) -> str:
    """``±0.08``; empty for a share without an interval."""
    return "" if figure.high is None else numbers.plus_minus(figure.high - figure.value)


def speed_cell(
    summary: CaseSummary, metric: str, text: Text, column: Sequence[Figure | None], *, mark_noise: bool = True
) -> Cell:
    """A figure of speed or memory with its interval or range; a footnote says which, where the ``column`` mixes them.

    ``mark_noise`` is for speeds in a run that was not disturbed throughout: the head says it of such a run, once.
    """
    figure = summary.figures[metric]
    if figure is None:
        return missing(summary, METRICS[metric].absent)
    notes = list(_kind_notes(figure, column))
    if metric == "train_samples_per_s" and summary.steady is False:
        notes.append(NOT_STEADY)
    if metric == "time_to_accuracy_s" and figure.n < len(summary.ok):
        # the median is over those that came so far: alone it would favour what seldom does
        notes.append(f"reached by {figure.n} of {len(summary.ok)} trials")
    if mark_noise and summary.noisy_trials == len(summary.ok):
        notes.append(NOISY)
    return Cell(text(figure.value), bounds(figure, text), tuple(notes))


def ratio_cell(figure: Figure, column: Sequence[Figure | None]) -> Cell:
    """A ratio with its interval or range; a footnote says which, where the ``column`` mixes them."""
    return Cell(numbers.ratio(figure.value), bounds(figure, numbers.ratio), _kind_notes(figure, column))


def bounds(figure: Figure, text: Text) -> str:
    """``1.91–2.04``; empty for a figure without bounds."""
    if figure.low is None or figure.high is None:
        return ""
    low, high = text(figure.low), text(figure.high)
    # A limit (``<0.001``) that holds for every trial says all there is to say.
    return "" if low == high and low.startswith("<") else numbers.between(low, high)


def missing(summary: CaseSummary, reason: str) -> Cell:
    """The status of a case without figures, else a dash and why."""
    if not summary.ok:
        return Cell(summary.status, word=True)
    return Cell(numbers.DASH, notes=(reason,))


def equivalence_words(label: str) -> str:
    """A record's label as a phrase of its own: ``equivalence not yet verified``, ``own model: not compared``."""
    words = {NOT_COMPARED: NOT_COMPARED, OWN_MODEL: f"{OWN_MODEL}: {NOT_COMPARED}"}
    return words.get(label) or f"equivalence {plain(label) or numbers.DASH}"


def _kind_notes(figure: Figure, column: Sequence[Figure | None]) -> tuple[str, ...]:
    mixed = {"interval", "range"} <= {one.kind for one in column if one is not None}
    return (RANGE,) if mixed and figure.kind == "range" else ()


def _quality_notes(figure: Figure, seeds: int) -> tuple[str, ...]:
    if figure.kind == "deterministic":
        return (DETERMINISTIC,)
    notes = [f"{figure.n} of {seeds} seeds"] if figure.n < seeds else []
    if figure.kind == "interval" and figure.low == figure.high:
        notes.append(NO_SPREAD)
    return tuple(notes)
