"""Which floors a figure does not beat, and when classes are unequal."""

import pytest

from bench.datasets.inspection import class_ratio
from bench.manifest import Floor, Floors
from bench.stats.floors import are_unequal, unbeaten


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
                    {"method": method, "accuracy": value, "balanced_accuracy": value / 2, "tested_rows": 50}
                )
                for method, value in held
            ],
        }
    )


@pytest.mark.parametrize(
    ("accuracy", "expected"),
    [
        (0.71, ()),
        (0.70, ()),
        (0.68, ("1-NN",)),
        (0.67, ("majority", "1-NN")),
        (0.2, ("majority", "nearest centroid", "1-NN")),
    ],
)
def test_a_figure_that_equals_the_majority_does_not_beat_it_and_one_that_equals_1_nn_is_not_below_it(
    accuracy: float, expected: tuple[str, ...]
) -> None:
    assert unbeaten(accuracy, floors(), "accuracy") == expected


def test_balanced_accuracy_is_held_against_balanced_floors() -> None:
    assert unbeaten(0.34, floors(), "balanced_accuracy") == ("1-NN",)


def test_the_mean_of_equal_shares_is_not_below_the_floor_by_its_rounding() -> None:
    share = 0.1 + 0.2  # 0.30000000000000004
    assert unbeaten(0.3, floors(majority=0.1, centroid=share, neighbour=0.2), "accuracy") == ()


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
