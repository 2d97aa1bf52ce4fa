"""Hostile IDX files: MNIST's, plain and gzipped; QMNIST's labels; NIST's archive of EMNIST."""

import gzip
import io
import math
import random
import struct
import zipfile
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.datasets.dataset import Dataset
from bench.datasets.emnist import EmnistLetters
from bench.datasets.qmnist import FILES as QMNIST_FILES
from bench.datasets.qmnist import Qmnist
from tests.datasets.hostile_bytes import (
    BOMB_MEBIBYTES,
    ODD_NUMBERS,
    gzipped,
    harmed,
    hostile_zip,
    mutated_bytes,
    unwrapped,
    zeros,
    zip_bomb,
    zipped,
)
from tests.datasets.hostile_format import Arrays, Files, Format, found
from tests.datasets.small import Tiny, digits, idx_bytes
from tests.datasets.small_emnist import letters

READ = frozenset({"_part", "checked", "check_counts", "check_images", "read"})
"""These compare counts, sizes of images and labels once both files of a part are decoded."""


def mutated_idx(content: bytes, chance: random.Random) -> tuple[str, bytes]:
    """Other lengths, type or number of axes in the header, other values, more or fewer of them."""
    axes = content[3]
    shape = list(struct.unpack(f">{axes}I", content[4 : 4 + 4 * axes]))
    magic, values = int.from_bytes(content[:4], "big"), content[4 + 4 * axes :]
    width = len(values) // math.prod(shape)
    odd = list(shape)
    odd[chance.randrange(axes)] = chance.choice([*ODD_NUMBERS, shape[0] - 1, shape[0] + 1, 2 * shape[0]])
    right = list(shape)
    right[chance.randrange(axes)] = chance.randint(1, 30)
    noise = chance.randbytes(math.prod(right) * width)
    few = bytearray(values)
    few[chance.randrange(len(few))] = chance.randrange(256)
    kind = chance.choice([0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E, 0xFF])
    return harmed(
        [
            ("a length in the header", lambda: idx_bytes(odd, values, magic)),
            ("the type in the header", lambda: idx_bytes(shape, values, kind << 8 | axes)),
            ("the axes in the header", lambda: idx_bytes([*shape, 1], values, magic + 1)),
            ("random values of another shape", lambda: idx_bytes(right, noise, magic)),
            ("one value", lambda: idx_bytes(shape, bytes(few), magic)),
            ("values cut short", lambda: idx_bytes(shape, values[: chance.randrange(len(values))], magic)),
            ("values too many", lambda: idx_bytes(shape, values + chance.randbytes(chance.randint(1, 99)), magic)),
            ("bytes of the content", lambda: mutated_bytes(content, chance)),
        ],
        chance,
    )


def idx_bomb(content: bytes) -> bytes:
    """The head of a file as long as its header says, which is far too long."""
    axes = content[3]
    shape = list(struct.unpack(f">{axes}I", content[4 : 4 + 4 * axes]))
    width = (len(content) - 4 - 4 * axes) // math.prod(shape)
    shape[0] = (BOMB_MEBIBYTES << 20) // (math.prod(shape[1:]) * width)
    return idx_bytes(
        shape, bytes((BOMB_MEBIBYTES << 20) - math.prod(shape) * width), int.from_bytes(content[:4], "big")
    )


def values_of(content: bytes) -> NDArray[np.int64]:
    """Values of an IDX file, gzipped or not."""
    plain = unwrapped(content)
    shape = struct.unpack(f">{plain[3]}I", plain[4 : 4 + 4 * plain[3]])
    kind = {0x08: "u1", 0x0C: ">i4"}[plain[2]]
    return np.frombuffer(plain[4 + 4 * plain[3] :], kind).reshape(shape).astype(np.int64)


