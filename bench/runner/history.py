"""Durations of past trials on this machine: the basis of the plan's estimate."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from bench.case import Case
from bench.datasets.cache import cache_root
from bench.durable import write_text_whole

KEPT = 5
"""Durations kept of each case: enough for a median, few enough to follow a machine that has changed."""


class History:
    """Wall seconds of past trials by case, in the user's cache folder; a hint, never a result."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or cache_root() / "durations.json"
        self._seconds: dict[str, list[float]] = _read(self._path)

    def seconds(self, case: Case) -> float | None:
        """The median of the case's last trials; None if it has none."""
        past = self._seconds.get(case.id)
        return median(past) if past else None

    def add(self, durations: Mapping[str, list[float]]) -> None:
        """Keep new durations, by case id; lost if the folder cannot be written: a hint is not worth an error."""
        known = _read(self._path)
        for case_id, seconds in durations.items():
            known[case_id] = [*known.get(case_id, []), *(round(value, 2) for value in seconds)][-KEPT:]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_text_whole(self._path, json.dumps(known))
        except OSError:
            return
        self._seconds = known


def _read(path: Path) -> dict[str, list[float]]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        case_id: [float(value) for value in seconds if isinstance(value, int | float) and math.isfinite(value)]
        for case_id, seconds in found.items()
        if isinstance(seconds, list)
    }
