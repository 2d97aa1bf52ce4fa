"""A data set's inspection as a document, and as plain values for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bench.datasets.dataset import DatasetInfo
from bench.datasets.inspection import Duplicates, GroupCounts, Inspection
from bench.datasets.near_duplicates import CORRELATION, NEAREST
from bench.datasets.verification import verdict
from bench.manifest import Floor
from bench.report.document import Block, Cell, Column, Document, Facts, Heading, Paragraph, Row, Table, plain
from bench.report.flattery import flattery
from bench.report.numbers import DASH, count, percent, ratio

NEAR = (
    f"equal: byte for byte. near: another image that correlates by {CORRELATION} or more once shifted by up to two "
    "pixels along each axis (one where the sides are shorter than 20), whatever its brightness and contrast; "
    f"the {NEAREST} likeliest partners of each image are looked at. A row with an equal partner is not counted as "
    "near. Rows count from 0."
)
FLOORS = (
    "A model that does not beat these has learned nothing of use. Nearest by Euclidean distance over raw pixels; "
    "balanced: the mean of the recalls of all classes in the test part."
)
WHERE = {"train": "within train", "test": "within test", "test in train": "test images that are in train"}
MOST_PAIRS = 5


def document(info: DatasetInfo, found: Inspection) -> Document:
    """The panel: balance, duplicates, groups, floors."""
    blocks: list[Block] = [
        Heading(f"{plain(info.title)}, inspected", 1),
        facts(info),
        Heading("what would flatter a model", 3),
        flattery(info, found),
        class_table(info.class_names, found.train.counts, found.test.counts),
        _balance(found),
        _duplicates(found.duplicates),
        Paragraph(NEAR),
    ]
    if pairs := _pairs(found.duplicates):
        blocks.append(pairs)
    blocks.append(_groups(found.groups))
    blocks += [_floors(found.floors, info.test_rows), Paragraph(FLOORS)]
    return blocks


def values(info: DatasetInfo, found: Inspection) -> dict[str, Any]:
    """The same as JSON values; shares of one, rows counted from 0 in their part."""
    return {
        "dataset": info.name,
        "fingerprint": info.fingerprint,
        "verified": info.verified,
        "verdict": verdict(info).words,
        "generated": info.generated,
        "split": info.split,
        "classes": list(info.class_names),
        "balance": {
            part: {"counts": list(balance.counts), "largest_to_smallest": balance.ratio, "absent": balance.absent}
            for part, balance in (("train", found.train), ("test", found.test))
        },
        "duplicates": [asdict(one) for one in found.duplicates],
        "near_correlation": CORRELATION,
        "groups": asdict(found.groups) if found.groups else None,
        "floors": [one.model_dump() for one in found.floors],
    }


def facts(info: DatasetInfo) -> Facts:
    """Rows, verdict, split and source of the data."""
    shape = "x".join(map(str, info.shape))
    rows = f"{info.train_rows:,} train and {info.test_rows:,} test rows of {shape}"
    return Facts(
        (
            ("data", (rows, verdict(info).words)),
            ("split", (plain(info.split),)),
            ("source", (plain(info.source),)),
        )
    )


def class_table(names: Sequence[str], train: Sequence[int], test: Sequence[int]) -> Table:
    """Rows of each class in each part, and their share of the part."""
    columns = (
        Column(("class",), "left", label=True),
        Column(("train", "rows")),
        Column(("", "%")),
        Column(("test", "rows")),
        Column(("", "%")),
    )
    rows = tuple(
        Row((Cell(plain(name), word=True), *_counted(in_train, sum(train)), *_counted(in_test, sum(test))))
        for name, in_train, in_test in zip(names, train, test, strict=True)
    )
    return Table("classes", columns, rows)


def _counted(part: int, whole: int) -> tuple[Cell, Cell]:
    return Cell(f"{part:,}"), Cell(percent(part / whole) if part else DASH)


def _balance(found: Inspection) -> Facts:
    entries = []
    for part, balance in (("train", found.train), ("test", found.test)):
        words = "1 class" if balance.absent == 1 else f"{balance.absent:,} classes"
        absent = f"; {words} absent" if balance.absent else ""
        entries.append((part, (f"the largest class has {ratio(balance.ratio)} times the smallest{absent}",)))
    return Facts(tuple(entries))


def _duplicates(found: Sequence[Duplicates]) -> Table:
    columns = (
        Column(("duplicates",), "left", label=True),
        Column(("rows", "equal")),
        Column(("of them with", "another label")),
        Column(("rows", "near")),
    )
    rows = tuple(
        Row(
            (
                Cell(WHERE[one.where], word=True),
                Cell(f"{one.exact_rows:,}"),
                Cell(f"{one.exact_relabelled:,}"),
                Cell(f"{one.near_rows:,}", notes=_sampled(one)),
            )
        )
        for one in found
    )
    return Table("duplicates", columns, rows)


def _sampled(one: Duplicates) -> tuple[str, ...]:
    looked, whole = one.compared
    return () if looked == whole else (f"among {looked:,} of {whole:,} distinct images, drawn once and for all",)


def _pairs(found: Sequence[Duplicates]) -> Facts | None:
    """The first equal pairs and the closest near ones of each kind, by row."""
    entries = []
    for one in found:
        left, right = ("test", "train") if one.where == "test in train" else (one.where, one.where)
        equal = tuple(f"{left} row {pair.left:,} and {right} row {pair.right:,}" for pair in one.equal[:MOST_PAIRS])
        near = tuple(
            f"{left} row {pair.left:,} and {right} row {pair.right:,}, r = {pair.correlation:.4f}"
            for pair in one.near[:MOST_PAIRS]
        )
        entries += [(f"{kind}, {one.where}", lines) for kind, lines in (("equal", equal), ("near", near)) if lines]
    return Facts(tuple(entries)) if entries else None


def _groups(groups: GroupCounts | None) -> Facts:
    if groups is None:
        return Facts((("groups", ("none known: nothing says which rows belong together",)),))
    leak = f"{groups.on_both_sides:,} of them in both parts, with {count(groups.test_rows_leaked, 'test row')}"
    return Facts(
        (
            (
                "groups",
                (
                    f"{groups.groups:,}, of which {groups.several:,} have several images "
                    f"({groups.rows_of_several:,} in all)",
                    leak if groups.on_both_sides else "none is in both parts",
                ),
            ),
        )
    )


def _floors(found: Sequence[Floor], test_rows: int) -> Table:
    columns = (
        Column(("floor",), "left", label=True),
        Column(("accuracy", "%")),
        Column(("balanced", "%")),
    )
    rows = tuple(
        Row(
            (
                Cell(one.method, word=True),
                Cell(
                    percent(one.accuracy),
                    notes=()
                    if one.tested_rows == test_rows
                    else (f"on {one.tested_rows:,} of {test_rows:,} test rows, drawn once and for all",),
                ),
                Cell(percent(one.balanced_accuracy)),
            )
        )
        for one in found
    )
    return Table("floors a model must beat", columns, rows)
