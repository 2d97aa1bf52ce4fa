"""The user's own data set, given as a path: an npz archive, a CSV file, or a folder of images or IDX files."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from bench.datasets.cache import CachedDataset, Shelf
from bench.datasets.dataset import Dataset, DatasetInfo
from bench.datasets.source import BrokenFile, Say, Source, printable
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.datasets.parts import RawParts

SUFFIXES = (".npz", ".csv", ".csv.gz")
READER = "own 3"
"""Version, raised when a decoder makes other arrays or names from the same files."""


def is_path(name: str) -> bool:
    """True if ``name`` looks like a file or folder; ``catalog.is_own`` decides if it means one."""
    separators = [separator for separator in (os.sep, os.altsep, "/") if separator]
    return any(separator in name for separator in separators) or name.endswith(SUFFIXES) or os.path.isdir(name)


def resolve_own(path: Path, taken: frozenset[str], say: Say) -> CachedDataset:
    """Decode and cache the data set at ``path``, named by its stem; ``own-<stem>`` if that is in ``taken``.

    It is never verified: nothing is published to compare it with. Raises BenchError.
    """
    path = _absolute(path)
    name = own_name(path, taken)
    source = own_source(path)
    shelf = Shelf(f"own/{name}")
    key = source.key(f"{READER} {name}")
    known = shelf.fingerprint_of(key)
    if known and (cached := shelf.find(known, say)):
        return cached
    from bench.datasets.fingerprint import fingerprint

    say(f"decoding {printable(path.name)} ({source.format})")
    dataset = _read(path, source, name)
    info = DatasetInfo.of(dataset, fingerprint(dataset), verified=False, source=f"{source.format}, the user's own")
    cached = shelf.store(dataset, info)
    shelf.remember(key, info.fingerprint)
    return cached


def own_name(path: Path, taken: frozenset[str]) -> str:
    """The name of the data set at ``path``, which need not exist; its shelf is ``own/`` and this name."""
    name = _name(_absolute(path))
    return f"own-{name}" if name in taken else name


def own_source(path: Path) -> Source:
    """The files at ``path`` and their format. Raises BenchError if there are none, or none that is known."""
    if os.path.isdir(path):  # also False if a folder above may not be searched; Path.is_dir raises then
        if idx := _idx_files(path):
            return Source(idx, "IDX")
        from bench.datasets.image_folder import image_files

        return Source(image_files(path), "image folder")
    if not os.path.exists(path):
        raise BenchError(f"data set {path.name!r}: no such file or folder.", "See the names: bench data list")
    if path.name.endswith(".npz"):
        return Source((path,), "npz")
    if path.name.endswith((".csv", ".csv.gz")):
        return Source((path,), "CSV")
    raise BrokenFile(path, "is of no known format.", f"Known: {', '.join(SUFFIXES)}, a folder of images or IDX files")


def _read(path: Path, source: Source, name: str) -> Dataset:
    from bench.datasets.parts import assemble

    title = f"{path.name} (the user's own)"
    if source.format == "npz":
        from bench.datasets.npz import read_npz

        return assemble(name, title, path, read_npz(path))
    if source.format == "CSV":
        from bench.datasets.csv import read_csv

        return assemble(name, title, path, read_csv(path))
    if source.format == "IDX":
        return assemble(name, title, path, _read_idx(source))
    from bench.datasets.image_folder import read_image_folder

    return assemble(name, title, path, read_image_folder(path))


def _idx_files(folder: Path) -> tuple[Path, ...]:
    from bench.datasets.mnist_like import idx_files

    found = idx_files(folder)
    return tuple(file for file in found if file) if all(found) else ()


def _read_idx(source: Source) -> RawParts:
    from bench.datasets.idx import read_pair
    from bench.datasets.parts import RawPart, RawParts

    every_byte = 256
    train = read_pair(source.files[0], source.files[1], every_byte)
    return RawParts(RawPart(*train), RawPart(*read_pair(source.files[2], source.files[3], every_byte)))


def _absolute(path: Path) -> Path:
    return Path(os.path.expanduser(path)).absolute()  # Path.expanduser raises for a user without a home


def _name(path: Path) -> str:
    """The file's name without its ending, made safe for a command line and a file system."""
    stem = next((path.name.removesuffix(end) for end in reversed(SUFFIXES) if path.name.endswith(end)), path.name)
    return re.sub(r"[^\w.-]+", "-", stem).strip(".-") or "data"
