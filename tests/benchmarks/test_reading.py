"""Reading files takes no longer than in the libraries that are known for it, and opening the cache next to nothing.

``tests/benchmarks/reading.py`` says what stands beside what. See README.md.
"""

import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.datasets.cache import load
from bench.datasets.catalog import BUILTIN, CachedDataset, resolve
from bench.errors import BenchError
from tests.benchmarks.reading import IDX, TABLE
from tests.benchmarks.reading_figures import MOST_MEMORY, MOST_OPENING_MS, PAIRS, Opening, Reading, summarise

BESIDE = {
    "IDX": "torchvision",
    "npz": "keras",
    "npz, stored": "keras",
    "CSV": "pandas",
    "CSV, gzipped": "pandas",
}
OPENED = 7
"""Times a data set is opened."""
OPENING = """
import sys
from pathlib import Path
from time import perf_counter_ns
import numpy
from bench.datasets.cache import load
began = perf_counter_ns()
load(Path(sys.argv[1]))
print((perf_counter_ns() - began) / 1e6)
"""

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def files(mnist: CachedDataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MNIST as four IDX files that are not packed, and as two npz archives; sign language's table, if it is there."""
    folder = tmp_path_factory.mktemp("files")
    data = load(mnist.folder)
    parts = (data.train.images[..., 0], data.train.labels, data.test.images[..., 0], data.test.labels)
    arrays = [np.ascontiguousarray(part, np.uint8) for part in parts]
    for name, array in zip(IDX, arrays, strict=True):
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        (folder / name).write_bytes(header + array.tobytes())
    named = dict(zip(("x_train", "y_train", "x_test", "y_test"), arrays, strict=True))
    np.savez_compressed(folder / "deflated.npz", **named)  # type: ignore[arg-type]  # its stub takes a flag among them
    np.savez(folder / "stored.npz", **named)  # type: ignore[arg-type]
    packed = Path(os.environ.get("BENCH_DATA_DIR", "")) / "sign-language-mnist" / f"{TABLE}.gz"
    if packed.is_file():
        shutil.copyfile(packed, folder / packed.name)
        with gzip.open(packed) as content, (folder / TABLE).open("wb") as plain:
            shutil.copyfileobj(content, plain)
    return folder


@pytest.mark.parametrize("way", BESIDE)
def test_reading_takes_no_longer_than_beside_and_little_more_memory_than_its_arrays(
    way: str, files: Path, benchmark: BenchmarkFixture, readings: list[Reading], pytestconfig: pytest.Config
) -> None:
    if find_spec(BESIDE[way]) is None:
        pytest.skip(f"{BESIDE[way]}, to compare with, is not installed")
    if way.startswith("CSV") and not (files / TABLE).is_file():
        pytest.skip(f"{TABLE}.gz is needed, in sign-language-mnist below BENCH_DATA_DIR")
    command = [sys.executable, "-m", "tests.benchmarks.reading", way, str(files), str(PAIRS)]
    environment = {**os.environ, "KERAS_BACKEND": "numpy"}  # imports no framework
    benchmark.group = f"reading {way}"
    ended = benchmark.pedantic(  # type: ignore[no-untyped-call]
        lambda: subprocess.run(command, cwd=pytestconfig.rootpath, env=environment, capture_output=True, text=True)
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    measured = json.loads(ended.stdout.splitlines()[-1])
    found = summarise(way, BESIDE[way], measured["pairs"], measured["peak"])
    benchmark.extra_info.update(asdict(found))
    readings.append(found)
    assert measured["agree"], "the two readers give different arrays"
    assert found.holds, f"{found.ratio:.2f} ({found.low:.2f} to {found.high:.2f}) of the time of {found.beside}"
    assert found.peak <= MOST_MEMORY


def test_every_cached_data_set_is_opened_within_milliseconds(
    benchmark: BenchmarkFixture, openings: list[Opening], pytestconfig: pytest.Config
) -> None:
    benchmark.group = "opening"
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        lambda: openings.extend(opening(cached, pytestconfig.rootpath) for cached in to_be_had())
    )
    benchmark.extra_info["openings"] = [asdict(one) for one in openings]
    assert {"digits", "mnist"} <= {one.dataset for one in openings}
    assert [one for one in openings if one.median_ms >= MOST_OPENING_MS] == []


def to_be_had() -> Iterator[CachedDataset]:
    """The catalogued data sets of this machine, decoded into the cache where they are not in it yet."""
    for name in BUILTIN:
        try:
            yield resolve(name, offline=True)
        except BenchError:  # not here, or not the whole of it
            continue


def opening(cached: CachedDataset, root: Path) -> Opening:
    """The row of a data set."""
    command = [sys.executable, "-c", OPENING, str(cached.folder)]
    took = [float(subprocess.check_output(command, cwd=root)) for _ in range(OPENED)]
    return Opening(cached.info.name, cached.size, statistics.median(took), max(took))
