"""HDF5 in the published layouts, and files that are broken or made to do harm: an error in words, never a crash."""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from bench.datasets import hdf5
from bench.datasets.hdf5 import read_hdf5
from bench.datasets.source import BrokenFile
from tests.datasets.volumes import vectors, write_clouds, write_vectors


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "full_dataset_vectors.h5"


def problem_of(file: Path) -> str:
    with pytest.raises(BrokenFile) as caught:
        read_hdf5((file,), "vectors")
    return caught.value.message


def test_vectors_are_read_as_volumes_and_labels(file: Path) -> None:
    (images, labels), (test_images, test_labels) = read_hdf5((write_vectors(file),), "vectors")
    assert images.shape == (20, 16, 16, 16, 1)
    assert images.dtype == np.float32
    assert np.array_equal(test_images.reshape(10, 4096), vectors(10, 1)[0].astype(np.float32))
    assert labels.tolist() == [*range(10)] * 2
    assert test_labels.dtype == np.int64


def test_vectors_of_several_blocks_are_read_in_order(file: Path) -> None:
    values, labels = vectors(600, 5)
    write_vectors(file, {"X_train": values.astype(np.float32), "y_train": labels.astype(np.uint8)})
    images, ids = read_hdf5((file,), "vectors")[0]
    assert np.array_equal(images.reshape(600, 4096), values.astype(np.float32))
    assert np.array_equal(ids, labels)


@pytest.mark.parametrize(
    ("replaced", "problem"),
    [
        ({"y_test": None}, r"holds no 'y_test' \(it holds: X_test, X_train, y_train\)"),
        ({"X_test": np.zeros((10, 4095))}, r"holds X_test with 4,095 values a row; 4,096 expected \(16x16x16\)"),
        ({"X_test": np.zeros((10, 16, 256))}, r"holds 'X_test' float64 \(10, 16, 256\); numbers with 2 axes expected"),
        ({"X_train": np.array([["text"] * 3]).astype("S4")}, r"holds 'X_train' \|S4 \(1, 3\); numbers with 2 axes"),
        ({"y_train": np.arange(19)}, r"holds 20 rows in X_train, but 19 labels in y_train"),
        ({"y_train": np.full(20, 10)}, r"holds label 10 in row 0 of y_train; 0 to 9 expected"),
        ({"y_train": np.full(20, 0.5)}, r"holds label 0.5 in row 0 of y_train; 0 to 9 expected"),
        ({"y_train": np.full(20, np.nan)}, r"holds label nan in row 0 of y_train; 0 to 9 expected"),
        ({"X_train": np.full((20, 4096), 1.5)}, r"holds values in X_train that are not in 0..1, in rows 0 to 20"),
        ({"X_train": np.full((20, 4096), np.nan)}, r"holds values in X_train that are not in 0..1"),
    ],
)
def test_vectors_that_are_no_volumes_are_refused_in_words(file: Path, replaced: dict[str, Any], problem: str) -> None:
    write_vectors(file, replaced)
    with pytest.raises(BrokenFile, match=r"full_dataset_vectors.h5 " + problem):
        read_hdf5((file,), "vectors")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_file_cut_short_is_refused_by_name_alone(file: Path, share: float) -> None:
    content = write_vectors(file).read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    problem = problem_of(file)
    assert problem.startswith("full_dataset_vectors.h5 cannot be decoded: ")
    assert str(file.parent) not in problem


def _external_data(file: Path) -> None:
    """The raw values of ``X_test`` are another file's bytes."""
    secret = file.with_name("secret")
    secret.write_bytes(bytes(10 * 4096 * 8))
    with h5py.File(file, "a") as opened:
        opened.create_dataset("X_test", (10, 4096), "f8", external=[(str(secret), 0, h5py.h5f.UNLIMITED)])


def _virtual_data(file: Path) -> None:
    write_vectors(file.with_name("other.h5"))
    layout = h5py.VirtualLayout((10, 4096), "f8")
    layout[:] = h5py.VirtualSource(str(file.with_name("other.h5")), "X_test", (10, 4096))
    with h5py.File(file, "a") as opened:
        opened.create_virtual_dataset("X_test", layout)


def _external_link(file: Path) -> None:
    write_vectors(file.with_name("other.h5"))
    with h5py.File(file, "a") as opened:
        opened["X_test"] = h5py.ExternalLink("other.h5", "X_test")


def _soft_link(file: Path) -> None:
    with h5py.File(file, "a") as opened:
        opened["X_test"] = h5py.SoftLink("/X_test")  # to itself


def _a_group(file: Path) -> None:
    with h5py.File(file, "a") as opened:
        opened.create_group("X_test")


def _many_rows(file: Path) -> None:
    with h5py.File(file, "a") as opened:
        del opened["y_test"]
        opened.create_dataset("X_test", (10**9, 4096), "f8", chunks=(1, 4096))
        opened.create_dataset("y_test", (10**9,), "i8", chunks=(1000,))


