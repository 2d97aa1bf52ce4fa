"""A file as a stream of bytes, whether plain, gzipped, or inside a zip with others."""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from bench.datasets.source import BrokenFile, printable, unreadable_file

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK"
PLAIN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BROKEN_ZIP = (zipfile.BadZipFile, RuntimeError, ValueError, struct.error, EOFError, zlib.error)
"""Errors of ``zipfile`` for a broken archive, including impossible versions (NotImplementedError, a RuntimeError),
times and offsets."""
MOST_TIMES = 100
"""Largest growth when unpacked, as a factor. Images and labels of the family grow 2 to 30 times."""
NEVER_TOO_LARGE = 8 << 20
"""Bytes that may be unpacked at any growth: sorted labels shrink to nearly nothing."""


class Gunzipped(gzip.GzipFile):
    """The content of a gzip file as it is read; raises BrokenFile for a decompression bomb."""

    def __init__(self, stored: IO[bytes], path: Path) -> None:
        super().__init__(fileobj=stored)
        self._stored, self._path = stored, path

    def read(self, size: int | None = -1) -> bytes:
        """As in GzipFile."""
        content = super().read(size)
        check_growth(self._path, self._stored.tell(), self.tell())
        return content

    def read1(self, size: int = -1) -> bytes:
        """As in GzipFile."""
        content = super().read1(size)
        check_growth(self._path, self._stored.tell(), self.tell())
        return content


def check_growth(file: Path, packed: int, unpacked: int) -> None:
    """Raises BrokenFile for a decompression bomb: too many bytes ``unpacked`` from ``packed``."""
    if unpacked > NEVER_TOO_LARGE and unpacked > MOST_TIMES * packed:
        raise BrokenFile(
            file,
            f"grows to more than {MOST_TIMES} times its size when unpacked: it holds next to nothing, or is made to "
            "fill the memory.",
            "Where it is right all the same, save it without compression.",
        )


@contextmanager
def unpacked(path: Path, name: str) -> Iterator[IO[bytes]]:
    """The content of ``path``; of a zip, the member called ``name``, in any folder of the zip.

    The first bytes show how the file is packed: some servers unwrap a ``.gz`` and keep its name. A member is read as it
    is used and never written to disk, so its path in the zip does not matter. Unpacking errors, also those while the
    caller reads, become BrokenFile.
    """
    with wrapping_errors(path), path.open("rb") as stored:
        magic = stored.read(2)
        stored.seek(0)
        if magic == ZIP_MAGIC:
            with opened_zip(stored) as archive, opened_member(archive, _member(path, archive, name)) as member:
                yield member
        elif magic == GZIP_MAGIC:
            with Gunzipped(stored, path) as content:
                yield content  # type: ignore[misc]  # reads bytes, as all that is asked of it
        else:
            yield stored


def zip_members(path: Path) -> dict[str, zipfile.ZipInfo]:
    """The files in a zip by their path in it; empty for any other file. Raises BrokenFile for a broken zip."""
    with wrapping_errors(path), path.open("rb") as stored:
        if stored.read(2) != ZIP_MAGIC:
            return {}
        with opened_zip(stored) as archive:
            held = archive.infolist()
            return {member.filename: member for member in held if not member.filename.endswith("/")}


def opened_zip(stored: Path | IO[bytes]) -> zipfile.ZipFile:
    """The zip. Raises BadZipFile for every kind of broken one."""
    try:
        return zipfile.ZipFile(stored)
    except BROKEN_ZIP as error:
        raise zipfile.BadZipFile(said_of(error)) from error


def opened_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    """The member's content; errors as in ``opened_zip``."""
    try:
        return archive.open(member)
    except BROKEN_ZIP as error:
        raise zipfile.BadZipFile(said_of(error)) from error


def check_member(path: Path, member: zipfile.ZipInfo) -> None:
    """Raises BrokenFile for a member that is encrypted, not stored or deflated, or a decompression bomb."""
    if member.flag_bits & 1:
        raise BrokenFile(path, f"holds {member.filename!r} behind a password.", "Unpack it and give the files.")
    if member.compress_type not in PLAIN_METHODS:
        raise BrokenFile(
            path, f"holds {member.filename!r} packed by method {member.compress_type}.", "Unpack it and give the files."
        )
    # The directory may overstate the packed size; the file's own size limits it
    check_growth(path, min(member.compress_size, path.stat().st_size), member.file_size)


def said_of(error: BaseException) -> str:
    """A library's message on a broken file, as a short line."""
    said = " ".join(str(error).split())[:200]
    return printable(said) or type(error).__name__


@contextmanager
def wrapping_errors(path: Path) -> Iterator[None]:
    """Turn gzip, zip and system errors on ``path`` into BrokenFile."""
    try:
        yield
    except zipfile.BadZipFile as error:
        raise BrokenFile(path, f"is broken zip: {said_of(error)}.") from error
    except gzip.BadGzipFile as error:
        raise BrokenFile(path, f"is broken gzip: {said_of(error)}.") from error
    except (EOFError, zlib.error) as error:
        raise BrokenFile(
            path, f"cannot be unpacked: {said_of(error) if str(error) else 'it ends too soon'}."
        ) from error
    except OSError as error:
        raise unreadable_file(path, error) from error


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """The member called ``name`` nearest to the zip's root; Kaggle packs some files twice."""
    found = [member for member in archive.infolist() if PurePosixPath(member.filename).name == name]
    if not found:
        raise BrokenFile(path, f"does not hold {name}.")
    member = min(found, key=lambda member: (member.filename.count("/"), member.filename))
    check_member(path, member)
    return member
