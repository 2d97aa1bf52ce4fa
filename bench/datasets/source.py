"""The files a data set is read from, and the error for one that cannot be used."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

Say = Callable[[str], None]
"""Takes one line of progress."""
BESIDE = "Put it in the same folder, or omit --data-dir."
"""The advice if one of the files that belong together is missing: those present may be right."""
OTHER = "To use it all the same, give its path as your own data set; otherwise omit --data-dir."
"""The advice for an intact file that is not of this data set."""


class BrokenFile(BenchError):
    """A file that cannot be used. ``problem`` begins with a verb: ``holds 3 bytes, 16 expected``.

    The message names the file without its folder, so that it may be kept in a record.
    """

    def __init__(self, file: Path, problem: str, advice: str = "") -> None:
        super().__init__(f"{printable(file.name)} {problem}", advice)
        self.file = file


def printable(text: str) -> str:
    """A name or word of a foreign file, safe for a terminal: escaped if it holds control characters."""
    return text if text.isprintable() else ascii(text)[1:-1]


def first_file(folder: Path, names: Iterable[str]) -> Path | None:
    """The first of ``names`` that is a file in ``folder``; None if none is, or if the folder may not be read."""
    return next((folder / name for name in names if os.path.isfile(folder / name)), None)


def missing_file(wanted: Sequence[Path], found: Sequence[Path | None]) -> BrokenFile:
    """The error for the first missing file of several; it also names one that is present.

    ``found`` holds the path of each of ``wanted``, or None; at least one is present, and one missing.
    """
    missing = next(file for file, there in zip(wanted, found, strict=True) if there is None)
    present = next(there for there in found if there is not None)
    return BrokenFile(missing, f"is missing; {present.name} is present without it.", BESIDE)


def unreadable_file(file: Path, error: OSError) -> BrokenFile:
    """The error for a file that cannot be read; its content may be right."""
    return BrokenFile(file, f"cannot be read: {error.strerror or error}.", "Correct that, or omit --data-dir.")


class DatasetUnavailable(BenchError):
    """A data set that exists but is not available here; the advice says how to get it."""


class BrokenDataset(DatasetUnavailable):
    """A data set whose files in the user's folder cannot be used. The message names no folder."""


@dataclass(frozen=True)
class Source:
    """Files that together hold one data set, and the format they are in (``IDX``, ``npz``, …)."""

    files: tuple[Path, ...]
    format: str

    def key(self, reader: str) -> str:
        """A key that changes with a file's path, size or modification time; ``reader`` names the decoder.

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
