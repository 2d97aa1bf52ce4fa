"""Hostile HDF5: 3D MNIST's vectors and its clouds of points.

They are decoded as in the decoding process, but many in one process; if that ends, the next one goes on after it.
"""

import io
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import h5py
import numpy as np
from numpy.typing import NDArray

from bench.datasets import hdf5, hdf5_child
from bench.datasets.dataset import Dataset
from bench.datasets.mnist_3d import CLOUDS, VECTORS, Mnist3d
from bench.datasets.source import BrokenFile
from bench.errors import BenchError
from tests.datasets.hostile_bytes import MEBIBYTE
from tests.datasets.hostile_format import Arrays, Files, Format, found
from tests.datasets.volumes import vectors

ODD = (np.nan, np.inf, -np.inf, -1.0, -1e-300, 1.5, 10.0, 1e300, 5e-324, 2.0**63)
TYPES = ("f2", "f4", ">f8", "i1", "u8", "c16", "S3", "?", "V4", "g", "M8[s]")
WITHOUT_END = "1000000"
"""CPU seconds for all files of a process together."""


def _decode_here(files: tuple[Path, ...], layout: hdf5.Layout, folder: Path) -> None:
    answer = hdf5_child.main(layout, WITHOUT_END, str(folder), *(str(file.absolute()) for file in files))
    if answer["problem"]:
        raise BrokenFile(files[answer["file"]], answer["problem"])


def mutated_array(values: NDArray[Any], chance: random.Random) -> Any:
    """Another type, shape or value, or none."""
    at = np.arange(values.size).reshape(values.shape) == chance.randrange(values.size)
    kind = np.dtype(chance.choice(TYPES))
    typed = np.zeros(values.shape, kind) if kind.kind in "VM" else values.astype(kind)
    changed: list[Any] = [
        *(None, values[:-1], typed, typed, values.reshape(-1), values[..., None], values[:0], values[:1]),
        *(
            np.concatenate([values, values]),
            np.where(at, chance.choice(ODD), values),
            np.where(at, chance.choice(ODD), values),
        ),
        *(values.T, np.where(at, 0, values), np.where(at, 1, values), 7, h5py.Empty("f8"), "words"),
    ]
    return chance.choice(changed)


def filters(chance: random.Random) -> dict[str, Any]:
    """Random storage filters."""
    ways: list[dict[str, Any]] = [{}, {"compression": "gzip"}, {"compression": "lzf"}, {"shuffle": True}]
    ways += [{"fletcher32": True}, {"compression": "gzip", "compression_opts": 9, "shuffle": True}, {"chunks": True}]
    return chance.choice(ways)


def put(group: h5py.Group, name: str, values: Any, chance: random.Random) -> None:
    """Store any values, in some way."""
    if values is None:
        return
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        values = values.astype("i8")
    plain = not isinstance(values, np.ndarray) or not values.size or values.dtype.kind in "V"
    group.create_dataset(name, data=values, **({} if plain else filters(chance)))


