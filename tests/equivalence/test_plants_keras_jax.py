"""Mistakes in Keras on JAX: each is found, by the proof, the checks of work or a trial, and named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.adapters.base import Adapter
from bench.adapters.keras_jax import KerasJaxAdapter
from tests.equivalence import lying_keras as lies
from tests.equivalence import plants
from tests.equivalence.lying_keras import wrong
from tests.equivalence.plants import (
    assert_computed,
    assert_named,
    fault_of_trial,
    found_in_dropout,
    found_in_work,
    missed,
    proof,
)

pytestmark = pytest.mark.own_process("plants in keras-jax")

KERAS = KerasJaxAdapter
Make = Callable[[], Adapter]
FIRST = "first update of dense_1/kernel"

COMPUTED: dict[str, tuple[Make, str, str, str, str]] = {
    "the loss is summed over the batch": (
        wrong(KERAS, built=lies.summed_loss),
        *("softmax", "sgd", FIRST, "loss summed over the batch, against its mean"),
    ),
    "pixels are divided by 255 where 256 means 1": (
        wrong(KERAS, asked=plants.scaled_by(255.0)),
        *("softmax", "sgd", "logits before training", "pixels are divided by 255 against 256"),
    ),
    "labels begin at one": (
        wrong(KERAS, asked=plants.other_train(plants.labels_from_one)),
        *("softmax", "sgd", FIRST, "labels off by one: one too high"),
    ),
    "weights are Keras' own": (
        wrong(KERAS, asked=plants.other_plan(plants.own_weights)),
        *("softmax", "sgd", "initial weights of dense_1/kernel", "initial weights are not those given"),
    ),
    "x64 is left off": (
        wrong(KERAS, asked=plants.other_case(precision="float32")),
        *("softmax", "sgd", "logits before training", "computed in float32"),
    ),
    "rows are taken as they are stored": (
        wrong(KERAS, built=plants.with_orders(plants.as_stored)),
        *("softmax", "sgd", FIRST, "rows are not taken in the given order, but as they are stored"),
    ),
    "the last batch is filled up, so that nothing is compiled again": (
        wrong(KERAS, built=plants.with_orders(plants.filled_up)),
        *("softmax", "sgd", "loss at step 4", "is filled up with its own rows once more"),
    ),
    "the weights are constants of the compiled prediction": (
        wrong(KERAS, built=plants.by_old_weights),
        *("softmax", "sgd", "logits after training", "prediction after training uses the weights of before it"),
    ),
}


@pytest.mark.parametrize("mistake", COMPUTED)
def test_a_mistake_in_what_is_computed_is_found(mistake: str) -> None:
    make, *expected = COMPUTED[mistake]
    assert_computed(make(), *expected)


WORK: dict[str, tuple[Make, str]] = {
    "all rows are answered at once": (
        wrong(KERAS, built=plants.all_at_once),
        "answers 256 rows in batches of 128, which its model is given in 1 calls",
    ),
    "a step is taken in the build": (wrong(KERAS, built=lies.warmed_up), "trains in its build"),
    "images are converted in the build": (
        wrong(KERAS, asked=plants.other_train(plants.converted_beforehand)),
        "holds its images converted to float32",
    ),
}


@pytest.mark.parametrize("mistake", WORK)
def test_a_mistake_in_the_work_is_found_and_named(mistake: str) -> None:
    make, words = WORK[mistake]
    assert_named(found_in_work(make()), words)


def test_a_mask_drawn_from_a_number_is_found_and_named() -> None:
    (found,) = found_in_dropout(wrong(KERAS, built=lies.dropped_by(lies.mask_of_a_fixed_seed))())
    assert found == "dropout 0.5 drops the same inputs in every step"


def test_dropout_of_whole_channels_is_found_and_named() -> None:
    (found,) = found_in_dropout(wrong(KERAS, built=lies.dropped_by(lies.whole_channels))())
    assert found.startswith("dropout 0.5 drops whole channels")


@pytest.mark.parametrize("name", ["jax_debug_nans", "jax_disable_jit"])
def test_a_switch_that_is_left_on_ends_a_trial_and_is_named(name: str, tmp_path: Path) -> None:
    import jax

    try:
        fault = fault_of_trial(wrong(KERAS, built=lies.jax_switched(name))(), tmp_path, "softmax")
    finally:
        jax.config.update(name, False)
    assert fault is not None
    assert name in fault


def test_the_weights_of_the_first_epoch_restored_end_a_trial(tmp_path: Path) -> None:
    fault = fault_of_trial(wrong(KERAS, built=plants.first_weights_restored)(), tmp_path)
    assert fault == "its weights are others when its training has returned than after its last batch."


def test_images_converted_in_the_build_end_a_trial(tmp_path: Path) -> None:
    fault = fault_of_trial(wrong(KERAS, asked=plants.other_train(plants.converted_beforehand))(), tmp_path)
    assert fault == "holds its images converted to float32: conversion is off the clock."


def test_an_honest_adapter_is_accused_of_nothing(tmp_path: Path) -> None:
    honest = wrong(KERAS)()
    assert missed(honest, proof("softmax", "sgd")) is None
    assert found_in_work(honest) == []
    assert found_in_dropout(honest) == []
    assert fault_of_trial(honest, tmp_path) is None
