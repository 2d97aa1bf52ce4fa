"""Licences that do not allow every use: acknowledged once, before anything is fetched.

Stored in ``licences.json`` in the cache folder, by title and licence, so that a changed licence is asked for again.
Data already present need no acknowledgement.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from bench.datasets.cache import cache_root
from bench.datasets.source import DatasetUnavailable
from bench.durable import write_text_whole
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.datasets.definition import DatasetDefinition


class LicenceNotAccepted(DatasetUnavailable):
    """A data set that must be fetched, but whose licence has not been acknowledged."""


def notice(definition: DatasetDefinition) -> tuple[str, ...]:
    """The lines shown before a download: the licence, and what to cite."""
    cited = (f"    to cite: {definition.citation}",) if definition.citation else ()
    return f"{definition.title}: licence {definition.licence}", *cited


def is_accepted(definition: DatasetDefinition) -> bool:
    """True if the licence needs no acknowledgement, or has it."""
    return not definition.restricted or _entry(definition) in _accepted()


def accept(definition: DatasetDefinition) -> None:
    """Store that the user acknowledged the licence, if it needs that. Raises BenchError."""
    if is_accepted(definition):
        return
    try:
        _file().parent.mkdir(parents=True, exist_ok=True)
        write_text_whole(_file(), json.dumps(sorted({*_accepted(), _entry(definition)}), indent=1, ensure_ascii=False))
    except OSError as error:
        raise BenchError(
            f"that the licence is accepted cannot be kept: {error.strerror or type(error).__name__}.",
            "Free space, or set BENCH_CACHE_DIR to a folder that can be written.",
        ) from error


def require_accepted(definition: DatasetDefinition) -> None:
    """Raises LicenceNotAccepted, with the command that accepts."""
    if not is_accepted(definition):
        raise LicenceNotAccepted(
            f"data set {definition.name!r} is not on this machine, and its licence must be acknowledged before it is "
            f"fetched: {definition.licence}.",
            f"To acknowledge it, once: bench data fetch {definition.name} --accept-licence"
            "   or, with files you have, add: --data-dir DIR",
        )


def _entry(definition: DatasetDefinition) -> str:
    return f"{definition.title}: {definition.licence}"


def _file() -> Path:
    return cache_root() / "licences.json"


def _accepted() -> frozenset[str]:
    try:
        return frozenset(map(str, json.loads(_file().read_text("utf-8"))))
    except (OSError, ValueError, TypeError):  # nothing accepted yet, or unreadable: ask again
        return frozenset()
