"""Small EMNIST splits as NIST packs them, written byte by byte and not with the code under test."""

import gzip
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.datasets.small import idx_bytes

LETTERS_MAPPING = "".join(f"{label} {label + 64} {label + 96}\r\n" for label in range(1, 27)).encode()


def upright(rows: int, seed: int) -> NDArray[np.uint8]:
    """Random 28x28 images as they are to be seen."""
    return np.random.default_rng(seed).integers(0, 256, (rows, 28, 28), dtype=np.uint8)


def part_files(name: str, part: str, images: NDArray[np.uint8], labels: list[int]) -> dict[str, bytes]:
    """The two files of a part of upright ``images``, which are stored with rows and columns exchanged."""
    stored = b"".join(bytes(column) for image in images for column in zip(*image.tolist(), strict=True))
    return {
        f"{name}-{part}-images-idx3-ubyte.gz": gzip.compress(idx_bytes(images.shape, stored), mtime=0),
        f"{name}-{part}-labels-idx1-ubyte.gz": gzip.compress(idx_bytes((len(labels),), bytes(labels)), mtime=0),
    }


def letters(train: int = 40, test: int = 30) -> dict[str, bytes]:
    """``emnist-letters``: labels 1 to 26 in turn, with the mapping file."""
    files = {"emnist-letters-mapping.txt": LETTERS_MAPPING}
    for part, rows, seed in (("train", train, 1), ("test", test, 2)):
        if rows:
            labels = [row % 26 + 1 for row in range(rows)]
            files |= part_files("emnist-letters", part, upright(rows, seed), labels)
    return files


def digits_split(name: str = "emnist-digits") -> dict[str, bytes]:
    """A split of ten classes, 20 rows and 10."""
    files = part_files(name, "train", upright(20, 3), [row % 10 for row in range(20)])
    return files | part_files(name, "test", upright(10, 4), list(range(10)))


def lay(folder: Path, files: Mapping[str, bytes]) -> Path:
    """The files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def zipped(files: Mapping[str, bytes], prefix: str = "gzip/") -> bytes:
    """An archive as NIST's: the files in the folder ``gzip``."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(prefix + name), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()
