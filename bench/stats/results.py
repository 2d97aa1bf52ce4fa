"""A run as its readers see it: the manifest, the records, the environments, and what follows from them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from bench.case import Case
from bench.certificate import PROVED
from bench.errors import UnknownName
from bench.manifest import DatasetNote, Floors, PublishedFigure, RunManifest
from bench.record import Environment, Record
from bench.stats.agreement import DIFFERS, Agreement, agreements, is_comparable
from bench.stats.interval import Figure
from bench.stats.metrics import METRICS
from bench.stats.ratio import comparison_key, gain_key, is_default_way, ratio_figure, reference_framework
from bench.stats.summary import CaseSummary, summarise

if TYPE_CHECKING:
    from bench.stats.agreement import Decisions
    from bench.store import RunFolder


@dataclass(frozen=True)
class Results:
    """A run's plan and its outcome, in memory.

    ``shown`` restricts what a report lists to some case ids; ratios are still taken against every case of the run.
    """

    manifest: RunManifest
    records: Sequence[Record]
    environments: Mapping[str, Environment]
    shown: frozenset[str] | None = None
    floors: Sequence[Floors] = ()
    """One for every data set and number of training rows; none for an unfinished or an earlier version's run."""
    decisions: "Decisions" = field(default=lambda record: None, repr=False, compare=False)
    """Reads the answers stored with a record; none for a run that is not in a folder."""

    @classmethod
    def of(cls, folder: "RunFolder") -> "Results":
        """Read a run folder."""
        records, environments = tuple(folder.records()), folder.environments()
        return cls(folder.manifest, records, environments, floors=folder.floors(), decisions=folder.decisions)

    @cached_property
    def everything(self) -> dict[str, CaseSummary]:
        """Every case of the run by id, shown or not."""
        worth = {note.name: note.independent_test_rows for note in self.manifest.datasets}
        return summarise(self.manifest.cases, self.records, worth)

    @cached_property
    def summaries(self) -> tuple[CaseSummary, ...]:
        """Every case shown, in the order of the manifest."""
        return tuple(one for one in self.everything.values() if self.shown is None or one.case_id in self.shown)

    @cached_property
    def reference(self) -> str | None:
        """The framework the others are divided by; None where the run has fewer than two."""
        return reference_framework(one.case for one in self.everything.values())

    @cached_property
    def _references(self) -> dict[str, CaseSummary]:
        """Cases of the reference framework by comparison key; of several the run's first."""
        found: dict[str, CaseSummary] = {}
        for one in self.everything.values():
            if one.case.framework == self.reference:
                found.setdefault(comparison_key(one.case), one)
        return found

    def reference_of(self, summary: CaseSummary) -> CaseSummary | None:
        """The case ``summary`` is divided by: None without one, for itself, and if either is not ranked.

        If the reference framework runs the same in several ways, the others are divided by the first.
        """
        base = self.row_reference(summary)
        if base is None or base.case_id == summary.case_id:
            return None
        return base if self.is_ranked(summary) and self.is_ranked(base) else None

    def row_reference(self, summary: CaseSummary) -> CaseSummary | None:
        """The case of the reference framework in the row of ``summary``, ranked or not; None where it has none."""
        return self._references.get(comparison_key(summary.case)) if self.reference else None

    def is_reference(self, summary: CaseSummary) -> bool:
        """True if others are divided by this case."""
        base = self.row_reference(summary)
        return base is not None and base.case_id == summary.case_id and self.is_ranked(summary)

    @cached_property
    def _rows(self) -> dict[str, list[CaseSummary]]:
        """Cases that are meant to compute the same, by comparison key."""
        found: dict[str, list[CaseSummary]] = {}
        for one in self.everything.values():
            if is_comparable(one):
                found.setdefault(comparison_key(one.case), []).append(one)
        return found

    @cached_property
    def _agreements(self) -> dict[str, Agreement]:
        """By case id; filled row by row, since it needs stored answers."""
        return {}

    def agreement(self, summary: CaseSummary) -> Agreement:
        """Agreement of a case with the others of its row; empty if it is not meant to be compared."""
        if summary.case_id not in self._agreements:
            row = self._rows.get(comparison_key(summary.case), ())
            self._agreements.update({summary.case_id: Agreement(), **agreements(row, self.decisions)})
        return self._agreements[summary.case_id]

    def is_ranked(self, summary: CaseSummary) -> bool:
        """True for all cases but those that differ from their row."""
        return self.agreement(summary).label != DIFFERS

    def is_proved(self, summary: CaseSummary) -> bool:
        """True where every trial ran under a certificate for just this, and the case does not differ from its row."""
        return summary.equivalence == PROVED and self.is_ranked(summary)

    @cached_property
    def _defaults(self) -> dict[str, CaseSummary]:
        """Cases run in their framework's default way, by what they share with those run otherwise.

        Looked up only for cases run in several ways: the adapter that knows its default imports numpy, which is slow.
        """
        ways: dict[str, list[CaseSummary]] = {}
        for one in self.everything.values():
            ways.setdefault(gain_key(one.case), []).append(one)
        several = {key: cases for key, cases in ways.items() if len(cases) > 1}
        return {key: one for key, cases in several.items() for one in cases if is_default_way(one.case)}

    def gain(self, summary: CaseSummary, metric: str) -> Figure | None:
        """``metric`` of a case divided by that of the same framework's default way within each round.

        None for that way itself, without it, or if either is not ranked.
        """
        base = self._defaults.get(gain_key(summary.case))
        if base is None or base.case_id == summary.case_id or not (self.is_ranked(summary) and self.is_ranked(base)):
            return None
        return ratio_figure(summary.ok, base.ok, METRICS[metric])

    def ratio(self, summary: CaseSummary, metric: str) -> Figure | None:
        """``metric`` of a case divided by the reference's within each round, summarised; None where it cannot be."""
        base = self.reference_of(summary)
        return None if base is None else ratio_figure(summary.ok, base.ok, METRICS[metric])

    def seeds(self, case: Case) -> int:
        """Number of seeds the run planned for a case."""
        return self.manifest.case_seeds.get(case.id, self.manifest.seeds)

    @cached_property
    def several_seeds(self) -> bool:
        """True if any case of the run has more than one seed."""
        return any(self.seeds(one.case) > 1 for one in self.everything.values()) or self.manifest.seeds > 1

    def published(self, case: Case) -> tuple[PublishedFigure, ...]:
        """Published figures for the same data set, model and, where they name one, framework."""
        return tuple(
            figure
            for figure in self.manifest.published
            if (figure.dataset, figure.model) == (case.dataset, case.model)
            and figure.framework in (None, case.framework)
        )

    def dataset(self, name: str) -> DatasetNote | None:
        """The manifest's note on a data set; None if it was not available."""
        return next((note for note in self.manifest.datasets if note.name == name), None)

    def floors_of(self, case: Case) -> Floors | None:
        """The floors of the training rows that a case gets; None where the run does not have them."""
        note = self.dataset(case.dataset)
        rows = case.train_rows or (note.train_rows if note else None)
        wanted = (case.data_fingerprint, rows)
        return next((floors for floors in self.floors if (floors.fingerprint, floors.train_rows) == wanted), None)

    def only(
        self, *, datasets: Iterable[str] = (), models: Iterable[str] = (), frameworks: Iterable[str] = ()
    ) -> "Results":
        """The same run, showing only cases whose names match one of the names or globs of each kind.

        Raises UnknownName for a name or glob that no case of the run matches.
        """
        shown = self.summaries
        chosen = False
        for kind, axis, patterns in (
            ("data set", "dataset", tuple(datasets)),
            ("model", "model", tuple(models)),
            ("framework", "framework", tuple(frameworks)),
        ):
            names = {str(getattr(one.case, axis)) for one in self.everything.values()}
            for pattern in patterns:
                if not any(fnmatchcase(name, pattern) for name in names):
                    raise UnknownName(kind, pattern, names, where=f"run {self.manifest.name}")
            if patterns:
                chosen = True
                shown = tuple(one for one in shown if _matches(one.case, axis, patterns))
        return replace(self, shown=frozenset(one.case_id for one in shown)) if chosen else self


def _matches(case: Case, field: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(str(getattr(case, field)), pattern) for pattern in patterns)
