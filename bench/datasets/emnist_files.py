"""The files of EMNIST in a folder, or in NIST's archive, of which only the requested members are unpacked.

Nothing of an archive is written to disk, so the paths in it do not matter: its members are known by their last name.
"""

from __future__ import annotations

import zipfile
from abc import ABC, abstractmethod
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import TYPE_CHECKING, cast

from bench.datasets.idx import read_idx, read_idx_from
from bench.datasets.packed import BROKEN_ZIP, check_member, said_of
from bench.datasets.source import BrokenFile, first_file, unreadable_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST_MEMBER = 1 << 30
"""Bytes a member may unpack to: twice the largest, the images of byclass, if stored without their own gzip."""
LARGEST_TEXT = 1 << 16
"""Bytes of a mapping file; the longest has 447."""


class Files(ABC):
    """Files by name; a returned path names the file in messages and in calls, and need not exist."""

    @abstractmethod
    def find(self, name: str) -> Path | None:
        """The file of that name, or of that name with ``.gz``. Raises BrokenFile."""

    @abstractmethod
    def idx(self, file: Path, axes: int) -> NDArray[np.uint8]:
        """The values of an IDX file, in the shape its header gives. Raises BrokenFile."""

    @abstractmethod
    def text(self, file: Path) -> str:
        """A short ASCII text. Raises BrokenFile."""


class Folder(Files):
    """The files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: str) -> Path | None:
        """The path in the folder."""
        return first_file(self._folder, (name, f"{name}.gz"))

    def idx(self, file: Path, axes: int) -> NDArray[np.uint8]:
        """As ``read_idx``."""
        return read_idx(file, axes)

    def text(self, file: Path) -> str:
        """The first ``LARGEST_TEXT`` bytes."""
        try:
            with file.open("rb") as stored:
                return _ascii(file, stored.read(LARGEST_TEXT))
        except OSError as error:
            raise unreadable_file(file, error) from error


class Archive(Files):
    """The members of a zip archive, as a context manager. Raises BrokenFile if invalid."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except BROKEN_ZIP as error:
            raise BrokenFile(path, f"is not a zip archive: {said_of(error)}.") from error
        except OSError as error:
            raise unreadable_file(path, error) from error
        self._members: dict[Path, zipfile.ZipInfo] = {}

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._zip.close()

    def find(self, name: str) -> Path | None:
        """A name for messages: ``<member> in <archive>``."""
        wanted = (name, f"{name}.gz")
        found = [member for member in self._zip.infolist() if PurePosixPath(member.filename).name in wanted]
        if len(found) > 1:
            raise BrokenFile(self._path, f"holds {name} {len(found)} times.")
        if not found:
            return None
        label = Path(f"{PurePosixPath(found[0].filename).name} in {self._path.name}")
        self._members[label] = found[0]
        return label

    def idx(self, file: Path, axes: int) -> NDArray[np.uint8]:
        """As ``read_idx``, unpacking as it reads."""
        try:
            with self._zip.open(self._member(file, LARGEST_MEMBER)) as stored:
                return read_idx_from(cast("zipfile.ZipExtFile", stored), file, axes)
        except (*BROKEN_ZIP, OSError) as error:
            raise BrokenFile(file, f"cannot be unpacked: {said_of(error)}.") from error

    def text(self, file: Path) -> str:
        """The whole member."""
        try:
            return _ascii(file, self._zip.read(self._member(file, LARGEST_TEXT)))
        except (*BROKEN_ZIP, OSError) as error:
            raise BrokenFile(file, f"cannot be unpacked: {said_of(error)}.") from error

    def _member(self, file: Path, largest: int) -> zipfile.ZipInfo:
        member = self._members[file]
        if member.file_size > largest:
            raise BrokenFile(
                file, f"would unpack to {member.file_size:,} bytes, more than {largest:,}: it is none of NIST's."
            )
        check_member(self._path, member)
        return member


def _ascii(file: Path, content: bytes) -> str:
    try:
        return content.decode("ascii")
    except UnicodeDecodeError as error:
        raise BrokenFile(file, "is not plain text.") from error
