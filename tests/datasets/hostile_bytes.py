"""Harm to bytes, and wrappings with the right check values around any content.

Everything is drawn from the given ``random.Random``, so a mutation can be repeated from its number.
"""

import gzip
import io
import random
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence

ODD_NUMBERS = (0, 1, 2, 3, 7, 27, 29, 255, 256, 65_535, 65_536, 2**24, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
MEBIBYTE = 1 << 20
BOMB_MEBIBYTES = 64
"""Unpacked size of a bomb: a hundred times that of any honest file here."""

Members = Sequence[tuple[str, bytes]]


def mutated_bytes(content: bytes, chance: random.Random) -> bytes:
    """Bytes changed or flipped, a stretch zeroed, filled, doubled, moved, added or left out, or the end cut off.

    One in three falls into the first 512 bytes, where headers are, one in three into the last 512.
    """
    held = bytearray(content) or bytearray(1)
    near = chance.choice([range(min(len(held), 512)), range(max(0, len(held) - 512), len(held)), range(len(held))])
    start, length = chance.choice(near), chance.choice([1, 2, 4, 8, 64, 1024])
    match chance.choice(
        ["flip", "change", "change", "number", "zero", "ones", "double", "insert", "move", "drop", "cut"]
    ):
        case "flip":
            held[start] ^= 1 << chance.randrange(8)
        case "change":
            for _ in range(chance.randint(1, 8)):
                held[min(len(held) - 1, start + chance.randrange(64))] = chance.randrange(256)
        case "number":
            order = chance.choice("<>")
            held[start : start + 4] = struct.pack(f"{order}I", chance.choice(ODD_NUMBERS))
        case "zero":
            held[start : start + length] = bytes(len(held[start : start + length]))
        case "ones":
            held[start : start + length] = b"\xff" * len(held[start : start + length])
        case "double":
            held[start:start] = held[start : start + length]
        case "insert":
            held[start:start] = chance.randbytes(length)
        case "move":
            block = held[start : start + length]
            del held[start : start + length]
            place = chance.randrange(len(held) + 1)
            held[place:place] = block
        case "drop":
            del held[start : start + length]
        case _:
            del held[start:]
    return bytes(held)


def unwrapped(content: bytes) -> bytes:
    """Content of a file, gzipped or not."""
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def gzipped(content: bytes) -> bytes:
    """Gzip with right CRC-32 and length."""
    return gzip.compress(content, compresslevel=1, mtime=0)


def zeros(mebibytes: int, wbits: int, before: bytes = b"") -> bytes:
    """``before`` and ``mebibytes`` of zeros, packed 1000-fold: deflate for ``wbits`` -15, gzip for 31."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(MEBIBYTE)) + packer.flush(zlib.Z_FULL_FLUSH)  # refers to nothing before it
    body = head + block * mebibytes + packer.flush()
    if wbits < 0:
        return body
    length, check = len(before) + mebibytes * MEBIBYTE, crc_of_zeros(before, mebibytes)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body + struct.pack("<II", check, length & 0xFFFFFFFF)


def crc_of_zeros(before: bytes, mebibytes: int) -> int:
    """CRC-32 of ``before`` and ``mebibytes`` of zeros."""
    check = zlib.crc32(before)
    for _ in range(mebibytes):
        check = zlib.crc32(bytes(MEBIBYTE), check)
    return check


def zipped(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these members; a name may come twice."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = method
            archive.writestr(entry, content, compresslevel=1)
    return target.getvalue()


def zip_bomb(members: Members, name: str, before: bytes, mebibytes: int = BOMB_MEBIBYTES) -> bytes:
    """The archive with ``name`` unpacking to ``before`` and many zeros; sizes and check value are right."""
    plain = [(held, content) for held, content in members if held != name]
    packed = zeros(mebibytes, -15, before)
    archive = bytearray(zipped([(name, packed), *plain], zipfile.ZIP_STORED))
    length, check = len(before) + mebibytes * MEBIBYTE, crc_of_zeros(before, mebibytes)
    directory = archive.index(b"PK\x01\x02")
    # Method, check value, size packed and unpacked: APPNOTE 4.3.7 and 4.3.12
    struct.pack_into("<H", archive, 8, zipfile.ZIP_DEFLATED)
    struct.pack_into("<III", archive, 14, check, len(packed), length)
    struct.pack_into("<H", archive, directory + 10, zipfile.ZIP_DEFLATED)
    struct.pack_into("<III", archive, directory + 16, check, len(packed), length)
    return bytes(archive)


def hostile_zip(members: Members, chance: random.Random) -> bytes:
    """An archive of whole members with a harmful directory."""
    held = list(members)
    place = chance.randrange(len(held))
    name, content = held[place]
    base = name.rpartition("/")[2]
    other = zipfile.ZIP_STORED if chance.random() < 0.5 else zipfile.ZIP_DEFLATED
    trick = chance.choice(["rename", "rename", "twice", "link", "folder", "entry", "entry", "entry", "method", "none"])
    if trick == "rename":
        harmful = ("../", "../../", "/", "..\\", "C:\\", "./", "a/../../", "//", "\x1b[2J", "\n", "a" * 300 + "/")
        held[place] = chance.choice(harmful) + base, content
        return zipped(held, other)
    if trick == "twice":
        held.insert(chance.randrange(len(held)), (chance.choice(["", "z/", "../"]) + base, content[::-1]))
        return zipped(held, other)
    if trick == "folder":
        held.append((f"{name}/", b""))
        return zipped(held, other)
    if trick == "method":
        return zipped(held, chance.choice([zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
    if trick == "link":
        return _patched(zipped(held, other), place, 38, struct.pack("<I", (stat.S_IFLNK | 0o777) << 16))
    if trick == "entry":
        offset, size = chance.choice(
            [(4, 2), (6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (42, 4)]
        )
        value = chance.choice(ODD_NUMBERS) & ((1 << 8 * size) - 1)
        return _patched(zipped(held, other), place, offset, value.to_bytes(size, "little"))
    return zipped(held, other)


def _patched(archive: bytes, entry: int, offset: int, value: bytes) -> bytes:
    """The archive with ``value`` at ``offset`` of directory entry ``entry`` (APPNOTE 4.3.12)."""
    at = -1
    for _ in range(entry + 1):
        at = archive.index(b"PK\x01\x02", at + 1)
    return archive[: at + offset] + value + archive[at + offset + len(value) :]


def harmed(choices: Sequence[tuple[str, Callable[[], bytes]]], chance: random.Random) -> tuple[str, bytes]:
    """A random choice of harm: its name and its bytes."""
    name, make = chance.choice(choices)
    return name, make()
