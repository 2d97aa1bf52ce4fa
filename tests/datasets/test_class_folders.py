"""MNIST and its like as pictures in folders of classes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bench.datasets.cache import CachedDataset, load
from bench.datasets.fashion_mnist import FashionMnist
from bench.datasets.search import Search
from bench.datasets.source import DatasetUnavailable
from bench.errors import BenchError
from tests.datasets.small import Tiny, digits, fingerprint_of, write_idx


class Small(Tiny):
    """With the rows that ``write_idx`` writes."""

    rows = (20, 10)


def save(file: Path, image: NDArray[np.uint8], mode: str = "L") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).convert(mode).save(file)


def write_pictures(folder: Path, parts: Sequence[str] = ("train", "test"), mode: str = "L") -> Path:
    """The data of ``write_idx``, each image named by its row, in the folder of its class."""
    for part, rows, seed in zip(parts, (20, 10), (0, 1), strict=True):
        for row, (image, label) in enumerate(zip(*digits(rows, seed), strict=True)):
            save(folder / part / str(label) / f"{row}.png", image, mode)
    return folder


def search(data_dir: Path | None, known: frozenset[str] = frozenset({"0" * 64})) -> CachedDataset:
    definition = type("Known", (Small,), {"fingerprints": known})()
    return Search(definition, data_dir, True, print).run()


@pytest.mark.parametrize("parts", [("train", "test"), ("training", "testing")], ids=" ".join)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_pictures_named_by_row_are_the_published_data(tmp_path: Path, parts: Sequence[str], mode: str) -> None:
    known = fingerprint_of(write_idx(tmp_path / "idx"))
    write_pictures(tmp_path / "data" / "tiny", parts, mode)
    info = search(tmp_path / "data", frozenset({known})).info
    assert (info.fingerprint, info.verified, info.source) == (known, True, "image folders, the user's folder")
    assert info.split == "official"


def test_pictures_that_every_class_counts_for_itself_take_turns(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for label in (0, 1):
            for number in (2, 10):
                image = np.full((28, 28), 10 * number + label, np.uint8)
                save(tmp_path / "tiny" / part / str(label) / f"{number}.png", image)
    data = load(search(tmp_path).folder)
    assert data.train.images[:, 0, 0, 0].tolist() == [20, 21, 100, 101]
    assert data.train.labels.tolist() == [0, 1, 0, 1]


def test_all_pictures_in_another_order_are_not_called_others_than_published(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "home" / "data" / "tiny")
    (folder / "train" / "0" / "0.png").rename(folder / "train" / "0" / "50.png")
    cached = search(None)
    assert (cached.info.verified, cached.info.source) == (False, "image folders, torchvision's folder")
    assert not Small().is_known(cached.info.source)


def test_a_part_of_the_pictures_is_taken_from_the_users_folder_alone_and_not_called_official(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "home" / "data" / "tiny")
    (folder / "train" / "0" / "0.png").unlink()
    with pytest.raises(DatasetUnavailable, match="torchvision's folder: other data than published"):
        search(None)
    info = search(folder).info
    assert info.split == "rows of the official split: 19 of 20 and 10 of 10"


def test_fashions_folders_are_named_by_class_or_number(tmp_path: Path) -> None:
    names = ("T-shirt_top", "1", "pullover", "3", "Coat", "5", "Shirt", "7", "Bag", "AnkleBoot")
    for part in ("train", "test"):
        for number, name in enumerate(names):
            save(tmp_path / "fashion-mnist-png" / part / name / "a.jpg", np.full((28, 28), 20 * number, np.uint8))
    data = load(Search(FashionMnist(), tmp_path, True, print).run().folder)
    assert dict(zip(data.test.labels.tolist(), data.test.images[:, 14, 14, 0].tolist(), strict=True)) == {
        number: pytest.approx(20 * number, abs=2) for number in range(10)
    }


def test_pictures_in_a_folder_of_another_name_are_not_taken(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    write_pictures(tmp_path / "tiny-c")
    for folder in (tmp_path, tmp_path / "tiny-c"):
        with pytest.raises(DatasetUnavailable):
            search(folder)


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "tiny")
    for file in (folder / "train").glob("*/*.png"):
        save(file, np.zeros((32, 28), np.uint8))
    with pytest.raises(BenchError, match=r"^tiny: 0.png has 28x32 pixels; 28x28 expected"):
        search(tmp_path)


def test_a_folder_that_is_no_class_is_refused(tmp_path: Path) -> None:
    save(write_pictures(tmp_path / "tiny") / "train" / "10" / "a.png", np.zeros((28, 28), np.uint8))
    with pytest.raises(BenchError, match=r"^tiny: 10 is the name of no class of Tiny; 0, 1, 2"):
        search(tmp_path)


def test_one_part_alone_is_refused(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "tiny", ("training", "no-test"))
    with pytest.raises(BenchError, match=r"^tiny: test is missing; training is present without it"):
        search(tmp_path)
    (folder / "test").mkdir()
    with pytest.raises(BenchError, match=r"^tiny: test holds no images in folders of classes"):
        search(tmp_path)
