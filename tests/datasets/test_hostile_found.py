"""Hostile files that once did harm, each with what became of it."""

import io
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.datasets.class_ids import class_ids
from bench.datasets.colorectal import TILES
from bench.datasets.csv import read_csv
from bench.datasets.image_folder import read_image_folder
from bench.datasets.lesions import read_metadata
from bench.datasets.npz import read_npz
from bench.datasets.packed import unpacked, zip_members
from bench.datasets.pictures import Picture, PictureFormat, decoded
from bench.datasets.source import BrokenFile
from tests.datasets.hostile_bytes import zeros, zip_bomb, zipped
from tests.datasets.hostile_npz import npy, npy_with_header
from tests.datasets.hostile_png import EPS, bomb
from tests.datasets.hostile_tiff import LONG, tags_of, tiff

GROWS = "grows to more than 100 times its size when unpacked"
METADATA = "m.csv"
HEADER = b"lesion_id,image_id,dx\n"


def refused(read: Callable[[Path], object], file: Path, content: bytes) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    with pytest.raises(BrokenFile) as caught:
        read(file)
    said = str(caught.value)
    assert len(said.splitlines()) <= 2
    assert said.replace("\n", "").isprintable()
    return said


def test_a_postscript_file_under_the_name_of_a_picture_starts_no_other_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*command: object, **options: object) -> None:
        raise AssertionError(f"{command} was started")

    monkeypatch.setattr(subprocess, "Popen", started)
    said = refused(lambda _: read_image_folder(tmp_path / "own"), tmp_path / "own" / "a" / "1.png", EPS)
    assert said.startswith("1.png cannot be read as an image.")


def test_a_small_file_that_promises_a_huge_picture_is_refused_unopened(tmp_path: Path) -> None:
    said = refused(lambda _: read_image_folder(tmp_path / "own"), tmp_path / "own" / "a" / "1.png", bomb(3000))
    assert said.startswith("1.png has 3000x3000 pixels; 4,194,304 at most are read.")


def test_many_pictures_of_one_colour_do_not_fill_the_memory(tmp_path: Path) -> None:
    content = bomb(2000)
    (tmp_path / "own" / "a").mkdir(parents=True)
    for number in range(3):
        (tmp_path / "own" / "a" / f"{number}.png").write_bytes(content)
    said = refused(lambda _: read_image_folder(tmp_path / "own"), tmp_path / "own" / "a" / "3.png", content)
    assert said.startswith(f"own {GROWS}")


HEADERS = (
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2,",  # ends within a bracket
    "{[]: 1}",  # a key that can be none
    "{'descr': '|V0', 'fortran_order': False, 'shape': (1000000000000,), }",  # many values of no bytes
    "{'descr': '|u1', 'fortran_order': False, 'shape': (), }",  # no rows
    "-" * 9000 + "1",
)


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_an_npy_header_that_is_none_is_refused_in_words(tmp_path: Path, header: str) -> None:
    members = [("X.npy", npy_with_header(header, b"")), ("y.npy", npy(np.arange(2)))]
    assert refused(read_npz, tmp_path / "a.npz", zipped(members)).startswith("a.npz holds an array 'X' ")


def test_names_in_an_archive_are_shown_without_control_characters(tmp_path: Path) -> None:
    said = refused(read_npz, tmp_path / "a.npz", zipped([("\x1b[2J\n.npy", npy(np.arange(2)))]))
    assert r"(its arrays: \x1b[2J\n)" in said


def test_an_array_that_unpacks_to_a_thousand_times_its_size_is_refused_unopened(tmp_path: Path) -> None:
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (67108864,), }"
    members = [("X.npy", b""), ("y.npy", npy(np.arange(2)))]
    content = zip_bomb(members, "X.npy", npy_with_header(header, b""))
    assert refused(read_npz, tmp_path / "a.npz", content).startswith(f"a.npz {GROWS}")


@pytest.mark.parametrize("before", [b"label,a\n", b"label,a\n" + b"\n" * 10, b"label,a,b,c,d\n1,2,3,4,5\n"])
def test_a_table_that_goes_on_without_end_is_refused(tmp_path: Path, before: bytes) -> None:
    said = refused(read_csv, tmp_path / "a.csv", zeros(64, 31, before))
    assert said.startswith(("a.csv holds a line of more than 1,048,576 characters", f"a.csv {GROWS}"))


