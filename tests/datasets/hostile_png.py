"""Hostile PNG: chunks with the right check values, whatever they say; and other formats under its name."""

import io
import random
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.datasets.hostile_bytes import MEBIBYTE, ODD_NUMBERS, mutated_bytes

SIGNATURE = b"\x89PNG\r\n\x1a\n"
Chunks = list[tuple[bytes, bytes]]
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n(planted) (w) file closefile showpage\n%%EOF\n"


def png(chunks: Chunks) -> bytes:
    """A file of these chunks."""
    made = SIGNATURE
    for kind, content in chunks:
        made += struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return made


def chunks_of(pixels: NDArray[np.uint8]) -> Chunks:
    """A grey or RGB picture: head, pixels, end."""
    colour = 2 if pixels.ndim == 3 else 0
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, colour, 0, 0, 0)
    return [(b"IHDR", head), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]


def bomb(side: int) -> bytes:
    """A grey picture of ``side`` times ``side`` black pixels, a thousandth as long."""
    rows = zlib.compressobj(9)
    line, packed = bytes(side + 1), b""
    block = line * max(1, MEBIBYTE // len(line))
    for _ in range(max(1, side * len(line) // len(block))):
        packed += rows.compress(block)
    packed += rows.compress(bytes(max(0, side * len(line) - len(block) * max(1, side * len(line) // len(block)))))
    return png(
        [
            (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)),
            (b"IDAT", packed + rows.flush()),
            (b"IEND", b""),
        ]
    )


def mutated_png(pixels: NDArray[np.uint8], chance: random.Random) -> tuple[str, bytes]:
    """Some harm done to a picture."""
    chunks = chunks_of(pixels)
    match chance.choice(
        ["head", "head", "pixels", "pixels", "noise", "extra", "extra", "order", "huge", "mode", "other"]
    ):
        case "head":
            head = bytearray(chunks[0][1])
            at = chance.choice([0, 4, *range(8, 13)])
            odd = chance.choice([*ODD_NUMBERS, 1, 2, 4, 6, 8, 9, 16])
            head[at : at + (4 if at < 8 else 1)] = struct.pack(">I", odd) if at < 8 else bytes([odd & 0xFF])
            return "the head", png([(b"IHDR", bytes(head)), *chunks[1:]])
        case "pixels":
            rows = mutated_bytes(zlib.decompress(chunks[1][1]), chance)
            packed = zlib.compress(rows, 1)
            cut = chance.randrange(len(packed)) if chance.random() < 0.3 else len(packed)
            return "rows packed again", png([chunks[0], (b"IDAT", packed[:cut]), (b"IDAT", packed[cut:]), chunks[2]])
        case "noise":
            noise = np.frombuffer(chance.randbytes(pixels.size), np.uint8).reshape(pixels.shape)
            return "other pixels", png(chunks_of(noise))
        case "extra":
            packed = zlib.compress(bytes(32 * MEBIBYTE), 9)
            extra = chance.choice(
                [
                    *((b"iCCP", b"x\0\0" + packed), (b"zTXt", b"x\0\0" + packed), (b"iTXt", b"x\0\1\0\0\0" + packed)),
                    *(
                        (b"tEXt", b"x\0" + bytes(2 * MEBIBYTE)),
                        (b"PLTE", chance.randbytes(chance.choice([0, 3, 7, 768, 3000]))),
                    ),
                    *(
                        (b"tRNS", chance.randbytes(chance.choice([0, 1, 2, 6, 300]))),
                        (b"gAMA", b"\0"),
                        (b"pHYs", bytes(9)),
                    ),
                    *(
                        (b"acTL", struct.pack(">II", 2**31, 0)),
                        (b"fcTL", bytes(26)),
                        (b"fdAT", bytes(3)),
                        (b"eXIf", b"II"),
                    ),
                    *((b"sRGB", b""), (b"cHRM", b"1"), (b"\xff\0ab", b"")),
                ]
            )
            return "another chunk", png([chunks[0], extra, *chunks[1:]])
        case "order":
            chance.shuffle(chunks)
            return "order of chunks", png(chunks[: chance.choice([1, 2, 3])] * chance.choice([1, 2]))
        case "huge":
            return "huge dimensions", bomb(chance.choice([3000, 6000]))
        case "mode":
            image = Image.fromarray(pixels).convert(chance.choice(["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]))
            return "another mode", _saved(image.resize((chance.choice([8, 8, 8, 9]), 8)), "PNG")
        case _:
            image = Image.fromarray(pixels).convert("RGB")
            kind = chance.choice(
                ["JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "PCX", "ICO", "SGI", "IM", "EPS", "MPO"]
            )
            return "another format", EPS if kind == "EPS" else mutated_bytes(_saved(image, kind), chance)


def _saved(image: Image.Image, kind: str) -> bytes:
    target = io.BytesIO()
    image.save(target, kind)
    return target.getvalue()
