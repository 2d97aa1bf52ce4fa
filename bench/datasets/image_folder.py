"""Folders of images: ``train/<class>/*.png`` and ``test/<class>/*.png``, or ``<class>/*.png`` alone.

The parts may also be called ``training`` and ``testing``. In the user's own folders, grey images have one channel; if
any image is in colour, all have three. Transparency is dropped.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.datasets.packed import check_growth, said_of
from bench.datasets.parts import RawPart, RawParts
from bench.datasets.pictures import PILLOW_ERRORS, packed_plainly, quiet
from bench.datasets.source import OTHER, BrokenFile, printable
from bench.errors import BenchError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"})
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
"""Pillow's names of the formats read; for one of the others (PostScript) it starts another program."""
MOST_PIXELS = 1 << 22
"""Pixels of an image: 2048x2048."""
LARGEST = 1 << 32
"""Bytes of all images together, unpacked."""
GREY = frozenset({"1", "L", "LA"})
COLOUR = frozenset({"P", "RGB", "RGBA", "CMYK", "YCbCr"})
PARTS = (("train", "training"), ("test", "testing"))
"""Names of the folders of the training part and of the test part."""
LAYOUT = (
    "Put images in folders named by class: <class>/*.png, or train/<class>/*.png and test/<class>/*.png "
    "(or training/ and testing/)."
)


def image_files(folder: Path) -> tuple[Path, ...]:
    """Every image of the folder's layout, sorted by part, class and name. Raises BenchError if there are none."""
    parts = _part_folders(folder)
    files = tuple(file for part in parts for group in class_folders(part) for file in _images(group))
    if not files:
        raise BenchError(f"the folder {folder.name!r} holds no images in folders of classes.", LAYOUT)
    return files


def read_image_folder(folder: Path) -> RawParts:
    """Images uint8 ``(n, height, width, channels)``, labelled by folder name. Raises BenchError."""
    files = image_files(folder)
    size, mode = _common_size_and_mode(files)
    parts = []
    for part in _part_folders(folder):
        here = [file for file in files if file.parent.parent == part]
        if not here:
            raise BenchError(f"the folder {folder.name!r} holds no images in {part.name}/.", LAYOUT)
        parts.append(_read_part(here, size, mode))
    return RawParts(*parts)


def part_folders(folder: Path) -> tuple[Path | None, Path | None]:
    """The folders of the training part and of the test part in ``folder``; None for each that is missing."""
    # os.path.isdir: also False if the folder may not be searched; Path.is_dir raises then
    train, test = (next((folder / name for name in names if os.path.isdir(folder / name)), None) for names in PARTS)
    return train, test


def numbered_files(part: Path) -> list[Path]:
    """The images in the class folders of one part, sorted by the numbers in their names, then by class.

    Common copies name an image by its row in the published files, whose order this restores; if every class counts
    from 0, the classes take turns.
    """
    files = [file for group in class_folders(part) for file in _images(group)]
    return sorted(files, key=lambda file: (_natural(file.name), _natural(file.parent.name)))


def read_grey(files: Sequence[Path], side: int) -> RawPart:
    """Images uint8 ``(n, side, side, 1)``, even if saved in colour; labels are the names of their folders.

    Raises BrokenFile.
    """
    size, _ = _common_size_and_mode(files)
    if size != (side, side):
        raise BrokenFile(files[0], f"has {size[0]}x{size[1]} pixels; {side}x{side} expected.", OTHER)
    return _read_part(files, size, "L")


def _part_folders(folder: Path) -> list[Path]:
    train, test = part_folders(folder)
    if train is None:
        return [folder]
    if test is not None:
        return [train, test]
    beside = [other.name for other in class_folders(folder) if other != train]
    if beside:
        raise BenchError(
            f"the folder {folder.name!r} holds {train.name}/ beside {printable(beside[0])}/, but no test/.", LAYOUT
        )
    return [train]


def class_folders(folder: Path) -> list[Path]:
    """The folders in ``folder`` that are not hidden, sorted. Raises BrokenFile if it cannot be read."""
    return [entry for entry in _entries(folder) if os.path.isdir(entry)]


def _images(folder: Path) -> list[Path]:
    return [file for file in _entries(folder) if file.suffix.lower() in SUFFIXES]


def _entries(folder: Path) -> list[Path]:
    """The entries that are not hidden, sorted."""
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise BrokenFile(folder, f"cannot be read: {error.strerror or error}.", "Fix its permissions.") from error


def _natural(name: str) -> list[str | int]:
    """Orders ``9.png`` before ``10.png``."""
    return [int(piece) if at % 2 else piece for at, piece in enumerate(re.split("([0-9]+)", name))]


def _common_size_and_mode(files: Sequence[Path]) -> tuple[tuple[int, int], str]:
    """Width and height of all images, and ``L`` or ``RGB``, from their headers alone."""
    from PIL import Image

    first: tuple[int, int] | None = None
    colour = False
    for file in files:
        try:
            with quiet(), Image.open(file, formats=FORMATS) as image:
                size, mode, plain = image.size, image.mode, packed_plainly(image)
        except (*PILLOW_ERRORS, Image.DecompressionBombError) as error:
            raise BrokenFile(file, "cannot be read as an image.", "Delete it, or save it again.") from error
        if size[0] * size[1] > MOST_PIXELS:
            raise BrokenFile(
                file, f"has {size[0]}x{size[1]} pixels; {MOST_PIXELS:,} at most are read.", "Scale it first."
            )
        if not plain:
            raise BrokenFile(file, "is a TIFF packed in an unusual way.", "Save it as PNG.")
        first = first or size
        if size != first:
            raise BrokenFile(
                file,
                f"has {size[0]}x{size[1]} pixels, but {printable(files[0].name)} has {first[0]}x{first[1]}.",
                "All images of a data set must have one size: scale or crop them first.",
            )
        if mode not in GREY | COLOUR:
            raise BrokenFile(file, f"has the mode {mode}: 8 bits a channel expected.", "Save it as 8-bit grey or RGB.")
        colour = colour or mode in COLOUR
    assert first is not None, "image_files returns at least one"
    return first, "RGB" if colour else "L"


def _read_part(files: Sequence[Path], size: tuple[int, int], mode: str) -> RawPart:
    import numpy as np

    channels = 3 if mode == "RGB" else 1
    total = len(files) * size[0] * size[1] * channels
    if total > LARGEST:
        raise BrokenFile(
            files[0].parent.parent, f"would take {total:,} bytes, {LARGEST:,} at most.", "Scale the images."
        )
    check_growth(files[0].parent.parent, sum(file.stat().st_size for file in files), total)
    images = np.empty((len(files), size[1], size[0], channels), dtype=np.uint8)
    for row, file in enumerate(files):
        images[row] = _pixels(file, mode).reshape(images.shape[1:])
    return RawPart(images, np.array([file.parent.name for file in files]))


def _pixels(file: Path, mode: str) -> NDArray[np.uint8]:
    import numpy as np
    from PIL import Image

    try:
        with quiet(), Image.open(file, formats=FORMATS) as image:
            return np.asarray(image.convert(mode), dtype=np.uint8)
    except (*PILLOW_ERRORS, Image.DecompressionBombError) as error:
        raise BrokenFile(file, f"cannot be decoded: {said_of(error)}.", "Delete it, or save it again.") from error
