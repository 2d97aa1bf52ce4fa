"""Picture files in folders or in zips, decoded one at a time to a common size.

Only the decoder of the expected format is tried, and the size in a picture's header is checked before its pixels are
unpacked: a file that promises a huge picture costs nothing. Pillow's own limit on pixels stays in force.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from bench.datasets.packed import check_member, opened_member, opened_zip, said_of, wrapping_errors, zip_members
from bench.datasets.source import BrokenFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

LARGEST = 1 << 22
"""Bytes of one picture file; a tile of 150x150 has 68,000, a photograph of 600x450 up to 400,000."""
PILLOW_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, MemoryError, EOFError),
    *(AttributeError, RuntimeError, struct.error, zlib.error),
)
"""Errors of Pillow's decoders for broken content."""
PACKINGS = frozenset({"raw", "packbits", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate"})
"""TIFF compressions that are unpacked; the published tiles have packbits. The others are whole libraries of their
own."""

TILE_TAGS = (322, 323)
MOST_TILE_SIDE = 1024
"""Pixels along a side of a TIFF's inner tile. A tile is unpacked whole: a small file that promises one of
8,000 x 8,000 takes 190 MB, whatever its picture's size."""

LUMA = (19595, 38470, 7471)
"""Brightness of red, green and blue: 0.299, 0.587 and 0.114, times 2^16."""


@dataclass(frozen=True)
class Picture:
    """A picture: a file of its own, or a ``member`` (its path there) of the zip ``file``."""

    file: Path
    member: str = ""

    @property
    def name(self) -> str:
        """The name without folders."""
        return PurePosixPath(self.member).name or self.file.name

    @property
    def folder(self) -> str:
        """The name of the folder it lies in, on the disk or in the zip."""
        return PurePosixPath(self.member).parent.name if self.member else self.file.parent.name


@dataclass(frozen=True)
class PictureFormat:
    """A picture format: Pillow's name of it, the endings of files, and width and height."""

    name: str
    suffixes: frozenset[str]
    size: tuple[int, int]


def pictures_in(place: Path, wanted: PictureFormat) -> list[Picture]:
    """The pictures in a folder itself, or anywhere in a zip, sorted by path. Raises BrokenFile for a broken zip."""
    if os.path.isdir(place):
        with wrapping_errors(place):
            names = sorted(entry.name for entry in os.scandir(place))
        return [Picture(place / name) for name in names if _is_picture(name, wanted)]
    return [Picture(place, path) for path in sorted(zip_members(place)) if _is_picture(path, wanted)]


def decoded(
    pictures: Sequence[Picture], wanted: PictureFormat, size: tuple[int, int], mode: str
) -> Iterator[NDArray[np.uint8]]:
    """Each picture as uint8 ``(height, width, channels)``, scaled by Pillow's LANCZOS filter if ``size`` differs.

    ``size`` is width and height; ``mode`` is ``RGB`` or ``L``. Raises BrokenFile.
    """
    with ExitStack() as opened:
        zips: dict[Path, zipfile.ZipFile] = {}
        for picture in pictures:
            if picture.member and picture.file not in zips:
                with wrapping_errors(picture.file):
                    zips[picture.file] = opened.enter_context(opened_zip(picture.file))
            content = _content(picture, zips.get(picture.file))
            yield _pixels(picture, content, wanted, size, mode)


def _is_picture(path: str, wanted: PictureFormat) -> bool:
    pure = PurePosixPath(path)
    # macOS puts a shadow of each file into its zips: __MACOSX/…/._name
    return pure.suffix.lower() in wanted.suffixes and not pure.name.startswith(".")


def _content(picture: Picture, archive: zipfile.ZipFile | None) -> bytes:
    with wrapping_errors(picture.file):
        if archive is None:
            with picture.file.open("rb") as stored:
                content = stored.read(LARGEST + 1)
        else:
            check_member(picture.file, archive.getinfo(picture.member))
            with opened_member(archive, archive.getinfo(picture.member)) as member:
                content = member.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise _broken(picture, f"holds more than {LARGEST:,} bytes: it is not a picture of this data set.")
    return content


def _pixels(
    picture: Picture, content: bytes, wanted: PictureFormat, size: tuple[int, int], mode: str
) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with quiet(), Image.open(io.BytesIO(content), formats=(wanted.name,)) as image:
            if image.size != wanted.size:
                raise _broken(
                    picture,
                    f"has {image.size[0]}x{image.size[1]} pixels; {wanted.size[0]}x{wanted.size[1]} expected.",
                )
            if image.mode not in ("RGB", "L"):
                raise _broken(picture, f"has the mode {image.mode}; 8-bit RGB expected.")
            if not packed_plainly(image):
                packing = image.info.get("compression", "raw")
                raise _broken(
                    picture, f"is packed by {packing}; packbits, LZW or deflate in strips or small tiles expected."
                )
            scaled = _scaled(image, size, mode)
    except BrokenFile:
        raise
    except PILLOW_ERRORS as error:
        raise _broken(picture, f"cannot be decoded as {wanted.name}: {said_of(error)}.") from error
    except Image.DecompressionBombError as error:
        raise _broken(picture, "promises far more pixels than a picture of this data set has.") from error
    return scaled.reshape(size[1], size[0], -1)


def packed_plainly(image: Image) -> bool:
    """True if unpacking the pixels needs none of TIFF's extra libraries and no tile larger than ``MOST_TILE_SIDE``."""
    tags = getattr(image, "tag_v2", {})
    sides = [tags.get(tag, 1) for tag in TILE_TAGS]
    small = all(isinstance(side, int) and 0 < side <= MOST_TILE_SIDE for side in sides)
    return small and str(image.info.get("compression", "raw")) in PACKINGS


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Pillow's warnings about tags that are not used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _scaled(image: Image, size: tuple[int, int], mode: str) -> NDArray[np.uint8]:
    """``(height, width)`` or ``(height, width, 3)``; scaled in colour, then turned grey.

    Kaggle's grey hmnist tables were made in this order, with brightness truncated rather than rounded, as in older
    releases of Pillow (ITU-R 601-2 luma in fixed point).
    """
    import numpy as np
    from PIL import Image as Pillow

    colour = image.convert("RGB")
    pixels = np.asarray(colour if image.size == size else colour.resize(size, Pillow.Resampling.LANCZOS))
    if mode == "RGB":
        return pixels
    return (pixels @ np.array(LUMA, dtype=np.int64) >> 16).astype(np.uint8)


def _broken(picture: Picture, problem: str) -> BrokenFile:
    name = picture.name if picture.name.isprintable() else ascii(picture.name)
    where = f"{name[-80:]} in {picture.file.name}" if picture.member else name
    return BrokenFile(Path(where), problem, "Put a whole copy of the data set in its place.")
