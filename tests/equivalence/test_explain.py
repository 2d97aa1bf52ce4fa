"""Each departure, planted by hand in a run that is otherwise as asked, is named, and nothing else is."""

from dataclasses import replace

import numpy as np
import pytest

from bench.case import Optimizer
from bench.equivalence.evidence import Observed, observe
from bench.equivalence.explain import departures, explain
from bench.models.model import BatchNorm
from tests.equivalence.planted_departures import (
    ADADELTA,
    ADAM,
    ADAMW,
    DENSE,
    NESTEROV,
    PLANTS,
    RMSPROP,
    SGD,
    asked,
    in_stored_order,
    scheduled,
    with_flags,
    with_norm,
    with_rates_times,
    without_short_batches,
)


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_departure_is_named_and_nothing_else(name: str) -> None:
    evidence, plant, sentence = PLANTS[name]
    assert explain(evidence, observe(plant(evidence))) == [sentence]


@pytest.mark.slow
def test_no_departure_passes_for_another() -> None:
    evidence = scheduled(NESTEROV)
    for candidate in departures(evidence):
        with np.errstate(all="ignore"):  # some diverge
            seen = observe(candidate.evidence)
        assert explain(evidence, seen) == [candidate.sentence]


@pytest.mark.parametrize("optimizer", [ADAM, ADAMW, SGD, NESTEROV, RMSPROP, ADADELTA], ids=lambda o: str(o.name))
def test_of_a_run_as_asked_there_is_nothing_to_explain(optimizer: Optimizer) -> None:
    evidence = asked(optimizer=optimizer)
    assert explain(evidence, observe(evidence)) == []


@pytest.mark.parametrize("size", [1e-12, 1e-3])
def test_noise_that_no_departure_makes_is_not_explained(size: float) -> None:
    evidence = asked()
    seen = observe(evidence)
    assert seen.logits is not None
    noisy = seen.logits * (1 + size * np.random.default_rng(0).uniform(-1, 1, seen.logits.shape))
    assert explain(evidence, replace(seen, logits=noisy, logits_again=noisy)) == []


def test_two_departures_at_once_are_not_explained_by_one_of_them() -> None:
    evidence = asked()
    both = with_norm(BatchNorm(0.875, 1e-5))(with_rates_times(1.01)(evidence))
    assert explain(evidence, observe(both)) == []


def test_a_departure_is_named_from_the_final_weights_alone() -> None:
    evidence = asked(DENSE, SGD)
    seen = Observed(final=observe(in_stored_order(evidence)).final)
    assert explain(evidence, seen) == ["rows are not taken in the given order, but as they are stored"]


def test_a_departure_in_calls_of_whole_epochs_alone_is_named_as_such() -> None:
    evidence = asked(DENSE, SGD)
    seen = replace(observe(evidence), whole=observe(without_short_batches(evidence)).final)
    sentence = "trained by whole epochs: the last batch of an epoch, which is short, is dropped"
    assert explain(evidence, seen) == [sentence]
    assert explain(evidence, replace(seen, whole=seen.final)) == []


def test_probabilities_of_a_framework_that_gives_nothing_else_are_no_departure() -> None:
    evidence = asked(DENSE, SGD)
    seen = replace(observe(with_flags(softmax_answers=True)(evidence)), probabilities=True)
    assert explain(evidence, seen) == []
    wrong = observe(with_flags(softmax_answers=True)(with_rates_times(1.01)(evidence)))
    assert explain(evidence, replace(wrong, probabilities=True)) == ["learning rate 1.01 times the one asked for"]
    assert explain(evidence, replace(seen, probabilities=False)) == ["the answers are probabilities, against logits"]


def test_biases_that_were_not_loaded_are_named() -> None:
    evidence = asked(DENSE, SGD)
    drawn = {name: value + 0.125 * name.endswith("bias") for name, value in evidence.weights.items()}
    seen = observe(replace(evidence, weights=drawn))
    assert explain(evidence, seen) == ["initial weights are not those given: dense_1/bias, dense_2/bias"]


def test_answers_that_differ_from_call_to_call_are_named() -> None:
    evidence = asked()
    seen = observe(evidence)
    assert seen.logits is not None
    dropped = seen.logits * np.random.default_rng(0).binomial(1, 0.5, seen.logits.shape) * 2
    (sentence,) = explain(evidence, replace(seen, logits=dropped))
    assert "dropout" in sentence


@pytest.mark.parametrize("optimizer", [ADAM, SGD], ids=lambda o: str(o.name))
def test_a_run_in_float32_is_named(optimizer: Optimizer) -> None:
    evidence = asked(optimizer=optimizer)
    assert explain(evidence, observe(evidence, np.float32)) == ["computed in float32: logits, loss, weights"]


def test_a_loss_in_float32_is_named() -> None:
    evidence = asked()
    seen = observe(evidence)
    assert seen.losses is not None
    rounded = seen.losses.astype(np.float32).astype(np.float64)
    assert explain(evidence, replace(seen, losses=rounded)) == ["computed in float32: loss"]


def test_float32_does_not_hide_another_departure() -> None:
    evidence = asked()
    seen = observe(with_rates_times(1.01)(evidence), np.float32)
    assert "computed in float32: logits, loss, weights" not in explain(evidence, seen)


def test_a_part_in_float32_is_told_by_the_size_of_its_rounding() -> None:
    evidence = asked(DENSE, SGD)
    seen = observe(evidence)
    rough = observe(evidence, np.float32)
    assert seen.logits is not None
    assert rough.logits is not None
    middle = (seen.logits + rough.logits) / 2  # no value of which is a float32
    (sentence,) = explain(evidence, replace(seen, logits=middle, logits_again=middle))
    assert sentence.startswith("differs as rounding in float32 does")


def test_the_convolution_of_these_tests_has_the_padding_that_can_be_planted() -> None:
    assert asked().network.layers[0].pads == ((0, 1), (0, 1))


def test_weights_of_another_name_or_shape_are_not_explained() -> None:
    evidence = asked(DENSE, SGD)
    seen = observe(evidence)
    for odd in ({"dense_9/kernel": np.zeros((2, 2))}, {"dense_1/kernel": np.zeros((2, 2))}):
        foreign = {**(seen.final or {}), **odd}
        strange = replace(seen, initial=foreign, first=foreign, final=foreign, whole=foreign)
        assert explain(evidence, strange) == []


def test_no_departure_is_tried_after_the_time_that_was_given() -> None:
    evidence = asked(DENSE, SGD)
    seen = observe(with_rates_times(1.01)(evidence))
    assert explain(evidence, seen, seconds=0.0) == []
