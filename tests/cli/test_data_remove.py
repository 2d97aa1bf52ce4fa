"""``bench data remove``."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

Bench = Callable[..., subprocess.CompletedProcess[str]]


def arrays(tmp_path: Path) -> list[str]:
    """The data sets that have arrays in the cache."""
    return sorted({file.parent.parent.name for file in (tmp_path / "cache").rglob("train-images.npy")})


def test_a_data_set_is_removed_and_another_one_stays(bench: Bench, tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", X=np.ones((10, 4, 4)), y=[0, 1] * 5)
    bench("fetch", "digits")
    bench("fetch", str(tmp_path / "mine.npz"))
    assert arrays(tmp_path) == ["digits", "mine"]
    listed = bench("list").stdout
    assert "mine" in listed
    removed = bench("remove", "digits", "--yes")
    assert (removed.returncode, removed.stdout) == (0, "removed: 0.1 MiB\n")
    assert arrays(tmp_path) == ["mine"]
    (tmp_path / "mine.npz").unlink()
    assert bench("remove", str(tmp_path / "mine.npz"), "--yes").returncode == 0  # gone, but cached
    assert arrays(tmp_path) == []
    assert bench("remove", "digits", "--yes").stdout == "nothing of digits is cached\n"
    assert bench("fetch", "digits").returncode == 0


def test_all_removes_everything_and_leaves_ones_files(bench: Bench, tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", X=np.ones((10, 4, 4)), y=[0, 1] * 5)
    bench("fetch", "digits")
    bench("fetch", str(tmp_path / "mine.npz"))
    assert bench("remove", "--all", "--yes").returncode == 0
    assert arrays(tmp_path) == []
    assert (tmp_path / "mine.npz").exists()
    assert "cached: 0.0 MiB in all" in bench("list").stdout
    assert bench("remove", "--all", "--yes").stdout == "nothing is cached\n"


def test_where_nobody_can_answer_nothing_is_removed_and_the_exit_code_is_two(bench: Bench, tmp_path: Path) -> None:
    bench("fetch", "digits")
    ended = bench("remove", "digits")
    assert ended.returncode == 2
    assert ended.stderr == "nobody can be asked here.\n    To remove without being asked, add: --yes\n"
    assert arrays(tmp_path) == ["digits"]


def test_neither_a_name_nor_all_is_a_wrong_question(bench: Bench) -> None:
    assert bench("remove").returncode == 2
    assert bench("remove", "digits", "--all", "--yes").returncode == 2
    assert bench("remove", "digit", "--yes").stderr.startswith("unknown data set 'digit': did you mean 'digits'?")
