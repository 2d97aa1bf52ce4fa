"""Warnings from an inspection: what would flatter a model, or blur how good it is."""

from collections.abc import Iterator

from bench.datasets.catalog import DATASETS, definition_of
from bench.datasets.dataset import DatasetInfo
from bench.datasets.inspection import Inspection
from bench.report.document import Facts, plain
from bench.report.numbers import count, percent, ratio
from bench.stats.floors import are_unequal

MANY_COPIES = 0.01
"""Share of the training rows with a copy among them, from which a validation part cut from them is doubtful."""
FEW_ROWS = 10
"""Test rows of a class below which one of them is more than a tenth of its recall."""
MOST_NAMED = 5
NOTHING = "nothing found"


def flattery(info: DatasetInfo, found: Inspection) -> Facts:
    """One line for each finding, with its size; one line that says so if there is none."""
    entries = [*_classes(info, found), *_copies(info, found), *_groups(info, found)]
    groups = "no group in both parts" if found.groups else "no groups are known"
    nothing = (NOTHING, f"no unequal classes, hardly a copy; {groups}")
    return Facts(tuple((name, (line,)) for name, line in entries or [nothing]))


def _classes(info: DatasetInfo, found: Inspection) -> Iterator[tuple[str, str]]:
    if are_unequal(found.train.counts):
        most = percent(max(found.train.counts) / info.train_rows)
        yield (
            "classes",
            f"unequal: one answer for all is right on {most} % of the training rows; look at the balanced accuracy",
        )
    elif are_unequal(found.test.counts):
        yield (
            "test part",
            f"unequal classes: the largest has {ratio(found.test.ratio)} times the rows of the smallest; look at the "
            "balanced accuracy",
        )
    if absent := found.test.absent:
        words = "1 class has" if absent == 1 else f"{absent} classes have"
        yield "test part", f"{words} no row in it: how well they are known is not seen"
    counted = zip(found.test.counts, info.class_names, strict=True)
    if few := sorted((rows, name) for rows, name in counted if 0 < rows < FEW_ROWS):
        yield "test part", _too_few(few)


def _too_few(classes: list[tuple[int, str]]) -> str:
    """The warning on ``classes`` (test rows, name), sorted by rows; names the first few."""
    named = ", ".join(f"{plain(name)} {rows}" for rows, name in classes[:MOST_NAMED])
    more = f" and {len(classes) - MOST_NAMED} more" if len(classes) > MOST_NAMED else ""
    words = "1 class has" if len(classes) == 1 else f"{len(classes)} classes have"
    return (
        f"{words} fewer than {FEW_ROWS} rows in it ({named}{more}): one row moves such a class's recall by more than "
        f"{100 // FEW_ROWS} %"
    )


def _copies(info: DatasetInfo, found: Inspection) -> Iterator[tuple[str, str]]:
    """Near copies are counted among the images compared, which may be a sample."""
    by_place = {one.where: one for one in found.duplicates}
    within, across = by_place["train"], by_place["test in train"]
    share = within.copies / info.train_rows
    if share >= MANY_COPIES:
        yield (
            "copies",
            f"{percent(share)} % of the training rows have a copy or nearly one among them: a validation part cut "
            "from them at random looks easier than the test part",
        )
    if known := across.exact_rows + across.near_rows:
        yield (
            "copies",
            f"of {count(known, 'test row')} ({percent(known / info.test_rows)} %) a copy or nearly one is in train: "
            "they can be learned by heart",
        )


def _groups(info: DatasetInfo, found: Inspection) -> Iterator[tuple[str, str]]:
    if found.groups and found.groups.on_both_sides:
        yield "groups", f"{count(found.groups.on_both_sides, 'group')} in both parts"
    is_own_split = info.name in DATASETS and info.split.startswith("own")
    if found.groups is None and is_own_split and (parted := definition_of(info.name).ungrouped):
        yield "groups", parted
