"""Two systems compared on one machine: a ratio within each round, then summarised.

Machines change speed in regimes of many trials; inside one round both systems met the same regime, so that the
ratio of a round is surer than the ratio of two medians, and the ratios of several rounds are as good as independent.
"""

from collections.abc import Iterable, Sequence

from bench.adapters.catalog import PREFERRED_REFERENCE, find_adapter
from bench.case import Case, Execution, digest
from bench.errors import BenchError
from bench.record import Record
from bench.stats.interval import Figure, independent_median_figure
from bench.stats.metrics import Metric

FRAMEWORK_SIDE = {"framework", "execution", "steps_per_execution", "channels_last"}
"""Fields in which a case may differ from its reference: framework, and how it runs a network."""


def reference_framework(cases: Iterable[Case]) -> str | None:
    """The framework the others are divided by; the run's first if the preferred one is not in it.

    None for fewer than two frameworks: nothing to compare.
    """
    frameworks = list(dict.fromkeys(case.framework for case in cases))
    if len(frameworks) < 2:
        return None
    return PREFERRED_REFERENCE if PREFERRED_REFERENCE in frameworks else frameworks[0]


def comparison_key(case: Case) -> str:
    """Equal for two cases that differ only in fields in which a case may differ from its reference."""
    return digest(case.model_dump(mode="json", exclude=FRAMEWORK_SIDE))


WAY = {"execution", "precision", "input", "steps_per_execution", "channels_last"}
"""Fields of a way to run a network; a gain is relative to the default way."""


def is_default_way(case: Case) -> bool:
    """True if the case is run in its framework's default way; False for a framework unknown here."""
    plain = Case(dataset="", model="", framework="")
    as_plain = all(getattr(case, name) == getattr(plain, name) for name in WAY - {"execution"})
    return as_plain and case.execution == _own_execution(case.framework)


def _own_execution(framework: str) -> Execution | None:
    try:
        return find_adapter(framework).execution
    except BenchError:  # of a plug-in that is no longer installed, or no longer imports
        return None


def gain_key(case: Case) -> str:
    """Equal for two cases that differ only in how one framework runs them."""
    return digest(case.model_dump(mode="json", exclude=WAY))


def round_ratios(records: Sequence[Record], reference: Sequence[Record], metric: Metric) -> list[float]:
    """``metric`` of each trial divided by that of the reference in the same round with the same seed, both ``ok``."""
    base = {_round(record): metric.read(record) for record in reference if record.status == "ok"}
    ratios = []
    for record in sorted(records, key=_round):
        below = base.get(_round(record)) if record.status == "ok" else None
        above = metric.read(record) if below else None
        if above is not None and below:
            ratios.append(above / below)
    return ratios


def ratio_figure(records: Sequence[Record], reference: Sequence[Record], metric: Metric) -> Figure | None:
    """Median of the ratios of the rounds with its interval or range; None without a common round."""
    ratios = round_ratios(records, reference, metric)
    return independent_median_figure(ratios) if ratios else None


def _round(record: Record) -> tuple[int, int]:
    return record.round, record.seed_index
