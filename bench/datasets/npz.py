"""npz archives of arrays: Keras' layout (``x_train``, ``y_train``, ``x_test``, ``y_test``), or images and labels.

Nothing is ever unpickled: arrays of Python objects are refused, and so is a pickle under the name of an archive.
"""

from __future__ import annotations

import math
import tokenize
import warnings
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from bench.datasets.packed import BROKEN_ZIP, check_member, said_of
from bench.datasets.parts import RawPart, RawParts
from bench.datasets.source import BrokenFile, unreadable_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

KERAS = ("x_train", "y_train", "x_test", "y_test")
BROKEN_HEADER = (SyntaxError, TypeError, RecursionError, MemoryError, tokenize.TokenError)
"""Python's errors for a header that is not a literal; numpy lets them through."""
WHOLE = (("images", "labels"), ("X", "y"), ("x", "y"))


def read_npz(path: Path) -> RawParts:
    """The parts of an archive in one of the layouts of this module. Raises BrokenFile."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {member.removesuffix(".npy") for member in archive.namelist() if member.endswith(".npy")}
            if names.issuperset(KERAS):
                arrays = [_read_array(path, archive, name) for name in KERAS]
                return RawParts(RawPart(*arrays[:2]), RawPart(*arrays[2:]))
            for images, labels in WHOLE:
                if {images, labels} <= names:
                    return RawParts(RawPart(_read_array(path, archive, images), _read_array(path, archive, labels)))
    except BROKEN_ZIP as error:
        raise BrokenFile(path, f"is not an npz archive: {said_of(error)}.") from error
    except OSError as error:
        raise unreadable_file(path, error) from error
    held = ", ".join(ascii(name)[1:-1][:30] for name in sorted(names)[:8]) or "none"
    raise BrokenFile(
        path,
        f"holds no arrays with known names (its arrays: {held}).",
        "Name them x_train, y_train, x_test, y_test; or images and labels; or X and y.",
    )


def _read_array(path: Path, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """One array; its header is first checked against the size of its member."""
    import numpy as np

    member = archive.getinfo(f"{name}.npy")
    try:
        check_member(path, member)
        with warnings.catch_warnings(), archive.open(member) as stream:
            warnings.simplefilter("ignore")  # for a header written by Python 2
            _check_header(path, name, stream, member.file_size)
        with warnings.catch_warnings(), archive.open(member) as stream:
            warnings.simplefilter("ignore")
            array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
            stream.read()  # to its end, where the archive's check value is compared
    except (*BROKEN_ZIP, *BROKEN_HEADER) as error:
        raise BrokenFile(path, f"holds an array {name!r} that cannot be read: {said_of(error)}.") from error
    return array


def _check_header(path: Path, name: str, stream: IO[bytes], size: int) -> None:
    from numpy.lib import format as npy

    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise BrokenFile(path, f"holds an array {name!r} of npy version {version}; 1.0 or 2.0 expected.")
    shape, _, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(stream)
    if dtype.hasobject:
        raise BrokenFile(
            path,
            f"holds an array {name!r} of Python objects (a pickle), which is not opened: a pickle can run any code.",
            "Save plain numbers or words: numpy.savez(file, x_train=..., …) with arrays of uint8, float32, int64, str.",
        )
    if dtype.kind not in "buifUS" or not dtype.itemsize or not shape:
        raise BrokenFile(path, f"holds an array {name!r} {dtype} {shape}; rows of numbers or words expected.")
    expected = stream.tell() + math.prod(shape) * dtype.itemsize
    if size != expected:
        raise BrokenFile(path, f"holds an array {name!r} of {size:,} bytes, {expected:,} expected from its header.")
