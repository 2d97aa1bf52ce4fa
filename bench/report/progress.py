"""Display of a run in progress: a live line on a terminal, plain lines elsewhere, nothing when quiet.

It draws on events of the run, phases at most once a second, and never on a timer: a display that redraws itself
would use the processor that is being measured.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.record import Record
from bench.report.naming import Names
from bench.report.numbers import count
from bench.runner.events import Observer, Silent
from bench.runner.plan import Plan, PlannedTrial

if TYPE_CHECKING:
    from rich.live import Live


def progress(quiet: bool) -> Observer:
    """The display that suits standard error: live on a terminal, plain lines in a file or a pipe."""
    if quiet:
        return Silent()
    return LiveDisplay() if sys.stderr.isatty() else PlainDisplay()


class PlainDisplay:
    """A line for each finished trial, on standard error."""

    def __init__(self) -> None:
        self._total = 0
        self._number = 0
        self._names = Names(())

    def preparing(self, line: str) -> None:
        """Print it."""
        self.say(line)

    def planned(self, plan: Plan, folder: Path) -> None:
        """Print the size of the plan and the folder."""
        self._total = len(plan.trials)
        self._names = Names(case.case for case in plan.cases)
        self.say(f"{summary(plan)}; records in {folder}")

    def started(self, trial: PlannedTrial, number: int, remaining_s: float) -> None:
        """Keep the number for the trial's line."""
        self._number = number

    def phase(self, name: str) -> None:
        """Phases are for the live display."""

    def finished(self, record: Record) -> None:
        """Print the outcome."""
        width = len(str(self._total))
        self.say(f"[{self._number:>{width}}/{self._total}] {outcome(record, self._names.line(record.case))}")

    def close(self) -> None:
        """Lines stay."""

    def say(self, line: str) -> None:
        """Print one line."""
        print(line, file=sys.stderr, flush=True)


class LiveDisplay(PlainDisplay):
    """The plain lines, and below them one line that says what runs now and how long the rest may take."""

    REDRAW_S = 1.0

    def __init__(self) -> None:
        super().__init__()
        self._live: Live | None = None
        self._trial = ""
        self._left = ""
        self._drawn = 0.0

    def planned(self, plan: Plan, folder: Path) -> None:
        """Begin the live line."""
        from rich.console import Console
        from rich.live import Live

        super().planned(plan, folder)
        self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
        self._live.start()

    def started(self, trial: PlannedTrial, number: int, remaining_s: float) -> None:
        """Draw the trial that begins."""
        super().started(trial, number, remaining_s)
        self._trial = f"{self._names.line(trial.planned.case)} · seed {trial.seed_index}"
        self._left = f"{duration(remaining_s)} left"
        self._draw("start", at_once=True)

    def phase(self, name: str) -> None:
        """Draw the phase, if the line is a second old."""
        self._draw(name)

    def finished(self, record: Record) -> None:
        """Print the outcome; end the live line after the last."""
        super().finished(record)
        if self._number == self._total:
            self.close()

    def close(self) -> None:
        """Remove the live line."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, line: str) -> None:
        """Print one line above the live one."""
        if self._live is None:
            super().say(line)
        else:
            self._live.console.print(line, highlight=False, markup=False)

    def _draw(self, phase: str, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if self._live is None or (not at_once and now - self._drawn < self.REDRAW_S):
            return
        from rich.text import Text

        self._drawn = now
        done = round(10 * (self._number - 1) / max(1, self._total))
        bar = "━" * done + "╌" * (10 - done)
        # the trial's name last: the end of the line is cut where the terminal is narrow
        line = f"{bar} {self._number}/{self._total} · {self._left} · {phase} · {self._trial}"
        self._live.update(Text(line, no_wrap=True, overflow="ellipsis"), refresh=True)


def summary(plan: Plan) -> str:
    """``41 trials of 15 cases, about 4 min; 6 cases cannot run here``."""
    running = {trial.planned.case.id for trial in plan.trials}
    text = f"{count(len(plan.trials), 'trial')} of {count(len(running), 'case')}, about {duration(plan.estimate_s)}"
    if plan.blocked:
        text += f"; {count(len(plan.blocked), 'case')} cannot run here"
    return text


def outcome(record: Record, name: str) -> str:
    """One line on a finished trial of the case called ``name``: what it scored and how fast, or why it failed."""
    head = f"{name} seed {record.seed_index}"
    if record.status != "ok" or record.scores is None or record.phases is None:
        return f"{head}: {record.status}: {record.reason}"
    accuracy, train_s = 100 * record.scores.accuracy, record.phases.train_s
    return f"{head}: {accuracy:.2f} %, train {train_s:.1f} s, all {record.wall_s:.0f} s"


def duration(seconds: float) -> str:
    """``45 s``, ``4 min``, ``1 h 20 min``: as precise as an estimate is."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
