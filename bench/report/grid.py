"""Cases as a table: a row per data set and model, a column per system."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.manifest import OFFICIAL, DatasetNote
from bench.report.document import Cell, Column, Row, Table, plain
from bench.report.naming import Names
from bench.stats.results import Results
from bench.stats.summary import CaseSummary

UNVERIFIED = "unverified data: no known fingerprint matched"

DIFFERENT = "other data than published: the fingerprint is known to be another one"

GENERATED = "generated data: made by the harness, not the published ones"

CellOf = Callable[[CaseSummary], Cell]


@dataclass(frozen=True)
class Grid:
    """Cases of one track, by row (data set and model) and by system."""

    results: Results
    names: Names
    summaries: tuple[CaseSummary, ...]

    @classmethod
    def by_track(cls, results: Results, names: Names) -> dict[str, Grid]:
        """One grid per track, in the order of the run."""
        tracks = dict.fromkeys(one.case.track for one in results.summaries)
        return {
            track: cls(results, names, tuple(one for one in results.summaries if one.case.track == track))
            for track in tracks
        }

    def systems(self, wanted: Iterable[CaseSummary]) -> list[str]:
        """Columns: the reference's first, then in run order."""
        reference = self.results.reference
        ordered = sorted(wanted, key=lambda one: one.case.framework != reference)
        return list(dict.fromkeys(self.names.system(one.case) for one in ordered))

    def column(self, system: str) -> list[CaseSummary]:
        """The cases of a system."""
        return [one for one in self.summaries if self.names.system(one.case) == system]

    def row_key(self, summary: CaseSummary) -> tuple[str, str]:
        """Data set and model."""
        return summary.case.dataset, self.names.model(summary.case)

    def rows(self, among: Iterable[CaseSummary]) -> dict[tuple[str, str], dict[str, CaseSummary]]:
        """The cases ``among`` by row and system; the rows of one data set together, whatever the order of the cases."""
        found: dict[tuple[str, str], dict[str, CaseSummary]] = {}
        order = list(dict.fromkeys(one.case.dataset for one in self.summaries))
        for one in sorted(among, key=lambda one: order.index(one.case.dataset)):
            found.setdefault(self.row_key(one), {})[self.names.system(one.case)] = one
        return found

    def table(
        self, title: str, systems: Mapping[str, tuple[str, ...]], cell: CellOf, among: Sequence[CaseSummary]
    ) -> Table:
        """Rows of the cases ``among``; ``systems`` gives the head of each column below its name."""
        rows = tuple(
            Row(
                (Cell(model, word=True), *(cell(found[system]) if system in found else Cell() for system in systems)),
                self._group(dataset),
            )
            for (dataset, model), found in self.rows(among).items()
        )
        named = {self.names.system(one.case): self.names.system_lines(one.case) for one in among}
        # Drops a line of the head that is empty for all.
        heads_of = [(*named[system], *lines) for system, lines in systems.items()]
        heads = zip(*(line for line in zip(*heads_of, strict=True) if any(line)), strict=True)
        columns = (Column(("model",), "left", label=True), *(Column(head) for head in heads))
        return Table(title, columns, rows, "data set")

    def _group(self, dataset: str) -> Cell:
        note = self.results.dataset(dataset)
        return Cell(plain(dataset), notes=_said_of(note) if note else (), word=True)


def _said_of(note: DatasetNote) -> tuple[str, ...]:
    """Notes a reader needs before comparing the data with another's."""
    notes: list[str] = []
    if note.generated:
        notes.append(GENERATED)
    elif note.differs:
        notes.append(DIFFERENT)
    elif not note.verified:
        notes.append(UNVERIFIED)
    if note.split != OFFICIAL:
        notes.append(plain(f"{note.title}: {note.split}"))
    return tuple(notes)