def _metadata(file: Path) -> object:
    return read_metadata(file, METADATA, ("nv", "mel"), 2)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (HEADER + b"x\n" * 1_000_000, "holds more than 2 rows of data, 2 expected"),
        (HEADER[:-1] + b",dx\na,b,nv,mel\n", "has more than one column dx"),
        (HEADER + b"a,p,nv\na\0,q,nv\n", r"names a lesion 'a\x00' in line 3; a name like HAM_0000118 expected"),
        (HEADER + b'a,p,nv\nb,"\x1b\n/q",nv\n', r"names a picture '\x1b\n/q' in line 4"),
        (zeros(64, 31, HEADER), GROWS),
    ],
    ids=["rows", "columns", "lesion", "picture", "bomb"],
)
def test_metadata_made_to_do_harm_are_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    said = refused(_metadata, tmp_path / METADATA, content)
    assert said.startswith(f"{METADATA} {problem}") or "holds more than 2,097,152 bytes" in said


def test_a_zip_of_a_version_to_come_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped([("t.csv", b"label,a\n1,2\n")]))
    struct.pack_into("<H", content, content.index(b"PK\x01\x02") + 6, 255)  # the version needed: APPNOTE 4.4.3

    def read(file: Path) -> None:
        with unpacked(file, "t.csv"):
            raise AssertionError("it was opened")

    assert refused(read, tmp_path / "t.zip", bytes(content)) == "t.zip is broken zip: zip file version 25.5."


def test_a_member_without_a_name_does_no_harm(tmp_path: Path) -> None:
    content = zipped([("x", b"1"), ("t.csv", b"label,a\n1,2\n")])
    (tmp_path / "t.zip").write_bytes(content.replace(b"x", b"\0"))  # zipfile ends a name at its first zero byte
    assert sorted(zip_members(tmp_path / "t.zip")) == ["", "t.csv"]


def test_a_member_that_lies_about_its_packed_size_is_refused_all_the_same(tmp_path: Path) -> None:
    content = bytearray(zip_bomb([("t.csv", b"")], "t.csv", b"label,a\n"))
    struct.pack_into("<I", content, content.index(b"PK\x01\x02") + 20, 1 << 30)

    def read(file: Path) -> None:
        with unpacked(file, "t.csv"):
            raise AssertionError("it was opened")

    assert refused(read, tmp_path / "t.zip", bytes(content)).startswith(f"t.zip {GROWS}")


TIFF = PictureFormat("TIFF", frozenset({".tif"}), (150, 150))


def test_a_tile_packed_by_a_library_of_its_own_is_refused(tmp_path: Path) -> None:
    target = io.BytesIO()
    Image.new("RGB", (150, 150), "plum").save(target, "TIFF", compression="jpeg")

    def read(file: Path) -> Any:
        return next(decoded([Picture(file)], TIFF, (28, 28), "RGB"))

    assert refused(read, tmp_path / "a.tif", target.getvalue()).startswith("a.tif is packed by jpeg; ")


@pytest.mark.parametrize("side", [8_000, 2**31 - 1])
def test_a_picture_that_promises_an_enormous_inner_tile_is_refused_before_it_is_unpacked(
    tmp_path: Path, side: int
) -> None:
    pixels = np.zeros((150, 150, 3), np.uint8)
    tile = [(number, LONG, 1, struct.pack("<I", side)) for number in (322, 323)]
    content = tiff(sorted([*tags_of(150, 150, pixels.nbytes), *tile]), pixels.tobytes())

    def read(file: Path) -> Any:
        return next(decoded([Picture(file)], TIFF, (28, 28), "RGB"))

    assert "in strips or small tiles expected" in refused(read, tmp_path / "a.tif", content)


def test_the_name_of_a_picture_in_a_zip_is_shown_without_control_characters(tmp_path: Path) -> None:
    member = f"{TILES}/\x1b[2J\n.tif"

    def read(file: Path) -> Any:
        return next(decoded([Picture(file, member)], TIFF, (28, 28), "RGB"))

    said = refused(read, tmp_path / "a.zip", zipped([(member, b"none")], zipfile.ZIP_STORED))
    assert said.startswith(r"'\x1b[2J\n.tif' in a.zip cannot be decoded as TIFF: ")


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan, 2.0**63, 0.5, np.uint64(2**64 - 1)])
def test_labels_beyond_whole_numbers_are_refused(odd: float) -> None:
    labels = np.zeros(8, np.asarray(odd).dtype)
    labels[:2] = odd
    with pytest.raises(ValueError, match="are not whole numbers"):
        class_ids(labels, None)
