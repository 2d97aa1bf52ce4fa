"""Hostile JPEG: segments changed, doubled, left out; other frames, tables and scans."""

import io
import random
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.datasets.hostile_bytes import ODD_NUMBERS, mutated_bytes

FRAMES = (0xC0, 0xC1, 0xC2)
SCAN = 0xDA


def jpeg(pixels: NDArray[np.uint8], chance: random.Random) -> bytes:
    """The picture, saved in one of several ways."""
    target = io.BytesIO()
    image = Image.fromarray(pixels)
    if chance.random() < 0.2:
        image = image.convert(chance.choice(["L", "CMYK", "YCbCr"]))
    image.save(
        target,
        "JPEG",
        quality=chance.choice([1, 75, 100]),
        progressive=chance.random() < 0.4,
        subsampling=chance.choice([0, 1, 2]),
        **({"restart_marker_rows": 1} if chance.random() < 0.3 else {}),
    )
    return target.getvalue()


def segments(content: bytes) -> list[tuple[int, bytes]]:
    """Marker and content of each segment; that of a scan has what follows it up to the next marker."""
    found, place = [], 2
    while place < len(content) - 3:
        marker = content[place + 1]
        length = int.from_bytes(content[place + 2 : place + 4], "big")
        end = place + 2 + length
        while marker == SCAN and end < len(content) - 1:
            if content[end] == 0xFF and content[end + 1] not in (0, *range(0xD0, 0xD8)):
                break
            end += 1
        found.append((marker, content[place + 4 : end]))
        place = end
    return found


def joined(parts: list[tuple[int, bytes]]) -> bytes:
    """A file of these segments, with right lengths but for scans, whose length is that of their head."""
    made = b"\xff\xd8"
    for marker, content in parts:
        head = 1 + 2 * content[0] + 3 if marker == SCAN and content else len(content)
        made += struct.pack(">BBH", 0xFF, marker, min(head + 2, 0xFFFF)) + content
    return made + b"\xff\xd9"


def mutated_jpeg(pixels: NDArray[np.uint8], chance: random.Random) -> tuple[str, bytes]:
    """Some harm done to a picture."""
    parts = segments(jpeg(pixels, chance))
    place = chance.randrange(len(parts))
    frame = next(number for number, (marker, _) in enumerate(parts) if marker in FRAMES)
    match chance.choice(["frame", "frame", "segment", "segment", "order", "scan", "extra", "size", "pixels", "bytes"]):
        case "frame":
            content = bytearray(parts[frame][1])
            at = chance.choice([0, 1, 3, 5, *range(6, len(content))])
            odd = chance.choice(ODD_NUMBERS) & 0xFFFF
            content[at : at + 2] = (
                struct.pack(">H", odd) if at in (1, 3) else bytes([odd & 0xFF]) + content[at + 1 : at + 2]
            )
            kind = chance.choice([parts[frame][0]] * 6 + [0xC0, 0xC2, 0xC3, 0xC9, 0xCA])
            parts[frame] = kind, bytes(content)
            return "the frame", joined(parts)
        case "segment":
            parts[place] = parts[place][0], mutated_bytes(parts[place][1], chance)
            return "a segment", joined(parts)
        case "order":
            marker = parts.pop(place)
            for _ in range(chance.choice([0, 1, 2, 2000])):
                parts.insert(chance.randrange(len(parts) + 1), marker)
            return "order of segments", joined(parts)
        case "scan":
            scan = next(number for number, (marker, _) in enumerate(parts) if marker == SCAN)
            head = 1 + 2 * parts[scan][1][0] + 3
            entropy = mutated_bytes(parts[scan][1][head:], chance).replace(b"\xff", b"\xff\0")
            parts[scan] = SCAN, parts[scan][1][:head] + entropy
            return "a scan", joined(parts)
        case "extra":
            tags: tuple[bytes, ...] = (
                b"Exif\0\0" + mutated_bytes(_exif(), chance),
                b"ICC_PROFILE\0\x01\xff" + bytes(9),
                b"MPF\0" + _exif(),
            )
            tags += (
                b"Photoshop 3.0\0" + mutated_bytes(b"8BIM\x03\xed\0\0\0\0\0\x10" + bytes(16), chance),
                b"Adobe" + bytes(7),
            )
            parts.insert(0, (chance.choice([0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE]), chance.choice(tags)))
            return "a segment with notes", joined(parts)
        case "size":
            side = chance.choice([1, 44, 46, 61, 1000])
            return "another size", jpeg(np.full((side, 60, 3), 90, np.uint8), chance)
        case "pixels":
            noise = np.frombuffer(chance.randbytes(pixels.size), np.uint8).reshape(pixels.shape)
            return "other pixels", jpeg(noise, chance)
        case _:
            return "bytes of the file", mutated_bytes(joined(parts), chance)


def _exif() -> bytes:
    return b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x0112, 3, 1, 6) + bytes(4)
