"""What a learner holds of its images is found wherever it hides it."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.equivalence.holdings import findings, holdings

ROWS, SHAPE, PIXELS = 40, (6, 6, 1), 36


def images(kind: str = "uint8", rows: int = ROWS) -> Any:
    return np.zeros((rows, *SHAPE), kind)


def found(**attributes: object) -> list[str]:
    return findings(SimpleNamespace(**attributes), ROWS, PIXELS, "uint8")


def test_one_copy_as_stored_is_right_however_often_it_is_referred_to() -> None:
    one = images()
    assert found(images=one, flat=one.reshape(ROWS, -1), first=one[:20], labels=np.zeros(ROWS)) == []


def test_weights_and_small_batches_are_no_images() -> None:
    assert found(images=images(), kernel=np.zeros((PIXELS, 10)), batch=images("float32", 4)) == []


@pytest.mark.parametrize(
    "hidden",
    [
        lambda floats: floats,
        lambda floats: [floats],
        lambda floats: {"a": {"b": (floats,)}},
        lambda floats: lambda: floats,
        lambda floats: SimpleNamespace(deep=SimpleNamespace(x=floats)),
        lambda floats: list(floats.reshape(10, 4, PIXELS)),
    ],
    ids=["attribute", "list", "nested", "closure", "object", "batches"],
)
def test_converted_images_are_found_wherever_they_are(hidden: Any) -> None:
    assert found(images=images(), kept=hidden(images("float32"))) == [
        "holds its images converted to float32: conversion is off the clock"
    ]


def test_a_second_copy_is_found() -> None:
    assert found(images=images(), more=images()) == ["holds 2 copies of its images: gathering may be off the clock"]


def test_gathered_batches_are_found_as_a_copy() -> None:
    batches = [images(rows=8) for _ in range(5)]
    assert found(images=images(), batches=batches) == ["holds 2 copies of its images: gathering may be off the clock"]


def test_objects_whose_attributes_raise_are_passed_by() -> None:
    class Awkward:
        @property
        def shape(self) -> object:
            raise RuntimeError("not yet")

    assert [one.rows for one in holdings(SimpleNamespace(a=Awkward(), images=images()), PIXELS)] == [ROWS]
