"""Processes that fetch and are killed, and processes that fetch the same at the same time."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.datasets.emnist import EmnistDigits, EmnistLetters
from bench.datasets.search import Search
from tests.datasets.mirrors import serving
from tests.datasets.small import fingerprint_of, write_idx
from tests.datasets.small_emnist import digits_split, lay, letters, zipped
from tests.datasets.test_download import nothing, remote
from tests.datasets.test_emnist_download import with_downloads

ROOT = Path(__file__).parents[2]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return write_idx(tmp_path / "published")


def begin(files: Path, address: str) -> subprocess.Popen[str]:
    """A process that fetches into the cache of this test."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.datasets.fetching_process", str(files), address],
        cwd=ROOT,
        env=os.environ.copy(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, said = process.communicate(timeout=150)
    assert process.returncode == 0, said
    return out.strip(), said


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end, "it did not come to it"
        time.sleep(0.01)


def test_a_fetch_that_is_killed_leaves_nothing_half_and_the_next_one_fetches_only_the_rest(
    files: Path, tmp_path: Path
) -> None:
    downloads = tmp_path / "cache" / "downloads" / "tiny"
    with serving(files) as (address, asked):
        process = begin(files, f"{address}/slow")
        # some way on, in the middle of a file
        wait_until(lambda: len(asked) >= 2 and any(downloads.rglob("partial/*/*")))
        process.kill()
        process.communicate()
    whole = {file.name for file in downloads.iterdir() if file.is_file()}
    assert 1 <= len(whole) < 4
    assert all((downloads / name).read_bytes() == (files / name).read_bytes() for name in whole)
    assert list((tmp_path / "cache" / "datasets").rglob("*.npy")) == []
    with serving(files) as (address, asked):
        assert finished(begin(files, address))[0] == f"{fingerprint_of(files)} True"
        assert asked == [f"/{file.name}" for file in sorted(files.iterdir()) if file.name not in whole]
    assert not downloads.exists()


def test_two_processes_that_fetch_the_same_leave_one_good_copy_and_ask_for_each_file_once(
    files: Path, tmp_path: Path
) -> None:
    with serving(files) as (address, asked):
        processes = [begin(files, f"{address}/slow") for _ in range(2)]
        ends = [finished(process) for process in processes]
    assert [found for found, _ in ends] == [f"{fingerprint_of(files)} True"] * 2
    assert sorted(asked) == sorted(f"/slow/{file.name}" for file in files.iterdir())
    assert "waiting for another process that fetches tiny" in ends[0][1] + ends[1][1]
    shelf = tmp_path / "cache" / "datasets" / "tiny"
    assert [len(list(folder.glob("*.npy"))) for folder in shelf.iterdir() if folder.is_dir()] == [4]


def test_two_data_sets_that_share_an_archive_fetch_it_once_between_them(tmp_path: Path) -> None:
    archive = lay(tmp_path / "served", {"gzip.zip": zipped(letters() | digits_split())}) / "gzip.zip"
    verified: list[bool] = []
    with serving(archive.parent) as (address, asked):
        searches = [
            Search(with_downloads(split, remote(archive, f"{address}/slow")), None, False, nothing)
            for split in (EmnistLetters, EmnistDigits)
        ]
        at_once = [
            threading.Thread(target=lambda one=one: verified.append(one.run().info.verified)) for one in searches
        ]
        for thread in at_once:
            thread.start()
        for thread in at_once:
            thread.join()
    assert (verified, asked) == ([True, True], ["/slow/gzip.zip"])
