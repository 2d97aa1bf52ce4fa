"""The verdict whether a data set is the published one, and its basis."""

from __future__ import annotations

from dataclasses import dataclass

from bench.datasets.catalog import DATASETS, definition_of
from bench.datasets.dataset import DatasetInfo
from bench.manifest import DatasetNote


@dataclass(frozen=True)
class Verdict:
    """``words`` begin with ``verified`` or ``unverified``; ``differs`` if the published data are known to be others.

    Unverified data need not be wrong: for many forms of the data no hash has been published.
    """

    words: str
    differs: bool = False


def noted(info: DatasetInfo) -> DatasetNote:
    """The entry for a run's manifest, with the current verdict."""
    return info.note().model_copy(update={"differs": verdict(info).differs})


def verdict(info: DatasetInfo) -> Verdict:
    """The verdict on a data set; the user's own is never verified."""
    definition = definition_of(info.name) if info.name in DATASETS else None
    if definition is None:
        return Verdict("unverified: nothing is published to compare it with")
    if info.verified:
        by_arrays = info.fingerprint in definition.fingerprints
        how = "the arrays are the published ones" if by_arrays else "read from files with the published hashes"
        return Verdict(f"verified: {how}")
    if info.generated:
        return Verdict("unverified: generated here, not read from the published files")
    if definition.is_known(info.source):
        return Verdict("unverified: not the published data", differs=True)
    return Verdict("unverified: nothing is known of the published data in this form")
