"""One case in figures: what its records say together."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.case import Case
from bench.record import ModelFigures, Record
from bench.stats.interval import Figure, best_share_interval
from bench.stats.learning import still_learning
from bench.stats.metrics import METRICS
from bench.stats.steady import drift, is_steady

NOT_STARTED = "not-started"
"""Status of a planned case without a record: the run was ended before it."""

PARTIAL = "partial"
"""Status of a case with some trials ``ok`` and some not."""


@dataclass(frozen=True)
class CaseSummary:
    """A case, its records in the order of their seeds, and the figures that follow from them.

    Figures rest on the trials that are ``ok``, however busy the machine was.
    """

    case_id: str
    case: Case
    records: tuple[Record, ...]
    independent_test_rows: int | None = None
    """Independent rows the test part is worth, if its rows are known to come in groups."""

    @cached_property
    def ok(self) -> tuple[Record, ...]:
        """The trials that ended well."""
        return tuple(record for record in self.records if record.status == "ok")

    @property
    def failed(self) -> tuple[Record, ...]:
        """The records that are not ``ok``, whatever the status."""
        return tuple(record for record in self.records if record.status != "ok")

    @property
    def statuses(self) -> Mapping[str, int]:
        """Number of records by status."""
        return Counter(record.status for record in self.records)

    @property
    def status(self) -> str:
        """The one word for the case: ``ok``, ``partial``, ``not-started``, or its most frequent other status."""
        if not self.records:
            return NOT_STARTED
        if self.ok:
            return PARTIAL if self.failed else "ok"
        return max(self.statuses, key=lambda status: self.statuses[status])

    @property
    def deterministic(self) -> bool:
        """True if a second seed would give the same model."""
        return bool(self.ok) and all(record.deterministic for record in self.ok)

    @cached_property
    def figures(self) -> Mapping[str, Figure | None]:
        """Every metric by name; None where no trial gives it."""
        return {name: metric.summarise(self.ok, deterministic=self.deterministic) for name, metric in METRICS.items()}

    @property
    def accuracy(self) -> float | None:
        """Mean accuracy, 0 to 1: what tables are sorted by."""
        figure = self.figures["accuracy"]
        return figure.value if figure else None

    def test_part_interval(self, best_of: int = 1) -> tuple[float, float] | None:
        """Uncertainty of the accuracy from the finite test part alone: Wilson's 95 % interval at the mean.

        Rows of one group count as if all were answered alike, which gives the widest interval. ``best_of``: the
        number of cases of which this one is the best.
        """
        rows = self.independent_test_rows or self.test_rows
        if not rows or self.accuracy is None:
            return None
        return best_share_interval(self.accuracy, rows, best_of)

    @cached_property
    def drifts(self) -> tuple[float, ...]:
        """Last third against first third of the steady epochs' throughput, of each trial that has both."""
        return tuple(value for record in self.ok if (value := drift(record)) is not None)

    @property
    def drift(self) -> float | None:
        """Geometric mean of the drifts; None where no trial has one."""
        return statistics.geometric_mean(self.drifts) if self.drifts else None

    @property
    def steady(self) -> bool | None:
        """True if the trials show no trend; None if they are too few to tell."""
        return is_steady(self.drifts)

    @property
    def still_learning(self) -> bool | None:
        """True where the validation part showed a network still learning at its end; None without one."""
        return still_learning(self.ok)

    @property
    def test_rows(self) -> int:
        """Rows of the test part that were scored; 0 where no trial was."""
        return next((record.scores.rows for record in self.ok if record.scores), 0)

    @property
    def model(self) -> ModelFigures:
        """Parameters and FLOPs of the first trial: every trial of a case has the same."""
        return next((record.model for record in self.ok if record.model), ModelFigures())

    @property
    def equivalence(self) -> str:
        """The label its records carry; several are joined."""
        return ", ".join(dict.fromkeys(record.equivalence for record in self.ok))


def summarise(
    cases: Sequence[Case], records: Sequence[Record], independent_test_rows: Mapping[str, int | None] = {}
) -> dict[str, CaseSummary]:
    """Every case of ``cases``, then any others of ``records``, by case id in that order.

    A case is known by its settings; its id is the one in its records, which an earlier protocol made differently.
    ``independent_test_rows`` has an entry for each data set whose test rows come in groups.
    """
    found = {case.id: case for case in cases}
    by_case: dict[str, list[Record]] = {key: [] for key in found}
    for record in records:
        key = record.case.id
        found.setdefault(key, record.case)
        by_case.setdefault(key, []).append(record)
    summaries: dict[str, CaseSummary] = {}
    for key, case in found.items():
        ordered = tuple(sorted(by_case[key], key=lambda record: record.seed_index))
        case_id = ordered[0].case_id if ordered else key
        summaries[case_id] = CaseSummary(case_id, case, ordered, independent_test_rows.get(case.dataset))
    return summaries
