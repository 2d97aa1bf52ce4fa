from pathlib import Path

import pytest

from bench.datasets.kmnist import Kmnist
from bench.datasets.search import Search
from tests.datasets.small import digits, write_idx


@pytest.mark.parametrize("place", ["home/data/KMNIST/raw", "home/datasets/kmnist"])
def test_kmnist_is_read_from_mnists_files_in_its_own_folder(tmp_path: Path, place: str) -> None:
    write_idx(tmp_path / place, zipped=False)
    info = Search(Kmnist(), None, True, print).run().info
    assert (info.train_rows, info.shape, info.class_names[8:]) == (20, (28, 28, 1), ("re", "wo"))
    assert (info.verified, info.source) == (False, "IDX, torchvision's folder")


def test_its_pictures_are_not_turned(tmp_path: Path) -> None:
    definition = Kmnist()
    data = definition.read(next(definition.find(write_idx(tmp_path))))
    assert (data.train.images[..., 0] == digits(20, 0)[0]).all()
