"""``bench data`` as a user calls it: the real command, in a process of its own."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

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


def test_check_finds_a_cache_that_was_changed_and_exits_with_one(bench: Bench, tmp_path: Path) -> None:
    bench("fetch", "digits")
    array = next((tmp_path / "cache").rglob("train-images.npy"))
    content = bytearray(array.read_bytes())
    content[-1] ^= 1
    array.write_bytes(content)
    checked = bench("check", "digits")
    assert checked.returncode == 1
    assert "damaged: " in checked.stdout


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
        (["check", "./nothing.npz"], "data set 'nothing.npz': there is no such file or folder."),
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
