"""Figures of the rounds: ratios, the fixed cost of an epoch, and the tables."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bench.case import Frozen
from bench.stats.interval import median_interval
from tests.benchmarks.sizes import Both, Round, Size

FLOOR = 0.95
"""Share of the script's steady rate the harness must be shown to reach, conversion counted."""
PREDICT_FLOORS = {"predict": 0.97, "batch 1": 0.9}
"""A one-sample call takes 50 to 200 µs, a few of them for the harness's answer, labels and values."""
MOST_INTERCEPT_S = 0.005
"""Limit of an epoch's fixed cost."""


class Series(Frozen):
    """All rounds of one framework and model."""

    framework: str
    model: str
    apart: bool
    threads: int
    rounds: tuple[Round, ...]


class Median(NamedTuple):
    """A median over rounds with its distribution-free 95 % interval; no bounds below six rounds."""

    value: float
    low: float | None
    high: float | None

    def words(self, scale: float = 1.0, digits: int = 3) -> str:
        """``1.012 0.998–1.020``."""
        if self.low is None or self.high is None:
            return f"{self.value * scale:.{digits}f} –"
        return f"{self.value * scale:.{digits}f} {self.low * scale:.{digits}f}–{self.high * scale:.{digits}f}"


def over_rounds(values: Sequence[float]) -> Median:
    """Raises ValueError if ``values`` is empty."""
    return Median(statistics.median(values), *median_interval(values))


def intercept(steps: Sequence[int], seconds: Sequence[float]) -> float:
    """Intercept, in seconds, of the line through epoch ``seconds`` over ``steps``, by weighted least squares.

    The weights are ``1 / seconds²``: a machine's speed varies by a share, so errors grow with the seconds.
    """
    weights = [1 / one**2 for one in seconds]
    total = sum(weights)
    step = sum(weight * one for weight, one in zip(weights, steps, strict=True)) / total
    second = sum(weight * one for weight, one in zip(weights, seconds, strict=True)) / total
    points = list(zip(weights, steps, seconds, strict=True))
    slope = sum(weight * (x - step) * (y - second) for weight, x, y in points)
    slope /= sum(weight * (x - step) ** 2 for weight, x, _ in points)
    return second - slope * step


class SizeFigures(NamedTuple):
    """A size of a series: epoch seconds as medians over rounds, ratios within them."""

    size: Size
    harness_s: float
    script_s: float
    conversion_s: float
    ratio: Median
    """The harness's steady rate divided by the script's."""
    counted: Median
    """The same with the conversion, which the script does beforehand, added to its seconds."""

    @property
    def holds(self) -> bool:
        """True if shown above the floor, or not judged."""
        return not self.size.judged or (self.counted.low is not None and self.counted.low > FLOOR)


def size_figures(series: Series) -> list[SizeFigures]:
    """Figures for each size, in the series' order."""
    found = []
    for column in zip(*(one.trained for one in series.rounds), strict=True):
        harness, script = [one.epoch_s.harness for one in column], [one.epoch_s.script for one in column]
        conversion = [one.conversion_s for one in column]
        counted = [(s + c) / h for h, s, c in zip(harness, script, conversion, strict=True)]
        found.append(
            SizeFigures(
                size=column[0].size,
                harness_s=statistics.median(harness),
                script_s=statistics.median(script),
                conversion_s=statistics.median(conversion),
                ratio=over_rounds([s / h for h, s in zip(harness, script, strict=True)]),
                counted=over_rounds(counted),
            )
        )
    return found


def intercepts(series: Series, dataset: str | None = None) -> tuple[Median, Median] | None:
    """Harness's and script's intercepts over the rounds; None below three sizes.

    ``dataset``: only its sizes, whose steps all cost the same. None: digits, and the larger sizes of MNIST.
    """
    kept = [
        index
        for index, one in enumerate(series.rounds[0].trained)
        if (one.size.dataset == dataset if dataset else one.size.dataset == "digits" or one.size.rows > 1_437)
    ]
    if len(kept) < 3:
        return None

    def of(side: Callable[[Both], float]) -> Median:
        lines = []
        for one in series.rounds:
            chosen = [one.trained[index] for index in kept]
            lines.append(intercept([c.size.steps for c in chosen], [side(c.epoch_s) for c in chosen]))
        return over_rounds(lines)

    return of(lambda both: both.harness), of(lambda both: both.script)


