"""A PNG file of pictures: their pixels, enlarged, under words that say what they are and whose."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.errors import BenchError
from bench.report.picture_file import Sheet, drawn, write_png

ONE = np.zeros((1, 28, 28, 1), np.uint8)


def test_it_holds_the_pixels_enlarged_in_their_colours(tmp_path: Path) -> None:
    pictures = np.zeros((3, 8, 8, 3), np.uint8)
    pictures[1, 0, 0] = (200, 30, 40)
    write_png(tmp_path / "sheet.png", [Sheet(pictures, ["a", "b", "c"], "three", beside=2)])
    with Image.open(tmp_path / "sheet.png") as sheet:
        colours = {colour: count for count, colour in sheet.getcolors(2**16) or ()}
    assert colours[200, 30, 40] == 10 * 10  # 80 pixels for 8
    assert sheet.size[0] == 8 + 2 * (84 + 8)


def test_pictures_of_eight_sixteen_and_twenty_eight_pixels_stand_in_the_same_columns() -> None:
    widths = {drawn(Sheet(np.zeros((10, side, side, 1), np.uint8), ["a"] * 10, "t")).width for side in (8, 16, 28)}
    assert widths == {8 + 10 * (84 + 8)}


def test_large_pictures_are_not_made_smaller() -> None:
    assert drawn(Sheet(np.zeros((2, 150, 150, 3), np.uint8), ["a", "b"], "t")).width == 8 + 2 * (150 + 8)


def test_long_words_above_are_not_cut() -> None:
    short = drawn(Sheet(ONE, ["a"], "t")).width
    assert drawn(Sheet(ONE, ["a"], "a title far wider than one picture")).width > short
    assert drawn(Sheet(ONE, ["a"], "t", "CC BY 4.0, and a citation far wider than one picture")).width > short


def test_the_line_that_says_whose_they_are_takes_room_of_its_own() -> None:
    assert drawn(Sheet(ONE, ["a"], "t", "CC0")).height == drawn(Sheet(ONE, ["a"], "t")).height + 14


def test_several_sheets_stand_below_one_another(tmp_path: Path) -> None:
    sheets = [Sheet(ONE, ["a"], "one"), Sheet(np.repeat(ONE, 3, axis=0), ["a", "b", "c"], "two")]
    write_png(tmp_path / "both.png", sheets)
    apart = [drawn(sheet) for sheet in sheets]
    with Image.open(tmp_path / "both.png") as both:
        assert both.size == (apart[1].width, apart[0].height + apart[1].height)


def test_a_file_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="cannot be written"):
        write_png(tmp_path / "missing" / "sheet.png", [Sheet(ONE, ["a"], "t")])
