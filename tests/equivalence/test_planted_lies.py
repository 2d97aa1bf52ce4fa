"""Adapters that lie about what they compute: each lie is found, at the quantity where it first shows, and named."""

from typing import Any

import pytest

from bench.case import Execution
from bench.certificate import Conditions
from bench.equivalence.dropout import dropout_findings
from bench.equivalence.judge import judge
from bench.equivalence.proof import Proof
from bench.equivalence.recipes import RECIPES
from bench.equivalence.verdict import Miss
from tests.equivalence import lying

pytestmark = pytest.mark.own_process("planted lies")

BATCH = 16
ROWS = 50
STEPS = 9
"""Three full batches and one of two rows make an epoch: two epoch ends and a short batch on either side."""


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    lying.prepare()


def small_proof(model: str, recipe: str) -> Proof:
    training = RECIPES[recipe].model_copy(update={"batch_size": BATCH})
    return Proof(model=model, recipe=recipe, training=training, shape=(14, 14, 1), rows=ROWS, steps=STEPS)


def judged(adapter: Any, model: str, recipe: str, execution: Execution = "eager") -> Miss | None:
    return judge(adapter, small_proof(model, recipe), Conditions(framework="pytorch", execution=execution))


ASKED = [
    ("mlp-plain", "adam"),
    ("mlp-plain", "sgd"),
    ("mlp-plain", "adamw"),
    ("mlp-plain", "momentum, schedule"),
    ("mlp-plain", "all options"),
    ("cnn", "adam"),
    ("cnn-norm", "sgd"),
    ("cnn-norm", "adam"),
    ("strided-same", "sgd"),
]


@pytest.mark.parametrize(("model", "recipe"), ASKED)
def test_an_honest_adapter_is_not_accused(model: str, recipe: str) -> None:
    assert judged(lying.Honest(), model, recipe) is None


LIES: dict[str, tuple[Any, str, str, str, str]] = {
    "BatchNorm epsilon": (
        lambda: lying.OtherNorm(epsilon=1e-5),
        *("cnn-norm", "sgd", "logits before training", "BatchNorm epsilon: 1e-05 against 0.001"),
    ),
    "BatchNorm momentum": (
        lambda: lying.OtherNorm(momentum=0.9),
        *("cnn-norm", "sgd", "first update of norm_1/moving_mean", "BatchNorm momentum: 0.9 against 0.99"),
    ),
    "BatchNorm variance": (
        lying.UnbiasedVariance,
        *("cnn-norm", "sgd", "first update of norm_1/moving_variance", "unbiased"),
    ),
    "Adam epsilon": (
        lambda: lying.OtherOptimizer(epsilon=2.0**-23 / 10),
        *("mlp-plain", "adam", "first update", "epsilon"),
    ),
    "place of Adam's epsilon": (
        lying.OwnOptimizer,
        *("mlp-plain", "adam", "first update", "after the bias correction"),
    ),
    "learning rate": (
        lambda: lying.OtherRate(1.01),
        *("mlp-plain", "sgd", "first update", "1.01"),
    ),
    "L2": (
        lambda: lying.Penalty(1e-4),
        *("mlp-plain", "sgd", "first update", "L2"),
    ),
    "coupled weight decay": (
        lying.CoupledDecay,
        *("mlp-plain", "adamw", "first update", "coupled"),
    ),
    "bias initialised": (
        lying.BiasInitialised,
        *("mlp-plain", "sgd", "initial weights of dense_1/bias", "initial weights are not those given: dense_1/bias"),
    ),
    "same padding with strides": (
        lying.SymmetricPadding,
        *("strided-same", "sgd", "logits before training", "padding"),
    ),
    "shuffle off": (
        lying.stored_order,
        *("mlp-plain", "sgd", "first update", "order"),
    ),
    "last batch dropped": (
        lying.last_batch_dropped,
        *("mlp-plain", "sgd", "loss at step 4", "batch"),
    ),
    "a sample skipped": (
        lying.sample_skipped,
        *("mlp-plain", "sgd", "first update", "batch"),
    ),
    "softmax twice": (
        lying.SoftmaxTwice,
        *("mlp-plain", "sgd", "logits before training", "softmax"),
    ),
    "label off by one": (
        lying.LabelsOffByOne,
        *("mlp-plain", "sgd", "first update", "label"),
    ),
    "float32": (
        lying.SingleInside,
        *("mlp-plain", "sgd", "logits before training", "float32"),
    ),
    "momentum form": (
        lying.OwnOptimizer,
        *("mlp-plain", "momentum, schedule", "loss at step", "rate"),
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_about_what_is_computed_is_found_and_named(lie: str) -> None:
    make, model, recipe, quantity, words = LIES[lie]
    miss = judged(make(), model, recipe)
    assert miss is not None
    assert miss.comparison.quantity.startswith(quantity), miss.text
    assert any(words in one for one in miss.explanations), miss.explanations


def test_images_flattened_in_another_order_are_found_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.adapters import pytorch_network

    def transposed(values: Any) -> Any:
        return values.T

    monkeypatch.setattr(pytorch_network, "_dense", lambda _: (transposed, transposed))
    miss = judged(lying.Honest(), "cnn", "adam")
    assert miss is not None
    assert miss.comparison.quantity == "logits before training"
    assert any("channel" in one for one in miss.explanations), miss.explanations


def test_a_lie_of_the_compiled_path_alone_is_found_there_and_nowhere_else() -> None:
    adapter = lying.OtherRate(1.01, execution="compiled")
    assert judged(adapter, "softmax", "sgd") is None
    miss = judged(adapter, "softmax", "sgd", "compiled")
    assert miss is not None
    assert any("1.01" in one for one in miss.explanations), miss.explanations


CONDITIONS = Conditions(framework="pytorch")


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_an_honest_dropout_is_not_accused(rate: float) -> None:
    assert dropout_findings(lying.Honest(), CONDITIONS, rate) == []


def test_dropout_that_is_active_in_evaluation_is_found() -> None:
    assert dropout_findings(lying.DropoutInEvaluation(), CONDITIONS, 0.5) == ["dropout 0.5 is active in evaluation"]


def test_dropout_that_does_not_scale_what_stays_is_found() -> None:
    (found,) = dropout_findings(lying.DropoutUnscaled(), CONDITIONS, 0.5)
    assert found == "dropout 0.5, twice, scales what stays by 1: 4 expected"
