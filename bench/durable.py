"""Crash-safe writing: a file in whole or not at all, and lines one by one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` fill a file that replaces ``path`` once all of it is on the disk.

    Any error of ``write``, and OSError if the disk refuses, leaves ``path`` as it was. Its folder must exist.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text_whole(path: Path, text: str) -> None:
    """``write_whole`` of ``text`` in UTF-8."""
    write_whole(path, lambda file: file.write(text.encode()))


def append_line(path: Path, line: bytes) -> None:
    """Add ``line``, which ends in a newline, after the last whole line, in one write; return when it is on the disk.

    Bytes after the last newline were torn by a crash and are cut away. Raises OSError if the disk refuses; a line
    written only in part is removed.
    """
    with path.open("ab+", buffering=0) as file:
        end = _whole_lines(file)
        file.truncate(end)
        written = file.write(line)
        if written != len(line):
            file.truncate(end)
            raise OSError(0, "the disk took only a part of it")
        os.fsync(file.fileno())


def _whole_lines(file: IO[bytes]) -> int:
    """Bytes up to and including the last newline."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return 0
    file.seek(size - 1)
    if file.read(1) == b"\n":
        return size
    file.seek(0)
    return file.read().rfind(b"\n") + 1
