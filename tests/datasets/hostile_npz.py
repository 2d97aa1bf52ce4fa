"""Hostile npz archives: MNIST in Keras' layout, and images and labels of the user's own."""

import io
import os
import random
import struct
import zipfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.datasets.dataset import Dataset
from bench.datasets.npz import read_npz
from bench.datasets.parts import assemble
from tests.datasets.hostile_bytes import BOMB_MEBIBYTES, MEBIBYTE, hostile_zip, mutated_bytes, zip_bomb, zipped
from tests.datasets.hostile_format import Arrays, Files, Format, found
from tests.datasets.small import Tiny, digits

KEYS = ("x_train", "y_train", "x_test", "y_test")
TYPES = ("?", "i1", "u1", ">u2", "<i4", "u8", "f2", ">f4", "f8", "g", "c16", "S3", "U5", "V4", "V0", "S0", "M8[s]")
ODD_VALUES = (np.nan, np.inf, -np.inf, -1.0, -1e-300, 0.5, 10.0, 256.0, 1e300, 5e-324, 2.0**63, 2.0**24 + 1)
HEADERS = (
    "{'descr': '|u1', 'fortran_order': False, 'shape': (-1, -28, 28), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (20, 28, 28.0), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (20, 28, True), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': 15680, }",
    "{'descr': '|V0', 'fortran_order': False, 'shape': (1000000000000, 28, 28), }",
    "{'descr': '|S0', 'fortran_order': False, 'shape': (4000000000,), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 28, 0), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (" + "1, " * 70 + "), }",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (18446744073709551617, 0), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (20,), }",
    "{'descr': [('a', '|u1'), ('b', '|u1')], 'fortran_order': False, 'shape': (20, 28, 28), }",
    "{'descr': [('a', '|u1', (28, 28))], 'fortran_order': False, 'shape': (20,), }",
    "{'descr': ('|u1', (28, 28)), 'fortran_order': False, 'shape': (20,), }",
    "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (20,), }",
    "{'descr': None, 'fortran_order': False, 'shape': (20, 28, 28), }",
    "{'descr': {}, 'fortran_order': False, 'shape': (20, 28, 28), }",
    "{[]: 1, 'fortran_order': False, 'shape': (20, 28, 28), }",
    "{'descr': '|u1', 'fortran_order': 1, 'shape': (20, 28, 28), }",
    "{'descr': 'no such type', 'fortran_order': False, 'shape': (20, 28, 28), }",
    "{'descr': '|u1', 'shape': (20, 28, 28), }",
    "[" * 9000,
    "-" * 9000 + "1",
    "+".join(["1"] * 4500),
    "{'descr': '|u1', 'fortran_order': False, 'shape': (" + "9" * 5000 + ",), }",
    "__import__('os').mkdir('planted')",
    "\0\n",
)