def predictions(series: Series) -> dict[str, Median]:
    """Ratios of prediction, if timed: the script's seconds divided by the harness's."""
    found = {}
    timed = {
        "predict": [one.predict_s for one in series.rounds if one.predict_s is not None],
        "batch 1": [one.latency_s for one in series.rounds if one.latency_s is not None],
    }
    for name, both in timed.items():
        if both:
            found[name] = over_rounds([one.script / one.harness for one in both])
    return found


def misses(series: Series) -> list[str]:
    """Limits a series is not shown to hold, one a line."""
    name = f"{series.framework} {series.model}"
    found = [
        f"{name} {one.size.dataset} {one.size.rows:,}: {one.counted.words()} of the script's rate"
        for one in size_figures(series)
        if not one.holds
    ]
    for work, ratio in predictions(series).items():
        if ratio.low is None or ratio.low <= PREDICT_FLOORS[work]:
            found.append(f"{name} {work}: {ratio.words()} of the script's rate")
    for dataset in (None, "mnist"):
        lines = intercepts(series, dataset)
        if lines is not None and (lines[0].high is None or lines[0].high >= MOST_INTERCEPT_S):
            found.append(f"{name}: an epoch takes {lines[0].words(1e3, 2)} ms besides its steps")
    return found


def table(found: Sequence[Series]) -> str:
    """All series, within 80 columns."""
    lines = [
        "cpu, batch 128; medians over rounds with their distribution-free 95 % interval",
        "",
        f"{'':26}{'1000 samples/s':^16}{'':>7}{'conv.':>7}{'× script, conversion':>23}",
        f"{'model, rows':<26}{'harness':>8}{'script':>8}{'×':>7}{'µs/step':>8}{'counted, 95 % int.':>22}",
    ]
    for series in found:
        way = "processes apart" if series.apart else "one process"
        lines.append(f"{series.framework}, {series.threads} threads, {len(series.rounds)} rounds, {way}")
        lines += [_size_line(series.model, one) for one in size_figures(series)]
    lines += [
        "",
        "×: the harness's steady rate divided by the script's, within rounds; above 1 is",
        "faster. conv.: bytes to scaled float32, which the script does beforehand and the",
        f"harness in every step; counted, it is added to the script. Must be above {FLOOR}.",
    ]
    return "\n".join([*lines, *_line_table(found), *_prediction_table(found)])


def _size_line(model: str, one: SizeFigures) -> str:
    size = one.size
    mark = "" if size.judged else " *"
    harness, script = (size.rows / seconds / 1000 for seconds in (one.harness_s, one.script_s))
    return (
        f"{f'  {model}, {size.dataset} {size.rows:,}{mark}':<26}{harness:>8.2f}{script:>8.2f}{one.ratio.value:>7.3f}"
        f"{one.conversion_s / size.steps * 1e6:>8.1f}{one.counted.words():>22}"
    )


def _line_table(found: Sequence[Series]) -> list[str]:
    lines = []
    for series in found:
        for dataset, words in ((None, "digits and mnist"), ("mnist", "mnist alone")):
            both = intercepts(series, dataset)
            if both is not None:
                harness, script = (one.words(1e3, 2) for one in both)
                lines.append(f"{series.framework:<18}{words:<18}{harness:>21}{script:>21}")
    head = f"{'an epoch besides its steps, ms':<36}{'harness':>21}{'script':>21}"
    return ["", "* for this line alone", head, *lines] if lines else []


def _prediction_table(found: Sequence[Series]) -> list[str]:
    lines = []
    for series in found:
        if ratios := predictions(series):
            shown = "".join(f"{ratio.words():>22}" for ratio in ratios.values())
            lines.append(f"{series.framework:<18}{series.model:<12}{shown}")
    return ["", f"{'prediction, × script':<30}{'1000 at a time':>22}{'one sample':>22}", *lines] if lines else []
