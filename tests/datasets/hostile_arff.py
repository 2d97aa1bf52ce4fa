"""Hostile ARFF: MNIST as OpenML distributes it, in one file."""

import io
import random
from pathlib import Path

import numpy as np

from bench.datasets.dataset import Dataset
from tests.datasets.hostile_bytes import BOMB_MEBIBYTES, gzipped, mutated_bytes, unwrapped, zeros
from tests.datasets.hostile_csv import mutated_table
from tests.datasets.hostile_format import Arrays, Files, Format, found
from tests.datasets.small_arff import TinyArff, arff_bytes

FILE = "tiny.arff.gz"
ODD_LINES = (
    *("", " ", "%", "% \x1b[2J", "@", "@DATA", "@data now", "@END", "@RELATION", "@relation 'a b' {", "0,0,0"),
    *("@ATTRIBUTE", "@attribute x", "@ATTRIBUTE x STRING", "@ATTRIBUTE x DATE yyyy", "@ATTRIBUTE x RELATIONAL"),
    *(
        "@ATTRIBUTE 'x REAL",
        "@ATTRIBUTE 'x' REAL",
        '@ATTRIBUTE "x\\" y" numeric',
        "@ATTRIBUTE x{0,1}",
        "@ATTRIBUTE x {",
    ),
    *("@ATTRIBUTE x {" + "0," * 100_000 + "}", "@ATTRIBUTE " + "'" * 100_001 + " real", "%" * 2_000_000),
    *("@ATTRIBUTE " + " " * 400_000 + "{", "@ATTRIBUTE \x00\x1b\n REAL", "@ATTRIBUTE é integer"),
)
ODD_CLASSES = (
    *("{0,1,2,3,4,5,6,7,8}", "{}", "{0}", "{9,8,7,6,5,4,3,2,1,0}", "{'0','1','2','3','4','5','6','7','8','9'}"),
    *("{one,two}", "{0,1,2,3,4,5,6,7,8,9,10}", "{0,1", "REAL", "integer", "string", "{\x1b[2J}", '{"0", "1"}', "{٣}"),
)
SPARSE = "{0 5, 3 7, 784 1}"


class OpenmlArff(Format):
    """The file gzipped, and unpacked under the same name. The last stage decodes values."""

    name = "OpenML ARFF"
    last = frozenset({"read_pixel_rows", "checked", "_plain_line"})

    def honest(self) -> Files:
        return {FILE: gzipped(arff_bytes())}

    def raw(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        content = arff_bytes() if chance.random() < 0.5 else files[FILE]
        return "raw bytes", {FILE: mutated_bytes(content, chance)}

    def payload(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        head, mark, data = arff_bytes().partition(b"@DATA\n")
        drawn = chance.random()
        if drawn < 0.05:
            before = chance.choice([head, head + mark, head + mark + data, b"", head + mark + b"% \n" * 100_000])
            return "a bomb", {FILE: zeros(BOMB_MEBIBYTES, 31, before)}
        if drawn < 0.4:
            how, text = mutated_header((head + mark).decode(), chance)
            content = text.encode() + data
        elif drawn < 0.6:
            how, content = mutated_rows(data.decode(), chance)
            content = head + mark + content
        else:
            how, content = mutated_table(data, chance)
            content = head + mark + content
        return how, {FILE: chance.choice([gzipped(content), content])}

    def read(self, folder: Path) -> Dataset:
        return found(TinyArff(), folder)

    def truth(self, folder: Path) -> Arrays | None:
        plain = unwrapped((folder / FILE).read_bytes())
        lines = (line.strip(b" \t\r\n") for line in io.BytesIO(plain))  # one by one: memory is watched here, too
        while next(lines).partition(b" ")[0].lower() != b"@data":
            pass
        rows = [line.decode("latin1").split(",") for line in lines if line and not line.startswith(b"%")]
        values = np.array([[int(cell.strip(" \t")) for cell in row[:-1]] for row in rows])
        labels = np.array([int(row[-1].strip(" \t").strip("'\"")) for row in rows])
        images = values.reshape(-1, 28, 28, 1)
        return [images[:20], labels[:20], images[20:], labels[20:]]


def mutated_header(head: str, chance: random.Random) -> tuple[str, str]:
    """Header lines left out, doubled, added or changed; another declaration of the class."""
    lines = head.rstrip("\n").split("\n")
    place = chance.choice([0, len(lines) - 1, len(lines) - 3, chance.randrange(len(lines))])
    how = chance.choice(["odd line", "odd line", "left out", "doubled", "class", "class", "case", "ends", "words"])
    if how == "odd line":
        lines[place : place + chance.randrange(2)] = [chance.choice(ODD_LINES)]
    elif how == "left out":
        del lines[place]
    elif how == "doubled":
        lines[place:place] = [lines[place]] * chance.choice([1, 1, 50, 100_000])
    elif how == "class":
        lines[-3] = f"@ATTRIBUTE {chance.choice(['class', 'CLASS', 'label', chr(39) + 'class' + chr(39)])} " + (
            chance.choice(ODD_CLASSES)
        )
    elif how == "case":
        lines = [chance.choice([line.lower(), line.upper(), line]) for line in lines]
    elif how == "words":
        lines[place] = chance.choice([" ", "\t", "  \t"]).join(["", *lines[place].split(), ""])
    end = chance.choice(["\r\n", "\r", "\n\n", " \n"]) if how == "ends" else "\n"
    return f"header: {how}", end.join([*lines, ""])


def mutated_rows(data: str, chance: random.Random) -> tuple[str, bytes]:
    """ARFF's syntax around values, and sparse rows."""
    lines = data.rstrip("\n").split("\n")
    place = chance.randrange(len(lines))
    cells = [line.split(",") for line in lines]
    how = chance.choice(["quotes", "blanks", "comments", "sparse", "missing", "weight", "one quote"])
    if how == "quotes":
        quote = chance.choice("'\"")
        lines = [",".join([*row[:-1], f"{quote}{row[-1]}{quote}"]) for row in cells]
    elif how == "blanks":
        lines = [chance.choice([", ", " ,", "\t,\t", "," + " " * 300]).join(row) for row in cells]
    elif how == "comments":
        lines[place:place] = [chance.choice(["%", "% 1,2,3", " % {", "%" * 1000, "%\x00"])] * chance.choice([1, 9, 999])
    elif how == "sparse":
        lines = [SPARSE] * len(lines) if chance.random() < 0.5 else [*lines[:place], SPARSE, *lines[place + 1 :]]
    elif how == "missing":
        lines[place] = ",".join([*cells[place][:-1], "?"]) if chance.random() < 0.5 else "?," + lines[place][2:]
    elif how == "weight":
        lines = [f"{line}, {{1}}" for line in lines]
    else:
        lines[place] = f"{','.join(cells[place][:-1])},'{cells[place][-1]}\""
    return f"rows: {how}", "\n".join([*lines, ""]).encode()
