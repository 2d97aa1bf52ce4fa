import gzip
import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.datasets import pixel_csv
from bench.datasets.packed import unpacked
from bench.datasets.pixel_csv import PixelTable, read_pixel_table
from bench.datasets.source import BrokenFile

FILE = Path("a.csv")
BYTE = st.integers(0, 255)
TABLES = st.integers(1, 5).flatmap(
    lambda pixels: st.lists(st.lists(BYTE, min_size=pixels + 1, max_size=pixels + 1), min_size=1, max_size=20)
)


def text_of(rows: list[list[int]], *, label_first: bool = True, end: str = "\n", last_end: bool = True) -> bytes:
    pixels = [f"pixel{number}" for number in range(len(rows[0]) - 1)]
    header = ["label", *pixels] if label_first else [*pixels, "label"]
    ordered = rows if label_first else [[*row[1:], row[0]] for row in rows]
    lines = [header, *([str(value) for value in row] for row in ordered)]
    text = end.join(",".join(line) for line in lines)
    return (text + end * last_end).encode()


def read(text: bytes, rows: int, pixels: int) -> PixelTable:
    return read_pixel_table(io.BytesIO(text), FILE, rows=rows, pixels=pixels)


def message(text: bytes, rows: int, pixels: int) -> str:
    with pytest.raises(BrokenFile) as caught:
        read(text, rows, pixels)
    return str(caught.value)


@given(TABLES, st.booleans(), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_every_table_of_bytes_is_read_as_it_was_written_wherever_it_is_cut_into_chunks(
    rows: list[list[int]], label_first: bool, end: str, last_end: bool, chunk: int
) -> None:
    text = text_of(rows, label_first=label_first, end=end, last_end=last_end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pixel_csv, "CHUNK", chunk)
        table = read(text, len(rows), len(rows[0]) - 1)
    assert table.labels.tolist() == [row[0] for row in rows]
    assert table.pixels.tolist() == [row[1:] for row in rows]
    assert [array.dtype.name for array in (table.pixels, table.labels)] == ["uint8", "int64"]


GOOD = "label,a,b\n0,1,2\n3,4,5\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty"),
        ("label,a,b\n0,1,2\n", "holds 1 rows of data, 2 expected: the file is cut short"),
        (GOOD + "6,7,8\n", "holds more than 2 rows of data"),
        ("label,a,b\n0,1,2\n3,4\n", "holds 2 values in line 3, 3 expected"),
        ("label,a,b\n0,1\n2,3,4,5\n", "holds 2 values in line 2, 3 expected"),
        ("label,a,b\n0,1,2\n3,4,256\n", "holds '256' in line 3, column 3; a whole number from 0 to 255 expected"),
        ("label,a,b\n0,1,2\n3,4,999\n", "holds '999' in line 3, column 3"),
        ("label,a,b\n0,1,2\n3,1004,5\n", "holds '1004' in line 3, column 2"),
        ("label,a,b\n0,1,2\n3,-4,5\n", "holds '-4' in line 3, column 2"),
        ("label,a,b\n0,1,2\n3,0.5,5\n", "holds '0.5' in line 3, column 2"),
        ("label,a,b\n0,1,2\n3,,5\n", "holds '' in line 3, column 2"),
        ("label,a,b\n,1,2\n3,4,5\n", "holds '' in line 2, column 1"),
        ("label,a,b\n\n0,1,2\n\r\n\n3,x,5\n", "holds 'x' in line 6, column 2"),
        ("label,a\n0,1\n", "holds 2 columns in its first line, 3 expected"),
        ("0,1,2\n3,4,5\n", "its header line is missing"),
    ],
)
def test_a_broken_table_is_refused_in_words(text: str, expected: str) -> None:
    assert expected in message(text.encode(), 2, 2)


