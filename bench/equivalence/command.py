"""The command that proves what a run had no certificate for."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence

from bench.case import Case

KEPT = {
    "--suite",
    "--dataset",
    "--model",
    "--framework",
    "--device",
    "--execution",
    "--precision",
    "--input",
    "--batch-size",
    "--steps-per-execution",
    "--class-weights",
    "--threads",
    "--data-dir",
}
"""Options of ``bench run`` with a value that ``bench equivalence`` has too, with the same meaning."""
KEPT_FLAGS = {"--channels-last", "--channels-first", "--offline"}
NARROWED = {"--model": "model", "--framework": "framework"}
"""Options narrowed to the unproved values if these are not all; each with its field of a case."""


def proving_command(words: Sequence[str], unproved: Sequence[Case], cases: Iterable[Case]) -> str:
    """``bench equivalence --suite quick --framework pytorch``: proves ``unproved``, some of the ``cases`` of a run.

    ``words`` are the run's own command line.
    """
    options = list(_options(words))
    if not any(name == "--suite" for name, _ in options):
        options.insert(0, ("--suite", "quick"))
    everything = [case for case in cases if case.training is not None and case.track == "matched"]
    for option, field in NARROWED.items():
        wanted = dict.fromkeys(str(getattr(case, field)) for case in unproved)
        if set(wanted) != {str(getattr(case, field)) for case in everything}:
            options = [one for one in options if one[0] != option] + [(option, name) for name in wanted]
    return shlex.join(["bench", "equivalence", *(word for option in options for word in option if word)])


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The options that are kept, each with its value or ``""``."""
    left = iter(words)
    for word in left:
        name, given, value = word.partition("=")
        if name in KEPT:
            yield name, value if given else next(left, "")
        elif name in KEPT_FLAGS:
            yield name, ""
