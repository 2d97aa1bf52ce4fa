"""Comparison of two traces: its quantities, their order and their limits."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bench.equivalence.compare import Comparison, compare, compare_all, relative
from bench.equivalence.definition import DEFINITION
from bench.equivalence.proof import Proof, proof
from bench.equivalence.trace import Trace
from bench.equivalence.verdict import first_misses

PLAIN = proof("mlp-plain", "adam")
NORM = proof("cnn-norm", "adam")


def trace() -> Trace:
    generator = np.random.default_rng(0)
    weights = {"dense_1/kernel": generator.normal(size=(6, 4)), "dense_1/bias": generator.normal(size=4)}
    logits = generator.normal(size=(5, 4))
    return Trace(
        initial=weights,
        logits=logits,
        repeated=logits.copy(),
        first={name: value + 0.001 for name, value in weights.items()},
        parameters=28,
        losses=np.linspace(2.3, 2.0, 20),
        final={name: value + 0.01 for name, value in weights.items()},
        whole={name: value + 0.01 for name, value in weights.items()},
        after=logits + 1,
    )


def missed(one: Trace, *, asked: Proof = PLAIN, name: str = "own", precision: str = "float64") -> list[Comparison]:
    found = compare(asked, precision, (DEFINITION, trace()), (name, one))  # type: ignore[arg-type]
    return first_misses(found)


def first_step(factor: float = 1.0) -> Trace:
    """Trace of a proof of the first step alone."""
    logits = trace().logits * factor
    nothing = np.zeros(0)
    return replace(trace(), logits=logits, repeated=logits, losses=nothing, after=nothing, final={}, whole={})


def test_equal_traces_hold_in_every_quantity() -> None:
    found = compare(PLAIN, "float64", (DEFINITION, trace()), ("own", trace()))
    assert all(one.holds for one in found)
    assert {one.kind for one in found} == {
        *("initial", "logits", "repeated", "update", "loss", "weights", "whole", "after"),
        None,
    }
    assert sum(one.kind == "loss" for one in found) == 20


def test_the_first_quantity_that_differs_is_named_with_both_values() -> None:
    other = trace()
    other.losses[6:] *= 1 + 1e-9
    (miss,) = missed(other)
    assert miss.quantity == "loss at step 7"
    assert miss.difference == pytest.approx(1e-9, rel=1e-3)
    assert " against " in miss.words


@pytest.mark.parametrize(
    ("change", "quantity"),
    [
        ({"parameters": 29}, "parameters"),
        ({"initial": {"dense_1/kernel": np.zeros((6, 4))}}, "names of weights"),
        ({"logits": np.ones((5, 4)), "repeated": np.ones((5, 4))}, "logits before training"),
        ({"repeated": np.ones((5, 4))}, "logits before training, asked twice"),
        ({"losses": np.linspace(2.3, 2.0, 19)}, "pauses, one a step"),
        ({"whole": {"dense_1/kernel": np.ones((6, 4))}}, "whole epochs against single batches: dense_1/kernel"),
        ({"after": np.full((5, 4), np.nan)}, "logits after training"),
    ],
)
def test_every_quantity_is_compared(change: dict[str, object], quantity: str) -> None:
    (miss,) = missed(replace(trace(), **change))  # type: ignore[arg-type]
    assert miss.quantity == quantity


def test_a_difference_of_rounding_holds() -> None:
    other = trace()
    other.losses *= 1 + 1e-14
    other.logits *= 1 + 1e-14
    assert missed(other) == []


def test_batch_norm_has_wider_limits() -> None:
    other = trace()
    other.losses *= 1 + 1e-10
    assert missed(other)
    assert missed(other, asked=NORM) == []


def test_every_framework_is_held_to_the_same_limits() -> None:
    other = trace()
    other.losses *= 1 + 1e-7
    for name in ("pytorch", "keras-torch", "keras-jax"):
        assert missed(other, name=name)


@pytest.mark.parametrize(("factor", "holds"), [(1 + 5e-6, True), (1 + 2e-5, False)])
def test_in_float32_logits_are_held_to_one_part_in_a_hundred_thousand(factor: float, holds: bool) -> None:
    small = proof("softmax", "sgd", first_step_only=True)
    found = compare(small, "float32", (DEFINITION, first_step()), ("own", first_step(factor)))
    assert [one.quantity for one in found if not one.holds] == ([] if holds else ["logits before training"])


def few_steps(**changes: object) -> list[Comparison]:
    """Misses of a float32 proof over a few steps, with ``changes`` to the trace."""
    asked = proof("mlp-plain", "adam", rounded=True, rows=300, steps=6)
    return missed(replace(trace(), **changes), asked=asked, precision="float32")  # type: ignore[arg-type]


def test_in_float32_weights_are_held_to_how_far_they_have_moved() -> None:
    start = trace().initial
    moved = {name: value + 0.01 for name, value in start.items()}
    assert few_steps(final=moved, whole=moved) == []
    skipped = {name: value + 0.01 * 5 / 6 for name, value in start.items()}  # one step of six
    (miss,) = few_steps(final=skipped, whole=skipped)
    assert (miss.quantity, miss.kind) == ("movement of all weights", "moved")
    assert miss.difference == pytest.approx(1 / 6)


def test_in_float32_one_value_that_moved_the_other_way_is_rounding() -> None:
    """Adam moves a value whose gradient is nearly zero by a whole step, whichever sign rounding gives it."""
    rows = np.zeros((100, 100))
    turned = np.full((100, 100), 0.001)
    turned[0, 0] = -0.001
    plain = {"dense_1/kernel": np.full((100, 100), 0.001)}
    asked = proof("mlp-plain", "adam", rounded=True, rows=300, steps=6)
    one = replace(trace(), initial={"dense_1/kernel": rows}, first=plain, final=plain, whole=plain)
    other = replace(one, first={"dense_1/kernel": turned})
    found = compare(asked, "float32", (DEFINITION, one), ("own", other))
    (update,) = [each for each in found if each.quantity == "first update of all weights"]
    assert update.difference == pytest.approx(2 * math.sqrt(1 / 10_000))


def test_in_float32_training_that_pauses_as_a_trial_does_is_held_to_the_same() -> None:
    whole = {name: value + 0.02 for name, value in trace().initial.items()}
    (miss,) = few_steps(whole=whole)
    assert miss.quantity == "whole epochs against single batches: all weights"


def test_in_float32_statistics_of_batch_norm_are_compared_as_they_are() -> None:
    asked = proof("cnn-norm", "adam", rounded=True, rows=300, steps=6)
    ends = {"norm_1/moving_mean": np.ones(4), "norm_1/gamma": np.full(4, 1.5)}
    one = replace(trace(), initial={name: np.ones(4) for name in ends}, first=ends, final=ends, whole=ends)
    off = {**ends, "norm_1/moving_mean": np.full(4, 1.1)}
    found = first_misses(compare(asked, "float32", (DEFINITION, one), ("own", replace(one, final=off, whole=off))))
    assert [(miss.quantity, miss.kind) for miss in found] == [("movement of norm_1/moving_mean", "statistics")]


def test_probabilities_are_compared_with_the_softmax_of_logits() -> None:
    other = trace()
    powers = np.exp(other.logits)
    other.logits = other.repeated = powers / powers.sum(axis=1, keepdims=True)
    after = np.exp(other.after)
    other.after = after / after.sum(axis=1, keepdims=True)
    other.kind = "probabilities"
    assert missed(other) == []


def test_every_framework_is_compared_with_the_definition_and_with_every_other() -> None:
    found = compare_all(PLAIN, "float64", trace(), {"a": trace(), "b": trace(), "c": trace()})
    pairs = list(dict.fromkeys(one.between for one in found))
    assert pairs == [(DEFINITION, "a"), (DEFINITION, "b"), (DEFINITION, "c"), ("a", "b"), ("a", "c"), ("b", "c")]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([2.0, -4.0], [2.0, -4.0], 0.0),
        ([2.0, -4.0], [2.0, -4.4], 0.1),
        ([0.0], [0.0], 0.0),
        ([0.0], [1.0], math.inf),
        ([1.0], [1.0, 2.0], math.inf),
    ],
)
def test_a_relative_difference_is_the_largest_over_the_largest(
    first: list[float], second: list[float], expected: float
) -> None:
    assert relative(np.array(first), np.array(second)) == pytest.approx(expected)


def test_not_a_number_never_holds() -> None:
    assert math.isnan(relative(np.array([1.0]), np.array([np.nan])))
    other = trace()
    other.losses[3] = np.nan
    assert missed(other)[0].quantity == "loss at step 4"
