"""Which floors a figure is below, and when classes are unequal."""

from dataclasses import replace

import pytest

from bench.datasets.inspection import class_ratio
from bench.manifest import Floor, Floors
from bench.record import Scores
from bench.stats.floors import are_unequal, difference_interval, effective_rows, shortfalls
from bench.stats.summary import CaseSummary, summarise
from tests.report.builder import case, trial


def floors(majority: float = 0.67, centroid: float = 0.3, neighbour: float = 0.7) -> Floors:
    """Floors whose balanced accuracies are half of the accuracies."""
    held = (("majority", majority), ("nearest centroid", centroid), ("1-NN", neighbour))
    return Floors.model_validate(
        {
            "dataset": "lesions",
            "fingerprint": "0" * 64,
            "train_rows": 100,
            "class_counts": (67, 33),
            "floors": [
                Floor.model_validate(
                    {"method": method, "accuracy": value, "balanced_accuracy": value / 2, "tested_rows": 1000}
                )
                for method, value in held
            ],
        }
    )


LESIONS = case("lesions", "cnn", "pytorch")


def scored(*accuracies: float, rows: int = 1000, balanced: float | None = None) -> CaseSummary:
    """A case with a seed for each accuracy, on a test part of two classes of equal size."""
    records = []
    for seed, accuracy in enumerate(accuracies):
        half, right = rows // 2, round(accuracy * rows / 2)
        found = Scores(
            rows=rows,
            accuracy=accuracy,
            balanced_accuracy=accuracy if balanced is None else balanced,
            macro_f1=accuracy,
            confusion=((right, half - right), (half - right, right)),
        )
        records.append(trial(LESIONS, seed, scores=found))
    return summarise([LESIONS], records)[LESIONS.id]


# By hand, one seed: the half width of Wilson's interval at 0.7 on 1,000 rows is 0.0284, of a difference 0.0402.
@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [
        (0.715, {}),
        (0.70, {}),
        (0.67, {"majority": "not shown to beat"}),
        (0.695, {"majority": "not shown to beat"}),
        (0.655, {"majority": "not shown to beat", "1-NN": "below"}),
        (0.2, {"majority": "below", "nearest centroid": "below", "1-NN": "below"}),
    ],
)
def test_a_row_is_below_a_floor_only_where_the_test_part_tells_them_apart(
    accuracy: float, expected: dict[str, str]
) -> None:
    assert shortfalls(scored(accuracy), floors(), "accuracy") == expected


def test_more_test_rows_tell_smaller_differences() -> None:
    known = floors()
    assert shortfalls(scored(0.68, rows=1_000), known, "accuracy") == {"majority": "not shown to beat"}
    many = known.model_copy(
        update={"floors": tuple(floor.model_copy(update={"tested_rows": 100_000}) for floor in known.floors)}
    )
    assert shortfalls(scored(0.68, rows=100_000), many, "accuracy") == {"1-NN": "below"}


def test_test_rows_in_groups_tell_less() -> None:
    assert shortfalls(scored(0.65), floors(), "accuracy")["1-NN"] == "below"
    grouped = replace(scored(0.65), independent_test_rows=200)
    assert "1-NN" not in shortfalls(grouped, floors(), "accuracy")


def test_seeds_that_differ_much_are_not_below_what_their_mean_is() -> None:
    assert shortfalls(scored(0.63, 0.63, 0.63), floors(), "accuracy")["1-NN"] == "below"
    assert "1-NN" not in shortfalls(scored(0.56, 0.63, 0.70), floors(), "accuracy")


def test_an_answer_that_never_changes_does_not_beat_the_majority() -> None:
    assert shortfalls(scored(0.67, rows=1_000_000), floors(), "accuracy")["majority"] == "not shown to beat"


def test_balanced_accuracy_is_held_against_balanced_floors() -> None:
    assert shortfalls(scored(0.9, balanced=0.25), floors(), "balanced_accuracy") == {
        "majority": "below",
        "1-NN": "below",
    }


def test_a_case_without_scores_falls_short_of_nothing() -> None:
    assert shortfalls(summarise([LESIONS], [])[LESIONS.id], floors(), "accuracy") == {}


def test_the_interval_of_the_difference_of_two_shares_is_newcombes() -> None:
    # Newcombe 1998, Statistics in Medicine 17:873-890, table II, method 10: 56/70 against 48/80, and 9/10 against 3/10.
    assert difference_interval([56 / 70], 70, 48 / 80, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert difference_interval([9 / 10], 10, 3 / 10, 10) == pytest.approx((0.1705, 0.8090), abs=5e-5)


def test_a_mean_of_recalls_rests_on_few_rows_where_a_class_has_few() -> None:
    confusion = ((900, 0, 0), (0, 100, 0), (0, 0, 0))
    found = Scores(rows=1000, accuracy=1.0, balanced_accuracy=1.0, macro_f1=1.0, confusion=confusion)
    # Two classes are there: 2^2 / (1/900 + 1/100) = 360.
    assert effective_rows(found, "balanced_accuracy") == pytest.approx(360)
    assert effective_rows(found, "balanced_accuracy", independent_rows=500) == pytest.approx(180)
    assert effective_rows(found, "accuracy", independent_rows=500) == 500
    assert effective_rows(found.model_copy(update={"confusion": ()}), "balanced_accuracy") == 1000


@pytest.mark.parametrize(
    ("counts", "ratio", "unequal"),
    [
        ((5421, 6742), 6742 / 5421, False),  # MNIST's smallest and largest class
        ((100, 150), 1.5, False),
        ((100, 151), 1.51, True),
        ((0, 100, 120), 1.2, False),
        ((0, 0), 1.0, False),
    ],
)
def test_classes_are_unequal_where_the_largest_has_more_than_one_and_a_half_times_the_smallest_that_is_there(
    counts: tuple[int, ...], ratio: float, unequal: bool
) -> None:
    assert class_ratio(counts) == pytest.approx(ratio)
    assert are_unequal(counts) == unequal
