"""HAM10000's metadata: which picture shows which lesion, and whether a table's rows are in their order."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from bench.datasets.labels import line_of
from bench.datasets.packed import said_of, unpacked
from bench.datasets.source import BrokenFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.datasets.pixel_csv import PixelTable

LARGEST = 1 << 21
"""Bytes of metadata; the published table has 563,277."""
COLUMNS = ("lesion_id", "image_id", "dx")
NAME = re.compile(r"[\w.-]{1,40}", re.ASCII)
"""A lesion's or picture's name."""
ENOUGH_PAIRS = 200
"""Pairs of pictures needed to tell a share of 0.6 from one of 0.5."""
LEAST_SHARE = 0.6
ADVICE = "Take both files from one place: Kaggle, kmader/skin-cancer-mnist-ham10000."


@dataclass(frozen=True, eq=False)
class Lesions:
    """The metadata, row by row."""

    pictures: tuple[str, ...]
    """``ISIC_0027419``, …"""
    labels: NDArray[np.int64]
    """The class of each picture, in ``0..classes-1``."""
    lesions: NDArray[np.int64]
    """The lesion each picture shows, in ``0..lesions-1``, numbered in the order of their names."""


def read_metadata(file: Path, name: str, classes: Sequence[str], rows: int) -> Lesions:
    """The columns ``lesion_id``, ``image_id`` and ``dx`` of ``rows`` rows. Raises BrokenFile."""
    import numpy as np

    table = _columns(file, name, rows + 1)
    if len(table) != rows:
        held = f"{len(table):,}" if len(table) < rows else f"more than {rows:,}"
        raise BrokenFile(file, f"holds {held} rows of data, {rows:,} expected.", ADVICE)
    class_of: dict[str, str] = {}
    for line, lesion, picture, diagnosis in table:
        if diagnosis not in classes:
            expected = ", ".join(classes)
            raise BrokenFile(file, f"holds dx {diagnosis[:20]!r} in line {line:,}; one of {expected} expected.")
        if not lesion or not picture:
            raise BrokenFile(file, f"names no {'picture' if lesion else 'lesion'} in line {line:,}.")
        for kind, id, like in (("lesion", lesion, "HAM_0000118"), ("picture", picture, "ISIC_0027419")):
            if not NAME.fullmatch(id):
                raise BrokenFile(file, f"names a {kind} {id[:20]!r} in line {line:,}; a name like {like} expected.")
        if class_of.setdefault(lesion, diagnosis) != diagnosis:
            raise BrokenFile(file, f"gives lesion {lesion[:20]!r} two classes, the second in line {line:,}.")
    pictures = tuple(picture for *_, picture, _ in table)
    if len(set(pictures)) < len(pictures):
        raise BrokenFile(file, "names a picture twice.")
    labels = np.array([classes.index(diagnosis) for *_, diagnosis in table], dtype=np.int64)
    lesions = np.unique([lesion for _, lesion, *_ in table], return_inverse=True)[1].astype(np.int64)
    return Lesions(pictures, labels, lesions)


def _columns(file: Path, name: str, most: int) -> list[tuple[int, str, str, str]]:
    """For the first ``most`` rows, the line each ends in and the three columns."""
    with unpacked(file, name) as stream:
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise BrokenFile(file, f"holds more than {LARGEST:,} bytes: it is not HAM10000's metadata.")
    try:
        reader = csv.reader(TextIOWrapper(BytesIO(content), "utf-8-sig", newline=""))
        filled = filter(None, reader)
        names = next(filled, [])
        for column in COLUMNS:
            if names.count(column) != 1:
                held = "more than one" if column in names else "no"
                raise BrokenFile(file, f"has {held} column {column}; {', '.join(COLUMNS)} expected.")
        lesion, picture, diagnosis = (names.index(column) for column in COLUMNS)
        last = max(lesion, picture, diagnosis)
        rows = (row + [""] * (last + 1 - len(row)) for row in islice(filled, most))
        return [(reader.line_num, row[lesion], row[picture], row[diagnosis]) for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BrokenFile(file, f"is not a text table: {said_of(error)}.") from error


def check_order(file: Path, metadata: Path, table: PixelTable, lesions: Lesions, classes: Sequence[str]) -> None:
    """Raises BrokenFile if the rows of the table in ``file`` are not the metadata's pictures in the same order.

    The labels must agree in every row. They come in long runs, so rows swapped inside a run would not show:
    therefore pictures of one lesion must also resemble each other more than pictures of two lesions of one class do.
    """
    import numpy as np

    different = np.flatnonzero(table.labels != lesions.labels)
    if len(different):
        row = int(different[0])
        stored = int(table.labels[row])
        shown = f"{stored} ({classes[stored]})" if stored < len(classes) else str(stored)
        raise BrokenFile(
            file,
            f"holds label {shown} in {line_of(table)(row)}, where {metadata.name} says {classes[lesions.labels[row]]}: "
            "their rows are not in one order, so the lesions are not known.",
            ADVICE,
        )
    share, pairs = resemblance(table.pixels, lesions)
    if pairs >= ENOUGH_PAIRS and share < LEAST_SHARE:
        raise BrokenFile(
            file,
            f"is not in the order of {metadata.name}: rows of one lesion are no more alike than others "
            f"(in {share:.0%} of {pairs:,} pairs; about 70% in the published files, 50% by chance).",
            ADVICE,
        )


def resemblance(images: NDArray[np.uint8], lesions: Lesions) -> tuple[float, int]:
    """The share of pairs of one lesion nearer to each other than to another lesion, and the number of pairs.

    Two consecutive pictures of a lesion make a pair; its first is also compared with the second of the pair some places
    before, with pairs sorted by class; both by the mean absolute difference of their pixels. In the published 8x8 grey
    table the share is 0.71; with the rows of each class shuffled it is 0.51.
    """
    import numpy as np

    order = np.lexsort((np.arange(len(images)), lesions.lesions))
    sorted_lesions = lesions.lesions[order]
    follows = np.flatnonzero(sorted_lesions[1:] == sorted_lesions[:-1])
    first, second = order[follows], order[follows + 1]
    by_class = np.argsort(lesions.labels[first], kind="stable")
    first, second = first[by_class], second[by_class]
    if not len(first):
        return 1.0, 0
    strange = np.roll(second, max(1, len(second) // 20))
    flat = images.reshape(len(images), -1)
    nearer = _difference(flat[first], flat[second]) < _difference(flat[first], flat[strange])
    return float(nearer.mean()), len(first)


def _difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float64]:
    import numpy as np

    means: NDArray[np.float64] = np.abs(one.astype(np.int16) - other).mean(axis=1)
    return means
