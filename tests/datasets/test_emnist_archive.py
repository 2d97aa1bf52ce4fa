import io
import os
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest

from bench.datasets.dataset import Dataset
from bench.datasets.emnist import EmnistLetters
from bench.datasets.fingerprint import fingerprint
from bench.datasets.source import BrokenFile
from tests.datasets.small import idx_bytes
from tests.datasets.small_emnist import digits_split, lay, letters, zipped

IMAGES = "emnist-letters-train-images-idx3-ubyte.gz"
SMALL = zipped(letters(train=3, test=3))
DECLARED = 24
"""Offset of a member's declared size in its directory entry (PKWARE's APPNOTE, 4.3.12)."""


def read(folder: Path, archive: bytes) -> Dataset:
    lay(folder, {"gzip.zip": archive})
    definition = EmnistLetters()
    (source,) = definition.find(folder)
    return definition.read(source)


def message(folder: Path, archive: bytes) -> str:
    with pytest.raises(BrokenFile) as caught:
        read(folder, archive)
    return caught.value.message


def patched(archive: bytes, member: str, offset: int, value: bytes) -> bytes:
    """The archive with other bytes at ``offset`` of a member's entry in the central directory."""
    entry = archive.rindex(f"gzip/{member}".encode()) - 46  # the fixed part of an entry (4.3.12), before the name
    assert archive[entry : entry + 4] == b"PK\x01\x02"
    return archive[: entry + offset] + value + archive[entry + offset + len(value) :]


def test_a_split_in_the_archive_is_the_same_data_as_its_files(tmp_path: Path) -> None:
    folder = lay(tmp_path / "files", letters())
    definition = EmnistLetters()
    from_files = definition.read(next(definition.find(folder)))
    assert fingerprint(read(tmp_path / "zip", zipped(letters()))) == fingerprint(from_files)


def test_only_the_split_asked_for_is_unpacked_and_nothing_is_written(tmp_path: Path) -> None:
    others = {name: b"never looked at" for name in digits_split()}
    assert len(read(tmp_path, zipped(letters() | others)).train) == 40
    assert sorted(os.listdir(tmp_path)) == ["gzip.zip", "home"]


@pytest.mark.parametrize("prefix", ["", "../../gzip/", "/", "a/b/c/"])
def test_paths_in_the_archive_lead_nowhere(tmp_path: Path, prefix: str) -> None:
    before = sorted(tmp_path.parent.iterdir())
    assert len(read(tmp_path / "in", zipped(letters(), prefix)).train) == 40
    assert os.listdir(tmp_path / "in") == ["gzip.zip"]
    assert sorted(tmp_path.parent.iterdir()) == before


def test_files_that_lie_unpacked_go_before_the_archive(tmp_path: Path) -> None:
    lay(tmp_path, letters() | {"gzip.zip": SMALL})
    assert [source.format for source in EmnistLetters().find(tmp_path)] == ["IDX", "NIST's archive"]


def test_the_archive_goes_before_one_part_alone(tmp_path: Path) -> None:
    lay(tmp_path, letters(test=0) | {"gzip.zip": SMALL})
    formats = [source.format for source in EmnistLetters().find(tmp_path)]
    assert formats == ["NIST's archive", "IDX, train part only"]


def test_an_archive_without_the_split_is_refused(tmp_path: Path) -> None:
    said = message(tmp_path, zipped(digits_split()))
    assert said == "gzip.zip holds no files emnist-letters-…-ubyte.gz."


def test_an_archive_with_half_a_part_is_refused(tmp_path: Path) -> None:
    files = letters()
    del files["emnist-letters-train-labels-idx1-ubyte.gz"]
    said = message(tmp_path, zipped(files))
    assert said == f"emnist-letters-train-labels-idx1-ubyte.gz is missing; {IMAGES} in gzip.zip is present without it."


def test_an_archive_with_a_file_twice_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO(zipped(letters()))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr(f"other/{IMAGES}", b"")
    said = message(tmp_path, content.getvalue())
    assert said == "gzip.zip holds emnist-letters-train-images-idx3-ubyte 2 times."


@pytest.mark.parametrize("content", [b"", b"<html>503</html>", SMALL[:-30], SMALL[: len(SMALL) // 2]])
def test_what_is_no_whole_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    assert message(tmp_path, content).startswith("gzip.zip is not a zip archive: ")


def test_a_member_that_declares_more_than_any_of_nists_is_refused_unopened(tmp_path: Path) -> None:
    said = message(tmp_path, patched(zipped(letters()), IMAGES, DECLARED, struct.pack("<I", 2**31)))
    assert said == (
        f"{IMAGES} in gzip.zip would unpack to 2,147,483,648 bytes, more than 1,073,741,824: it is none of NIST's."
    )


def test_a_mapping_that_declares_a_megabyte_is_refused(tmp_path: Path) -> None:
    files = letters() | {"emnist-letters-mapping.txt": b"1 65 97\r\n" * 200_000}
    assert "mapping.txt in gzip.zip would unpack to 1,800,000 bytes, more than 65,536" in message(
        tmp_path, zipped(files)
    )


@pytest.mark.parametrize("wrap", ["zip", "gzip in zip"])
def test_a_decompression_bomb_is_unpacked_no_further_than_its_header_promises(tmp_path: Path, wrap: str) -> None:
    bomb = bytes(200 << 20)
    content = idx_bytes((40, 28, 28), b"") + bomb
    if wrap == "gzip in zip":
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        content = packer.compress(content) + packer.flush()
    archive = zipped(letters() | {IMAGES: content})
    del bomb, content
    tracemalloc.start()
    said = message(tmp_path, archive)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert ("grows to more than 100 times its size" if wrap == "zip" else "at least 1,048,576 too many") in said
    assert peak < 16 << 20


def test_a_member_behind_a_password_is_refused(tmp_path: Path) -> None:
    archive = patched(zipped(letters()), IMAGES, 8, b"\x01")  # bit 0 of the flags (APPNOTE, 4.4.4)
    assert message(tmp_path, archive) == f"gzip.zip holds 'gzip/{IMAGES}' behind a password."


def test_a_member_in_an_unusual_compression_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_LZMA) as archive:  # its header may ask for 4 GiB of memory
        for name, body in letters().items():
            archive.writestr(name, body)
    assert "packed by method 14" in message(tmp_path, content.getvalue())


def test_a_file_cut_short_before_it_was_packed_is_named_with_its_archive(tmp_path: Path) -> None:
    short = idx_bytes((40, 28, 28), bytes(40 * 784 - 4))
    said = message(tmp_path, zipped(letters() | {IMAGES: short}))
    assert said == f"{IMAGES} in gzip.zip holds 31,372 bytes, 31,376 expected: the file is cut short."


def test_a_member_whose_check_value_differs_is_refused(tmp_path: Path) -> None:
    plain = letters() | {IMAGES: idx_bytes((40, 28, 28), bytes(40 * 784))}
    assert "cannot be unpacked: Bad CRC-32" in message(tmp_path, patched(zipped(plain), IMAGES, 16, b"abcd"))
