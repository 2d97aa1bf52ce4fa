"""IDX, the format of MNIST: a magic number, the lengths of the axes, then the values; plain or gzipped.

The header is big-endian: two zero bytes, the type of a value (0x08: unsigned byte, 0x0C: four-byte integer), the
number of axes, then each axis's length in four bytes (LeCun, Cortes and Burges, "The MNIST database of handwritten
digits", file formats). The values are big-endian too.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from io import BufferedReader
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from bench.datasets.labels import check_counts, checked
from bench.datasets.packed import GZIP_MAGIC, Gunzipped, said_of
from bench.datasets.source import BrokenFile, unreadable_file

if TYPE_CHECKING:
    from zipfile import ZipExtFile

    import numpy as np
    from numpy.typing import NDArray

    Stored = BufferedReader | ZipExtFile
    Stream = gzip.GzipFile | Stored

UNSIGNED_BYTE = 0x08
INTEGER = 0x0C
TYPES = {UNSIGNED_BYTE: (1, "bytes"), INTEGER: (4, "integers")}
"""Bytes of a value, and the name of such values."""
LARGEST = 1 << 32
"""Bytes of values; seven times the largest member of the family (EMNIST byclass, 547 MB)."""
CHUNK = 1 << 20
"""Bytes read at once, so that a header which promises too much costs no memory."""


def read_idx(path: Path, axes: int) -> NDArray[np.uint8]:
    """The values of an IDX file of unsigned bytes with ``axes`` axes, in the shape its header gives.

    Reads at most a megabyte past what the header promises, and no decompression bomb to its end.
    Raises BrokenFile.
    """
    try:
        with path.open("rb") as stored:
            return read_idx_from(stored, path, axes)
    except OSError as error:
        raise unreadable_file(path, error) from error


def read_idx_from(stored: Stored, path: Path, axes: int) -> NDArray[np.uint8]:
    """As ``read_idx``, from an open file; ``path`` names it in messages. Raises BrokenFile, OSError."""
    import numpy as np

    shape, values = _decoded(stored, path, axes, UNSIGNED_BYTE)
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


def read_idx_integers(path: Path, axes: int) -> NDArray[np.int32]:
    """The values of an IDX file of four-byte integers, as ``read_idx``. Raises BrokenFile."""
    import numpy as np

    try:
        with path.open("rb") as stored:
            shape, values = _decoded(stored, path, axes, INTEGER)
    except OSError as error:
        raise unreadable_file(path, error) from error
    return np.frombuffer(values, dtype=">i4").astype(np.int32).reshape(shape)


def read_pair(images: Path, labels: Path, classes: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images ``(n, height, width, 1)`` and labels ``(n,)`` in ``0..classes-1``. Raises BrokenFile."""
    pixels = read_idx(images, axes=3)
    ids = read_idx(labels, axes=1)
    check_counts(images, pixels, ids, labels)
    return pixels[..., None], checked(labels, ids, range(classes))


def _decoded(stored: Stored, path: Path, axes: int, kind: int) -> tuple[tuple[int, ...], bytearray]:
    try:
        zipped = stored.read(2) == GZIP_MAGIC  # by content: some servers unwrap a .gz and keep its name
        stored.seek(0)
        unit = "bytes after decompression" if zipped else "bytes"
        stream = Gunzipped(cast("IO[bytes]", stored), path) if zipped else stored
        return _shape_and_values(path, stream, axes, kind, unit)
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BrokenFile(path, f"is broken gzip: {said_of(error)}.") from error


def _shape_and_values(path: Path, stream: Stream, axes: int, kind: int, unit: str) -> tuple[tuple[int, ...], bytearray]:
    length = 4 + 4 * axes
    header = _read(stream, length)
    expected_magic = kind << 8 | axes
    magic = int.from_bytes(header[:4], "big")
    if len(header) >= 4 and magic != expected_magic:
        raise BrokenFile(
            path,
            f"begins with magic number {magic} (0x{magic:08x}), {expected_magic} (0x{expected_magic:08x}) expected: "
            f"it is not an IDX file of {TYPES[kind][1]} with {axes} {'axis' if axes == 1 else 'axes'}.",
        )
    if len(header) < length:
        raise BrokenFile(path, f"holds {len(header)} {unit}, at least {length} expected: the file is cut short.")
    shape = struct.unpack(f">{axes}I", header[4:])
    promised = math.prod(shape) * TYPES[kind][0]
    if promised == 0:
        raise BrokenFile(path, f"holds nothing: its header gives the shape {'x'.join(map(str, shape))}.")
    if promised > LARGEST:
        raise BrokenFile(
            path, f"promises {promised:,} bytes in its header, more than {LARGEST:,}: its header is broken."
        )
    values = _read(stream, promised)
    held, expected = length + len(values), length + promised
    if held < expected:
        raise BrokenFile(path, f"holds {held:,} {unit}, {expected:,} expected: the file is cut short.")
    extra = _count_left(path, stream)
    if extra:
        at_least = "at least " if extra == CHUNK else ""
        raise BrokenFile(
            path, f"holds {at_least}{held + extra:,} {unit}, {expected:,} expected: {at_least}{extra:,} too many."
        )
    return shape, values


def _read(stream: Stream, size: int) -> bytearray:
    """Up to ``size`` bytes; fewer if the stream ends, even in the middle of a gzip member."""
    held = bytearray()
    try:
        # read1: what was decompressed before a broken end is delivered, so that it can be counted
        while len(held) < size and (chunk := stream.read1(min(CHUNK, size - len(held)))):
            held += chunk
    except EOFError:
        pass
    return held


def _count_left(path: Path, stream: Stream) -> int:
    """Bytes after the promised ones, up to ``CHUNK``; reading on also makes gzip compare its check value."""
    extra = len(_read(stream, CHUNK))
    try:
        if not extra:
            stream.read1(1)
    except EOFError as error:
        raise BrokenFile(path, "is broken gzip: it ends before its check value, the file is cut short.") from error
    return extra