def _large_chunk(file: Path) -> None:
    with h5py.File(file, "a") as opened:
        opened.create_dataset("X_test", (10, 4096), "f8", chunks=(10_000, 4096), maxshape=(None, 4096))


def _bomb(file: Path) -> None:
    """A chunk of 32 KiB that unpacks to a gigabyte."""
    packer = zlib.compressobj()
    head = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    mebibyte = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)  # refers to nothing before it
    packed = head + 1023 * mebibyte
    with h5py.File(file, "a") as opened:
        bomb = opened.create_dataset("X_test", (10, 4096), "f8", chunks=(1, 4096), compression="gzip")
        bomb.id.write_direct_chunk((0, 0), packed)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (_external_data, "keeps 'X_test' in other files, which are not opened"),
        (_virtual_data, "keeps 'X_test' in other files, which are not opened"),
        (_external_link, "holds 'X_test' as a link, which is not followed"),
        (_soft_link, "holds 'X_test' as a link, which is not followed"),
        (_a_group, "holds 'X_test', which is not a data set"),
        (_many_rows, "holds 1,000,000,000 rows in X_test; 1 to 20,000 expected"),
        (_large_chunk, "holds 'X_test' in chunks of 327,680,000 bytes; at most 8,388,608 are unpacked"),
        (_bomb, "cannot be decoded: "),
    ],
)
def test_a_file_made_to_do_harm_is_refused_in_words(file: Path, spoil: Callable[[Path], None], problem: str) -> None:
    write_vectors(file, {"X_test": None})
    spoil(file)
    assert problem_of(file).startswith(f"full_dataset_vectors.h5 {problem}")


@pytest.mark.parametrize(
    ("clouds", "labels", "problem"),
    [
        ([np.zeros((2, 5))], [1], r"holds points \(5, 2\) in 0; 1 to 100,000 rows of 3 expected"),
        ([np.zeros((3, 0))], [1], r"holds points \(0, 3\) in 0; 1 to 100,000 rows of 3 expected"),
        ([np.eye(3), np.full((3, 4), np.inf)], [1, 1], r"holds points in 1 that are not finite numbers up to 1,000,"),
        ([np.eye(3)], [12], r"holds label 12 in cloud 0; 0 to 9 expected"),
        ([np.eye(3)], ["one"], r"holds an attribute 'label' object \(\) in /0; one number expected"),
        ([], [], r"holds 0 volumes of clouds; 1 to 20,000 expected"),
    ],
)
def test_clouds_that_are_none_are_refused_in_words(
    tmp_path: Path, clouds: list[Any], labels: list[Any], problem: str
) -> None:
    train = write_clouds(tmp_path / "train_point_clouds.h5", [np.eye(3)], [1])
    test = write_clouds(tmp_path / "test_point_clouds.h5", clouds, labels)
    with pytest.raises(BrokenFile, match=r"test_point_clouds.h5 " + problem):
        read_hdf5((train, test), "clouds")


def _child(folder: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "standin.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setattr(hdf5, "CHILD", "standin")


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import os; os.kill(os.getpid(), 11)", "made the HDF5 library crash (signal 11)"),
        ("raise SystemExit(3)", "made the HDF5 library crash (exit code 3)"),
        ("print('{')", "return invalid data"),
        ('print(\'{"file": 7, "problem": ""}\')', "return invalid data"),
        ('print(\'{"file": 0, "problem": ""}\')', "leave broken arrays"),
        ("import time; time.sleep(60)", "takes longer than 0.3 s to decode"),
    ],
)
def test_a_crash_of_the_decoding_process_is_an_error_in_words(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, problem: str
) -> None:
    _child(tmp_path, code, monkeypatch)
    monkeypatch.setitem(hdf5.LIMIT_S, "vectors", 0.3 if "sleep" in code else 60)
    write_vectors(file)
    assert problem in problem_of(file)


def test_a_pickle_left_by_the_decoding_process_is_not_opened(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import json, sys, pathlib, numpy as np\n"
        "for name in ('train-images', 'train-labels', 'test-images', 'test-labels'):\n"
        "    np.save(pathlib.Path(sys.argv[3]) / f'{name}.npy', np.array([{}], object), allow_pickle=True)\n"
        "print(json.dumps({'file': 0, 'problem': ''}))\n"
    )
    _child(tmp_path, code, monkeypatch)
    assert "leave broken arrays" in problem_of(write_vectors(file))


def test_without_h5py_the_advice_is_to_install_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5, "find_spec", lambda name: None)
    with pytest.raises(BrokenFile) as caught:
        read_hdf5((write_vectors(file),), "vectors")
    assert str(caught.value) == (
        "full_dataset_vectors.h5 is HDF5: h5py is needed to read it.\n    Install it: pip install 'bench-mnist[hdf5]'"
    )
