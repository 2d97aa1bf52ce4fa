"""Events of a run and their observers."""

from pathlib import Path
from typing import Protocol

from bench.record import Record
from bench.runner.plan import Plan, PlannedTrial


class Observer(Protocol):
    """Receives the events of a run. It draws only on events: nothing runs beside a measurement."""

    def preparing(self, line: str) -> None:
        """Something before the plan: a data set is read or fetched."""
        return

    def planned(self, plan: Plan, folder: Path) -> None:
        """The plan is made and its folder is there."""
        return

    def started(self, trial: PlannedTrial, number: int, remaining_s: float) -> None:
        """Trial ``number`` (from 1) begins; it and those after it may take ``remaining_s``."""
        return

    def phase(self, name: str) -> None:
        """The trial has begun a phase."""
        return

    def finished(self, record: Record) -> None:
        """The trial has ended and its record is stored."""
        return

    def close(self) -> None:
        """The events are over: remove what was only drawn. May be called more than once."""
        return


class Silent(Observer):
    """Ignores all events."""
