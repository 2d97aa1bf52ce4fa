"""Two readers of the same files, alternated in one process: python -m tests.benchmarks.reading WAY FOLDER PAIRS

Writes one JSON object. A pair runs both sides in turn; each reads everything once and discards the result. The side
that goes first changes from pair to pair. Our time includes checks that the other side omits: ours refuses files
that are too long, labels outside the classes, and numbers that are not pixels.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = list[NDArray[Any]]
Reader = Callable[[], Arrays]
Sides = tuple[Reader, Reader]
"""Ours and theirs."""

IDX = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
TABLE = "sign_mnist_train.csv"
TABLE_ROWS = 27_455


def idx(folder: Path) -> Sides:
    """MNIST's four files, not packed, against torchvision's two functions."""
    from torchvision.datasets.mnist import read_image_file, read_label_file

    from bench.datasets.idx import read_pair

    files = [folder / name for name in IDX]

    def ours() -> Arrays:
        return [*read_pair(files[0], files[1], 10), *read_pair(files[2], files[3], 10)]

    def theirs() -> Arrays:
        readers = (read_image_file, read_label_file) * 2
        return [read(str(file)).numpy() for read, file in zip(readers, files, strict=True)]

    return ours, theirs


def npz(folder: Path, name: str = "deflated.npz") -> Sides:
    """The four arrays of ``mnist.npz`` against Keras' ``load_data`` without its download and its hash."""
    import keras

    from bench.datasets.mnist import Mnist
    from bench.datasets.source import Source

    file, load_data = folder / name, keras.datasets.mnist.load_data
    sys.modules[load_data.__module__].get_file = lambda **_: str(file)  # type: ignore[attr-defined]

    def ours() -> Arrays:
        read = Mnist().read(Source((file,), "npz"))
        return [read.train.images, read.train.labels, read.test.images, read.test.labels]

    def theirs() -> Arrays:
        train, test = load_data()
        return [*train, *test]

    return ours, theirs


def npz_stored(folder: Path) -> Sides:
    """The same arrays in an archive that is not compressed."""
    return npz(folder, "stored.npz")


def csv(folder: Path, name: str = TABLE) -> Sides:
    """27,455 lines of 785 numbers against ``pandas.read_csv``."""
    import pandas

    from bench.datasets.packed import unpacked
    from bench.datasets.pixel_csv import read_pixel_table

    file = folder / name

    def ours() -> Arrays:
        with unpacked(file, file.name) as stream:
            table = read_pixel_table(stream, file, rows=TABLE_ROWS, pixels=784)
        return [table.pixels, table.labels]

    def theirs() -> Arrays:
        values = pandas.read_csv(file).to_numpy()
        return [values[:, 1:], values[:, 0]]

    return ours, theirs


def csv_gzipped(folder: Path) -> Sides:
    """The same table as distributed, gzipped: most of the time goes to the same zlib."""
    return csv(folder, f"{TABLE}.gz")


WAYS: dict[str, Callable[[Path], Sides]] = {
    "IDX": idx,
    "npz": npz,
    "npz, stored": npz_stored,
    "CSV": csv,
    "CSV, gzipped": csv_gzipped,
}


def measure(way: str, folder: Path, pairs: int) -> dict[str, Any]:
    """Seconds of each pair, ours and theirs; our peak over the size of the arrays; whether both give the same."""
    ours, theirs = WAYS[way](folder)
    peak = peak_over_arrays(ours)
    agree = all(np.array_equal(mine.squeeze(), yours.squeeze()) for mine, yours in zip(ours(), theirs(), strict=True))
    return {"pairs": [pair(ours, theirs, number) for number in range(pairs)], "peak": peak, "agree": agree}


def pair(ours: Reader, theirs: Reader, number: int) -> tuple[float, float]:
    """Seconds of ours and theirs."""
    gc.collect()
    if number % 2 == 0:
        first = seconds(ours)
        return first, seconds(theirs)
    first = seconds(theirs)
    return seconds(ours), first


def seconds(read: Reader) -> float:
    """Seconds of one reading, including the release of its memory, on both sides."""
    began = perf_counter_ns()
    read()
    return (perf_counter_ns() - began) / 1e9


def peak_over_arrays(read: Reader) -> float:
    """The kernel's peak of the process above its level before, divided by the bytes of the arrays."""
    from bench.measure.resident import resident_counter

    counter = resident_counter()
    counter.reset()
    before = counter.now()
    arrays = read()
    return (counter.peak() - before) * 2**20 / sum(array.nbytes for array in arrays)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
