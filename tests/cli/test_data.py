"""``bench data`` as a user calls it: the real command, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests import alone
from tests.datasets.small import write_idx

Bench = Callable[..., subprocess.CompletedProcess[str]]


def test_the_list_says_what_is_cached_and_what_is_not_here(bench: Bench, tmp_path: Path) -> None:
    assert bench("fetch", "digits").returncode == 0
    listed = bench("list")
    lines = {line.split()[0]: line for line in listed.stdout.splitlines() if line.strip()}
    assert listed.returncode == 0
    assert "1,437 / 360" in lines["digits"]
    assert "cached, 0.1 MiB" in lines["digits"]
    assert "60,000 / 10,000" in lines["mnist"]
    assert "not here" in lines["mnist"]
    assert max(map(len, listed.stdout.splitlines())) <= 80


def test_the_list_tells_what_a_run_would_take_from_what_was_cached_of_another_folder(
    bench: Bench, tmp_path: Path
) -> None:
    write_idx(tmp_path / "mine" / "kmnist")
    assert bench("fetch", "kmnist", "--data-dir", str(tmp_path / "mine")).returncode == 0
    listed = {where: bench("list", *where).stdout for where in ((), ("--data-dir", str(tmp_path / "mine")))}
    lines = [" ".join(text.partition("kmnist")[2].partition("qmnist")[0].split()) for text in listed.values()]
    assert lines == ["60,000 / 10,000 not here; 0.0 MiB of files given before", "20 / 10 cached, 0.0 MiB"]


def test_files_that_several_data_sets_share_the_names_of_are_listed_with_a_maybe(bench: Bench, tmp_path: Path) -> None:
    """A list does not read them: which data set they hold, only a folder of its name tells."""
    write_idx(tmp_path / "mine" / "kmnist")
    listed = {
        folder: {
            line.split()[0]: " ".join(line.split())
            for line in bench("list", "--data-dir", str(folder)).stdout.splitlines()
            if line
        }
        for folder in (tmp_path / "mine" / "kmnist", tmp_path / "mine")
    }
    inside, above = listed.values()
    assert inside["kmnist"] == above["kmnist"] == "kmnist 60,000 / 10,000 the user's folder, IDX"
    assert inside["mnist"].startswith("mnist 60,000 / 10,000 maybe the user's")
    assert "user" not in above["mnist"]


def test_the_list_warns_of_a_folder_of_the_environment_that_is_not_there(tmp_path: Path) -> None:
    environment = {**alone.environment(tmp_path, tmp_path / "cache"), "BENCH_DATA_DIR": str(tmp_path / "none")}
    command = [sys.executable, "-m", "bench", "data", "list"]
    listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert listed.stderr.splitlines()[0] == f"the data folder '{tmp_path / 'none'}' is not there."
    assert "digits" in listed.stdout


@pytest.mark.parametrize("width", [40, 60])
def test_on_a_narrow_terminal_the_list_says_the_same_in_two_lines_a_data_set(tmp_path: Path, width: int) -> None:
    environment = {**alone.environment(tmp_path, tmp_path / "cache"), "COLUMNS": str(width)}
    command = [sys.executable, "-m", "bench", "data", "list"]
    lines = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[lines.index("emnist-byclass") + 1] == "    697,932 / 116,323  not here"
    assert max(map(len, lines)) <= width


def test_several_data_folders_are_searched_in_the_order_they_are_named(bench: Bench, tmp_path: Path) -> None:
    write_idx(tmp_path / "second" / "kmnist")
    (tmp_path / "first").mkdir()
    both = ("--data-dir", str(tmp_path / "first"), "--data-dir", str(tmp_path / "second"))
    assert "20 train and 10 test rows" in bench("fetch", "kmnist", *both).stdout


def test_fetch_says_what_was_found(bench: Bench) -> None:
    assert bench("fetch", "digits").stdout.splitlines()[2:] == [
        "decoding digits (CSV)",
        "digits: 1,437 train and 360 test rows of 8x8x1, 10 classes; 0.1 MiB cached; "
        "verified: the arrays are the published ones",
    ]


def test_check_verifies_published_data(bench: Bench) -> None:
    checked = bench("check", "digits")
    assert checked.returncode == 0
    assert checked.stdout.splitlines()[-1] == "verified: the arrays are the published ones"


def damaged(tmp_path: Path) -> Path:
    """An array of the cache, once a bit of it is turned."""
    array = next((tmp_path / "cache").rglob("train-images.npy"))
    content = bytearray(array.read_bytes())
    content[-1] ^= 1
    array.write_bytes(content)
    return array


def test_a_cache_that_was_changed_is_said_to_be_damaged_and_decoded_anew(bench: Bench, tmp_path: Path) -> None:
    bench("fetch", "digits")
    for command in ("check", "show"):
        array = damaged(tmp_path)
        wrong = array.read_bytes()
        ended = bench(command, "digits")
        assert ended.returncode == 0
        assert ended.stderr == "the cached arrays of digits are damaged; decoding again\ndecoding digits (CSV)\n"
        assert array.read_bytes() != wrong
        assert bench(command, "digits").stderr == ""


def test_check_finds_damage_that_left_no_trace_in_the_times_and_exits_with_one(bench: Bench, tmp_path: Path) -> None:
    bench("fetch", "digits")
    before = next((tmp_path / "cache").rglob("train-images.npy")).stat()
    os.utime(damaged(tmp_path), ns=(before.st_atime_ns, before.st_mtime_ns))
    checked = bench("check", "digits")
    assert checked.returncode == 1
    assert "damaged: " in checked.stdout
    assert checked.stdout.endswith("Run: bench data remove digits\n")
    array = next((tmp_path / "cache").rglob("train-images.npy"))
    array.write_bytes(bytes(len(array.read_bytes())))
    os.utime(array, ns=(before.st_atime_ns, before.st_mtime_ns))
    checked = bench("check", "digits")
    assert checked.returncode == 1
    assert checked.stdout == "the cached arrays of digits are damaged.\n    Run: bench data remove digits\n"


def test_ones_own_data_are_checked_as_unverified(bench: Bench, tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", X=np.ones((10, 4, 4)), y=[0, 1] * 5)
    checked = bench("check", str(tmp_path / "mine.npz"))
    assert checked.returncode == 0
    assert checked.stdout.splitlines()[-1] == "unverified: nothing is published to compare it with"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["fetch", "fasion-mnist"], "unknown data set 'fasion-mnist': did you mean 'fashion-mnist'?"),
        (["fetch", "mnist"], "data set 'mnist' is not on this machine (offline: no mirror was asked)."),
        (["check", "./nothing.npz"], "data set 'nothing.npz': no such file or folder."),
        (["fetch", "mnist", "--data-dir", "nowhere"], "the data folder 'nowhere' is not there."),
    ],
)
def test_what_cannot_be_had_is_two_lines_and_exit_code_two(bench: Bench, arguments: list[str], expected: str) -> None:
    ended = bench(*arguments)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[0] == expected
    assert len(ended.stderr.splitlines()) == 2


def test_a_pickle_in_an_archive_is_refused_with_exit_code_two(bench: Bench, tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", X=np.array([json, None], dtype=object)[1:], y=[0])
    ended = bench("fetch", str(tmp_path / "mine.npz"))
    assert ended.returncode == 2
    assert "which is not opened: a pickle can run any code" in ended.stderr
    assert "Traceback" not in ended.stderr
