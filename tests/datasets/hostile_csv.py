"""Hostile tables: sign language, hmnist, HAM10000's metadata, and the user's own CSV."""

import csv
import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.datasets.colorectal import ColorectalHistology8
from bench.datasets.csv import read_csv
from bench.datasets.dataset import Dataset
from bench.datasets.parts import assemble
from bench.datasets.sign_language import TABLES, SignLanguage
from bench.datasets.skin_cancer import METADATA
from tests.datasets.hostile_bytes import (
    BOMB_MEBIBYTES,
    gzipped,
    hostile_zip,
    mutated_bytes,
    unwrapped,
    zeros,
    zip_bomb,
    zipped,
)
from tests.datasets.hostile_format import Arrays, Files, Format, found
from tests.datasets.small import digits
from tests.datasets.small_pictures import DIAGNOSES, STORED, Skin, hmnist_bytes, metadata_text, noise

ROWS = (30, 24)
ODD_CELLS = (
    *("", " ", "NaN", "nan", "inf", "-inf", "1e400", "1e2", "-1", "256", "300", "999", "1000", "0.5", "007", "0001"),
    *(
        "1_0",
        "+5",
        "0x10",
        "'5'",
        '"5"',
        '"5',
        '""',
        "\u0663",
        "\uff15",
        "\u00b2",
        "a",
        "\x00",
        "5\x00",
        "\x1b[2J",
        "\r",
    ),
    *("9" * 30, "9" * 5000, "1" * 70_000, "A" * 2_000_000, "\ufeff5", "5;6", "5\t", "5,", ",", "#5", "None", "\xa05"),
)


def mutated_table(content: bytes, chance: random.Random) -> tuple[str, bytes]:
    """Cells, lines and ends of lines changed."""
    lines = [line.split(",") for line in content.decode("latin1").rstrip("\n").split("\n")]
    end = "\n"
    row = chance.choice([0, *range(1, len(lines)), *range(1, len(lines))])
    column = chance.choice([0, len(lines[row]) - 1, chance.randrange(len(lines[row]))])
    how = chance.choice(
        ["cell", "cell", "cell", "label", "value", "value", "columns", "lines", "ends", "quotes", "long"]
    )
    if how == "cell":
        lines[row][column] = chance.choice(ODD_CELLS)
    elif how == "label":
        for edge in (0, -1):
            lines[row][edge] = str(chance.choice([-1, 0, 5, 9, 24, 25, 26, 200, 255, 256, 10**20]))
    elif how == "value":
        lines[row][column] = str(chance.randrange(256))
    elif how == "columns":
        where = lines if chance.random() < 0.5 else [lines[row]]
        for line in where:
            chance.choice([line.pop, lambda line=line: line.append("1"), lambda line=line: line.insert(0, "1")])()
    elif how == "lines":
        again = [lines[row]] * chance.choice([1, 1, 2, 50])
        lines[row : row + chance.randrange(2)] = chance.choice([[], again, [[""]] * 3, [[" "]], [[","] * 9]])
    elif how == "ends":
        end = chance.choice(["\r\n", "\r", "\n\n", "\n\r", "\x0b", "\u2028", "\n,"])
    elif how == "quotes":
        lines[row] = [f'"{cell}"' for cell in lines[row]]
    else:
        lines[row] = lines[row] * chance.choice([10, 1000])
    text = end.join(",".join(line) for line in lines) + chance.choice([end, "", end * 5])
    if how in ("ends", "cell") and chance.random() < 0.1:
        return f"{how}, in another encoding", text.encode(chance.choice(["utf-16", "utf-8-sig", "utf-32"]))
    return how, text.encode("utf-8", "replace")


def long_texts(chance: random.Random, header: bytes) -> bytes:
    """Start of a bomb, before its zeros: a header, lines, nothing but ends of lines, or no text."""
    return chance.choice([header, header + b"\n" * 100, header + b"\n", header + b"1,2\n" * 50_000, b""])


