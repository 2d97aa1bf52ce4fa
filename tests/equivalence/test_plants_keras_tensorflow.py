"""Mistakes in Keras on TensorFlow: each is found, by the proof, the checks of work or a trial, and named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.adapters.base import Adapter
from bench.adapters.keras_tensorflow import KerasTensorFlowAdapter
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

pytestmark = pytest.mark.own_process("plants in keras-tensorflow")

KERAS = KerasTensorFlowAdapter
Make = Callable[[], Adapter]
FIRST = "first update of dense_1/kernel"

COMPUTED: dict[str, tuple[Make, str, str, str, str]] = {
    "the loss takes logits for probabilities": (
        wrong(KERAS, built=lies.from_probabilities),
        *("softmax", "sgd", FIRST, ""),
    ),
    "gradients are clipped at a norm": (
        wrong(KERAS, built=lies.optimizer_with(global_clipnorm=0.5)),
        *("softmax", "sgd", FIRST, "gradients are clipped at a global norm of 0.5"),
    ),
    "labels are smoothed": (
        wrong(KERAS, asked=plants.smoothed(0.01)),
        *("softmax", "sgd", FIRST, "label smoothing: 0.01 against 0"),
    ),
    "kernels are regularised by 1e-6": (
        wrong(KERAS, built=lies.regularized(1e-6)),
        *("mlp-plain", "sgd", FIRST, "L2 penalty on kernels that was not asked for"),
    ),
    "biases decay too": (
        wrong(KERAS, built=lies.decay_on_all),
        *("softmax", "adamw", "first update of dense_1/bias", "weight decay on all weights, against kernels alone"),
    ),
    "it shuffles by itself": (
        wrong(KERAS, built=plants.with_orders(plants.shuffled_again)),
        *("softmax", "sgd", FIRST, "rows of a step are not those given"),
    ),
    "the last batch is dropped": (
        wrong(KERAS, built=plants.with_orders(plants.without_short_batch)),
        *("softmax", "sgd", "loss at step 4", "the last batch of an epoch, which is short, is dropped"),
    ),
    "the first epoch is cached": (
        wrong(KERAS, built=plants.with_orders(plants.first_order_again())),
        *("softmax", "sgd", "loss at step 5", "the order of the first epoch is used again in each one"),
    ),
    "training images are transposed": (
        wrong(KERAS, asked=plants.other_train(plants.transposed)),
        *("softmax", "sgd", FIRST, "images are transposed: width and height are exchanged, in training alone"),
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
    "half of the rows are answered": (
        wrong(KERAS, built=plants.predicting(plants.half_copied)),
        "answers 256 rows in batches of 128, of which its model sees 128",
    ),
}


@pytest.mark.parametrize("mistake", WORK)
def test_a_mistake_in_the_work_is_found_and_named(mistake: str) -> None:
    make, words = WORK[mistake]
    assert_named(found_in_work(make()), words)


def test_one_mask_for_all_rows_of_a_batch_is_found_and_named() -> None:
    (found,) = found_in_dropout(wrong(KERAS, built=lies.dropped_by(lies.one_mask_for_all_rows))())
    assert found == "dropout 0.5 drops the same inputs in all rows of a batch"


def test_dropout_of_whole_channels_is_found_and_named() -> None:
    (found,) = found_in_dropout(wrong(KERAS, built=lies.dropped_by(lies.whole_channels))())
    assert found.startswith("dropout 0.5 drops whole channels")


TRIAL: dict[str, tuple[Make, str]] = {
    "the weights of the first epoch are restored": (
        wrong(KERAS, built=plants.first_weights_restored),
        "its weights are others when its training has returned than after its last batch",
    ),
    "numerics are checked": (wrong(KERAS, built=lies.numerics_checked), "numerics checked"),
    "functions run eagerly": (wrong(KERAS, built=lies.functions_run_eagerly), "tf.functions run eagerly"),
    "accuracy is computed in every step": (
        wrong(KERAS, built=lies.with_accuracy),
        "computes metrics in each step in addition to the loss: accuracy",
    ),
    "training waits until its loss is asked for": (
        wrong(KERAS, built=plants.trains_when_asked),
        "trains off the clock",
    ),
    "it runs eagerly, as it did when it was debugged": (
        wrong(KERAS, asked=plants.other_case(execution="eager")),
        "execution is eager where graph was asked for",
    ),
    "bfloat16 is computed": (
        wrong(KERAS, asked=plants.other_case(precision="bfloat16")),
        "precision is mixed_bfloat16 where float32 was asked for",
    ),
}


@pytest.mark.parametrize("mistake", TRIAL)
def test_a_mistake_ends_a_trial_and_is_named(mistake: str, tmp_path: Path) -> None:
    import tensorflow as tf

    make, words = TRIAL[mistake]
    try:
        fault = fault_of_trial(make(), tmp_path)
    finally:
        tf.config.run_functions_eagerly(False)
        tf.debugging.disable_check_numerics()
    assert fault is not None
    assert words in fault


def test_an_honest_adapter_is_accused_of_nothing(tmp_path: Path) -> None:
    honest = wrong(KERAS)()
    assert missed(honest, proof("softmax", "sgd")) is None
    assert found_in_work(honest) == []
    assert found_in_dropout(honest) == []
    assert fault_of_trial(honest, tmp_path) is None
