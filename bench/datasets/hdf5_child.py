"""The process that decodes HDF5: ``python -m bench.datasets.hdf5_child LAYOUT SECONDS FOLDER FILE…``.

Writes ``FOLDER/<part>-<kind>.npy`` and prints ``{"file": 0, "problem": ""}``, or the number of a file and its problem,
as a phrase that begins with a verb. Reads only the files themselves: links and data that lead to other files are
refused. Called by ``bench.datasets.hdf5``.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from bench.datasets.hdf5 import SIDE
from bench.datasets.labels import At, problem, row_of

if TYPE_CHECKING:
    import h5py
    import numpy as np
    from numpy.typing import NDArray

    Rows = Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]

ROOM = 96 << 20
"""Bytes the process may take beyond what its libraries take."""
MOST_ROWS = 20_000
"""Rows of a part; twice the published."""
MOST_POINTS = 100_000
"""Points of a cloud; some twice the most published."""
FARTHEST = 1e6
"""Largest coordinate; published ones are below 1."""
BLOCK = 256
"""Rows read at once: 8 MiB."""
LARGEST_CHUNK = 8 << 20
"""Bytes; a chunk is unpacked as a whole."""
CLASSES = 10
PARTS = ("train", "test")


class Refused(Exception):
    """The problem with a file, as a phrase that begins with a verb."""


def main(layout: str, seconds: str, folder: str, *files: str) -> dict[str, Any]:
    """Decode, and return the result."""
    import h5py  # noqa: F401  # before the limit on memory, which is counted from here

    _limit(int(seconds))
    for number, part in enumerate(PARTS):
        place = number if layout == "clouds" else 0
        try:
            with _opened(Path(files[place])) as opened:
                rows = _clouds(opened, number) if layout == "clouds" else _vectors(opened, part)
                _write(Path(folder), part, rows)
        except Refused as refused:
            return {"file": place, "problem": f"{refused}."}
        except MemoryError:
            return {"file": place, "problem": f"takes more than {ROOM >> 20} MiB to decode: it is broken."}
        except Exception as error:  # from h5py, which raises most kinds for a broken file
            words = str(error).replace(files[place], Path(files[place]).name).splitlines()
            return {"file": place, "problem": f"cannot be decoded: {' '.join(words)[:300] or type(error).__name__}."}
    return {"file": 0, "problem": ""}


def _limit(seconds: int) -> None:
    """Limit this process to ``ROOM`` more memory, ``seconds`` of CPU time and no core file, where possible."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {resource.RLIMIT_CPU: seconds, resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: MOST_ROWS * SIDE**3 * 5}
    with contextlib.suppress(OSError, ValueError):  # no such file, on macOS
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        limits[resource.RLIMIT_AS] = pages * resource.getpagesize() + ROOM
    for kind, most in limits.items():
        with contextlib.suppress(OSError, ValueError):  # a lower limit is in force already
            resource.setrlimit(kind, (most, most))


def _opened(path: Path) -> h5py.File:
    import h5py

    return h5py.File(path, "r")


def _vectors(file: h5py.File, part: str) -> Rows:
    """Blocks of volumes and labels of one part of ``full_dataset_vectors.h5``."""
    import numpy as np

    vectors, labels = _dataset(file, f"X_{part}", 2), _dataset(file, f"y_{part}", 1)
    rows, values = vectors.shape
    if values != SIDE**3:
        raise Refused(f"holds X_{part} with {values:,} values a row; {SIDE**3:,} expected ({SIDE}x{SIDE}x{SIDE})")
    if len(labels) != rows:
        raise Refused(f"holds {rows:,} rows in X_{part}, but {len(labels):,} labels in y_{part}")
    _check_count(rows, f"rows in X_{part}")
    for start in range(0, rows, BLOCK):
        block = np.asarray(vectors[start : start + BLOCK])
        if not ((block >= 0) & (block <= 1)).all():  # also false for NaN
            raise Refused(f"holds values in X_{part} that are not in 0..1, in rows {start:,} to {start + len(block):,}")
        images = block.astype(np.float32).reshape(-1, SIDE, SIDE, SIDE, 1)
        yield images, _checked(np.asarray(labels[start : start + BLOCK]), row_of(f"y_{part}", start))


