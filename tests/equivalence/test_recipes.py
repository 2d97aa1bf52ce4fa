"""Recipes that are proved by name: every two parts meet in one, and constants are exact in float32."""

from itertools import combinations, product
from typing import Any

import numpy as np
import pytest

from bench.case import Normalization, Optimizer, Schedule, Training
from bench.certificate import Claim, DataKind
from bench.equivalence.recipes import RECIPES, exact, words

PARTS = (
    "optimizer",
    "momentum",
    "nesterov",
    "weight_decay",
    "schedule",
    "label_smoothing",
    "class_weights",
    "normalize",
)
KIND = DataKind(shape=(8, 8, 1), classes=10)


def parts(training: Training) -> tuple[tuple[str, Any], ...]:
    facts = dict(Claim.of("", "", training, KIND).facts)
    return tuple((name, facts[name]) for name in PARTS)


def every_recipe() -> list[Training]:
    """Every combination of the parts that means something: momentum in two optimisers, Nesterov's with momentum."""
    found = []
    for name, momentum, nesterov, decay, schedule, smoothing, weights, normalize in product(
        ("sgd", "adam", "adamw", "rmsprop", "adadelta"),
        (0.0, 0.5),
        (False, True),
        (0.0, 0.1),
        ("constant", "step", "one-cycle"),
        (0.0, 0.1),
        (None, "balanced"),
        (None, "train", Normalization(mean=0.1, std=0.3)),
    ):
        if (momentum and name not in ("sgd", "rmsprop")) or (nesterov and not (momentum and name == "sgd")):
            continue
        optimizer = Optimizer.model_validate(
            {"name": name, "momentum": momentum, "nesterov": nesterov, "weight_decay": decay}
        )
        found.append(
            Training(
                optimizer=optimizer,
                schedule=Schedule.model_validate({"name": schedule}),
                label_smoothing=smoothing,
                class_weights=weights,  # type: ignore[arg-type]
                normalize=normalize,  # type: ignore[arg-type]
            )
        )
    return found


def test_every_two_parts_that_can_meet_meet_in_a_recipe() -> None:
    wanted = {pair for one in every_recipe() for pair in combinations(parts(one), 2)}
    met = {pair for one in RECIPES.values() for pair in combinations(parts(one), 2)}
    assert len(wanted) == 181
    assert wanted - met == set()


def test_names_are_those_of_different_recipes() -> None:
    assert len({parts(one) for one in RECIPES.values()}) == len(RECIPES)


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        (Training(), "adam"),
        (Training(optimizer=Optimizer(name="sgd", momentum=0.9, nesterov=True)), "sgd, nesterov"),
        (
            Training(
                optimizer=Optimizer(name="adamw", weight_decay=0.01),
                schedule=Schedule(name="one-cycle"),
                label_smoothing=0.1,
                class_weights="balanced",
                normalize="train",
            ),
            "adamw, decay, one-cycle, smoothing, weights, train",
        ),
    ],
)
def test_a_recipe_is_named_by_its_parts(training: Training, expected: str) -> None:
    assert words(training) == expected


def test_the_constants_of_a_suite_are_rounded_to_float32() -> None:
    asked = Training(label_smoothing=0.1, normalize=Normalization(mean=0.1307, std=0.3081), batch_size=96)
    rounded = exact(asked)
    assert rounded.optimizer.learning_rate == float(np.float32(0.001)) != 0.001
    assert rounded.optimizer.beta_2 == float(np.float32(0.999))
    assert rounded.label_smoothing == float(np.float32(0.1))
    assert isinstance(rounded.normalize, Normalization)
    assert rounded.normalize.std == float(np.float32(0.3081))
    assert rounded.batch_size == 96
    assert parts(rounded) == parts(asked)
