"""Pictures of images: what is light is light, where it is, in every way of showing it."""

import numpy as np
import pytest

from bench.report.document import width
from bench.report.pictures import as_pictures, terminal_pictures

CORNER = np.zeros((1, 32, 32, 1), np.uint8)
CORNER[0, :4, :2] = 255


def test_a_light_corner_is_one_full_braille_character_at_that_corner() -> None:
    lines = terminal_pictures(CORNER, ["a"], colors=None).splitlines()
    assert lines[0][0] == "⣿"
    assert {character for line in lines[:8] for character in line} == {"⣿", "⠀"}
    assert [len(line) for line in lines[:8]] == [16] * 8
    assert lines[8] == "       a"


@pytest.mark.parametrize(("colors", "white", "black"), [(2**24, "2;255;255;255", "2;0;0;0"), (256, "5;231", "5;16")])
def test_with_colours_the_upper_pixel_is_the_foreground_and_the_lower_the_background(
    colors: int, white: str, black: str
) -> None:
    images = np.zeros((1, 18, 18, 1), np.uint8)
    images[0, 0, 0] = 255
    first = terminal_pictures(images, ["a"], colors=colors).splitlines()[0]
    assert first.startswith(f"\x1b[38;{white};48;{black}m▀\x1b[38;{black};48;{black}m▀")
    assert first.endswith("\x1b[0m")


def test_the_256_colours_are_those_of_xterm() -> None:
    images = np.zeros((1, 18, 18, 3), np.uint8)
    images[0, 0, 0], images[0, 1, 0] = (255, 0, 0), (118, 118, 118)  # 196 is ff0000, 243 is 767676
    assert terminal_pictures(images, ["a"], colors=256).startswith("\x1b[38;5;196;48;5;243m")


def test_a_row_stays_within_eighty_columns_and_long_labels_are_cut() -> None:
    pictures = np.zeros((7, 28, 28, 1), np.uint8)
    lines = terminal_pictures(pictures, ["colorectal adenocarcinoma epithelium"] * 7, colors=None).splitlines()
    assert max(map(width, lines)) <= 80
    assert lines[7].split("  ")[0] == "colorectal ad…"
    assert len(lines) == 2 * 8 + 1  # five, then two


def test_small_pictures_are_enlarged_and_large_ones_scaled_down() -> None:
    for side in (8, 16, 150):
        lines = terminal_pictures(np.full((1, side, side, 1), 255, np.uint8), ["a"], colors=None).splitlines()
        assert lines[:8] == ["⣿" * 16] * 8


def test_a_volume_is_projected_along_its_last_axis() -> None:
    volume = np.zeros((1, 16, 16, 16, 1), np.float32)
    volume[0, 3, 5, :] = 0.5
    volume[0, 7, 7, 0] = 0.8
    picture = as_pictures(volume, 1.0)
    assert picture.shape == (1, 16, 16, 1)
    assert (picture[0, 3, 5, 0], picture[0, 7, 7, 0], picture[0, 0, 0, 0]) == (255, 26, 0)  # sums 8, 0.8 and 0


def test_the_scale_is_white() -> None:
    assert as_pictures(np.array([[[[16]], [[8]]]], np.uint8), 16).reshape(-1).tolist() == [255, 128]


def test_a_pale_picture_is_stretched_and_a_uniform_one_left_alone() -> None:
    pale = np.full((1, 32, 32, 1), 120, np.uint8)
    pale[0, :4, :2] = 200
    lines = terminal_pictures(pale, ["a"], colors=None).splitlines()
    assert {character for line in lines[:8] for character in line} == {"⣿", "⠀"}
    uniform = terminal_pictures(np.full((1, 32, 32, 1), 120, np.uint8), ["a"], colors=None)
    assert "⣿" not in uniform
    assert "⠀" not in uniform


def test_fewer_columns_take_fewer_pictures_in_a_row() -> None:
    pictures = np.zeros((7, 28, 28, 1), np.uint8)
    lines = terminal_pictures(pictures, ["shirt"] * 7, colors=None, columns=50).splitlines()
    assert max(map(width, lines)) <= 50
    assert lines[7].split() == ["shirt"] * 3
