"""Reading sign language's 27,455 rows beside pandas: python -m pytest tests/benchmarks/test_pixel_csv.py -s"""

import gzip
import statistics
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.datasets.packed import unpacked
from bench.datasets.pixel_csv import PixelTable, read_pixel_table

ROUNDS = 7


def read(file: Path) -> PixelTable:
    with unpacked(file, file.name) as stream:
        return read_pixel_table(stream, file, rows=27_455, pixels=784)


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


@pytest.mark.data
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
def test_a_table_is_read_at_least_twice_as_fast_as_by_pandas_in_at_most_four_times_the_arrays_memory(
    data_dir: Path, tmp_path: Path, packed: bool
) -> None:
    # Gzipped, both spend most of their time in the same zlib
    pandas = pytest.importorskip("pandas", reason="pandas, to compare with, is not installed")
    file = data_dir / "sign-language-mnist" / "sign_mnist_train.csv.gz"
    if not packed:
        (tmp_path / "table.csv").write_bytes(gzip.decompress(file.read_bytes()))
        file = tmp_path / "table.csv"
    rounds = [(seconds(lambda: pandas.read_csv(file)), seconds(lambda: read(file))) for _ in range(ROUNDS)]
    ratio = statistics.median(theirs / ours for theirs, ours in rounds)
    tracemalloc.start()
    table = read(file)
    peak = tracemalloc.get_traced_memory()[1] / table.pixels.nbytes
    tracemalloc.stop()
    print(f"\n{file.name}: pandas takes {ratio:.2f} times as long; peak {peak:.2f} times the array")
    assert np.array_equal(table.pixels, pandas.read_csv(file).to_numpy()[:, 1:])
    assert ratio >= (1.2 if packed else 2)
    assert peak <= 4
