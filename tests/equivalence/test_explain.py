"""Each departure, planted by hand in a run that is otherwise as asked, is named, and nothing else is."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.case import Optimizer
from bench.equivalence.deviations import Clipped
from bench.equivalence.evidence import Evidence, Observed
from bench.equivalence.explain import explain
from bench.equivalence.quantities import observe
from bench.equivalence.search import departures
from bench.models.model import BatchNorm
from tests.equivalence.planted_computations import COMPUTATION_PLANTS
from tests.equivalence.planted_departures import (
    ADADELTA,
    ADAM,
    ADAMW,
    DENSE,
    MOMENTUM,
    NESTEROV,
    PLANTS,
    RMSPROP,
    SGD,
    Plant,
    asked,
    in_stored_order,
    scheduled,
    with_flags,
    with_norm,
    with_rates_times,
    without_short_batches,
)
from tests.equivalence.planted_rows import ROW_PLANTS, SHORT_ONE, SIZES
from tests.equivalence.planted_updates import UPDATE_PLANTS

ALL_PLANTS = PLANTS | ROW_PLANTS | COMPUTATION_PLANTS | UPDATE_PLANTS


@pytest.mark.parametrize("name", ALL_PLANTS)
def test_a_planted_departure_is_named_and_nothing_else(name: str) -> None:
    evidence, plant, sentence = ALL_PLANTS[name]
    assert explain(evidence, observe(plant(evidence))) == [sentence]


@pytest.mark.slow
def test_no_departure_passes_for_another() -> None:
    evidence, harmless = scheduled(NESTEROV), []
    for candidate in departures(evidence):
        with np.errstate(all="ignore"):  # some diverge
            seen = observe(candidate.evidence)
        found = explain(evidence, seen)
        assert found in ([candidate.sentence], [])
        harmless += [] if found else [candidate.sentence]
    assert harmless == [
        "relu6 for relu in dense_1",  # no value is larger than 6
        f"{SHORT_ONE} filled up with its own rows once more",  # of 4 to 8 rows: each counts twice
    ]


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


WHOLE: dict[str, Plant] = {
    **SIZES,
    **{name: ROW_PLANTS[name] for name in ("batches reversed", "last row of the short batch dropped")},
    **{name: ROW_PLANTS[name] for name in ("every second batch skipped", "training ends early")},
    **{name: COMPUTATION_PLANTS[name] for name in ("weights multiplied", "weights hardly multiplied", "elu")},
    **{name: COMPUTATION_PLANTS[name] for name in ("label smoothing 1e-5", "clipped by the global norm")},
    **{name: COMPUTATION_PLANTS[name] for name in ("momentum that is in no list", "state that starts again")},
    "L2": (
        asked(DENSE, SGD),
        with_flags(l2=3.1e-6),
        "L2 penalty on kernels that was not asked for: 3.1e-06 w in the gradient",
    ),
    "no bias correction from a step on": COMPUTATION_PLANTS["no bias correction from a step on"],
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_departure_by_whole_epochs_alone_is_named_from_the_final_weights(name: str) -> None:
    evidence, plant, sentence = WHOLE[name]
    seen = replace(observe(evidence), whole=observe(plant(evidence)).final)
    assert explain(evidence, seen) == [f"trained by whole epochs: {sentence}"]


@pytest.mark.parametrize(("clipped", "words"), [("global norm", "at a global norm of"), ("value", "at a value of")])
def test_clipping_that_starts_in_a_later_step_is_named(clipped: Clipped, words: str) -> None:
    evidence = asked(DENSE, MOMENTUM)
    of_step = gradients_by_step(evidence)
    sizes = [norm_of(one) if clipped == "global norm" else largest_of(one) for one in of_step]
    later = max(sizes[1:])
    assert later > sizes[0]
    threshold = round((later + max(size for size in sizes if size < later)) / 2, 4)
    seen = observe(with_flags(clip=threshold, clipped=clipped)(evidence))
    assert explain(evidence, seen) == [f"gradients are clipped {words} {threshold:g}"]


def gradients_by_step(evidence: Evidence) -> list[dict[str, NDArray[np.float64]]]:
    reference, found = evidence.reference(), []
    for step, rate in enumerate(evidence.rates):
        batch = reference.begin(*evidence.batch(step))
        found.append(batch.gradients)
        reference.update(batch, rate)
    return found


def norm_of(gradients: dict[str, NDArray[np.float64]]) -> float:
    return float(np.linalg.norm(np.concatenate([value.ravel() for value in gradients.values()])))


def largest_of(gradients: dict[str, NDArray[np.float64]]) -> float:
    return max(float(np.abs(value).max()) for value in gradients.values())


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
