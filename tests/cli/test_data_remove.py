"""``bench data remove``."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.datasets.cache import Shelf
from tests.datasets.small_emnist import digits_split, lay, letters, zipped

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


def test_ones_own_data_set_is_removed_by_the_name_that_the_list_shows(bench: Bench, tmp_path: Path) -> None:
    np.savez(tmp_path / "twice.npz", X=np.ones((10, 4, 4)), y=[0, 1] * 5)
    bench("fetch", str(tmp_path / "twice.npz"))
    assert "\ntwice " in bench("list").stdout
    assert bench("remove", "twice", "--yes").returncode == 0
    assert arrays(tmp_path) == []
    assert bench("remove", "twice", "--yes").stderr.startswith("unknown data set 'twice'")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """EMNIST's archive where a download keeps it; its lock lies there from the download."""
    held = lay(tmp_path / "cache" / "downloads" / "emnist", {"gzip.zip": zipped(letters() | digits_split())})
    (tmp_path / "cache" / "datasets" / "emnist").mkdir(parents=True)
    return held / "gzip.zip"


def test_an_archive_that_is_shared_goes_with_the_last_data_set_that_is_read_from_it(
    bench: Bench, tmp_path: Path, archive: Path
) -> None:
    for name in ("emnist-letters", "emnist-digits"):
        assert bench("fetch", name).returncode == 0
    assert "kept for several data sets: emnist, " in bench("list").stdout
    assert bench("remove", "emnist-letters", "--yes").returncode == 0
    assert (arrays(tmp_path), archive.exists()) == (["emnist-digits"], True)
    assert bench("remove", "emnist-digits", "--yes").returncode == 0
    assert (arrays(tmp_path), archive.exists()) == ([], False)
    assert "cached: 0.0 MiB in all" in bench("list").stdout


def test_an_archive_that_is_shared_goes_at_once_where_that_is_said(bench: Bench, tmp_path: Path, archive: Path) -> None:
    for name in ("emnist-letters", "emnist-digits"):
        bench("fetch", name)
    assert bench("remove", "emnist-letters", "--downloads", "--yes").returncode == 0
    assert (arrays(tmp_path), archive.exists()) == (["emnist-digits"], False)


def test_downloads_that_were_begun_are_counted_and_removed(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "cache" / "downloads" / "mnist"
    begun.mkdir(parents=True)
    (begun / "train-images-idx3-ubyte.gz").write_bytes(bytes(3 << 20))
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "cache"))
    with Shelf("mnist").lock("download"):
        pass
    listed = {line.split()[0]: line for line in bench("list").stdout.splitlines() if line.strip()}
    assert "begun, 3.0 MiB" in listed["mnist"]
    assert "3.0 MiB in all" in listed["cached:"]
    assert bench("remove", "mnist", "--yes").stdout == "removed: 3.0 MiB\n"
    assert list(begun.iterdir()) == []


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
    refusal = "cannot ask for confirmation: not a terminal.\n    To remove without confirmation, add: --yes\n"
    assert ended.stderr == refusal
    assert arrays(tmp_path) == ["digits"]


def test_neither_a_name_nor_all_is_a_wrong_question(bench: Bench) -> None:
    assert bench("remove").returncode == 2
    assert bench("remove", "digits", "--all", "--yes").returncode == 2
    assert bench("remove", "digit", "--yes").stderr.startswith("unknown data set 'digit': did you mean 'digits'?")
