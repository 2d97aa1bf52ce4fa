"""Mistakes of a careless port of PyTorch's adapter are found, and their cause is named."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bench.certificate import Conditions
from bench.equivalence.judge import judge, misfit
from bench.equivalence.proof import Proof, gradient_proof
from bench.equivalence.recipes import RECIPES
from bench.equivalence.verdict import Miss
from tests.equivalence import careless, lying

pytestmark = pytest.mark.own_process("named causes")

BATCH, ROWS, STEPS = 16, 59, 9
"""Three full batches and one of eleven rows make an epoch."""
PER_EPOCH = 4
CONDITIONS = Conditions(framework="pytorch")


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    lying.prepare()


def judged(adapter: Any, model: str, recipe: str) -> Miss | None:
    training = RECIPES[recipe].model_copy(update={"batch_size": BATCH})
    proof = Proof(model=model, recipe=recipe, training=training, shape=(14, 14, 1), rows=ROWS, steps=STEPS)
    return judge(adapter, proof, CONDITIONS)


Make = Callable[[], Any]
CAUSES: dict[str, tuple[Make, str, str, str]] = {
    "clipping by norm": (
        lambda: careless.clipped(0.5),
        *("mlp-plain", "adam", "gradients are clipped at a global norm of 0.5"),
    ),
    "clipping by norm beside all else": (
        lambda: careless.clipped(0.25),
        *("cnn", "all options", "gradients are clipped at a global norm of 0.25"),
    ),
    "clipping by value": (
        lambda: careless.clipped_by_value(0.01),
        *("mlp-plain", "nesterov", "gradients are clipped at a value of 0.01"),
    ),
    "label smoothing": (lambda: careless.smoothed(0.01), "mlp-plain", "adam", "label smoothing: 0.01 against 0"),
    "little label smoothing": (
        lambda: careless.smoothed(1e-5),
        *("cnn-norm", "momentum", "label smoothing: 1e-05 against 0"),
    ),
    "training images transposed": (
        careless.transposed_in_training,
        *("mlp-plain", "sgd", "images are transposed: width and height are exchanged, in training alone"),
    ),
    "gelu": (lambda: careless.activated_by(lambda nn: nn.GELU()), "mlp-plain", "sgd", "gelu for relu in dense_1"),
    "tanh": (lambda: careless.activated_by(lambda nn: nn.Tanh()), "mlp-plain", "adam", "tanh for relu in dense_1"),
    "leaky relu": (
        lambda: careless.activated_by(lambda nn: nn.LeakyReLU(1e-4)),
        *("cnn", "sgd", "leaky relu of slope 0.0001 for relu in conv_1, conv_2"),
    ),
    "average pooling": (
        careless.average_pooling,
        *("cnn-norm", "sgd", "average pooling for max pooling in pool_1, pool_2"),
    ),
    "L2 of a size in no list": (
        lambda: lying.Penalty(1e-6),
        *("mlp-plain", "adam", "L2 penalty on all weights that was not asked for: 1e-06 w in the gradient"),
    ),
    "no bias correction from a step on": (
        lambda: careless.uncorrected_from(5),
        *("mlp-plain", "adam", "no bias correction in Adam from step 5 on"),
    ),
    "state in float32": (
        careless.state_in_float32,
        *("mlp-plain", "adamw", "the optimiser's state is kept in float32"),
    ),
    "state that is lost": (
        lambda: careless.state_lost_each_epoch(PER_EPOCH),
        *("mlp-plain", "adam", "the optimiser's state starts again with each epoch"),
    ),
    "old weights in prediction": (
        careless.predicts_by_old_weights,
        *("mlp-plain", "sgd", "prediction after training uses the weights of before it"),
    ),
    "batches reversed": (
        lambda: careless.other_order(careless.reversed_batches),
        *("mlp-plain", "sgd", "batches of an epoch are taken in reversed order"),
    ),
    "first order again": (
        careless.first_order_again,
        *("mlp-plain", "adam", "the order of the first epoch is used again in each one"),
    ),
    "short batch filled up": (
        lambda: careless.other_order(careless.filled_up),
        *("mlp-plain", "sgd", "the last batch of an epoch, which is short, is filled up with its own rows once more"),
    ),
    "an order of its own": (
        lambda: careless.other_order(careless.shuffled),
        *("mlp-plain", "sgd", "rows of a step are not those given"),
    ),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_careless_port_is_found_and_its_cause_named(cause: str) -> None:
    make, model, recipe, words = CAUSES[cause]
    miss = judged(make(), model, recipe)
    assert miss is not None
    (found,) = miss.explanations
    assert found == words or found.startswith(f"{words}: ")


TIMED: dict[str, tuple[Make, str]] = {
    "last row of the short batch dropped": (
        lambda: careless.other_order(careless.without_last_row, timed_alone=True),
        "the last batch of an epoch, which is short, is without its last row",
    ),
    "rows as they are stored": (
        lambda: careless.other_order(careless.in_stored_order, timed_alone=True),
        "rows are not taken in the given order, but as they are stored",
    ),
    "weights multiplied": (
        lambda: careless.multiplied_after_timed_epochs(1.00001),
        "weights are multiplied by 1.00001 after each epoch",
    ),
    "batches of another size": (
        lambda: careless.timed_in_batches_of(10),
        "batches are of 10 rows against 16",
    ),
    "an order of its own": (
        lambda: careless.other_order(careless.shuffled, timed_alone=True),
        "differs by as much as another order of the rows would",
    ),
}


@pytest.mark.parametrize("cause", TIMED)
def test_what_is_wrong_as_it_is_timed_alone_is_found_and_named(cause: str) -> None:
    make, words = TIMED[cause]
    miss = judged(make(), "mlp-plain", "momentum")
    assert miss is not None
    assert miss.comparison.quantity.startswith("whole epochs")
    assert miss.explanations == (f"trained by whole epochs: {words}",)


IN_FLOAT32: dict[str, tuple[Make, str, str]] = {
    "divided by 256": (careless.divided_by_256, "cnn", "pixels are divided by 256 against 255"),
    "label smoothing": (lambda: careless.smoothed(0.01), "mlp-plain", "label smoothing: 0.01 against 0"),
    "clipping": (lambda: careless.clipped(0.5), "cnn-norm", "gradients are clipped at a global norm of 0.5"),
    "autocast": (careless.autocast, "mlp-plain", "differs as layers that compute in bfloat16 do"),
}


@pytest.mark.parametrize("cause", IN_FLOAT32)
def test_what_is_found_in_float32_is_named(cause: str) -> None:
    make, model, words = IN_FLOAT32[cause]
    miss = judge(make(), gradient_proof(model, shape=(14, 14, 1)), CONDITIONS, "float32")
    assert miss is not None
    (found,) = miss.explanations
    assert found.startswith(words)


def test_a_pooling_that_keeps_what_is_left_over_is_named_from_the_error_it_leads_to() -> None:
    proof = gradient_proof("cnn", shape=(28, 28, 1))
    with pytest.raises(RuntimeError) as raised:
        judge(careless.pooling_in_ceil_mode(), proof, CONDITIONS, "float32")
    assert misfit(proof, str(raised.value)) == "max pooling keeps what is left over at the end (ceil mode) in pool_2"
    assert misfit(proof, "mat1 and mat2 shapes cannot be multiplied (32x1600 and 100x10)") is None


def test_an_honest_adapter_is_not_accused_in_float32() -> None:
    assert judge(lying.Honest(), gradient_proof("cnn", shape=(14, 14, 1)), CONDITIONS, "float32") is None


def test_the_number_of_rows_that_are_others_is_read_off_the_first_update() -> None:
    def with_two_others(order: Any, size: int) -> list[Any]:
        changed = np.array(order)
        changed[[0, 5]] = order[[size + 1, size + 2]]
        return [changed]

    miss = judged(careless.other_order(with_two_others), "mlp-plain", "adam")
    assert miss is not None
    assert miss.explanations == (
        f"rows of a step are not those given: the first is trained on {BATCH}, of which 2 are not among its {BATCH}",
    )
