"""What the floors of a data set say of a figure, and whether its classes are of unequal size."""

from collections.abc import Sequence
from typing import Literal

from bench.datasets.inspection import class_ratio
from bench.manifest import FloorMethod, Floors

UNEQUAL = 1.5
"""Classes are called unequal where the largest has more than so many times the training rows of the smallest.

From this ratio on the KEEL repository lists a data set as imbalanced (Alcalá-Fdez et al. 2011, "KEEL data-mining
software tool: data set repository"; Fernández et al. 2008). MNIST, with 1.24, is below it.
"""

ROUNDING = 1e-12
"""A mean over seeds is no exact multiple of one test row."""

QualityMetric = Literal["accuracy", "balanced_accuracy"]


def are_unequal(counts: Sequence[int]) -> bool:
    """Whether accuracy alone says little, because it is mostly that of the large classes: see ``UNEQUAL``."""
    return class_ratio(counts) > UNEQUAL


def unbeaten(value: float, floors: Floors, metric: QualityMetric) -> tuple[FloorMethod, ...]:
    """The floors that ``value``, a share of one, falls short of; what only equals the majority does not beat it.

    Means are compared as they stand, on the same test part: nothing is said here of how sure either is.
    """
    short: list[FloorMethod] = []
    for floor in floors.floors:
        held = getattr(floor, metric)
        if value < held - ROUNDING or (floor.method == "majority" and value <= held + ROUNDING):
            short.append(floor.method)
    return tuple(short)
