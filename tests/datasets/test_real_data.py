"""The published data themselves, from the folder of real data, a system package, and scikit-learn."""

import hashlib
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from bench.datasets import places
from bench.datasets.catalog import load, resolve
from bench.datasets.dataset import Split
from bench.datasets.mnist_like import IDX_FILES
from bench.datasets.source import DatasetUnavailable
from bench.datasets.stratified import OWN_SPLIT

# SHA-256 over the images as stored and the labels as little-endian int64, made from other copies with other code
MNIST_PARTS = {
    "train": "d18cfd466eb143ac1097fde604dba9eec4116885869d04cc648b510949f9e88c",
    "test": "a0863a96c44e5666edbb30c4071ee79ca0514c621e6349c5967fc78e7305c891",
}
FASHION_PARTS = {
    "train": "1f243a60b4b748a44c48b9a6f6907be2a08bee3e4e226f0e86fbde8e147b745a",
    "test": "9a494dc49efeb996f4076c469b31cd058152067b1594ba6ab85dd739fce3775e",
}
ROOT = Path(__file__).parents[2]
FASHION = Path("/usr/share/datasets/fashion-mnist")


def part_hash(part: Split) -> str:
    return hashlib.sha256(part.images.tobytes() + part.labels.astype("<i8").tobytes()).hexdigest()


@pytest.mark.data
def test_mnist_is_found_verified_and_exact(data_dir: Path) -> None:
    cached = resolve("mnist", data_dir=data_dir, offline=True)
    data = load(cached.folder)
    assert cached.info.verified
    assert {"train": part_hash(data.train), "test": part_hash(data.test)} == MNIST_PARTS
    assert data.train.images.shape == (60_000, 28, 28, 1)
    assert np.bincount(data.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.data
def test_mnist_as_keras_keeps_it_is_the_same_data(data_dir: Path, tmp_path: Path) -> None:
    first = resolve("mnist", data_dir=data_dir, offline=True)
    data = load(first.folder)
    folder = tmp_path / "home" / ".keras" / "datasets"
    folder.mkdir(parents=True)
    np.savez(
        folder / "mnist.npz",
        x_train=data.train.images[..., 0],
        y_train=data.train.labels.astype(np.uint8),
        x_test=data.test.images[..., 0],
        y_test=data.test.labels.astype(np.uint8),
    )
    again = resolve("mnist", data_dir=folder, offline=True)
    assert again == first


@pytest.mark.data
def test_opening_cached_mnist_copies_nothing(data_dir: Path) -> None:
    folder = resolve("mnist", data_dir=data_dir, offline=True).folder
    load(folder)
    tracemalloc.start()
    data = load(folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert data.train.images.nbytes == 47_040_000
    assert peak < 200_000


@pytest.mark.data
def test_a_second_resolve_imports_no_numpy(data_dir: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from bench.datasets.catalog import resolve; "
        f"info = resolve('mnist', data_dir=Path({str(data_dir)!r}), offline=True).info; "
        "print(info.verified, 'numpy' in sys.modules)"
    )
    printed = [
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert printed == ["True True\n", "True False\n"]


@pytest.mark.data
def test_fashion_mnist_of_the_system_package_is_recognised_though_its_gzip_wrapping_differs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not FASHION.is_dir():
        pytest.skip("Fashion-MNIST is needed: apt-get install dataset-fashion-mnist")
    monkeypatch.setattr(places, "DEBIAN", FASHION.parent)
    cached = resolve("fashion-mnist", offline=True)
    data = load(cached.folder)
    assert (cached.info.verified, cached.info.source) == (True, "IDX, Debian package")
    assert {"train": part_hash(data.train), "test": part_hash(data.test)} == FASHION_PARTS


@pytest.mark.data
def test_mnist_under_the_name_of_fashion_mnist_is_not_taken_for_it(data_dir: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "data" / "fashion-mnist"
    wrong.mkdir(parents=True)
    for name in IDX_FILES:
        (wrong / f"{name}.gz").symlink_to(data_dir / "mnist" / f"{name}.gz")
    with pytest.raises(DatasetUnavailable):
        resolve("fashion-mnist", data_dir=tmp_path / "data", offline=True)


@pytest.mark.data
def test_a_published_csv_is_read_as_the_users_own(data_dir: Path) -> None:
    path = data_dir / "colorectal-histology-mnist" / "hmnist_8_8_L.csv.gz"
    cached = resolve(str(path))
    data = load(cached.folder)
    assert (cached.info.shape, cached.info.class_names) == ((8, 8, 1), tuple("12345678"))
    pixels = np.concatenate([data.train.images, data.test.images]).astype(np.int64).sum()
    with_numpy = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.int64)
    assert pixels == with_numpy[:, :64].sum()
    assert np.bincount(np.concatenate([data.train.labels, data.test.labels])).tolist() == [625] * 8


def test_digits_are_read_from_scikit_learn_without_importing_it() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn, which bundles the digits, is not installed")
    code = (
        "import sys; from bench.datasets.catalog import resolve; info = resolve('digits').info; "
        "print(info.verified, info.train_rows, info.test_rows, info.scale, 'sklearn' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert printed.stdout == "True 1437 360 16.0 False\n"


def test_digits_are_scikit_learns_own_in_two_parts() -> None:
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    bunch = datasets.load_digits()
    cached = resolve("digits")
    data = load(cached.folder)
    assert cached.info.split == OWN_SPLIT
    held = [
        (label, image.tobytes())
        for part in (data.train, data.test)
        for image, label in zip(part.images, part.labels.tolist(), strict=True)
    ]
    original = zip(bunch.target.tolist(), bunch.images.astype(np.uint8), strict=True)
    assert sorted(held) == sorted((label, image.tobytes()) for label, image in original)
