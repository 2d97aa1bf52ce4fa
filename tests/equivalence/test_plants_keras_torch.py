"""Mistakes in Keras on PyTorch: each is found, by the proof, the checks of work or a trial, and named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.adapters.base import Adapter
from bench.adapters.keras_torch import KerasTorchAdapter
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

pytestmark = pytest.mark.own_process("plants in keras-torch")

KERAS = KerasTorchAdapter
Make = Callable[[], Adapter]
FIRST = "first update of dense_1/kernel"

COMPUTED: dict[str, tuple[Make, str, str, str, str]] = {
    "the loss takes logits for probabilities": (
        wrong(KERAS, built=lies.from_probabilities),
        *("softmax", "sgd", FIRST, "the loss takes logits for probabilities"),
    ),
    "the loss is summed over the batch": (
        wrong(KERAS, built=lies.summed_loss),
        *("softmax", "sgd", FIRST, "loss summed over the batch, against its mean"),
    ),
    "Adam has Keras' own epsilon": (
        wrong(KERAS, built=lies.optimizer_with(epsilon=1e-7)),
        *("softmax", "adam", FIRST, "epsilon of Adam: 1e-07"),
    ),
    "Adam keeps the largest second moment": (
        wrong(KERAS, built=lies.with_amsgrad),
        *("softmax", "adam", "loss at step", "AMSGrad"),
    ),
    "gradients are clipped at a norm": (
        wrong(KERAS, built=lies.optimizer_with(global_clipnorm=0.5)),
        *("softmax", "sgd", FIRST, "gradients are clipped at a global norm of 0.5"),
    ),
    "gradients are clipped at a value": (
        wrong(KERAS, built=lies.optimizer_with(clipvalue=0.01)),
        *("softmax", "sgd", FIRST, "gradients are clipped at a value of 0.01"),
    ),
    "weights end as their moving average": (
        wrong(KERAS, built=lies.optimizer_with(use_ema=True)),
        *("softmax", "sgd", "final weights of dense_1/kernel", "weights end as their moving average (momentum 0.99)"),
    ),
    "kernels are regularised by 1e-6": (
        wrong(KERAS, built=lies.regularized(1e-6)),
        *("mlp-plain", "sgd", FIRST, "L2 penalty on kernels that was not asked for"),
    ),
    "kernels are held to a norm": (
        wrong(KERAS, built=lies.constrained(1.0)),
        *("mlp-plain", "sgd", FIRST, "held to a norm of 1 for each unit: dense_1/kernel, dense_2/kernel"),
    ),
    "BatchNorm has another momentum": (
        wrong(KERAS, built=lies.norm_with(momentum=0.9)),
        *("cnn-norm", "sgd", "first update of norm_1/moving_mean", "BatchNorm momentum: 0.9 against 0.99"),
    ),
    "a layer is frozen": (
        wrong(KERAS, built=lies.frozen_kernel),
        *("mlp-plain", "sgd", "parameters", "not trained: dense_1/kernel"),
    ),
    "weights are multiplied after the stretches that are timed": (
        wrong(KERAS, built=plants.in_pauses(plants.weights_times(1.00001), timed_alone=True)),
        *("softmax", "sgd", "whole epochs against single batches", ""),
    ),
    "every epoch is a fit with a new optimiser": (
        wrong(KERAS, built=lies.restarted),
        *("softmax", "adam", "loss at step", "the optimiser's state starts again with each epoch"),
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
    "accuracy is computed in every step": (
        wrong(KERAS, built=lies.with_accuracy),
        "computes metrics in each step in addition to the loss: accuracy",
    ),
    "a step is taken in the build": (wrong(KERAS, built=lies.warmed_up), "trains in its build"),
    "something is evaluated on the clock": (
        wrong(KERAS, built=plants.in_pauses(plants.evaluate)),
        "evaluates inside the training clock: 32 rows",
    ),
    "training waits until its loss is asked for": (
        wrong(KERAS, built=plants.trains_when_asked),
        "trains off the clock",
    ),
    "images are converted in the build": (
        wrong(KERAS, asked=plants.other_train(plants.converted_beforehand)),
        "holds its images converted to float32",
    ),
    "batches are gathered in the build": (wrong(KERAS, built=plants.gathered_in_build), "holds 2 copies of its images"),
    "the last batch is dropped": (
        wrong(KERAS, built=plants.with_orders(plants.without_short_batch)),
        "the short last batch is dropped",
    ),
    "answers are kept by the bytes of a row": (
        wrong(KERAS, built=plants.predicting(plants.kept_by_row())),
        "of which its model sees 0",
    ),
}


@pytest.mark.parametrize("mistake", WORK)
def test_a_mistake_in_the_work_is_found_and_named(mistake: str) -> None:
    make, words = WORK[mistake]
    assert_named(found_in_work(make()), words)


DROPOUT: dict[str, tuple[Make, str]] = {
    "one mask for all rows of a batch": (
        wrong(KERAS, built=lies.dropped_by(lies.one_mask_for_all_rows)),
        "drops the same inputs in all rows of a batch",
    ),
    "a seed that is a number": (
        wrong(KERAS, built=lies.dropped_by(lies.mask_of_a_fixed_seed)),
        "drops the same inputs in every step",
    ),
    "the share that is kept for the one that is dropped": (
        wrong(KERAS, built=lies.dropped_by(lies.share_kept_for_share_dropped)),
        "scales what stays by 16: 4 expected",
    ),
    "whole channels are dropped": (wrong(KERAS, built=lies.dropped_by(lies.whole_channels)), "drops whole channels"),
    "the second of two is left out": (wrong(KERAS, built=lies.second_left_out), "scales what stays by 2: 4 expected"),
    "eight masks in turn": (
        wrong(KERAS, built=lies.dropped_by(lies.masks_in_turn(8))),
        "rows what it drops in another",
    ),
    "it ends after thirty calls": (wrong(KERAS, built=lies.dropped_by(lies.for_some_steps(30))), "drops 0.0% of"),
    "one seed for all trials": (wrong(KERAS, built=lies.one_seed), "drops the same inputs whatever the seed"),
}


@pytest.mark.parametrize("mistake", DROPOUT)
def test_a_mistake_in_dropout_is_found_and_named(mistake: str) -> None:
    make, words = DROPOUT[mistake]
    assert_named(found_in_dropout(make()), words)


TRIAL: dict[str, tuple[Make, str]] = {
    "the weights of the first epoch are restored": (
        wrong(KERAS, built=plants.first_weights_restored),
        "its weights are others when its training has returned than after its last batch",
    ),
    "anomaly detection is left on": (wrong(KERAS, built=lies.anomalies_detected), "is debugged"),
    "half of the rows are answered": (
        wrong(KERAS, built=plants.predicting(plants.half_copied)),
        "what is timed is not what is scored",
    ),
    "decisions alone are zeros": (
        wrong(KERAS, built=plants.predicting(plants.zeros_for_decisions)),
        "what is timed is not what is scored",
    ),
    "three of four batches are skipped": (
        wrong(KERAS, built=plants.with_orders(plants.one_of_four_batches)),
        "epoch 1 trained 300 rows, 1,300 were given",
    ),
    "float64 is computed": (
        wrong(KERAS, asked=plants.other_case(precision="float64")),
        "precision is float64 where float32 was asked for",
    ),
}


@pytest.mark.parametrize("mistake", TRIAL)
def test_a_mistake_ends_a_trial_and_is_named(mistake: str, tmp_path: Path) -> None:
    import torch

    make, words = TRIAL[mistake]
    try:
        fault = fault_of_trial(make(), tmp_path)
    finally:
        torch.autograd.set_detect_anomaly(False)
    assert fault is not None
    assert words in fault


@pytest.mark.parametrize(("model", "recipe"), [("softmax", "sgd"), ("mlp-plain", "adam"), ("cnn-norm", "sgd")])
def test_an_honest_adapter_is_not_accused_by_the_proof(model: str, recipe: str) -> None:
    assert missed(wrong(KERAS)(), proof(model, recipe)) is None


def test_an_honest_adapter_is_accused_of_nothing_else(tmp_path: Path) -> None:
    honest = wrong(KERAS)()
    assert found_in_work(honest) == []
    assert found_in_dropout(honest) == []
    assert fault_of_trial(honest, tmp_path) is None
