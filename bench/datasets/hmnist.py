"""The ``hmnist`` tables: pictures of tissue and skin at MNIST's size and others, one table for each form.

``hmnist_28_28_RGB.csv`` holds 28x28 pixels in colour, ``hmnist_8_8_L.csv`` 8x8 in grey: ``pixel0000,…,label``, the
colours of a pixel side by side.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from bench.datasets.packed import unpacked, zip_members
from bench.datasets.source import Source, first_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.datasets.pictures import Picture, PictureFormat
    from bench.datasets.pixel_csv import PixelTable


@dataclass(frozen=True)
class Form:
    """Square images of one size and mode, stored in a table of their own."""

    side: int
    mode: Literal["RGB", "L"]

    @property
    def title(self) -> str:
        """``28x28 RGB``, ``8x8 L``; a source's format ends with it."""
        return f"{self.side}x{self.side} {self.mode}"

    @property
    def table(self) -> str:
        """The name of its table."""
        return f"hmnist_{self.side}_{self.side}_{self.mode}.csv"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.side, self.side, 3 if self.mode == "RGB" else 1


RGB_28, GREY_28, GREY_64 = Form(28, "RGB"), Form(28, "L"), Form(64, "L")
RGB_8, GREY_8 = Form(8, "RGB"), Form(8, "L")


def form_of(source: Source, forms: Sequence[Form]) -> Form:
    """The one of ``forms`` that a source's format ends with."""
    return next(form for form in forms if source.format.endswith(f" {form.title}"))


def rank_of(source: str, forms: Sequence[Form]) -> int:
    """Index in ``forms`` of the form of ``source``, a format with or without a place; else their number."""
    format = source.partition(",")[0]
    return next((at for at, form in enumerate(forms) if format.endswith(f" {form.title}")), len(forms))


def find_packed(folder: Path, name: str, archives: Sequence[str]) -> Path | None:
    """The file ``name`` in ``folder``: plain, gzipped, zipped, in a folder of its own, or in one of ``archives``.

    Raises BrokenFile for an archive that cannot be opened.
    """
    if found := first_file(folder, (name, f"{name}.gz", f"{name}.zip", f"{name.removesuffix('.csv')}/{name}")):
        return found
    for archive in archives:
        if os.path.isfile(folder / archive):
            held = (PurePosixPath(path).name for path in zip_members(folder / archive))
            if name in held:
                return folder / archive
    return None


def read_table(path: Path, form: Form, rows: int) -> PixelTable:
    """The table of a form with ``rows`` images, its pixels as ``(n, height, width, channels)``. Raises BrokenFile."""
    from bench.datasets.pixel_csv import read_pixel_table

    height, width, channels = form.shape
    with unpacked(path, form.table) as stream:
        table = read_pixel_table(stream, path, rows=rows, pixels=height * width * channels)
    return replace(table, pixels=table.pixels.reshape(-1, *form.shape))


def read_pictures(pictures: Sequence[Picture], wanted: PictureFormat, form: Form) -> NDArray[np.uint8]:
    """Pictures scaled to a form, ``(n, height, width, channels)``. Raises BrokenFile."""
    import numpy as np

    from bench.datasets.pictures import decoded

    images = np.empty((len(pictures), *form.shape), dtype=np.uint8)  # decoded in place: held in memory once
    for row, pixels in enumerate(decoded(pictures, wanted, (form.side, form.side), form.mode)):
        images[row] = pixels
    return images
