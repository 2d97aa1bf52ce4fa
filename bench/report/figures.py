"""Figures as cells: value, spread, and a footnote where a reader would otherwise be misled."""

from collections.abc import Callable, Sequence

from bench.report import numbers
from bench.report.document import Cell
from bench.stats.interval import FEWEST_SEEDS, Figure
from bench.stats.metrics import METRICS
from bench.stats.summary import CaseSummary

DETERMINISTIC = "deterministic: another seed gives the same, so it ran once"
NOT_STEADY = "not steady: its trials agree that throughput changes by 5 % or more from the first to the last epochs"
NO_SPREAD = "every seed gave the same value: the spread is not informative"
TOO_WIDE = "the range of its seeds: a 95 % interval would cover more than half of 0 to 100 %"
FEW_ROUNDS = "fewer than 6 rounds: the range"

STILL_LEARNING = "still learning: its loss or accuracy on the validation part was improving when its training ended"
PROBABILITIES = "gives probabilities, not logits: trained by the cross-entropy of probabilities"

Text = Callable[[float], str]


def spread_head(figures: Sequence[Figure | None]) -> str:
    """Name for the spread of a column: interval, range, or both if the column mixes them."""
    kinds = {figure.kind for figure in figures if figure is not None}
    if {"interval", "range"} <= kinds:
        return "int. or range"
    if "interval" in kinds:
        return "95 % int."
    return "range" if "range" in kinds else ""


def share_cell(summary: CaseSummary, metric: str, seeds: int, notes: Sequence[str] = ()) -> Cell:
    """A quality figure in percent with its spread: ``99.02 ±0.08``. ``seeds`` is the number planned."""
    figure = summary.figures[metric]
    if figure is None:
        return missing(summary, METRICS[metric].absent)
    said = (*notes, *_training_notes(summary), *_quality_notes(figure, seeds))
    return Cell(numbers.percent(figure.value), share_spread(figure), said)


def further_share_cell(summary: CaseSummary, metric: str, notes: Sequence[str] = ()) -> Cell:
    """A quality figure beside or below the accuracy; the accuracy's footnotes on seeds hold for it."""
    figure = summary.figures[metric]
    if figure is None:
        return missing(summary, METRICS[metric].absent)
    return Cell(numbers.percent(figure.value), share_spread(figure), tuple(notes))


def share_spread(figure: Figure) -> str:
    """``±0.08`` for a share with an interval, ``98.89–99.03`` for one with a range, empty for one without bounds."""
    if figure.kind == "interval" and figure.high is not None:
        return numbers.plus_minus(figure.high - figure.value)
    return bounds(figure, numbers.percent)


def speed_cell(summary: CaseSummary, metric: str, text: Text) -> Cell:
    """A figure of speed or memory with its range."""
    figure = summary.figures[metric]
    if figure is None:
        return missing(summary, METRICS[metric].absent)
    notes: list[str] = []
    if metric == "train_samples_per_s" and summary.steady is False:
        notes.append(NOT_STEADY)
    if metric == "time_to_accuracy_s" and figure.n < len(summary.ok):
        # the median is over trials that reached it: alone it would favour rare successes
        notes.append(f"reached by {figure.n} of {len(summary.ok)} trials")
    return Cell(text(figure.value), bounds(figure, text), tuple(notes))


def ratio_cell(figure: Figure, column: Sequence[Figure | None]) -> Cell:
    """A ratio with its interval or range; a footnote says which, where the ``column`` mixes them."""
    mixed = {"interval", "range"} <= {one.kind for one in column if one is not None}
    notes = (FEW_ROUNDS,) if mixed and figure.kind == "range" else ()
    return Cell(numbers.ratio(figure.value), bounds(figure, numbers.ratio), notes)


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


def _training_notes(summary: CaseSummary) -> tuple[str, ...]:
    """Notes on the training, where the accuracy alone would mislead."""
    notes = [STILL_LEARNING] if summary.still_learning else []
    loss = str(summary.ok[0].settings.get("loss", "")) if summary.ok else ""
    return (*notes, PROBABILITIES) if loss.startswith("cross-entropy on probabilities") else tuple(notes)


def _quality_notes(figure: Figure, seeds: int) -> tuple[str, ...]:
    if figure.kind == "deterministic":
        return (DETERMINISTIC,)
    notes = [f"{figure.n} of {seeds} seeds"] if figure.n < seeds else []
    if figure.kind == "range" and figure.low == figure.high:
        notes.append(NO_SPREAD)
    elif figure.kind == "range" and figure.n >= FEWEST_SEEDS:
        notes.append(TOO_WIDE)
    return tuple(notes)
