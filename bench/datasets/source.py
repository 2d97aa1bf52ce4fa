"""The files a data set is read from, and the error that says what is wrong with one of them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

Say = Callable[[str], None]
"""Takes one line of progress."""


class BrokenFile(BenchError):
    """A file that cannot be used. ``problem`` begins with a verb: ``holds 3 bytes, 16 expected``.

    The message names the file without its folder, so that it may be kept in a record.
    """

    def __init__(self, file: Path, problem: str, advice: str = "") -> None:
        super().__init__(f"{file.name} {problem}", advice)
        self.file = file


class DatasetUnavailable(BenchError):
    """A data set that exists but is not to be had here; the advice says how it could be."""


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
                raise BrokenFile(file, f"cannot be read: {error.strerror}") from error
            parts.append(f"{file.resolve()}\0{status.st_size}\0{status.st_mtime_ns}")
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
