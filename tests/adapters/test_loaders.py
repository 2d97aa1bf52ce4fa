"""Other libraries' loaders run in their own process and give what the harness reads."""

import gzip
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.adapters.loaders import load_via
from bench.errors import BenchError
from tests.datasets.small import digits, idx_bytes

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def write(folder: Path, *, zipped: bool) -> None:
    """Twenty training and ten test images under the names both libraries know."""
    folder.mkdir(parents=True)
    for name, array in zip(FILES, (*digits(20, 0), *digits(10, 1)), strict=True):
        content = idx_bytes(array.shape, array.tobytes())
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        if not zipped:
            (folder / name).write_bytes(content)


@pytest.mark.skipif(not importlib.util.find_spec("torchvision"), reason="torchvision is not installed")
def test_torchvision_loads_what_lies_below_one_of_its_roots(tmp_path: Path) -> None:
    write(tmp_path / "data" / "MNIST" / "raw", zipped=False)
    roots = tmp_path, tmp_path / "data"
    loaded = load_via("torchvision", "mnist", "MNIST", tuple("0123456789"), roots, tmp_path / "own", offline=True)
    images, labels = digits(20, 0)
    assert np.array_equal(loaded.train.images, images[..., None])
    assert np.array_equal(loaded.train.labels, labels)
    assert (loaded.title, len(loaded.test)) == ("MNIST, as torchvision loads it", 10)
    assert loaded.problem() is None
    assert "torchvision" not in sys.modules


@pytest.mark.skipif(not importlib.util.find_spec("keras"), reason="keras is not installed")
def test_without_a_network_keras_says_in_one_line_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(BenchError, match=r"keras cannot load 'mnist': .*offline: nothing is fetched"):
        load_via("keras", "mnist", "MNIST", (), (), tmp_path / "own", offline=True)


@pytest.mark.skipif(not importlib.util.find_spec("keras"), reason="keras is not installed")
def test_a_file_that_keras_takes_for_damaged_stays_where_the_user_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras deletes a file with a wrong hash if it cannot fetch it again."""
    theirs = tmp_path / "keras" / "datasets" / "mnist.npz"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"the user's own")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    with pytest.raises(BenchError, match="keras cannot load 'mnist'"):
        load_via("keras", "mnist", "MNIST", (), (), tmp_path / "own", offline=True)
    assert theirs.read_bytes() == b"the user's own"


@pytest.mark.skipif(not importlib.util.find_spec("torchvision"), reason="torchvision is not installed")
def test_torchvision_writes_nothing_into_the_users_folders(tmp_path: Path) -> None:
    """torchvision unpacks beside the archives."""
    write(tmp_path / "data" / "MNIST" / "raw", zipped=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BenchError, match="torchvision cannot load 'mnist'"):
        load_via("torchvision", "mnist", "MNIST", (), (tmp_path / "data",), tmp_path / "own", offline=True)
    assert [file for file in sorted(tmp_path.rglob("*")) if "own" not in file.parts] == before
