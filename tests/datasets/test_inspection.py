"""An inspection finds what was planted, and nothing else."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.datasets import inspection
from bench.datasets.cache import Shelf, load
from bench.datasets.catalog import load as load_cached
from bench.datasets.catalog import resolve
from bench.datasets.dataset import Dataset, DatasetInfo, Split
from bench.datasets.inspection import Balance, Duplicates, count_groups, find_duplicates, inspect
from bench.manifest import Floor


def part(images: NDArray[np.uint8], labels: list[int], groups: list[int] | None = None) -> Split:
    return Split(images, np.array(labels), 255, 3, None if groups is None else np.array(groups))


def noise(rows: int, seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (rows, 28, 28, 1), dtype=np.uint8)


def by_place(found: tuple[Duplicates, ...]) -> dict[str, tuple[int, int, int]]:
    return {one.where: (one.exact_rows, one.exact_relabelled, one.near_rows) for one in found}


def test_equal_rows_are_counted_within_and_across_the_parts_with_those_of_another_label() -> None:
    train, test = noise(6, 0), noise(4, 1)
    train[4] = train[5] = train[1]
    test[2] = train[1]
    test[3] = train[0]
    found = find_duplicates(part(train, [0, 1, 2, 0, 1, 2]), part(test, [0, 1, 1, 2]))
    assert by_place(found) == {"train": (3, 3, 0), "test": (0, 0, 0), "test in train": (2, 2, 0)}
    pairs = [[(pair.left, pair.right) for pair in one.equal] for one in found]
    assert pairs == [[(1, 4), (1, 5)], [], [(2, 1), (3, 0)]]


def test_of_images_that_are_all_there_twice_every_row_has_a_copy() -> None:
    found = find_duplicates(part(noise(20, 0).repeat(2, axis=0), [0, 0, 1, 1] * 10), part(noise(3, 1), [0] * 3))
    assert by_place(found)["train"] == (40, 0, 0)
    assert found[0].copies == 40


def test_a_row_with_an_equal_and_a_near_copy_is_counted_once() -> None:
    train = noise(6, 2)
    train[1] = train[0]
    train[2] = np.roll(train[0], 1, axis=1)
    found = find_duplicates(part(train, [0] * 6), part(noise(3, 3), [0] * 3))
    assert by_place(found)["train"] == (2, 0, 1)
    assert found[0].copies == 3


def test_of_a_sample_the_near_rows_count_for_all_distinct_images() -> None:
    assert Duplicates("train", 10, 0, 3, (50, 200), ()).copies == 22  # 10 and four times 3


def test_a_shifted_copy_across_the_parts_is_near_and_an_equal_one_is_not_counted_twice() -> None:
    larger = noise(6, 2)
    train = larger[:, :, :].copy()
    test = noise(3, 3)
    test[0] = np.roll(train[4], 1, axis=1)
    test[1] = train[2]
    found = find_duplicates(part(train, [0] * 6), part(test, [1] * 3))
    assert by_place(found)["test in train"] == (1, 1, 1)
    assert [(pair.left, pair.right) for pair in found[2].near] == [(0, 4)]


def test_beyond_the_limit_a_sample_is_compared_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "MOST_COMPARED", 5)
    found = find_duplicates(part(noise(8, 0), [0] * 8), part(noise(4, 1), [0] * 4))
    assert [one.compared for one in found] == [(5, 8), (4, 4), (5, 8)]


def test_groups_on_both_sides_are_counted_with_the_test_rows_they_spoil() -> None:
    train = part(noise(4, 0), [0] * 4, [10, 10, 11, 12])
    counts = count_groups(train, part(noise(3, 1), [0] * 3, [10, 10, 13]))
    assert counts is not None
    assert (counts.groups, counts.several, counts.rows_of_several) == (4, 1, 4)
    assert (counts.on_both_sides, counts.test_rows_leaked) == (1, 2)
    assert count_groups(part(noise(1, 0), [0]), train) is None


def test_groups_come_back_from_the_cache() -> None:
    dataset = Dataset(
        "d", "D", part(noise(2, 0), [0, 1], [7, 8]), part(noise(1, 1), [2], [7]), ("a", "b", "c"), "official"
    )
    shelf = Shelf("d")
    shelf.store(dataset, DatasetInfo.of(dataset, "f" * 64, verified=False, source="test"))
    stored = shelf.find("f" * 64)
    assert stored is not None
    loaded = load(stored.folder)
    assert loaded.train.groups is not None
    assert loaded.train.groups.tolist() == [7, 8]
    assert loaded.train.take(np.array([1])).groups == np.array([8])
    (stored.folder / "test-groups.npy").unlink()
    assert shelf.find("f" * 64) is None


def test_balance_leaves_absent_classes_out_of_the_ratio_and_counts_them() -> None:
    balance = Balance((30, 0, 10))
    assert (balance.ratio, balance.absent) == (3.0, 1)


def test_digits_are_inspected_whole() -> None:
    digits = load_cached(resolve("digits").folder)
    lines: list[str] = []
    floors = (Floor(method="majority", accuracy=0.1, balanced_accuracy=0.1, tested_rows=360),)
    found = inspect(digits, floors, lines.append)
    assert sum(found.train.counts) == 1437
    assert found.floors == floors
    assert found.groups is None
    assert lines == ["looking for duplicates"]


@pytest.mark.data
def test_fifty_equal_and_fifty_shifted_copies_planted_in_mnist_are_counted(data_dir: Path) -> None:
    mnist = load_cached(resolve("mnist", data_dir=data_dir).folder)
    train, test = mnist.train.take(np.arange(5000)), mnist.test.take(np.arange(5000))
    test.images[:50] = train.images[100:150]
    test.images[50:100] = np.roll(train.images[150:200], (1, -2), axis=(1, 2))
    assert by_place(find_duplicates(train, test)) == {
        "train": (0, 0, 0),
        "test": (0, 0, 0),
        "test in train": (50, int((mnist.train.labels[100:150] != mnist.test.labels[:50]).sum()), 50),
    }
