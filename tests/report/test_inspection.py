"""The panel of an inspection, in words and as values."""

import dataclasses

from bench.datasets.dataset import DatasetInfo
from bench.datasets.inspection import Balance, Duplicates, EqualPair, GroupCounts, Inspection, NearPair
from bench.manifest import Floor
from bench.report.document import width
from bench.report.flattery import flattery
from bench.report.inspection import document, values
from bench.report.terminal import text

INFO = DatasetInfo(
    name="lesions",
    title="Lesions",
    fingerprint="f" * 64,
    verified=False,
    shape=(28, 28, 3),
    scale=255,
    class_names=("nv", "mel"),
    train_rows=400,
    test_rows=100,
    split="own split by lesion, version 1",
    source="CSV, the user's folder",
)
FOUND = Inspection(
    Balance((390, 10)),
    Balance((100, 0)),
    (
        Duplicates("train", 3, 1, 0, (397, 397), ()),
        Duplicates("test", 0, 0, 0, (100, 100), ()),
        Duplicates("test in train", 2, 0, 1, (300, 397), (NearPair(7, 1234, 0.9987),), (EqualPair(0, 2048),)),
    ),
    GroupCounts(450, 40, 90, 2, 3),
    (
        Floor(method="majority", accuracy=0.975, balanced_accuracy=0.5, tested_rows=100),
        Floor(method="nearest centroid", accuracy=0.6, balanced_accuracy=0.61, tested_rows=100),
        Floor(method="1-NN", accuracy=0.9, balanced_accuracy=0.7, tested_rows=50),
    ),
)


def test_the_panel_says_all_that_was_found_within_eighty_columns() -> None:
    lines = text(document(INFO, FOUND)).splitlines()
    assert max(map(width, lines)) <= 80
    shown = "\n".join(lines)
    for expected in (
        "nv       390  97.50   100  100.00",
        "train  the largest class has 39.0 times the smallest",
        "test   the largest class has 1.00 times the smallest; 1 class absent",
        "¹ among 300 of 397 distinct images, drawn once and for all",
        "equal, test in train  test row 0 and train row 2,048",
        "near, test in train   test row 7 and train row 1,234, r = 0.9987",
        "groups  450, of which 40 have several images (90 in all)",
        "2 of them in both parts, with 3 test rows",
        "¹ on 50 of 100 test rows, drawn once and for all",
    ):
        assert expected in shown
    assert "Rows count from 0." in " ".join(lines)


OWNED = "n\x1b]0;owned\x07v\n\x9b2J"


def test_names_of_a_foreign_file_cannot_control_the_terminal() -> None:
    foreign = dataclasses.replace(INFO, title=f"{OWNED} (the user's own)", class_names=(OWNED, "mel"), source=OWNED)
    shown = text(document(foreign, FOUND))
    assert "n ]0;owned v 2J (the user's own), inspected" in shown
    assert shown.count("n ]0;owned v 2J") == 3  # the title, the source, the class
    assert shown.replace("\n", "").isprintable()


def test_absent_classes_are_counted() -> None:
    none_but_one = dataclasses.replace(FOUND, test=Balance((0, 100, 0)), train=Balance((300, 90, 10)))
    three = dataclasses.replace(INFO, class_names=("nv", "mel", "df"))
    assert "times the smallest; 2 classes absent" in text(document(three, none_but_one))


def test_the_values_are_shares_and_plain_counts() -> None:
    written = values(INFO, FOUND)
    assert written["balance"]["train"] == {"counts": [390, 10], "largest_to_smallest": 39.0, "absent": 0}
    assert written["duplicates"][2]["near"] == ({"left": 7, "right": 1234, "correlation": 0.9987},)
    assert written["groups"]["on_both_sides"] == 2
    assert written["floors"][0]["accuracy"] == 0.975


def test_what_would_flatter_a_model_is_said_first_with_its_size() -> None:
    said = [" ".join(lines) for _, lines in flattery(INFO, FOUND).entries]
    assert [name for name, _ in flattery(INFO, FOUND).entries] == ["classes", "test part", "copies", "groups"]
    assert "97.50 % of the training rows" in said[0]  # 390 of 400
    assert said[1].startswith("1 class has no row in it")
    assert said[2].startswith("of 3 test rows (3.00 %) a copy")  # 2 equal and 1 near of 100
    assert said[3] == "2 groups in both parts"


def test_many_copies_within_the_training_part_make_its_validation_part_doubtful() -> None:
    copied = dataclasses.replace(FOUND.duplicates[0], exact_rows=40, near_rows=36, compared=(380, 380))
    lines = flattery(INFO, dataclasses.replace(FOUND, duplicates=(copied, *FOUND.duplicates[1:]))).entries
    assert lines[2][1][0].startswith("19.00 % of the training rows have a copy")  # 40 and 36 of 400


NO_COPIES = (
    Duplicates("train", 0, 0, 0, (400, 400), ()),
    Duplicates("test", 0, 0, 0, (100, 100), ()),
    Duplicates("test in train", 0, 0, 0, (100, 100), ()),
)
CLEAN = Inspection(Balance((200, 200)), Balance((50, 50)), NO_COPIES, None, FOUND.floors)


def said(info: DatasetInfo, found: Inspection) -> list[tuple[str, str]]:
    return [(name, " ".join(lines)) for name, lines in flattery(info, found).entries]


def test_a_clean_data_set_is_called_so_and_groups_are_not_ruled_out_where_none_are_known() -> None:
    assert said(INFO, CLEAN) == [("nothing found", "no unequal classes, hardly a copy; no groups are known")]
    grouped = dataclasses.replace(CLEAN, groups=GroupCounts(450, 40, 90, 0, 0))
    assert said(INFO, grouped) == [("nothing found", "no unequal classes, hardly a copy; no group in both parts")]


def test_classes_with_few_test_rows_are_named_the_smallest_first() -> None:
    info = dataclasses.replace(INFO, class_names=(*"abcdefg", "h\x1b[2J"))
    found = dataclasses.replace(CLEAN, train=Balance((50,) * 8), test=Balance((9, 8, 10, 7, 6, 5, 9, 4)))
    few = [words for _, words in said(info, found) if "fewer" in words]
    assert few == [
        "7 classes have fewer than 10 rows in it (h [2J 4, f 5, e 6, d 7, b 8 and 2 more): one row moves such a "
        "class's recall by more than 10 %"
    ]


def test_unequal_classes_of_the_test_part_alone_are_said() -> None:
    found = dataclasses.replace(CLEAN, test=Balance((84, 16)))
    assert said(INFO, found) == [
        (
            "test part",
            "unequal classes: the largest has 5.25 times the rows of the smallest; look at the balanced accuracy",
        )
    ]


def test_what_a_split_of_the_harness_may_have_parted_is_said_where_no_groups_are_known() -> None:
    table = dataclasses.replace(INFO, name="colorectal-histology-mnist-8x8", split="own stratified split, version 1")
    line = ("groups", "tiles of one slide may be in both parts: the table names no slides")
    assert said(table, CLEAN) == [line]
    assert line not in said(table, dataclasses.replace(CLEAN, groups=GroupCounts(10, 10, 500, 0, 0)))
    letters = dataclasses.replace(table, name="emnist-letters")
    assert said(letters, CLEAN)[0][1].startswith("one writer's characters may be in both parts")
    assert said(dataclasses.replace(letters, split="official"), CLEAN)[0][0] == "nothing found"
