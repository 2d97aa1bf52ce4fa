"""Decoded arrays as memory maps below the user's cache folder, found again without decoding.

``datasets/<shelf>/<fingerprint[:16]>/`` holds four ``.npy`` files (six with groups) and ``info.json``;
``datasets/<shelf>/index.json`` maps sources (by path, size and time of their files) to fingerprints. Everything is
written next to its place and renamed, under a lock, so that a reader sees whole files only. Arrays untouched since
then are trusted; others are hashed before use. Reading the index and the info imports no numpy.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.datasets.cached_arrays import ARRAYS, GROUPS, SEAL, is_untouched, load, seal, seal_of_right, stored_info
from bench.datasets.dataset import Dataset, DatasetInfo
from bench.durable import write_text_whole
from bench.errors import BenchError

__all__ = ["ARRAYS", "CachedDataset", "Shelf", "cache_root", "load", "own_versions", "shelves"]

PATIENCE_S = 1.0
"""Seconds to wait for a lock before reporting that it is held."""


@dataclass(frozen=True)
class CachedDataset:
    """A data set whose arrays lie in ``folder``: ``load(folder)`` opens them."""

    info: DatasetInfo
    folder: Path

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.stat().st_size for file in self.folder.iterdir())


def cache_root() -> Path:
    """The cache folder: ``BENCH_CACHE_DIR``, else the system's default (platformdirs). Raises BenchError."""
    named = os.environ.get("BENCH_CACHE_DIR")
    if named:
        return Path(os.path.expanduser(named))
    from platformdirs import user_cache_path

    try:
        return user_cache_path("bench-mnist", appauthor=False)
    except RuntimeError as error:  # a container's arbitrary user ID, without HOME
        raise BenchError(
            "no folder for the cache of data sets: this user has no home folder.",
            "Set BENCH_CACHE_DIR to a folder that can be written.",
        ) from error