class Idx(Format):
    """MNIST's four files. The last stage begins when both files of a part are decoded."""

    name = "IDX"
    last = READ
    gzipped: ClassVar[bool] = False

    def honest(self) -> Files:
        parts = [*digits(20, 0), *digits(10, 1)]
        names = (
            "train-images-idx3-ubyte",
            "train-labels-idx1-ubyte",
            "t10k-images-idx3-ubyte",
            "t10k-labels-idx1-ubyte",
        )
        plain = {name: idx_bytes(part.shape, part.tobytes()) for name, part in zip(names, parts, strict=True)}
        return {f"{name}.gz": gzipped(content) for name, content in plain.items()} if self.gzipped else plain

    def payload(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        name = chance.choice(sorted(files))
        content = gzip.decompress(files[name]) if self.gzipped else files[name]
        if self.gzipped and chance.random() < 0.05:
            before = chance.choice([content, idx_bomb(content)])
            return "a bomb", {name: zeros(BOMB_MEBIBYTES, 31, before)}
        if chance.random() < 0.05:
            return "files exchanged", dict(zip(files, chance.sample([*files.values()], len(files)), strict=True))
        how, mutated = mutated_idx(content, chance)
        return how, {name: gzipped(mutated) if self.gzipped else mutated}

    def read(self, folder: Path) -> Dataset:
        return found(Tiny(), folder)

    def truth(self, folder: Path) -> Arrays | None:
        arrays = [values_of((folder / name).read_bytes()) for name in self.honest()]
        return [arrays[0][..., None], arrays[1], arrays[2][..., None], arrays[3]]


class IdxGz(Idx):
    """The same four files, gzipped."""

    name = "IDX.gz"
    gzipped = True


class QmnistIdx(Idx):
    """QMNIST's four files, labels as rows of eight four-byte integers."""

    name = "IDX of integers, gz"
    gzipped = True

    def honest(self) -> Files:
        made: Files = {}
        for part, rows, seed in (("train", 20, 0), ("test", 10, 1)):
            images, labels = digits(rows, seed)
            table = np.zeros((rows, 8), ">i4")
            table[:, 0], table[:, 2] = labels, np.arange(rows) % 4
            contents = (idx_bytes(images.shape, images.tobytes()), idx_bytes(table.shape, table.tobytes(), 0x0C02))
            names = [name for name in QMNIST_FILES if f"-{part}-" in name]
            made |= {f"{name}.gz": gzipped(content) for name, content in zip(names, contents, strict=True)}
        return made

    def read(self, folder: Path) -> Dataset:
        return found(Qmnist(), folder)

    def truth(self, folder: Path) -> Arrays | None:
        arrays = [values_of((folder / f"{name}.gz").read_bytes()) for name in QMNIST_FILES]
        return [arrays[0][..., None], arrays[1][:, 0], arrays[2][..., None], arrays[3][:, 0]]


class EmnistZip(Format):
    """NIST's archive: a zip of gzipped IDX files and a mapping. The last stage begins when a part is decoded."""

    name = "EMNIST zip"
    last = READ | {"check_mapping"}

    def honest(self) -> Files:
        return {"gzip.zip": zipped(self._members())}

    def _members(self) -> list[tuple[str, bytes]]:
        return [(f"gzip/{name}", content) for name, content in letters(30, 26).items()]

    def payload(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        members = self._members()
        place = chance.randrange(len(members))
        name, content = members[place]
        drawn = chance.random()
        if drawn < 0.2:
            return "a trick of the zip", {"gzip.zip": hostile_zip(members, chance)}
        plain = gzip.decompress(content) if name.endswith(".gz") else content
        if drawn < 0.25:
            before = chance.choice([plain, idx_bomb(plain) if name.endswith(".gz") else b"1 65"])
            return "a bomb", {"gzip.zip": zip_bomb(members, name, before)}
        if drawn < 0.3:
            before = idx_bomb(plain) if name.endswith(".gz") else b"1 65"
            members[place] = name, zeros(BOMB_MEBIBYTES, 31, before)
            return "a bomb in a bomb", {"gzip.zip": zipped(members)}
        how, mutated = mutated_idx(plain, chance) if name.endswith(".gz") else mutated_mapping(plain, chance)
        members[place] = name, gzipped(mutated) if name.endswith(".gz") else mutated
        return how, {"gzip.zip": zipped(members, chance.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))}

    def read(self, folder: Path) -> Dataset:
        return found(EmnistLetters(), folder)

    def truth(self, folder: Path) -> Arrays | None:
        arrays: Arrays = []
        with zipfile.ZipFile(io.BytesIO((folder / "gzip.zip").read_bytes())) as archive:
            for part in ("train", "test"):
                for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"):
                    wanted = f"emnist-letters-{part}-{kind}.gz"
                    names = [name for name in archive.namelist() if name.rpartition("/")[2] == wanted]
                    if len(names) != 1:
                        return None  # a part is made of the other
                    values = values_of(archive.read(names[0]))
                    arrays.append(values.transpose(0, 2, 1)[..., None] if values.ndim == 3 else values - 1)
        return arrays


def mutated_mapping(content: bytes, chance: random.Random) -> tuple[str, bytes]:
    """Lines left out, doubled or changed in NIST's list of labels and characters."""
    lines = content.split(b"\r\n")
    odd = [b"", b"1", b"a b", b"1 65 97", b"27 91", b"-1 65", b"1 -5", b"1 1114112", b"1 55296", b"9" * 5000 + b" 65"]
    odd += [b"1 " + b"9" * 400, b"\xff\xfe", b"1 \xd9\xa1", b"1\x0065", b"0x1 65", b"1_0 65", b"1 27", b" " * 70_000]
    place = chance.randrange(len(lines))
    changed = [*lines[:place], chance.choice(odd), *lines[place + chance.randrange(2) :]]
    return "lines of the mapping", b"\r\n".join(changed)
