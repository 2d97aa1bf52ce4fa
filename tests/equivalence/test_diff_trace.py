"""Two traces of the same arithmetic agree within rounding; what differs is named where it first does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.adapters.layer_facts import Layer
from bench.equivalence.diff_trace import (
    DOUBLE,
    OPTIMIZERS,
    STEPS,
    DiffTrace,
    Quantity,
    compare_traces,
    draw,
    load,
    named_weights,
    save,
)


@pytest.fixture
def honest() -> DiffTrace:
    generator = np.random.default_rng(0)
    outputs = generator.standard_normal((8, 3))
    gradients = {"0/kernel": generator.standard_normal((4, 3)), "0/bias": generator.standard_normal(3)}
    weights = {name: value + 1.0 for name, value in gradients.items()}
    return DiffTrace(outputs, outputs, gradients, generator.random(STEPS) + 1.0, weights, outputs + 1.0)


def by_name(left: DiffTrace, right: DiffTrace) -> dict[str, Quantity]:
    names = {"0/kernel": "fc1 kernel", "0/bias": "fc1 bias"}
    return {found.name: found for found in compare_traces(left, right, DOUBLE, ("a.py", "b.py"), names)}


def test_a_trace_agrees_with_itself(honest: DiffTrace) -> None:
    assert all(found.holds and not found.difference for found in by_name(honest, honest).values())


def test_the_first_step_whose_loss_differs_is_named(honest: DiffTrace) -> None:
    losses = honest.losses * np.where(np.arange(STEPS) >= 6, 1 + 1e-6, 1.0)
    found = by_name(honest, replace(honest, losses=losses))[f"losses of {STEPS} steps"]
    assert not found.holds
    assert found.where == "step 7"
    assert found.difference == pytest.approx(1e-6, rel=1e-3)


def test_the_weight_that_differs_most_is_named(honest: DiffTrace) -> None:
    gradients = {**honest.gradients, "0/bias": honest.gradients["0/bias"] * (1 + 1e-4)}
    found = by_name(honest, replace(honest, gradients=gradients))["gradients of the first step"]
    assert found.where == "fc1 bias"
    assert not found.holds


def test_a_gradient_that_is_only_rounding_is_no_difference(honest: DiffTrace) -> None:
    left = replace(honest, gradients={**honest.gradients, "0/bias": np.full(3, 1e-17)})
    right = replace(honest, gradients={**honest.gradients, "0/bias": np.full(3, -1e-17)})
    assert by_name(left, right)["gradients of the first step"].holds


def test_a_model_that_answers_otherwise_the_second_time_is_named(honest: DiffTrace) -> None:
    found = by_name(honest, replace(honest, repeated=honest.repeated + 0.1))
    assert found["evaluated twice, a.py"].holds
    assert not found["evaluated twice, b.py"].holds


def test_logits_and_probabilities_are_compared_by_their_logarithms(honest: DiffTrace) -> None:
    def softmax(logits: np.ndarray) -> np.ndarray:
        exponentials = np.exp(logits)
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))

    outputs, trained = softmax(honest.outputs), softmax(honest.trained)
    found = by_name(honest, replace(honest, outputs=outputs, repeated=outputs, trained=trained))
    assert all(quantity.holds for quantity in found.values())
    assert "log-probabilities before training" in found


def test_a_nan_is_a_difference(honest: DiffTrace) -> None:
    found = by_name(honest, replace(honest, weights={name: value * np.nan for name, value in honest.weights.items()}))
    assert not found["final weights"].holds


def test_the_same_seed_draws_the_same_inputs_and_another_seed_others() -> None:
    layers = [Layer(kind="Dense", name="fc", weights={"kernel": (4, 3), "bias": (3,)}), Layer(kind="relu", name="")]
    one, again, other = (draw(layers, (2, 2, 1), 3, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.weights["0/kernel"], again.weights["0/kernel"])
    assert not np.array_equal(one.weights["0/kernel"], other.weights["0/kernel"])
    assert one.images.shape == (STEPS * 32, 2, 2, 1)
    assert set(one.labels.tolist()) == {0, 1, 2}
    assert dict(named_weights(layers)) == {"0/kernel": "fc kernel", "0/bias": "fc bias"}


def test_a_trace_survives_its_file(honest: DiffTrace, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("trace") / "trace.npz"
    save(path, honest)
    assert all(not found.difference for found in by_name(honest, load(path)).values())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_constants_of_the_proof_are_exact_in_float32(name: str) -> None:
    constants = [value for value in OPTIMIZERS[name].model_dump().values() if isinstance(value, float)]
    used = [
        value for value in constants if value not in (0.9, 0.999, 1e-7)
    ]  # defaults that this optimiser does not use
    assert used == [float(np.float32(value)) for value in used]