def _clouds(file: h5py.File, part: int) -> Rows:
    """Two volumes and labels of each cloud of ``train_point_clouds.h5`` or ``test_point_clouds.h5``."""
    import numpy as np

    from bench.datasets.mnist_3d_recipe import volume_pair

    clouds = len(file)
    _check_count(2 * clouds, "volumes of clouds")
    for number in range(clouds):
        group = _group(file, str(number))
        points = _dataset(group, "points", 2)
        if points.shape[1] != 3 or not 0 < len(points) <= MOST_POINTS:
            raise Refused(f"holds points {points.shape} in {number}; 1 to {MOST_POINTS:,} rows of 3 expected")
        values = np.asarray(points[:], np.float64).T.copy()
        if not (np.abs(values) <= FARTHEST).all():
            raise Refused(f"holds points in {number} that are not finite numbers up to {FARTHEST:,.0f}")
        label = _checked(_attribute(group, "label"), _in_cloud(number))
        yield volume_pair(values, number, part), label.repeat(2)


def _in_cloud(number: int) -> At:
    return lambda _: f"cloud {number}"


def _check_count(rows: int, what: str) -> None:
    if not 0 < rows <= MOST_ROWS:
        raise Refused(f"holds {rows:,} {what}; 1 to {MOST_ROWS:,} expected")


def _checked(labels: NDArray[Any], at: At) -> NDArray[np.int64]:
    import numpy as np

    if found := problem(labels, range(CLASSES), at):
        raise Refused(found)
    return labels.astype(np.int64)


def _attribute(group: h5py.Group, name: str) -> NDArray[Any]:
    """A number stored as an attribute, ``(1,)``; its type and shape are checked before it is read."""
    import numpy as np

    if name not in group.attrs:
        raise Refused(f"holds no attribute {name!r} in {group.name}")
    held = group.attrs.get_id(name)
    if held.dtype.kind not in "iuf" or held.shape not in ((), (1,)):
        raise Refused(f"holds an attribute {name!r} {held.dtype} {held.shape} in {group.name}; one number expected")
    return np.asarray(group.attrs[name]).reshape(1)


def _group(parent: h5py.Group, name: str) -> h5py.Group:
    import h5py

    found = _own(parent, name)
    if not isinstance(found, h5py.Group):
        raise Refused(f"holds {name!r}, which is not a group")
    return found


def _dataset(parent: h5py.Group, name: str, axes: int) -> h5py.Dataset:
    """A numeric data set stored in this file itself."""
    import h5py

    found = _own(parent, name)
    if not isinstance(found, h5py.Dataset):
        raise Refused(f"holds {name!r}, which is not a data set")
    if found.external or found.is_virtual:
        raise Refused(f"keeps {name!r} in other files, which are not opened")
    shape = found.shape
    if shape is None or found.dtype.kind not in "iuf" or found.dtype.itemsize > 8 or len(shape) != axes:
        raise Refused(f"holds {name!r} {found.dtype} {shape}; numbers with {axes} axes expected")
    chunk = found.dtype.itemsize
    for length in found.chunks or ():
        chunk *= length
    if chunk > LARGEST_CHUNK:
        raise Refused(f"holds {name!r} in chunks of {chunk:,} bytes; at most {LARGEST_CHUNK:,} are unpacked")
    return found


def _own(parent: h5py.Group, name: str) -> object:
    import h5py

    if name not in parent:
        held = ", ".join(sorted(str(key)[:30] for key in islice(parent, 8))) or "nothing"
        raise Refused(f"holds no {name!r} (it holds: {held})")
    if not isinstance(parent.get(name, getlink=True), h5py.HardLink):
        raise Refused(f"holds {name!r} as a link, which is not followed")
    return parent[name]


def _write(folder: Path, part: str, rows: Rows) -> None:
    """Write images block by block to a ``.npy`` file, then labels."""
    import numpy as np

    labels: list[NDArray[np.int64]] = []
    with (folder / f"{part}-images.npy").open("wb") as stream:
        _write_header(stream, MOST_ROWS)
        for images, ids in rows:
            stream.write(images.astype("<f4", copy=False).tobytes())
            labels.append(ids)
        stream.seek(0)
        _write_header(stream, sum(len(block) for block in labels))
    np.save(folder / f"{part}-labels.npy", np.concatenate(labels), allow_pickle=False)


def _write_header(stream: BinaryIO, rows: int) -> None:
    """Write a header of fixed length: numpy leaves room for the first axis to grow."""
    from numpy.lib import format as npy

    shape = (rows, SIDE, SIDE, SIDE, 1)
    npy.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