class Planter:
    """Makes a folder when unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("planted",)


def npy(array: NDArray[Any]) -> bytes:
    """A member as numpy writes it."""
    target = io.BytesIO()
    np.lib.format.write_array(target, array, allow_pickle=True)
    return target.getvalue()


def npy_with_header(header: str, payload: bytes, version: tuple[int, int] = (1, 0)) -> bytes:
    """A member with this text for a header, its length and version right."""
    text = header.encode("latin1") + b"\n"
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text + payload


def mutated_array(array: NDArray[Any], chance: random.Random) -> NDArray[Any]:
    """Another type, shape or order, other values, or objects."""
    odd = array.astype(chance.choice(["f4", "f8", "g"]))
    odd.reshape(-1)[chance.randrange(odd.size)] = chance.choice(ODD_VALUES)
    other = array.copy()
    other.reshape(-1)[chance.randrange(other.size)] = chance.randrange(256)
    kind = np.dtype(chance.choice(TYPES))
    typed = np.zeros(array.shape, kind) if kind.kind in "VSM" else array.astype(kind)
    return chance.choice(
        [
            *(
                array[:-1],
                array[:0],
                array[:1],
                np.concatenate([array, array]),
                array.reshape(-1),
                array[None],
                array[..., None],
            ),
            *(np.asfortranarray(array), array.T, array * 0, array.astype(np.int16) - 1, array.astype(np.int64) << 60),
            *(odd, odd, other, other, typed, typed, array / 255, array.astype(str), np.array(7, np.uint8)),
            *(np.array([Planter(), 1], object), array.astype(object), np.array(["a", "b"] * 10), array % 2),
        ]
    )


class Npz(Format):
    """Keras' MNIST. The last stage begins when all four arrays are read."""

    name = "npz, stored"
    last = frozenset({"_checked", "checked", "check_images", "assemble", "_check_alike", "_read_npz"})
    method: ClassVar[int] = zipfile.ZIP_STORED

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Stored arrays."""
        return dict(zip(KEYS, (*digits(20, 0), *digits(10, 1)), strict=True))

    @property
    def file(self) -> str:
        return "tiny.npz"

    def honest(self) -> Files:
        return {self.file: zipped([(f"{name}.npy", npy(array)) for name, array in self.arrays().items()], self.method)}

    def payload(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        arrays = self.arrays()
        members = [(f"{name}.npy", npy(array)) for name, array in arrays.items()]
        place = chance.randrange(len(members))
        name, content = members[place]
        drawn = chance.random()
        if drawn < 0.05:
            return "a trick of the zip", {self.file: hostile_zip(members, chance)}
        if drawn < 0.1:
            return "a bomb", {self.file: zip_bomb(members, name, self._bomb(content, arrays[name[:-4]], chance))}
        if drawn < 0.25:
            header = chance.choice(HEADERS) if chance.random() < 0.7 else self._header(arrays[name[:-4]], chance)
            version = chance.choice([(1, 0), (1, 0), (2, 0), (3, 0), (9, 9)])
            how, mutated = "a header", npy_with_header(header, content[128:], version)
        elif drawn < 0.35:
            how, mutated = "bytes of a member", mutated_bytes(content, chance)
        else:
            how, mutated = "an array", npy(mutated_array(arrays[name[:-4]], chance))
        members[place] = name, mutated
        if drawn > 0.97:
            how = "members left out or named otherwise"
            members = [*chance.sample(members, chance.randrange(len(members)) or 1), ("images.npy", content)]
        return how, {self.file: zipped(members, self.method)}

    def _bomb(self, content: bytes, array: NDArray[Any], chance: random.Random) -> bytes:
        """The head of a member as long as its header says, or far longer."""
        rows = (BOMB_MEBIBYTES * MEBIBYTE) // (array.nbytes // len(array))
        descr = np.lib.format.dtype_to_descr(array.dtype)
        shape = (rows, *array.shape[1:])
        header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}"
        return chance.choice([content, npy_with_header(header, b"")])

    def _header(self, array: NDArray[Any], chance: random.Random) -> str:
        text = repr({"descr": array.dtype.str, "fortran_order": False, "shape": array.shape})
        return mutated_bytes(text.encode(), chance).decode("latin1")

    def read(self, folder: Path) -> Dataset:
        return found(Tiny(), folder)

    def truth(self, folder: Path) -> Arrays | None:
        with zipfile.ZipFile(folder / self.file) as archive:
            members = (io.BytesIO(archive.read(f"{name}.npy")) for name in KEYS)
            x_train, y_train, x_test, y_test = (np.load(member, allow_pickle=False) for member in members)
        return [x_train[..., None], y_train, x_test[..., None], y_test]


class NpzDeflated(Npz):
    """The same archive, compressed."""

    name = "npz, deflated"
    method = zipfile.ZIP_DEFLATED


class OwnNpz(Npz):
    """Images and labels of the user's own. The last stage begins when both arrays are read."""

    name = "npz of the user's own"
    method = zipfile.ZIP_DEFLATED

    @property
    def file(self) -> str:
        return "own.npz"

    def arrays(self) -> dict[str, NDArray[Any]]:
        images, labels = digits(40, 2)
        return {"images": images, "labels": labels.astype(np.int64)}

    def read(self, folder: Path) -> Dataset:
        file = folder / self.file
        return assemble("own", "own", file, read_npz(file))

    def truth(self, folder: Path) -> Arrays | None:
        return None
