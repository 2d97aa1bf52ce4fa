"""Pictures of one data set, or of several below one another, as a PNG file with attribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError
from bench.report.pictures import cut

if TYPE_CHECKING:
    from PIL.Image import Image

    from bench.report.pictures import Pictures

TILE = 84
"""Pixels in a PNG file: the least width of a cell, and the longest side to which a picture is enlarged."""
EDGE = 8
"""Pixels around pictures and text in a PNG file."""
TITLE, LABEL, SMALL = 18, 14, 11
"""Font sizes in a PNG file, in pixels; a line is a quarter higher."""


def write_png(file: Path, sheets: Sequence[Sheet]) -> None:
    """Write the sheets in one column. Raises BenchError."""
    try:
        stacked([drawn(sheet) for sheet in sheets]).save(file, format="PNG", optimize=True)
    except OSError as error:
        raise BenchError(
            f"the picture cannot be written to {str(file)!r}: {error.strerror or type(error).__name__}.",
            "Name another file: --png FILE",
        ) from error


@dataclass(frozen=True, eq=False)
class Sheet:
    """Pictures with their labels below, under a title and a small line of attribution."""

    pictures: Pictures
    labels: Sequence[str]
    title: str
    attribution: str = ""
    beside: int = 10
    """Pictures in a row."""


def drawn(sheet: Sheet) -> Image:
    """A sheet on a white ground, as wide as its pictures or its text, whichever is wider."""
    from PIL import Image, ImageDraw, ImageFont

    height, across = sheet.pictures.shape[1:3]
    factor = max(1, TILE // max(height, across))
    tile, cell = (across * factor, height * factor), max(across * factor, TILE)
    beside = min(sheet.beside, len(sheet.pictures))
    rows = math.ceil(len(sheet.pictures) / beside)
    line = {size: round(1.25 * size) for size in (TITLE, LABEL, SMALL)}
    words = [(sheet.title, TITLE)] + ([(sheet.attribution, SMALL)] if sheet.attribution else [])
    wide = max(int(ImageFont.load_default(size).getlength(text)) for text, size in words) + 2 * EDGE
    top = 2 * EDGE + sum(line[size] for _, size in words)
    step = tile[1] + line[LABEL] + EDGE
    canvas = Image.new("RGB", (max(wide, EDGE + beside * (cell + EDGE)), top + rows * step), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(LABEL)
    below = EDGE
    for text, size in words:
        draw.text((EDGE, below), text, fill="black" if size == TITLE else "dimgrey", font=ImageFont.load_default(size))
        below += line[size]
    for index, (picture, label) in enumerate(zip(sheet.pictures, sheet.labels, strict=True)):
        left, upper = EDGE + index % beside * (cell + EDGE), top + index // beside * step
        image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
        place = (left + (cell - tile[0]) // 2, upper)
        canvas.paste(image.convert("RGB").resize(tile, Image.Resampling.NEAREST), place)
        text = cut(label, lambda part: font.getlength(part) <= cell + EDGE)
        draw.text((left + cell // 2, upper + tile[1] + 2), text, fill="black", font=font, anchor="ma")
    return canvas


def stacked(images: Sequence[Image]) -> Image:
    """Images below one another on a white ground."""
    from PIL import Image

    canvas = Image.new("RGB", (max(one.width for one in images), sum(one.height for one in images)), "white")
    below = 0
    for one in images:
        canvas.paste(one, (0, below))
        below += one.height
    return canvas
