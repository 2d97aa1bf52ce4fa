"""The arrays of one cached data set, in their folder: opened as memory maps, and sealed so that damage shows.

The seal is kept in ``info.json``. Arrays whose files match its sizes and times are trusted; for others the fingerprint
must be recomputed.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, Any

from bench.datasets.dataset import Dataset, Split
from bench.errors import BenchError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ARRAYS = ("train-images", "train-labels", "test-images", "test-labels")
GROUPS = ("train-groups", "test-groups")
"""Further arrays, if rows form groups."""
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, SyntaxError, OverflowError, TokenError)
"""Errors that numpy and json raise for damaged files, wherever the damage is."""
Seal = dict[str, dict[str, object]]
SEAL = ("bytes", "times", "groups")
"""Seal keys in ``info.json``."""


def load(folder: Path, *, resident: bool = False) -> Dataset:
    """Open cached arrays as read-only memory maps: nothing is read before it is used, and nothing is copied.

    ``resident`` reads them into memory instead, as users hold theirs: gathering rows from a map is slower, because
    the system gives a large array in memory larger pages.

    Raises BenchError if the folder does not hold a whole data set.
    """
    try:
        info = stored_info(folder)
        opened = (_open(folder / f"{name}.npy", resident) for name in ARRAYS)
        train_images, train_labels, test_images, test_labels = opened
        kept = [folder / f"{name}.npy" for name in GROUPS]
        train_groups, test_groups = (_open(file, resident) if file.is_file() else None for file in kept)
        names = tuple(info["class_names"])
        train = Split(train_images, train_labels, info["scale"], len(names), train_groups)
        test = Split(test_images, test_labels, info["scale"], len(names), test_groups)
        return Dataset(info["name"], info["title"], train, test, names, info["split"])
    except UNREADABLE as error:
        name = folder.parent.name
        raise BenchError(f"the cached arrays of {name} are damaged.", f"Run: bench data remove {name}") from error


def stored_info(folder: Path) -> dict[str, Any]:
    """Contents of ``info.json``, seal included. Raises ``UNREADABLE`` errors."""
    info: dict[str, Any] = json.loads((folder / "info.json").read_text("utf-8"))
    return info


def is_untouched(folder: Path) -> bool:
    """True if the arrays' files have their stored times; False for a cache of an older version."""
    try:
        times = stored_info(folder)["times"]
        return bool(times == {name: (folder / f"{name}.npy").stat().st_mtime_ns for name in {*ARRAYS, *times}})
    except UNREADABLE:
        return False


def seal(folder: Path) -> Seal:
    """Sizes and times of the arrays' files, and the SHA-256 of those not in the fingerprint."""
    files = {name: folder / f"{name}.npy" for name in (*ARRAYS, *GROUPS)}
    status = {name: file.stat() for name, file in files.items() if file.is_file()}
    return {
        "bytes": {name: one.st_size for name, one in status.items()},
        "times": {name: one.st_mtime_ns for name, one in status.items()},
        "groups": {name: hashlib.sha256(files[name].read_bytes()).hexdigest() for name in GROUPS if name in status},
    }


def seal_of_right(folder: Path, expected: str) -> Seal | None:
    """The seal, if the arrays hash to the fingerprint ``expected``; None if they are damaged."""
    from bench.datasets.fingerprint import fingerprint

    try:
        found = seal(folder)  # first: a file changed during hashing is hashed again
        right = fingerprint(load(folder)) == expected
        return found if right and found["groups"] == stored_info(folder).get("groups", found["groups"]) else None
    except (*UNREADABLE, BenchError):
        return None


def _open(file: Path, resident: bool) -> NDArray[Any]:
    import numpy as np

    if resident:
        with file.open("rb") as stored:
            return np.lib.format.read_array(stored, allow_pickle=False)
    # A plain array over the map: numpy's memmap class costs time at every slice
    return np.lib.format.open_memmap(file, mode="r").view(np.ndarray)
