"""Hostile TIFF: tags with other numbers, directories that lead astray, other ways to pack pixels."""

import io
import random
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.datasets.hostile_bytes import ODD_NUMBERS, mutated_bytes

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
"""Bytes of a value by type of tag (TIFF 6.0, section 2; 13 and 16 of its supplements)."""
SHORT, LONG = 3, 4
PACKINGS = ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "tiff_deflate", "zstd", "group4")
MODES = ("RGB", "L", "RGBA", "CMYK", "1", "P", "LAB", "I;16", "F", "I")
Tag = tuple[int, int, int, bytes]
"""Number, type, how many values, and the values."""


def tiff(tags: list[Tag], strip: bytes, *, next_directory: int = 0, order: str = "<") -> bytes:
    """A file of one strip and these tags; tag 273, if present, points to the strip."""
    head = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8 + len(strip) + len(strip) % 2)
    body = strip + bytes(len(strip) % 2)
    directory, after = bytearray(), bytearray()
    behind = 8 + len(body) + 2 + 12 * len(tags) + 4
    for number, kind, count, value in tags:
        place = value.ljust(4, b"\0")
        if len(value) > 4:
            place = struct.pack(f"{order}I", behind + len(after))
            after += value + bytes(len(value) % 2)
        directory += struct.pack(f"{order}HHI", number, kind, count & 0xFFFFFFFF) + place[:4]
    ending = struct.pack(f"{order}I", next_directory & 0xFFFFFFFF)
    return head + body + struct.pack(f"{order}H", len(tags) & 0xFFFF) + directory + ending + after


def tags_of(width: int, height: int, strip: int, packing: int = 1) -> list[Tag]:
    """The tags of an RGB picture in one strip after the file's header."""

    def number(tag: int, value: int, kind: int = LONG) -> Tag:
        return tag, kind, 1, struct.pack("<H" if kind == SHORT else "<I", value)

    return [
        *(number(256, width), number(257, height), (258, SHORT, 3, struct.pack("<3H", 8, 8, 8))),
        *(number(259, packing, SHORT), number(262, 2, SHORT), number(273, 8), number(277, 3, SHORT)),
        *(number(278, height), number(279, strip), number(284, 1, SHORT)),
    ]


MOST_VALUES = 1_000
"""Most values written for one tag, whatever its count."""


def mutated_tags(pixels: NDArray[np.uint8], chance: random.Random) -> bytes:
    """A well-formed file with one to three tags changed, taken out, doubled or added."""
    content = pixels.tobytes()
    packing = chance.choice([1, 1, 32773, 5, 8])
    if packing != 1:
        content = _strip_of(pixels, {32773: "packbits", 5: "tiff_lzw", 8: "tiff_adobe_deflate"}[packing])
    tags = tags_of(pixels.shape[1], pixels.shape[0], len(content), packing)
    for _ in range(chance.choice([1, 1, 2, 3])):
        place = chance.randrange(len(tags))
        number, kind, count, value = tags[place]
        odd = chance.choice([*ODD_NUMBERS, 149, 151, 300, 4, 16, 7])
        written = min(count, MOST_VALUES)  # a count that was made enormous before
        match chance.choice(["value", "value", "value", "kind", "count", "drop", "double", "add", "add"]):
            case "value" if kind == SHORT:
                tags[place] = number, kind, count, struct.pack("<H", odd & 0xFFFF) * written
            case "value":
                tags[place] = number, kind, count, struct.pack("<I", odd) * written
            case "kind":
                other = chance.choice([*SIZES, 0, 99])
                tags[place] = number, other, count, (value * 8)[: SIZES.get(other, 4) * count]
            case "count":
                tags[place] = number, kind, odd, value
            case "drop" if len(tags) > 1:
                del tags[place]
            case "double":
                tags.insert(place, (number, kind, count, struct.pack("<I", odd)))
            case _:
                extra = chance.choice(
                    [266, 274, 282, 305, 317, 320, 322, 323, 324, 325, 330, 338, 339, 347, 530, 33432, 34665]
                )
                tags.append((extra, LONG, 1, struct.pack("<I", odd)))
    return tiff(sorted(tags), content, next_directory=chance.choice([0, 0, 0, 8, len(content) + 8, 2**32 - 1]))


def _strip_of(pixels: NDArray[np.uint8], packing: str) -> bytes:
    """All pixels as one strip."""
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "TIFF", compression=packing, strip_size=1 << 24)
    content = target.getvalue()
    with Image.open(io.BytesIO(content)) as image:
        start, length = image.tag_v2[273][0], image.tag_v2[279][0]  # type: ignore[attr-defined]
    return content[start : start + length]


def saved(pixels: NDArray[np.uint8], chance: random.Random) -> bytes:
    """The picture in another mode, size or packing, as Pillow saves it."""
    image = Image.fromarray(pixels)
    if chance.random() < 0.4:
        image = image.resize(chance.choice([(149, 150), (151, 150), (1, 1), (150, 15_000), (22_500, 1)]))
    target = io.BytesIO()
    mode = chance.choice(MODES)
    packing = chance.choice(PACKINGS)
    try:
        image = image.convert(mode)
        more = {"save_all": True, "append_images": [image] * 3} if chance.random() < 0.2 else {}
        image.save(target, "TIFF", compression=packing, **more)
    except (OSError, ValueError, KeyError, RuntimeError):  # a packing that knows other modes only
        target = io.BytesIO()
        Image.fromarray(pixels).save(target, "TIFF", compression="tiff_lzw")
    return target.getvalue()


def mutated_tiff(pixels: NDArray[np.uint8], chance: random.Random) -> tuple[str, bytes]:
    """Some harm done to a picture."""
    drawn = chance.random()
    if drawn < 0.4:
        return "tags", mutated_tags(pixels, chance)
    if drawn < 0.6:
        return "another mode, size or packing", saved(pixels, chance)
    if drawn < 0.8:
        target = io.BytesIO()
        Image.fromarray(pixels).save(target, "TIFF", compression=chance.choice(PACKINGS[1:4]))
        return "packed pixels", mutated_bytes(target.getvalue(), chance)
    if drawn < 0.95:
        side = chance.choice([20_000, 60_000, 2**31 - 1])
        return "huge dimensions", tiff(tags_of(side, side, len(pixels.tobytes())), pixels.tobytes())
    many = [(65_000 + number % 500, LONG, 1, bytes(4)) for number in range(chance.choice([300, 5000]))]
    return "many tags", tiff([*tags_of(150, 150, pixels.nbytes), *many], pixels.tobytes())