class PixelTable(Format):
    """Sign language's two tables. The last stage decodes values."""

    name = "CSV with a header"
    last = frozenset({"read_pixel_rows", "checked", "_check_counts", "check_order"})
    wrap: ClassVar[str] = "plain"

    def tables(self) -> Files:
        """Tables by their unpacked name."""
        made = {}
        for name, rows, seed in zip(TABLES, ROWS, (0, 1), strict=True):
            images, labels = digits(rows, seed)
            header = ["label", *(f"pixel{number}" for number in range(1, 785))]
            stored = np.column_stack([np.minimum(labels, 8), images.reshape(rows, -1)])
            lines = [",".join(header), *(",".join(map(str, row)) for row in stored.tolist())]
            made[name] = "\n".join([*lines, ""]).encode()
        return made

    def wrapped(self, tables: Files) -> Files:
        """Files of the folder."""
        if self.wrap == "zip":
            return {"sign-language-mnist.zip": zipped([*tables.items()])}
        return {f"{name}.gz": gzipped(text) for name, text in tables.items()} if self.wrap == "gz" else tables

    def honest(self) -> Files:
        return self.wrapped(self.tables())

    def payload(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        tables = self.tables()
        name = chance.choice(sorted(tables))
        drawn = chance.random()
        if self.wrap == "zip" and drawn < 0.15:
            return "a trick of the zip", {next(iter(files)): hostile_zip([*tables.items()], chance)}
        if self.wrap != "plain" and drawn < 0.2:
            before = long_texts(chance, tables[name].partition(b"\n")[0])
            if self.wrap == "zip":
                return "a bomb", {next(iter(files)): zip_bomb([*tables.items()], name, before)}
            return "a bomb", {f"{name}.gz": zeros(BOMB_MEBIBYTES, 31, before)}
        if drawn > 0.95:
            how, tables[name] = "bytes of the text", mutated_bytes(tables[name], chance)
        else:
            how, tables[name] = mutated_table(tables[name], chance)
        return how, self.wrapped(tables)

    def read(self, folder: Path) -> Dataset:
        return found(_Signs(), folder)

    def truth(self, folder: Path) -> Arrays | None:
        arrays: Arrays = []
        for name in TABLES:
            values = _as_python_reads(_unpacked(folder, name))
            arrays += [values[:, 1:].reshape(-1, 28, 28, 1), values[:, 0] - (values[:, 0] > 9)]
        return arrays


class _Signs(SignLanguage):
    rows = ROWS


def _unpacked(folder: Path, name: str) -> bytes:
    packed = folder / "sign-language-mnist.zip"
    if packed.exists():
        with zipfile.ZipFile(packed) as archive:
            held = [member for member in archive.infolist() if member.filename.rpartition("/")[2] == name]
            return archive.read(min(held, key=lambda member: (member.filename.count("/"), member.filename)))
    plain = folder / name
    content = plain.read_bytes() if plain.exists() else (folder / f"{name}.gz").read_bytes()
    return unwrapped(content)


def _as_python_reads(text: bytes) -> NDArray[np.int64]:
    """The values below the header line."""
    lines = [line.strip(b"\r") for line in text.split(b"\n")]
    return np.array([[int(cell) for cell in line.split(b",")] for line in [line for line in lines if line][1:]])


class PixelTableGz(PixelTable):
    """The same tables, gzipped."""

    name = "CSV.gz"
    wrap = "gz"


class PixelTableZip(PixelTable):
    """The same tables in a zip."""

    name = "CSV in a zip"
    wrap = "zip"


class Hmnist(Format):
    """Colorectal histology's table of 8x8 pixels in colour. The last stage decodes values."""

    name = "hmnist RGB, gz"
    last = PixelTable.last

    def honest(self) -> Files:
        return {"hmnist_8_8_RGB.csv.gz": gzipped(self._table())}

    def _table(self) -> bytes:
        return hmnist_bytes(noise((80, 8, 8, 3), 5), np.repeat(np.arange(1, 9), 10))

    def payload(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        (name,), table = files, self._table()
        if chance.random() < 0.05:
            return "a bomb", {name: zeros(BOMB_MEBIBYTES, 31, long_texts(chance, table.partition(b"\n")[0]))}
        how, mutated = mutated_table(table, chance)
        return how, {name: gzipped(mutated)}

    def read(self, folder: Path) -> Dataset:
        return found(_Tissue(), folder)


class _Tissue(ColorectalHistology8):
    per_class = 10


class Metadata(Format):
    """HAM10000's metadata beside an 8x8 table. The last stage checks the rows."""

    name = "HAM10000 metadata"
    last = frozenset({"read_metadata", "check_order"})

    def honest(self) -> Files:
        labels = np.array([STORED[diagnosis] for diagnosis in DIAGNOSES])
        return {METADATA: metadata_text().encode(), "hmnist_8_8_L.csv": hmnist_bytes(noise((20, 8, 8, 1), 7), labels)}

    def raw(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        content = gzipped(files[METADATA]) if chance.random() < 0.3 else files[METADATA]
        return "raw bytes", {METADATA: mutated_bytes(content, chance)}

    def payload(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        header, _, rest = files[METADATA].partition(b"\n")
        ways: list[Callable[[], bytes]] = [
            lambda: zeros(BOMB_MEBIBYTES, 31, header + chance.choice([b"\n", b"\n" + b"x\n" * 1_000_000])),
            lambda: header + b",a" * 400_000 + b"\n" + rest,
            lambda: header + b"\n" + b"x\n" * 1_000_000,
            lambda: header + b'\n"' + rest,
            lambda: header + b"\n" + rest.replace(b"ISIC", b'"IS\nIC\x1b"', 1),
            lambda: header.replace(b"image_id", b"lesion_id") + b"\n" + rest,
            lambda: files[METADATA].replace(b"ISIC_0000099", b"ISIC_" + b"9" * 100_000, 1),
            lambda: header + b"\n" + rest.replace(b"HAM_0000001", "HÄM_\u202e".encode()),
            lambda: header + b"\n" + rest.replace(b"nv", chance.choice([b"mel", b"", b"NV", b"akiec"]), 1),
        ]
        if chance.random() < 0.3:
            return "a table made to harm", {METADATA: chance.choice(ways)()}
        how, mutated = mutated_table(files[METADATA], chance)
        return how, {METADATA: chance.choice([gzipped(mutated), mutated])}

    def read(self, folder: Path) -> Dataset:
        return found(Skin(), folder)

    def truth(self, folder: Path) -> Arrays | None:
        text = (
            unwrapped((folder / METADATA).read_bytes()).decode("utf-8-sig").lstrip("\r\n")
        )  # DictReader takes an empty line for a header without columns
        held = [row["lesion_id"] for row in csv.DictReader(io.StringIO(text, newline=""))]
        data = self.read(folder)
        groups = [set(part.groups.tolist()) for part in (data.train, data.test) if part.groups is not None]
        if groups[0] & groups[1] or len(groups[0] | groups[1]) != len(set(held)):
            return []  # differs from any data
        return None


class OwnCsv(Format):
    """A table of the user's own, plain or gzipped. The last stage begins when all values are numbers."""

    name = "CSV of the user's own"
    last = frozenset({"assemble", "_pixels", "_check_alike"})

    def honest(self) -> Files:
        images, labels = noise((60, 8, 8), 3), np.arange(60) % 3
        header = ",".join(["label", *(f"p{number}" for number in range(64))])
        table = np.column_stack([labels, images.reshape(60, -1)])
        lines = [header, *(",".join(map(str, row)) for row in table.tolist())]
        return {"own.csv": "\n".join([*lines, ""]).encode()}

    def raw(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        content = gzipped(files["own.csv"]) if chance.random() < 0.3 else files["own.csv"]
        return "raw bytes", {"own.csv": mutated_bytes(content, chance)}

    def payload(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        text = files["own.csv"]
        if chance.random() < 0.05:
            return "a bomb", {"own.csv": zeros(BOMB_MEBIBYTES, 31, long_texts(chance, text.partition(b"\n")[0]))}
        how, mutated = mutated_table(text, chance)
        return how, {"own.csv": chance.choice([gzipped(mutated), mutated])}

    def read(self, folder: Path) -> Dataset:
        file = folder / "own.csv"
        return assemble("own", "own", file, read_csv(file))
