import gzip
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.datasets.idx import read_idx, read_pair
from bench.datasets.source import BrokenFile
from tests.datasets.small import idx_bytes

QUICK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WHOLE = idx_bytes((2, 2, 3), bytes(range(12)))


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def message(path: Path, axes: int = 3) -> str:
    with pytest.raises(BrokenFile) as caught:
        read_idx(path, axes)
    return caught.value.message


@pytest.mark.parametrize("wrap", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_values_come_back_in_the_shape_of_the_header(tmp_path: Path, wrap: type[bytes]) -> None:
    values = read_idx(written(tmp_path / "a", wrap(WHOLE)), 3)
    assert values.tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]


def test_a_gz_file_that_a_server_has_unwrapped_is_read_all_the_same(tmp_path: Path) -> None:
    assert read_idx(written(tmp_path / "images.gz", WHOLE), 3).shape == (2, 2, 3)


@given(shape=st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6)), data=st.data(), zipped=st.booleans())
@QUICK
def test_what_was_written_is_read(tmp_path: Path, shape: tuple[int, ...], data: st.DataObject, zipped: bool) -> None:
    size = int(np.prod(shape))
    payload = data.draw(st.binary(min_size=size, max_size=size))
    content = idx_bytes(shape, payload)
    values = read_idx(written(tmp_path / "a", gzip.compress(content) if zipped else content), 3)
    assert (values.shape, values.tobytes()) == (shape, payload)


@given(cut=st.integers(0, len(WHOLE) - 1), zipped=st.booleans())
@QUICK
def test_a_payload_cut_anywhere_is_refused_with_both_byte_counts(tmp_path: Path, cut: int, zipped: bool) -> None:
    content = gzip.compress(WHOLE[:cut]) if zipped else WHOLE[:cut]
    said = message(written(tmp_path / "a", content))
    assert f"holds {cut} bytes" in said
    assert f"{28 if cut >= 16 else 16} expected: the file is cut short" in said


@given(keep=st.integers(2, len(gzip.compress(WHOLE)) - 1))
@QUICK
def test_a_gzip_file_cut_anywhere_is_refused(tmp_path: Path, keep: int) -> None:
    assert "cut short" in message(written(tmp_path / "a.gz", gzip.compress(WHOLE)[:keep]))


def test_a_truncated_file_is_refused_with_the_byte_counts_of_the_decompressed_content(tmp_path: Path) -> None:
    content = idx_bytes((100, 28, 28), bytes(100 * 784 - 4))
    said = message(written(tmp_path / "images.gz", gzip.compress(content)))
    assert said == ("images.gz holds 78,412 bytes after decompression, 78,416 expected: the file is cut short.")


def test_trailing_bytes_are_refused_with_their_number(tmp_path: Path) -> None:
    assert message(written(tmp_path / "a", WHOLE + b"xyz")) == "a holds 31 bytes, 28 expected: 3 too many."


def test_a_wrong_magic_number_is_refused_with_the_right_one(tmp_path: Path) -> None:
    said = message(written(tmp_path / "a", idx_bytes((12,), bytes(12))))
    assert said.startswith("a begins with magic number 2049 (0x00000801), 2051 (0x00000803) expected")


def test_a_gzip_stream_with_a_wrong_check_value_is_refused(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(WHOLE))
    content[-8] ^= 1  # the CRC-32 stands before the length (RFC 1952, section 2.3.1)
    assert "is broken gzip: CRC check failed" in message(written(tmp_path / "a.gz", bytes(content)))


def test_a_decompression_bomb_is_read_no_further_than_its_header_promises(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packer.compress(WHOLE) + b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    path = written(tmp_path / "bomb.gz", bomb)
    tracemalloc.start()
    said = message(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "at least 1,048,576 too many" in said
    assert peak < 16 << 20


@pytest.mark.parametrize("shape", [(60_000, 28, 28), (2**32 - 1, 2**32 - 1, 2**32 - 1)])
def test_a_header_that_promises_too_much_costs_no_memory(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = written(tmp_path / "a", idx_bytes(shape, b"short"))
    tracemalloc.start()
    message(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_a_file_without_images_is_refused(tmp_path: Path) -> None:
    assert "holds nothing" in message(written(tmp_path / "a", idx_bytes((0, 28, 28), b"")))


def test_a_missing_file_is_an_error_in_words(tmp_path: Path) -> None:
    assert message(tmp_path / "a") == "a cannot be read: No such file or directory."


def test_different_counts_of_images_and_labels_are_refused(tmp_path: Path) -> None:
    images = written(tmp_path / "images", WHOLE)
    labels = written(tmp_path / "labels", idx_bytes((3,), bytes(3)))
    with pytest.raises(BrokenFile, match="images holds 2 images, but labels holds 3 labels"):
        read_pair(images, labels, 10)


def test_a_label_out_of_range_is_refused_with_its_row(tmp_path: Path) -> None:
    images = written(tmp_path / "images", WHOLE)
    labels = written(tmp_path / "labels", idx_bytes((2,), bytes([9, 10])))
    with pytest.raises(BrokenFile, match="labels holds label 10 in row 1; 0 to 9 expected"):
        read_pair(images, labels, 10)
