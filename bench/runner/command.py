"""The command that runs one trial again, and nothing else."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from bench.errors import BenchError
from bench.models.model import NativeModel
from bench.runner.expand import Expansion, PlannedCase
from bench.runner.request import Request


class Option(NamedTuple):
    """A field of a request, and the words of the command line that set it."""

    name: str
    value: Any
    words: tuple[str, ...]


@dataclass
class Commands:
    """Writes the commands of one expansion's cases, and tries each by expanding the suite with it."""

    expansion: Expansion
    _known: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def trial(self, planned: PlannedCase, seed_index: int) -> str:
        """The command for one trial; files by their name alone, without their folder."""
        if planned.case.id not in self._known:
            self._known[planned.case.id] = self._words(planned)
        return shlex.join([*self._known[planned.case.id], "--seed", str(seed_index)])

    def _words(self, planned: PlannedCase) -> tuple[str, ...]:
        """The fewest options that select this case alone: names, then unusual settings, its id only if needed.

        A case that cannot run here cannot be tried: it gets its names and settings.
        """
        request = self.expansion.request
        suite = Option("suite", request.suite, ("--suite", _last(request.suite)))
        named = [suite, *self._names(planned)]
        settings = self._settings(planned)
        case = Option("case", planned.case.id, ("--case", planned.case.id))
        attempts = ([*named], [*named, *settings], [*named, case], [*named, *settings, case])
        chosen = attempts[1]
        if not planned.blocked:
            chosen = next((options for options in attempts if self._selects(options, planned)), attempts[-1])
        return ("bench", "run", *(word for option in chosen for word in option.words))

    def _names(self, planned: PlannedCase) -> list[Option]:
        case, request = planned.case, self.expansion.request
        own = isinstance(planned.model, NativeModel) and planned.model.path is not None
        reference = Path(planned.model_reference).name if own else planned.model_reference
        options = [
            Option("datasets", (planned.data_reference,), ("--dataset", Path(planned.data_reference).name)),
            Option("models", (planned.model_reference,), ("--model", reference)),
            Option("frameworks", (case.framework,), ("--framework", case.framework)),
            Option("devices", (case.device,), ("--device", case.device)),
            Option("threads", case.threads, ("--threads", str(case.threads))),
        ]
        if request.epochs is not None and case.training is not None:
            options.append(Option("epochs", request.epochs, ("--epochs", str(request.epochs))))
        if request.class_weights is not None:
            options.append(Option("class_weights", request.class_weights, ("--class-weights", request.class_weights)))
        return options

    def _settings(self, planned: PlannedCase) -> list[Option]:
        """The axes in which the case differs from a suite that sets none of them."""
        case = planned.case
        usual = self.expansion.suite.training.batch_size
        found = [
            ("executions", "--execution", case.execution, planned.adapter.execution),
            ("precisions", "--precision", case.precision, "float32"),
            ("inputs", "--input", case.input, "resident"),
            ("steps_per_execution", "--steps-per-execution", case.steps_per_execution, 1),
            ("batch_sizes", "--batch-size", case.training.batch_size if case.training else usual, usual),
        ]
        options = [Option(name, (value,), (word, str(value))) for name, word, value, plain in found if value != plain]
        return [*options, Option("channels_last", (True,), ("--channels-last",))] if case.channels_last else options

    def _selects(self, options: Sequence[Option], planned: PlannedCase) -> bool:
        """True if these options alone give this case alone."""
        given = self.expansion.request
        asked = Request(data_dir=given.data_dir, offline=given.offline)
        asked = replace(asked, **{option.name: option.value for option in options})
        try:
            found = self.expansion.narrowed(asked).cases()
        except BenchError:
            return False
        return [one.case.id for one in found] == [planned.case.id]


def _last(suite: str) -> str:
    return Path(suite).name if "/" in suite else suite