class Shelf:
    """The cached versions of one data set, or downloads that several share under one name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = cache_root() / "datasets" / name

    def fingerprint_of(self, key: str) -> str | None:
        """The fingerprint of a source decoded before, by ``Source.key``."""
        return self._index().get(key)

    def remember(self, key: str, fingerprint: str) -> None:
        """Store the fingerprint of a source."""
        with self.lock(), _writing():
            _write_json(self.folder / "index.json", {**self._index(), key: fingerprint})

    def glimpse(self, fingerprint: str) -> CachedDataset | None:
        """The cached arrays with this fingerprint, if present and of the right sizes; they are not opened."""
        cached = self._held_in(self._place(fingerprint))
        return cached if cached and cached.info.fingerprint == fingerprint else None

    def find(self, fingerprint: str, say: Callable[[str], None] | None = None) -> CachedDataset | None:
        """The cached arrays with this fingerprint, if present and intact.

        If the time of a file has changed, all are hashed again; ``say`` gets a line if they are damaged.
        """
        cached = self.glimpse(fingerprint)
        if cached is None or is_untouched(cached.folder):
            return cached
        kept = seal_of_right(cached.folder, fingerprint)
        if kept is None:
            if say:
                say(f"the cached arrays of {cached.info.name} are damaged; decoding again")
            return None
        with suppress(BenchError), self.lock(), _writing():  # a cache that cannot be written can be read
            _write_json(cached.folder / "info.json", {**asdict(cached.info), **kept})
        return cached

    def store(self, dataset: Dataset, info: DatasetInfo) -> CachedDataset:
        """Write the arrays and their info; only the info if they are cached already. Raises BenchError."""
        folder = self._place(info.fingerprint)
        with self.lock(), _writing():
            held = self.glimpse(info.fingerprint) is not None
            if not held or not (is_untouched(folder) or seal_of_right(folder, info.fingerprint)):
                self._write_arrays(dataset, folder)
            _write_json(folder / "info.json", {**asdict(info), **seal(folder)})
        return CachedDataset(info, folder)

    def versions(self) -> list[CachedDataset]:
        """All cached versions of this data set, newest first."""
        infos = sorted(self.folder.glob("*/info.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        found = (self._held_in(file.parent) for file in infos)
        return [cached for cached in found if cached is not None]

    def _held_in(self, folder: Path) -> CachedDataset | None:
        """The data set in a folder of this shelf; None if missing, incomplete, or of another fingerprint."""
        try:
            stored = stored_info(folder)
            sizes, *_ = (stored.pop(key, None) for key in SEAL)
            whole = all((folder / f"{name}.npy").stat().st_size == sizes[name] for name in {*ARRAYS, *sizes})
            info = DatasetInfo(
                **{**stored, "shape": tuple(stored["shape"]), "class_names": tuple(stored["class_names"])}
            )
            right = whole and self._place(info.fingerprint) == folder
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # gone, damaged, or of another version
            return None
        return CachedDataset(info, folder) if right else None

    @property
    def is_own(self) -> bool:
        """True if it holds a data set of the user's own."""
        return self.name.startswith("own/")

    @property
    def size(self) -> int:
        """Bytes on disk: everything cached of this data set, and its remaining downloads."""
        held = (file for folder in self._folders for file in folder.rglob("*") if file.is_file())
        return sum(file.stat().st_size for file in held if not file.name.endswith(".lock"))

    def remove(self, waits: Callable[[], None] | None = None) -> None:
        """Delete this data set: its arrays, the index of its sources, and its remaining downloads.

        ``waits`` as in ``lock``. Raises BenchError if anything is left.
        """
        with self.lock("download", waits), self.lock("write", waits):
            try:
                for folder in self._folders:
                    for entry in folder.glob("*"):
                        if entry.suffix != ".lock":  # the locks stay: others may wait for them
                            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            except OSError as error:
                raise BenchError(
                    f"the cached data set {self.name!r} cannot be removed: {error}.",
                    "End what uses it, and try again.",
                ) from error

    @property
    def _folders(self) -> tuple[Path, Path]:
        return self.folder, cache_root() / "downloads" / self.name

    @contextmanager
    def lock(self, name: str = "write", waits: Callable[[], None] | None = None) -> Iterator[None]:
        """Lock the shelf against other processes; ``waits`` is called if another one holds it for long.

        Raises BenchError if the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        with _writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            held = FileLock(self.folder / f".{name}.lock")
            try:
                held.acquire(timeout=PATIENCE_S if waits else -1)
            except Timeout:
                if waits:
                    waits()
                held.acquire()
        try:
            yield
        finally:
            held.release()

    def _write_arrays(self, dataset: Dataset, folder: Path) -> None:
        import numpy as np

        for left in self.folder.glob("*.partial"):  # left by a killed process: the lock rules out a live one
            shutil.rmtree(left, ignore_errors=True)
        partial = folder.with_suffix(".partial")
        partial.mkdir()
        parts = (dataset.train.images, dataset.train.labels, dataset.test.images, dataset.test.labels)
        groups = (dataset.train.groups, dataset.test.groups)
        try:
            for name, array in zip((*ARRAYS, *GROUPS), (*parts, *groups), strict=True):
                if array is not None:
                    np.save(partial / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
            shutil.rmtree(folder, ignore_errors=True)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _index(self) -> dict[str, str]:
        try:
            index = json.loads((self.folder / "index.json").read_text("utf-8"))
            return {key: value for key, value in index.items() if isinstance(value, str)}
        except (OSError, ValueError, AttributeError):  # not written yet, or damaged: the sources are decoded again
            return {}

    def _place(self, fingerprint: str) -> Path:
        return self.folder / fingerprint[:16]


def shelves() -> list[Shelf]:
    """Every shelf that holds something, the user's own data sets last."""
    root = cache_root() / "datasets"
    names = [folder.name for folder in root.glob("*/") if folder.name != "own"]
    names += [f"own/{folder.name}" for folder in root.glob("own/*/")]
    return [shelf for shelf in map(Shelf, names) if shelf.size]


def own_versions() -> list[CachedDataset]:
    """The cached data sets of the user's own."""
    root = cache_root() / "datasets" / "own"
    return [cached for folder in sorted(root.glob("*/")) for cached in Shelf(f"own/{folder.name}").versions()]


def _write_json(file: Path, value: object) -> None:
    write_text_whole(file, json.dumps(value, indent=1, ensure_ascii=False))


@contextmanager
def _writing() -> Iterator[None]:
    """Turn an OSError while writing into a BenchError."""
    try:
        yield
    except OSError as error:
        raise BenchError(
            f"the cache of data sets cannot be written: {error.strerror or type(error).__name__}.",
            f"It lies in {cache_root()}: free space there, or set BENCH_CACHE_DIR to a folder that can be written.",
        ) from error
