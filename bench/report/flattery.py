"""What an inspection found that would flatter a model, in words."""

from collections.abc import Iterator

from bench.datasets.dataset import DatasetInfo
from bench.datasets.inspection import Inspection
from bench.report.document import Facts
from bench.report.numbers import count, percent
from bench.stats.floors import are_unequal

MANY_COPIES = 0.01
"""Share of the training rows with a copy among them, from which a validation part cut from them is doubtful."""
NOTHING = ("nothing found", "no unequal classes, hardly a copy, no group in both parts")


def flattery(info: DatasetInfo, found: Inspection) -> Facts:
    """One line for each thing that matters, with its size; one line that says so where nothing does."""
    entries = [*_classes(info, found), *_copies(info, found)]
    if found.groups and found.groups.on_both_sides:
        entries.append(("groups", f"{count(found.groups.on_both_sides, 'group')} in both parts"))
    return Facts(tuple((name, (line,)) for name, line in entries or [NOTHING]))


def _classes(info: DatasetInfo, found: Inspection) -> Iterator[tuple[str, str]]:
    if are_unequal(found.train.counts):
        most = percent(max(found.train.counts) / info.train_rows)
        yield (
            "classes",
            f"unequal: one answer for all is right on {most} % of the training rows; look at the balanced accuracy",
        )
    if absent := found.test.absent:
        words = "1 class has" if absent == 1 else f"{absent} classes have"
        yield "test part", f"{words} no row in it: how well they are known is not seen"


def _copies(info: DatasetInfo, found: Inspection) -> Iterator[tuple[str, str]]:
    """Of near copies the share among the rows that were compared, which may be a sample."""
    by_place = {one.where: one for one in found.duplicates}
    within, across = by_place["train"], by_place["test in train"]
    share = min(1.0, within.exact_rows / info.train_rows + within.near_rows / within.compared[0])
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
