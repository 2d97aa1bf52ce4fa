"""The floors: majority, nearest centroid and 1-NN."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from bench.datasets import floors as floors_module
from bench.datasets.catalog import load, resolve
from bench.datasets.dataset import Split
from bench.datasets.floors import floors, nearest_centroid, nearest_neighbour, sample


def split(values: list[list[int]], labels: list[int], classes: int = 3) -> Split:
    """Images of one row of pixels."""
    images = np.array(values, np.uint8)[:, None, :, None]
    return Split(images, np.array(labels, np.int64), 255, classes)


def test_majority_answers_the_most_frequent_training_class_and_its_balanced_accuracy_is_one_in_the_classes() -> None:
    train = split([[0, 0]] * 5, [1, 1, 1, 0, 2])
    test = split([[0, 0]] * 4, [1, 1, 1, 2])
    majority = floors(train, test)[0]
    assert (majority.method, majority.accuracy, majority.balanced_accuracy) == ("majority", 0.75, 0.5)


def test_a_row_between_two_centroids_goes_to_the_nearer_one_and_not_to_its_nearest_neighbour() -> None:
    train = split([[0, 0], [90, 0], [100, 0], [120, 0]], [0, 0, 1, 1])  # centroids 45 and 110, class 2 has none
    test = split([[77, 0], [79, 0], [91, 0]], [0, 1, 1])
    assert nearest_centroid(train, test).tolist() == [0, 1, 1]
    assert nearest_neighbour(train, test, np.arange(3)).tolist() == [0, 0, 0]


def test_the_nearest_neighbour_is_that_of_plain_loops_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = load(resolve("digits").folder)
    monkeypatch.setattr(floors_module, "BLOCK", 64 * 100)
    rows = np.arange(0, 360, 7)
    train = digits.train.images.reshape(-1, 64).astype(int)
    expected = []
    for row in rows:
        squares = ((train - digits.test.images[row].reshape(64).astype(int)) ** 2).sum(axis=1)
        expected.append(digits.train.labels[squares.tolist().index(min(squares))])
    assert nearest_neighbour(digits.train, digits.test, rows).tolist() == expected


def test_the_floors_of_digits_are_those_of_scikit_learns_own_estimators() -> None:
    from sklearn.dummy import DummyClassifier
    from sklearn.metrics import accuracy_score, balanced_accuracy_score
    from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

    digits = load(resolve("digits").folder)
    kept = np.flatnonzero((digits.train.labels != 3) | (np.arange(len(digits.train)) % 4 == 0))  # unequal classes
    train, test = digits.train.take(kept), digits.test.take(np.flatnonzero(digits.test.labels != 8))
    values, asked = (part.images.reshape(len(part), -1) / 16.0 for part in (train, test))
    estimators = [DummyClassifier(strategy="most_frequent"), NearestCentroid(), KNeighborsClassifier(1)]
    for floor, estimator in zip(floors(train, test), estimators, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pixels that never change; an answer that the test part does not hold
            answered = estimator.fit(values, train.labels).predict(asked)
            expected = balanced_accuracy_score(test.labels, answered)
        assert floor.accuracy == pytest.approx(accuracy_score(test.labels, answered), abs=1e-12)
        assert floor.balanced_accuracy == pytest.approx(expected, abs=1e-12)
        assert floor.tested_rows == len(test)


def test_a_sample_is_always_the_same_and_holds_each_row_once() -> None:
    drawn = sample(1000, 100)
    assert len(set(drawn.tolist())) == 100
    assert drawn.tolist() == sample(1000, 100).tolist() == sorted(drawn.tolist())
    assert sample(50, 100).tolist() == list(range(50))


@pytest.mark.data
@pytest.mark.slow
def test_mnist_has_the_floors_that_scikit_learn_finds(data_dir: Path) -> None:
    # NearestCentroid() 0.8203; KNeighborsClassifier(1) 0.9691 on all 10,000 test rows, here on the first 1,000: 0.962
    mnist = load(resolve("mnist", data_dir=data_dir).folder)
    assert (nearest_centroid(mnist.train, mnist.test) == mnist.test.labels).mean() == pytest.approx(0.8203, abs=2e-4)
    rows = np.arange(1000)
    found = nearest_neighbour(mnist.train, mnist.test, rows)
    assert (found == mnist.test.labels[rows]).mean() == pytest.approx(0.962, abs=1e-3)
