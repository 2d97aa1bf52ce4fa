"""The images that a learner holds are found wherever it keeps them."""

import sys
import threading
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.runner.holdings import findings, holdings

ROWS, SHAPE, PIXELS = 40, (6, 6, 1), 36
STORED = np.random.default_rng(0).integers(0, 256, (ROWS, *SHAPE), dtype=np.uint8)
CONVERTED = "holds its images converted to float32: conversion is off the clock"

kept: dict[str, Any] = {}
"""A global of the package of the owner."""

PACKAGE = ModuleType("package_of_the_owner")
"""Not that of the tests, whose other modules may hold images drawn from the same seed."""
vars(PACKAGE)["kept"] = kept


class Owner:
    """An adapter of a package of its own."""

    __module__ = PACKAGE.__name__


@pytest.fixture(autouse=True)
def _package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package is there, and keeps nothing from one test to the next."""
    monkeypatch.setitem(sys.modules, PACKAGE.__name__, PACKAGE)
    yield
    kept.clear()


def floats() -> Any:
    return STORED.astype(np.float32) / np.float32(255)


def found(**attributes: object) -> list[str]:
    return findings(SimpleNamespace(**attributes), STORED, owner=Owner())


def test_one_copy_as_stored_is_right_however_often_it_is_referred_to() -> None:
    assert found(images=STORED, flat=STORED.reshape(ROWS, -1), first=STORED[:20], labels=np.zeros(ROWS)) == []


def test_weights_of_the_size_of_images_and_small_batches_of_them_are_no_images() -> None:
    weights = np.random.default_rng(1).normal(size=(3 * ROWS, PIXELS))
    assert found(images=STORED, kernel=weights, state=[weights * 0, weights**2], batch=floats()[:4].copy()) == []


@pytest.mark.parametrize(
    "hidden",
    [
        lambda: floats(),
        lambda: [floats()],
        lambda: {"a": {"b": (floats(),)}},
        lambda: (lambda one: lambda: one)(floats()),
        lambda: SimpleNamespace(deep=SimpleNamespace(x=floats())),
        lambda: list(floats().reshape(10, 4, PIXELS)),
        lambda: list(floats()),
        lambda: floats().reshape(-1),
        lambda: list(floats().reshape(4, -1)),
        lambda: floats()[np.random.default_rng(2).permutation(ROWS)],
        lambda: (floats() - 0.3) / 0.2,
        lambda: floats().reshape(2, ROWS // 2, 6, 6),
    ],
    ids=[
        *("attribute", "list", "nested", "closure", "object", "batches", "rows", "one axis", "batches of one axis"),
        *("gathered", "normalised", "two halves"),
    ],
)
def test_converted_images_are_found_wherever_they_are(hidden: Any) -> None:
    assert found(images=STORED, kept=hidden()) == [CONVERTED]


def test_converted_images_with_their_channels_first_are_found() -> None:
    colour = np.random.default_rng(3).integers(0, 256, (ROWS, 6, 6, 3), dtype=np.uint8)
    learner = SimpleNamespace(images=np.moveaxis(colour, -1, 1).astype(np.float32))
    assert findings(learner, colour) == [CONVERTED]


def test_converted_images_in_a_global_of_the_adapters_package_are_found() -> None:
    kept["images"] = floats()
    assert found(images=STORED) == [CONVERTED]
    assert findings(SimpleNamespace(images=STORED), STORED) == []


def test_converted_images_in_a_class_attribute_are_found() -> None:
    class Learner:
        images = floats()

    assert findings(Learner(), STORED) == [CONVERTED]


def test_converted_images_in_another_thread_are_found() -> None:
    holding, done = threading.Event(), threading.Event()

    def hold() -> None:
        images = floats()
        holding.set()
        done.wait()
        del images

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait()
    try:
        assert found(images=STORED) == [CONVERTED]
    finally:
        done.set()
        thread.join()


def test_a_second_copy_is_found() -> None:
    assert found(images=STORED, more=STORED.copy()) == ["holds 2 copies of its images: gathering may be off the clock"]


def test_gathered_batches_are_found_as_a_copy() -> None:
    rows = np.random.default_rng(2).permutation(ROWS)
    batches = [STORED[batch] for batch in np.split(rows, 5)]
    assert found(images=STORED, batches=batches) == ["holds 2 copies of its images: gathering may be off the clock"]


def test_objects_whose_attributes_raise_are_passed_by() -> None:
    class Awkward:
        @property
        def shape(self) -> object:
            raise RuntimeError("not yet")

    assert [one.rows for one in holdings(SimpleNamespace(a=Awkward(), images=STORED), STORED)] == [ROWS]
