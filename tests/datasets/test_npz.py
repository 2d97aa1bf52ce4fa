import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.datasets.emnist_files import Archive
from bench.datasets.npz import read_npz
from bench.datasets.source import BrokenFile

EXPLODED: list[str] = []


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return EXPLODED.append, ("it ran",)


def message(path: Path) -> str:
    with pytest.raises(BrokenFile) as caught:
        read_npz(path)
    return str(caught.value)


@pytest.mark.parametrize("names", [("images", "labels"), ("X", "y"), ("x", "y")])
def test_images_and_labels_are_found_by_their_usual_names(tmp_path: Path, names: tuple[str, str]) -> None:
    images, labels = np.arange(32).reshape(2, 4, 4), np.array([1, 0])
    arrays: dict[str, Any] = {names[0]: images, names[1]: labels}
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    parts = read_npz(tmp_path / "a.npz")
    assert parts.test is None
    np.testing.assert_array_equal(parts.train.images, images)
    np.testing.assert_array_equal(parts.train.labels, labels)


def test_an_array_of_objects_is_refused_and_its_pickle_is_never_run(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.array([Bomb(), 1], dtype=object), y=np.array([0, 1]))
    assert "'X' of Python objects (a pickle), which is not opened" in message(tmp_path / "a.npz")
    assert EXPLODED == []


def test_a_pickle_under_the_name_of_an_archive_is_refused_and_never_run(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(pickle.dumps(Bomb()))
    assert "a.npz is not an npz archive" in message(tmp_path / "a.npz")
    assert EXPLODED == []


def test_a_header_that_promises_more_than_the_member_holds_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 1000, 1000)})
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("X.npy", header.getvalue() + b"few")
        archive.writestr("y.npy", header.getvalue())
    said = message(tmp_path / "a.npz")
    assert f"of {len(header.getvalue()) + 3:,} bytes, {len(header.getvalue()) + 10**12:,} expected" in said


def test_an_archive_with_other_names_is_refused_with_the_names_to_use(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", pictures=np.zeros(3))
    assert "its arrays: pictures" in message(tmp_path / "a.npz")
    assert "x_train, y_train, x_test, y_test" in message(tmp_path / "a.npz")


def test_a_damaged_member_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.full((2, 4, 4), 7, np.uint8), y=np.array([0, 1]))
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content.replace(b"\7" * 32, b"\7" * 31 + b"\6", 1))
    assert "cannot be read: Bad CRC-32" in message(tmp_path / "a.npz")


def test_whatever_python_makes_of_a_broken_archive_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpacking(*arguments: object) -> None:
        raise struct.error("unpack requires a buffer of 4 bytes")

    monkeypatch.setattr(zipfile, "ZipFile", unpacking)
    assert message(tmp_path / "a.npz") == "a.npz is not an npz archive: unpack requires a buffer of 4 bytes."
    with pytest.raises(BrokenFile, match=r"^a.zip is not a zip archive: unpack requires a buffer of 4 bytes\.$"):
        Archive(tmp_path / "a.zip")