@pytest.mark.parametrize(
    "text", [GOOD + "\n\n", GOOD.replace("\n", "\n\n"), "\ufeff" + GOOD, GOOD.replace("label", '"label"')]
)
def test_empty_lines_a_byte_order_mark_and_a_quoted_header_do_no_harm(text: str) -> None:
    assert read(text.encode(), 2, 2).pixels.tolist() == [[1, 2], [4, 5]]


def test_a_line_is_numbered_from_the_start_of_the_file_though_it_is_read_in_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pixel_csv, "CHUNK", 10)
    assert "line 52, column 3" in message(b"label,a,b\n" + b"0,1,2\n" * 50 + b"0,1,x\n", 60, 2)


def test_a_line_without_end_is_given_up() -> None:
    assert "holds a line of more than" in message(b"label,a,b\n" + b"1," * 2_000_000, 2, 2)


@pytest.mark.parametrize("kind", ["plain", "gzip", "zip"])
def test_a_table_is_read_however_it_is_packed(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "t.csv"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("deep/down/t.csv", GOOD.replace("5", "9"))
            archive.writestr("../../t.csv.txt", "no table")
            archive.writestr("../t.csv", GOOD)
    else:
        path.write_bytes(gzip.compress(GOOD.encode()) if kind == "gzip" else GOOD.encode())
    with unpacked(path, "t.csv") as stream:
        assert read_pixel_table(stream, path, rows=2, pixels=2).pixels.tolist() == [[1, 2], [4, 5]]
    assert sorted(path.parent.iterdir()) == sorted([path, tmp_path / "home"])


@pytest.mark.parametrize("kind", ["gzip", "zip"])
@pytest.mark.parametrize("harm", ["cut", "flipped"])
def test_a_damaged_wrapping_is_refused_in_words(tmp_path: Path, kind: str, harm: str) -> None:
    path = tmp_path / "t.csv"
    body = ("label,a,b\n" + "".join(f"{n % 7},{n % 256},{n * 7 % 256}\n" for n in range(2000))).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", body)
    packed = bytearray(gzip.compress(body) if kind == "gzip" else buffer.getvalue())
    if harm == "cut":
        del packed[-60:]
    else:
        packed[len(packed) // 3] ^= 255
    path.write_bytes(packed)
    with pytest.raises(BrokenFile), unpacked(path, "t.csv") as stream:  # noqa: PT012
        read_pixel_table(stream, path, rows=2000, pixels=2)
        stream.read()


def test_a_zip_behind_a_password_or_without_the_table_says_so(tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("t.csv", GOOD)
    with pytest.raises(BrokenFile, match=r"t.zip does not hold other.csv"), unpacked(path, "other.csv"):
        pass
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the central directory's flag bit 0: encrypted
    path.write_bytes(content)
    with pytest.raises(BrokenFile, match="behind a password"), unpacked(path, "t.csv"):
        pass


def test_a_gzip_that_would_unpack_to_gigabytes_is_given_up_after_the_rows_expected(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(b"label,a,b\n")
        for _ in range(64):
            stream.write(b"0,0,0\n" * 200_000)
    with pytest.raises(BrokenFile, match="more than 2 rows"), unpacked(path, "bomb.csv") as stream:
        read_pixel_table(stream, path, rows=2, pixels=2)


def test_reading_takes_little_more_memory_than_the_array(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    header = "label," + ",".join(f"pixel{number}" for number in range(784))
    table = np.random.default_rng(0).integers(0, 256, (50, 785))  # cycled, as far apart as deflate does not look back
    lines = [(",".join(map(str, row)) + "\n").encode() for row in table.tolist()]
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(header.encode() + b"\n")
        stream.write(b"".join(lines) * 200)
    tracemalloc.start()
    with unpacked(path, "t.csv") as content:
        held = read_pixel_table(content, path, rows=10_000, pixels=784)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held.pixels.sum() == 200 * table[:, 1:].sum()
    assert peak < 1.6 * held.pixels.nbytes
