"""``bench data show`` and ``bench data inspect``."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.adapters import loaders
from bench.cli.data_show import show
from bench.datasets.dataset import Dataset, Split

Bench = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    """Ten red and ten green images of 12x12, and a red test image that lies in train, too."""
    images = np.random.default_rng(0).integers(0, 80, (20, 12, 12, 3), dtype=np.uint8)
    images[:10, ..., 0] += 150
    images[10:, ..., 1] += 150
    labels = np.array(["red"] * 10 + ["green"] * 10)
    file = tmp_path / "colours.npz"
    np.savez(file, x_train=images, y_train=labels, x_test=images[[3, 15]], y_test=labels[[3, 15]])
    return file


def test_show_says_shapes_ranges_counts_and_draws_the_first_images_with_their_labels(bench: Bench) -> None:
    shown = bench("show", "digits", "--images", "3")
    lines = shown.stdout.splitlines()
    assert shown.returncode == 0
    assert max(map(len, lines)) <= 80
    assert "train     images (1437, 8, 8, 1) uint8, 0–16, 16 means 1.0" in shown.stdout
    assert "\x1b" not in shown.stdout  # no terminal, no colours
    assert lines[-1].split() == ["0", "1", "3"]  # load_digits() begins 0 1 2 3, and row 2 is in the test part
    assert shown.stderr == "decoding digits (CSV)\n"


def test_what_would_fail_is_said_before_anything_is_decoded(bench: Bench, tmp_path: Path) -> None:
    nowhere, folder = str(tmp_path / "none" / "x.png"), str(tmp_path)
    for arguments, said in (
        (("show", "digits", "--png", nowhere), f"'{nowhere}' cannot be written: no folder"),
        (("show", "digits", "--png", folder), f"'{folder}' cannot be written: it is a folder."),
        (("show", "digits", "--png", str(tmp_path / "x.jpg")), f"'{tmp_path / 'x.jpg'}' would hold PNG."),
        (("show", "digits", "digit"), "unknown data set 'digit'"),
        (("show", "digits", "./none.npz"), "data set 'none.npz': no such file"),
        (("inspect", "digits", "--output", nowhere), f"'{nowhere}' cannot be written: no folder"),
    ):
        ended = bench(*arguments)
        assert ended.returncode == 2
        assert ended.stderr.startswith(said)
        assert len(ended.stderr.splitlines()) == 2


def test_show_writes_colour_images_to_a_png_file(bench: Bench, colours: Path, tmp_path: Path) -> None:
    shown = bench("show", str(colours), "--png", str(tmp_path / "sheet.png"))
    assert shown.returncode == 0
    assert shown.stdout.splitlines()[-1] == f"written: {tmp_path / 'sheet.png'}"
    with Image.open(tmp_path / "sheet.png") as sheet:
        red, green, _ = np.asarray(sheet.convert("RGB"), int).reshape(-1, 3).T
    assert (red > green + 70).any()
    assert (green > red + 70).any()


def test_inspect_finds_what_lies_in_both_parts_and_computes_the_floors(bench: Bench, colours: Path) -> None:
    inspected = bench("inspect", str(colours), "--format", "json")
    found = json.loads(inspected.stdout)
    across = {one["where"]: one for one in found["duplicates"]}["test in train"]
    assert inspected.returncode == 0
    assert across["exact_rows"] == 2
    assert {floor["method"]: floor["accuracy"] for floor in found["floors"]} == {
        "majority": 0.5,
        "nearest centroid": 1.0,
        "1-NN": 1.0,
    }


def test_inspect_takes_the_floors_that_were_computed_before(bench: Bench) -> None:
    first, second = bench("inspect", "digits"), bench("inspect", "digits")
    assert "computing the floors of digits" in first.stderr
    assert "floors" not in second.stderr
    assert second.stdout == first.stdout


def test_inspect_prints_a_panel_and_writes_it_to_a_file(bench: Bench, tmp_path: Path) -> None:
    printed = bench("inspect", "digits")
    assert printed.returncode == 0
    assert "digits" in printed.stderr
    assert "test images that are in train      0" in printed.stdout
    assert bench("inspect", "digits", "--output", str(tmp_path / "panel.txt")).stdout == ""
    assert (tmp_path / "panel.txt").read_text("utf-8") == printed.stdout


def test_a_loader_that_lacks_the_data_set_or_is_none_is_said_with_exit_code_two(bench: Bench) -> None:
    ended = bench("show", "digits", "--via", "torchvision")
    assert ended.returncode == 2
    assert ended.stderr.startswith("torchvision has no loader for the data set 'digits'.")
    ended = bench("show", "mnist", "--via", "kera")
    assert ended.returncode == 2
    assert "did you mean 'keras'?" in ended.stderr


def test_a_part_of_the_rows_that_another_library_loads_is_not_called_the_official_split(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    part = Split(np.zeros((20, 28, 28, 1), np.uint8), np.arange(20) % 10, 255, 10)
    monkeypatch.setattr(
        loaders, "load_via", lambda *_, **__: Dataset("mnist", "MNIST", part, part, tuple("0123456789"))
    )
    show(["mnist"], offline=True, via="torchvision")
    assert "rows of the official split: 20 of 60,000 and 20 of 10,000" in capsys.readouterr().out


def test_several_data_sets_are_shown_below_one_another_and_in_one_picture(
    bench: Bench, colours: Path, tmp_path: Path
) -> None:
    shown = bench("show", "digits", str(colours), "--images", "2", "--png", str(tmp_path / "both.png"))
    assert shown.returncode == 0
    assert shown.stdout.index("Digits (UCI, 8x8)") < shown.stdout.index("colours")
    assert shown.stdout.splitlines()[-1] == f"written: {tmp_path / 'both.png'}"
    with Image.open(tmp_path / "both.png") as both:
        red, green, blue = np.asarray(both.convert("RGB"), int).reshape(-1, 3).T
    assert (red > green + 70).any()  # of the one
    assert ((red == green) & (green == blue) & (red == round(255 * 5 / 16))).any()  # of the other: 5 of 16


def test_a_narrow_terminal_gets_narrow_lines(tmp_path: Path) -> None:
    environment = {**os.environ, "BENCH_CACHE_DIR": str(tmp_path / "cache"), "COLUMNS": "50", "BENCH_OFFLINE": "1"}
    command = [sys.executable, "-m", "bench", "data", "show", "digits", "--images", "4"]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert max(map(len, shown.stdout.splitlines())) <= 50
    assert shown.stdout.splitlines()[-1].split() == ["3", "6"]  # two in a row, not four


@pytest.mark.parametrize("command", ["show", "inspect"])
def test_a_misspelt_name_is_two_lines_and_exit_code_two(bench: Bench, command: str) -> None:
    ended = bench(command, "digit")
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[0] == "unknown data set 'digit': did you mean 'digits'?"
