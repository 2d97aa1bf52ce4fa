"""The files a data set is read from, and the error that says what is wrong with one of them."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

Say = Callable[[str], None]
"""Takes one line of progress."""
BESIDE = "Put it beside the other, or leave --data-dir out."
"""The advice where one of the files that belong together is missing: those that are there may be right."""
OTHER = "If it is as you want it, give its path as data of your own; else leave --data-dir out."
"""The advice on a file that is whole, but not of this data set."""


class BrokenFile(BenchError):
    """A file that cannot be used. ``problem`` begins with a verb: ``holds 3 bytes, 16 expected``.

    The message names the file without its folder, so that it may be kept in a record.
    """

    def __init__(self, file: Path, problem: str, advice: str = "") -> None:
        super().__init__(f"{printable(file.name)} {problem}", advice)
        self.file = file


def printable(text: str) -> str:
    """A name or word of a foreign file as a terminal may show it: with escapes where it holds control characters."""
    return text if text.isprintable() else ascii(text)[1:-1]


def first_file(folder: Path, names: Iterable[str]) -> Path | None:
    """The first of ``names`` that is a file in ``folder``; None where none is, or where the folder may not be read."""
    return next((folder / name for name in names if os.path.isfile(folder / name)), None)


def missing_file(wanted: Sequence[Path], found: Sequence[Path | None]) -> BrokenFile:
    """Of files that belong together, names the first that is not there, and one that is.

    ``found`` holds for each of ``wanted`` where it lies, or None; at least one lies somewhere, and one nowhere.
    """
    missing = next(file for file, there in zip(wanted, found, strict=True) if there is None)
    present = next(there for there in found if there is not None)
    return BrokenFile(missing, f"is missing; {present.name} lies there without it.", BESIDE)


def unreadable_file(file: Path, error: OSError) -> BrokenFile:
    """Of a file that the system does not give; what it holds may be right."""
    return BrokenFile(file, f"cannot be read: {error.strerror or error}.", "Mend that, or leave --data-dir out.")


class DatasetUnavailable(BenchError):
    """A data set that exists but is not to be had here; the advice says how it could be."""


class BrokenDataset(DatasetUnavailable):
    """A data set whose files in the user's folder cannot be used. The message names no folder."""


@dataclass(frozen=True)
class Source:
    """Files that together hold one data set, and the format they are in (``IDX``, ``npz``, …)."""

    files: tuple[Path, ...]
    format: str

    def key(self, reader: str) -> str:
        """Changes when a file does, by path, size and modification time; ``reader`` names the code that decodes.

        Raises BrokenFile if a file is gone.
        """
        parts = [reader, self.format]
        for file in self.files:
            try:
                status = file.stat()
            except OSError as error:
                raise unreadable_file(file, error) from error
            parts.append(f"{file.resolve()}\0{status.st_size}\0{status.st_mtime_ns}")
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