def bomb(group: h5py.Group, name: str, shape: tuple[int, ...]) -> None:
    """A chunk that unpacks to 256 MiB."""
    packer = zlib.compressobj()
    head = packer.compress(bytes(MEBIBYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(MEBIBYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    chunk = (
        256 if shape[1:] == (4096,) else 4096,
        *shape[1:],
    )  # a packed chunk may not be far longer than it is unpacked
    held = group.create_dataset(name, shape, "f8", chunks=chunk, maxshape=(None, *shape[1:]), compression="gzip")
    held.id.write_direct_chunk((0,) * len(shape), head + 255 * block)


def harmful(group: h5py.Group, name: str, rows: int, chance: random.Random) -> None:
    """Store something not plain, or promising far too much."""
    axes = 1 if name.startswith("y") else 2
    wide = 3 if name == "points" else 4096
    huge = (chance.choice([10**4, 10**9, 2**62]), wide)[:axes]
    ways: list[Callable[[], object]] = [
        lambda: group.create_dataset(name, huge, "f8", chunks=(1, wide)[:axes]),
        lambda: group.create_dataset(
            name, (rows, wide)[:axes], "f8", chunks=(40_000, wide)[:axes], maxshape=(None, wide)[:axes]
        ),
        lambda: group.create_dataset(name, (rows, wide)[:axes], "f8", chunks=(1, wide)[:axes], compression="gzip"),
        lambda: group.create_dataset(
            name, (rows, wide)[:axes], "f8", external=[("/etc/hostname", 0, h5py.h5f.UNLIMITED)]
        ),
        lambda: group.create_group(name),
        lambda: group.__setitem__(name, h5py.SoftLink("/")),
        lambda: group.__setitem__(name, h5py.ExternalLink("other.h5", name)),
        lambda: group.create_dataset(name, data=np.array([b"a", "b"], object), dtype=h5py.string_dtype()),
        lambda: group.create_dataset(name, (2, 2), h5py.vlen_dtype(np.float64)),
        lambda: group.create_dataset(name, (rows, wide)[:axes], np.dtype([("a", "f8"), ("b", "i4")])),
        lambda: group.create_dataset(name, (4,), np.dtype(("f8", (wide,)))),
        lambda: group.create_dataset(name, (rows, wide)[:axes], "f8", chunks=(rows, wide)[:axes], scaleoffset=3),
        lambda: bomb(group, name, (rows, wide)[:axes]),
    ]
    chance.choice(ways)()


class Vectors(Format):
    """``full_dataset_vectors.h5``. The last stage is our own checks, once the library has opened the file."""

    name = "HDF5 vectors"
    last = frozenset()
    may_crash = True
    rows: ClassVar[tuple[int, int]] = (4, 2)

    def arrays(self, rows: tuple[int, int] = rows) -> dict[str, Any]:
        """Stored arrays."""
        train, test = vectors(rows[0], 0), vectors(rows[1], 1)
        return dict(zip(("X_train", "y_train", "X_test", "y_test"), (*train, *test), strict=True))

    def honest(self) -> Files:
        return self._file(self.arrays(), random.Random(0))

    def large(self) -> Files:
        return self._file(self.arrays((600, 300)), random.Random(0))

    def _file(self, arrays: dict[str, Any], chance: random.Random, harm: str = "") -> Files:
        target = io.BytesIO()
        with h5py.File(target, "w", libver=chance.choice(["earliest", "latest"])) as opened:
            for name, values in arrays.items():
                if name == harm:
                    harmful(opened, name, len(values), chance)
                else:
                    put(opened, name, values, chance)
        return {VECTORS[0]: target.getvalue()}

    def payload(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        arrays = self.arrays()
        name = chance.choice(sorted(arrays))
        if chance.random() < 0.3:
            return "no plain array", self._file(arrays, chance, harm=name)
        return "an array", self._file(arrays | {name: mutated_array(arrays[name], chance)}, chance)

    def read(self, folder: Path) -> Dataset:
        hdf5._decode = _decode_here
        return found(Mnist3d(), folder)

    def truth(self, folder: Path) -> Arrays | None:
        with h5py.File(folder / VECTORS[0]) as opened:
            held = [np.asarray(opened[name]) for name in ("X_train", "y_train", "X_test", "y_test")]
        return [values.astype("f4").reshape(-1, 16, 16, 16, 1) if values.ndim == 2 else values for values in held]

    def reached_last(self, error: BenchError) -> bool:
        return not any(words in str(error) for words in ("cannot be decoded", "takes more than", "crash"))


class Clouds(Vectors):
    """``train_point_clouds.h5`` and ``test_point_clouds.h5``."""

    name = "HDF5 point clouds"

    def honest(self) -> Files:
        return {name: self._clouds(3 - number, 300, random.Random(0)) for number, name in enumerate(CLOUDS)}

    def large(self) -> Files:
        """Clouds as large as the largest published."""
        return {name: self._clouds(2, 50_000, random.Random(0)) for name in CLOUDS}

    def _clouds(self, clouds: int, points: int, chance: random.Random, harm: str = "") -> bytes:
        target = io.BytesIO()
        spoiled = chance.randrange(clouds)
        with h5py.File(target, "w") as opened:
            for number in range(clouds):
                group = opened.create_group(str(number))
                values: Any = np.random.default_rng(number).random((points, 3))
                label: Any = number
                if number == spoiled and harm == "points":
                    values = mutated_array(values, chance)
                elif number == spoiled and harm == "label":
                    label = chance.choice(
                        [10, -1, 0.5, np.nan, 2**62, "one", [1, 2], [3], np.zeros(0), h5py.Empty("f8"), None]
                    )
                if number == spoiled and harm == "harmful":
                    harmful(group, "points", 4096, chance)
                else:
                    put(group, "points", values, chance)
                if label is not None:
                    group.attrs["label"] = label
            if harm == "groups":
                del opened[str(spoiled)]
                for extra in range(chance.choice([0, 1, 1, 2, 9, 300, 11_000])):
                    opened.create_group(f"{extra} more")
        return target.getvalue()

    def payload(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        name, harm = chance.choice(CLOUDS), chance.choice(["points", "points", "label", "harmful", "groups"])
        return harm, {name: self._clouds(3, 300, chance, harm)}

    def truth(self, folder: Path) -> Arrays | None:
        return None  # a cloud's volume is the recipe's, which has tests of its own
