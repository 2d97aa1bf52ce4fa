"""Images of a data set as pictures, shown in the terminal with or without colours.

Grey and RGB images are shown as they are; a volume as its projection along the last spatial axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from bench.report.document import width
from bench.report.terminal import WIDTH

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pictures = NDArray[np.uint8]

DOTS_ACROSS = 32
"""Most braille dots along a picture's longer side: 16 columns, four pictures in a row."""
BLOCKS_ACROSS = 18
"""Half blocks, likewise. Larger pictures are scaled down, smaller ones enlarged by a whole number."""
GAP = 2
LEAST_CONTRAST = 64
"""Grey levels, of 255."""
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of the dots of a braille character, ``[row][column]`` (Unicode 15, block 2800–28FF)."""
BAYER = ((0, 8, 2, 10), (12, 4, 14, 6), (3, 11, 1, 9), (15, 7, 13, 5))
"""Thresholds of ordered dithering, sixteenths (Bayer, 1973)."""


def as_pictures(images: NDArray[Any], scale: float) -> Pictures:
    """Bytes ``(n, height, width, 1 or 3)`` of images ``(n, *spatial, channels)``; ``scale`` is the value of white.

    A volume's values are summed along its last spatial axis; its brightest sum is white.
    """
    import numpy as np

    values = np.asarray(images, np.float32) / np.float32(scale)
    if values.ndim == 5:
        values = values.sum(axis=3)
        values /= np.maximum(values.max(axis=(1, 2, 3), keepdims=True), 1e-6)
    if values.ndim == 3:  # a row of values: one line
        values = values[:, None]
    if values.shape[-1] not in (1, 3):
        values = values.mean(axis=-1, keepdims=True)
    return (values.clip(0, 1) * 255).round().astype(np.uint8)


def terminal_pictures(pictures: Pictures, labels: Sequence[str], *, colors: int | None, columns: int = WIDTH) -> str:
    """The pictures in rows within ``columns``, each with its label below, ending in a newline.

    ``colors``: 2**24 or 256 for half blocks in colours, two pixels to a character; None for braille dots, eight to a
    character, in black and white.
    """
    drawn = [_half_blocks(one, colors) if colors else _braille(one) for one in _for_terminal(pictures, colors)]
    across = drawn[0][0]
    beside = max(1, (columns + GAP) // (across + GAP))
    lines: list[str] = []
    for start in range(0, len(drawn), beside):
        row = [cells for _, cells in drawn[start : start + beside]]
        lines += [(" " * GAP).join(parts) for parts in zip(*row, strict=True)]
        names = [_centred(label, across) for label in labels[start : start + beside]]
        lines += [(" " * GAP).join(names).rstrip(), ""]
    return "\n".join(lines[:-1]) + "\n"


def cut(label: str, fits: Callable[[str], bool]) -> str:
    """As much of a label as fits, with an ellipsis where something is missing."""
    while not fits(label) and len(label) > 1:
        label = label.rstrip("…")[:-1] + "…"
    return label


def _for_terminal(pictures: Pictures, colors: int | None) -> list[Pictures]:
    """Pictures scaled so that several fit side by side."""
    import numpy as np
    from PIL import Image

    height, across = pictures.shape[1:3]
    most, longer = DOTS_ACROSS if colors is None else BLOCKS_ACROSS, max(height, across)
    factor = most // longer if longer <= most else most / longer
    size = (max(1, round(across * factor)), max(1, round(height * factor)))
    how = Image.Resampling.NEAREST if factor >= 1 else Image.Resampling.BOX
    scaled = []
    for picture in pictures:
        image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).resize(size, how)
        scaled.append(np.asarray(image).reshape(size[1], size[0], -1))
    return scaled


def _half_blocks(picture: Pictures, colors: int | None) -> tuple[int, list[str]]:
    """Columns taken, and lines of upper half blocks: the upper pixel is the foreground, the lower the background."""
    import numpy as np

    rgb = np.broadcast_to(picture, (*picture.shape[:2], 3))
    if len(rgb) % 2:
        rgb = np.concatenate([rgb, np.zeros_like(rgb[:1])])
    code = _true_color if colors == 2**24 else _palette_color
    lines = []
    for upper, lower in zip(rgb[::2], rgb[1::2], strict=True):
        cells = (f"\x1b[38;{code(*above)};48;{code(*below)}m▀" for above, below in zip(upper, lower, strict=True))
        lines.append("".join(cells) + "\x1b[0m")
    return rgb.shape[1], lines


def _true_color(red: int, green: int, blue: int) -> str:
    return f"2;{red};{green};{blue}"


def _palette_color(red: int, green: int, blue: int) -> str:
    """The nearest of xterm's 256: a grey of 24 between 8 and 238, or one of the 6x6x6 cube."""
    if max(red, green, blue) - min(red, green, blue) < 10:
        grey = (int(red) + int(green) + int(blue)) // 3
        if 4 <= grey < 244:
            return f"5;{232 + min(23, max(0, round((grey - 8) / 10)))}"
    levels = [0 if value < 48 else 1 if value < 115 else (int(value) - 35) // 40 for value in (red, green, blue)]
    return f"5;{16 + 36 * levels[0] + 6 * levels[1] + levels[2]}"


def _braille(picture: Pictures) -> tuple[int, list[str]]:
    """Columns taken, and lines of braille characters: a dot where the pixel is light, dithered between.

    Dots show few shades, so a picture's darkest and lightest are made black and white, unless they are nearly alike.
    """
    import numpy as np

    grey = picture.mean(axis=-1)
    low, high = float(grey.min()), float(grey.max())
    if high - low >= LEAST_CONTRAST:
        grey = (grey - low) * (255 / (high - low))
    high, across = (math.ceil(grey.shape[0] / 4), math.ceil(grey.shape[1] / 2))
    thresholds = (np.array(BAYER) + 0.5) * 16
    tiled = np.tile(thresholds, (math.ceil(grey.shape[0] / 4), math.ceil(grey.shape[1] / 4)))
    dots = np.zeros((high * 4, across * 2), bool)
    dots[: grey.shape[0], : grey.shape[1]] = grey > tiled[: grey.shape[0], : grey.shape[1]]
    cells = dots.reshape(high, 4, across, 2).transpose(0, 2, 1, 3)
    codes = 0x2800 + (cells * np.array(DOTS)).sum(axis=(2, 3))
    return across, ["".join(map(chr, line)) for line in codes.tolist()]


def _centred(label: str, columns: int) -> str:
    label = cut(label, lambda part: width(part) <= columns)
    left = (columns - width(label)) // 2
    return " " * left + label + " " * (columns - left - width(label))
