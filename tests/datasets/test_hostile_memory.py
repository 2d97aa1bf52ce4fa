"""The memory that hostile files of some size take: at most twice that of the honest file."""

import gzip
import io
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.datasets.arff import read_arff
from bench.datasets.idx import read_idx
from bench.datasets.npz import read_npz
from bench.datasets.packed import unpacked
from bench.datasets.pixel_csv import read_pixel_table
from bench.datasets.source import BrokenFile
from tests.datasets import small_arff
from tests.datasets.hostile_bytes import gzipped, zeros, zip_bomb, zipped
from tests.datasets.hostile_npz import npy, npy_with_header
from tests.datasets.small import idx_bytes

IMAGES = np.random.default_rng(0).integers(0, 16, (15_000, 28, 28), dtype=np.uint8)
ROWS = 1_000
WITH_LABELS = np.column_stack([IMAGES[:ROWS].reshape(ROWS, -1) * 16, np.arange(ROWS) % 10])
Mutated = Iterator[tuple[str, bytes]]


def peak_of(read: Callable[[Path], object], file: Path, content: bytes, *, refused: bool = True) -> int:
    """Bytes at most, while the file is read or refused."""
    file.write_bytes(content)
    tracemalloc.start()
    try:
        if refused:
            with pytest.raises(BrokenFile):
                read(file)
        else:
            read(file)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def idx_files() -> Mutated:
    shape, values = IMAGES.shape, IMAGES.tobytes()
    yield "honest", gzipped(idx_bytes(shape, values))
    yield "twice the rows in the header", gzipped(idx_bytes((2 * shape[0], 28, 28), values))
    yield "as many rows as fit in the header", gzipped(idx_bytes((2**32 - 1, 28, 28), values))
    yield "cut", gzipped(idx_bytes(shape, values))[:-1000]
    yield "zeros behind", zeros(64, 31, idx_bytes(shape, values))
    yield "zeros instead", zeros(64, 31, idx_bytes((64 << 20, 1, 1), b""))
    yield "a wrong check value", gzipped(idx_bytes(shape, values))[:-8] + bytes(8)


def npz_files() -> Mutated:
    labels = ("y.npy", npy(np.arange(15_000) % 10))
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (%d, 28, 28), }"
    whole = npy(IMAGES)
    yield "honest", zipped([("X.npy", whole), labels])
    yield "twice the rows in the header", zipped([("X.npy", npy_with_header(header % 30_000, whole[128:])), labels])
    yield "twice the values", zipped([("X.npy", whole + whole[128:]), labels])
    yield "zeros behind", zip_bomb([("X.npy", b""), labels], "X.npy", whole)
    yield "zeros instead", zip_bomb([("X.npy", b""), labels], "X.npy", npy_with_header(header % (64 << 20), b""))
    yield (
        "objects",
        zipped([("X.npy", npy_with_header("{'descr': '|O', 'fortran_order': False, 'shape': (9,), }", whole))]),
    )
    yield "cut", zipped([labels, ("X.npy", whole)])[:-100_000]


def csv_files() -> Mutated:
    header = b"label," + b",".join(b"pixel%d" % number for number in range(784)) + b"\n"
    lines = [",".join(map(str, [3, *row])) for row in (IMAGES[:ROWS].reshape(ROWS, -1) * 16).tolist()]
    text = header + ("\n".join(lines) + "\n").encode()
    yield "honest", gzipped(text)
    yield "a bad value in the last row", gzipped(text[:-3] + b"x\n")
    yield "twice the rows", gzipped(text + text[len(header) :])
    yield "a line without end", zeros(64, 31, text)
    yield "no lines at all", gzipped(header + text.replace(b"\n", b",")[:4_000_000])
    yield "short lines", gzipped(header + b"1\n" * 4_000_000)
    yield "empty lines", gzipped(text + b"\n" * 4_000_000)
    yield "cut", gzipped(text)[:-1000]


def arff_files() -> Mutated:
    declared, text = small_arff.header(), small_arff.lines(WITH_LABELS)
    whole = (declared + text).encode()
    yield "honest", gzipped(whole)
    yield "a bad value in the last row", gzipped(whole[:-3] + b"x\n")
    yield (
        "blanks round all values, and a bad one",
        gzipped((declared + text.replace(",", " , ")).encode()[:-3] + b"x\n"),
    )
    yield "twice the rows", gzipped(whole + text.encode())
    yield "attributes without end", gzipped(b"@ATTRIBUTE p real\n" * 400_000)
    yield "comments", gzipped(declared.encode() + b"%\n" * 4_000_000)
    yield "short lines", gzipped(declared.encode() + b"1 \n" * 2_000_000)
    yield "values of nothing", gzipped(declared.encode() + b" ," * 4_000_000)
    yield "sparse rows", gzipped(declared.encode() + b"{0 1,784 5}\n" * 400_000)
    yield "a line without end", zeros(64, 31, whole)


def read_table(file: Path) -> None:
    with unpacked(file, "t.csv") as stream:
        read_pixel_table(stream, file, rows=ROWS, pixels=784)


@pytest.mark.parametrize(
    ("files", "read"),
    [
        (idx_files, lambda file: read_idx(file, 3)),
        (npz_files, read_npz),
        (csv_files, read_table),
        (arff_files, lambda file: read_arff(file, rows=ROWS, pixels=784, classes=10)),
    ],
    ids=["IDX.gz", "npz", "CSV.gz", "ARFF.gz"],
)
def test_a_mutation_takes_at_most_twice_the_memory_of_the_honest_file(
    tmp_path: Path, files: Callable[[], Mutated], read: Callable[[Path], object]
) -> None:
    peaks = {
        how: peak_of(read, tmp_path / "file", content, refused=how not in ("honest", "empty lines"))
        for how, content in files()
    }
    assert {how: peak for how, peak in peaks.items() if peak > 2 * peaks["honest"]} == {}
    assert peaks["honest"] > 1 << 20, "too small to say anything"


def test_the_honest_files_are_read(tmp_path: Path) -> None:
    for files, read in ((idx_files, lambda file: read_idx(file, 3)), (csv_files, read_table)):
        (tmp_path / "file").write_bytes(next(files())[1])
        read(tmp_path / "file")
    with zipfile.ZipFile(io.BytesIO(next(npz_files())[1])) as archive:
        assert archive.testzip() is None
    assert gzip.decompress(next(csv_files())[1]).count(b"\n") == ROWS + 1
