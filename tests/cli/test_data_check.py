"""``bench data check`` says what is known of a data set, and blames only what is known to differ."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.datasets.small_emnist import lay, letters

Bench = Callable[..., subprocess.CompletedProcess[str]]


def test_other_data_under_the_name_of_published_ones_end_with_one(bench: Bench, tmp_path: Path) -> None:
    images, labels = np.zeros((20, 28, 28), np.uint8), np.arange(20, dtype=np.uint8) % 10
    (tmp_path / "mnist").mkdir()
    np.savez(tmp_path / "mnist" / "mnist.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    checked = bench("check", "mnist", "--data-dir", str(tmp_path))
    assert checked.returncode == 1
    assert checked.stdout.splitlines()[-1] == "unverified: not the published data"


def test_files_of_which_no_hash_was_published_end_with_zero(bench: Bench, tmp_path: Path) -> None:
    lay(tmp_path / "emnist", letters())
    checked = bench("check", "emnist-letters", "--data-dir", str(tmp_path))
    assert checked.returncode == 0
    assert checked.stdout.splitlines()[-1] == "unverified: nothing is known of the published data in this form"
