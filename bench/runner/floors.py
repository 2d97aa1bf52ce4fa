"""The floors of the data a run trains on: computed when its trials are over, and kept beside the decoded arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from bench.case import Case
from bench.datasets.catalog import CachedDataset, load
from bench.datasets.floors import VERSION
from bench.durable import write_text_whole
from bench.errors import BenchError
from bench.manifest import Floors

if TYPE_CHECKING:
    from bench.runner.expand import PlannedCase


def keep_floors(cases: Iterable[PlannedCase], keep: Callable[[Floors], None], say: Callable[[str], None]) -> None:
    """Pass to ``keep`` the floors of every data set of ``cases`` that can run, for each number of training rows.

    The rows are those that a model gets, with its validation part, which depends on the seed. 60,000 rows of 784
    pixels and 10,000 test rows take some seconds on two cores; results are cached. Trials are valid without floors:
    a full disk or a damaged cache gets one line through ``say``, and no more.
    """
    wanted: dict[tuple[str, int], tuple[CachedDataset, Case]] = {}
    for planned in cases:
        if planned.data is not None and not planned.blocked:
            rows = planned.case.train_rows or planned.data.info.train_rows
            wanted.setdefault((planned.data.info.fingerprint, rows), (planned.data, planned.case))
    for data, case in wanted.values():
        try:
            keep(floors_of(data, case.train_rows, say))
        except (BenchError, OSError, ValueError, MemoryError) as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            say(f"no floors of {data.info.name}: {reason}")


def floors_of(data: CachedDataset, cap: int | None, say: Callable[[str], None]) -> Floors:
    """The floors of a data set for models that get ``cap`` of its training rows, None for all."""
    rows = min(cap or data.info.train_rows, data.info.train_rows)
    kept = data.folder / f"floors-{VERSION}-{rows}.json"
    with suppress(OSError, ValueError):  # not computed yet, or damaged
        return Floors.model_validate_json(kept.read_bytes())
    say(f"computing the floors of {data.info.name}, {rows:,} training rows (once)")
    found = _computed(data, rows)
    with suppress(OSError):  # a cache that cannot be written costs time, and nothing else
        write_text_whole(kept, found.model_dump_json(indent=1) + "\n")
    return found


def _computed(data: CachedDataset, rows: int) -> Floors:
    import numpy as np

    from bench.datasets.floors import floors
    from bench.runner.rows import capped

    dataset = load(data.folder)
    train = capped(dataset.train, rows, data.info.fingerprint)
    return Floors(
        dataset=data.info.name,
        fingerprint=data.info.fingerprint,
        train_rows=rows,
        class_counts=tuple(np.bincount(train.labels, minlength=train.classes).tolist()),
        floors=floors(train, dataset.test),
    )
