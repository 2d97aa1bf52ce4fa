"""A file as a stream of bytes, whether it lies there plain, gzipped, or inside a zip with others."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from bench.datasets.source import BrokenFile

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK"
PLAIN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@contextmanager
def unpacked(path: Path, name: str) -> Iterator[IO[bytes]]:
    """The content of ``path``; of a zip, the member called ``name``, in whatever folder of the zip it lies.

    How the file is packed is seen from its first bytes: some servers unwrap a ``.gz`` and keep its name. A member is
    read as it is used and never written anywhere, so its path in the zip means nothing. Errors of the wrapping, also
    those met while the caller reads, become BrokenFile.
    """
    with wrapping_errors(path), path.open("rb") as stored:
        magic = stored.read(2)
        stored.seek(0)
        if magic == ZIP_MAGIC:
            with zipfile.ZipFile(stored) as archive, archive.open(_member(path, archive, name)) as member:
                yield member
        elif magic == GZIP_MAGIC:
            with gzip.GzipFile(fileobj=stored) as content:
                yield content  # type: ignore[misc]  # reads bytes, as all that is asked of it
        else:
            yield stored


def zip_members(path: Path) -> dict[str, zipfile.ZipInfo]:
    """The files in a zip by their path in it; none for a file that is no zip. Raises BrokenFile for a broken one."""
    with wrapping_errors(path), path.open("rb") as stored:
        if stored.read(2) != ZIP_MAGIC:
            return {}
        with zipfile.ZipFile(stored) as archive:
            return {member.filename: member for member in archive.infolist() if not member.is_dir()}


def check_member(path: Path, member: zipfile.ZipInfo) -> None:
    """Raises BrokenFile for a member that is encrypted, or packed in a way other than deflate."""
    if member.flag_bits & 1:
        raise BrokenFile(path, f"holds {member.filename!r} behind a password.", "Unpack it and give the files.")
    if member.compress_type not in PLAIN_METHODS:
        raise BrokenFile(
            path, f"holds {member.filename!r} packed by method {member.compress_type}.", "Unpack it and give the files."
        )


@contextmanager
def wrapping_errors(path: Path) -> Iterator[None]:
    """Turn what gzip, zip and the system say of ``path`` into BrokenFile."""
    try:
        yield
    except zipfile.BadZipFile as error:
        raise BrokenFile(path, f"is broken zip: {error}.") from error
    except gzip.BadGzipFile as error:
        raise BrokenFile(path, f"is broken gzip: {error}.") from error
    except (EOFError, zlib.error) as error:
        raise BrokenFile(path, f"cannot be unpacked: {error or 'it ends too soon'}.") from error
    except OSError as error:
        raise BrokenFile(path, f"cannot be read: {error.strerror or error}.") from error


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """The member called ``name`` nearest to the zip's root; Kaggle packs some files twice."""
    found = [member for member in archive.infolist() if PurePosixPath(member.filename).name == name]
    if not found:
        raise BrokenFile(path, f"does not hold {name}.")
    member = min(found, key=lambda member: (member.filename.count("/"), member.filename))
    check_member(path, member)
    return member
