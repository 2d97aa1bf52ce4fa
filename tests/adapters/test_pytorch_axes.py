"""PyTorch's axes against its plain path: compiled, 16 and 64 bits, the loader, channels last, the idiomatic track."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.adapters.base import Learner
from bench.adapters.pytorch import PyTorchAdapter
from bench.adapters.pytorch_input import Resident
from bench.adapters.pytorch_learner import PyTorchLearner
from bench.case import Optimizer
from bench.datasets.dataset import Split
from bench.models.model import CLASSES, BatchNorm, Conv, Dense, Flatten, MaxPool, Network, Relu
from bench.models.networks import MLP, MLP_PLAIN
from tests.adapters.contract import distance
from tests.adapters.small import COLOUR, DIGITS, case, fit, images, learner, loss_of

SGD = Optimizer(name="sgd", learning_rate=0.05, momentum=0.9)
NORMED = {"mean": np.array([0.4, 0.5, 0.6]), "std": np.array([0.3, 0.2, 0.25])}
LOADER = {"input": "loader"}
NET = Network(
    "net",
    "a little of everything",
    (Conv(6, 3, bias=False, padding="same", strides=2), BatchNorm(0.9), Relu(), MaxPool(2), Flatten(), Dense(CLASSES)),
)


@pytest.fixture(scope="module")
def adapter() -> PyTorchAdapter:
    adapter = PyTorchAdapter()
    adapter.prepare(case(adapter).model_copy(update={"execution": "compiled", "input": "loader"}))
    return adapter


def trained(adapter: PyTorchAdapter, axes: Mapping[str, object], **options: Any) -> tuple[Learner, list[float | None]]:
    """A small network after two passes over 70 rows in batches of 32, and its losses."""
    data = options.pop("data", images(70, COLOUR))
    built = learner(adapter, options.pop("network", NET), data, axes=axes, **{"optimizer": SGD, **options})
    return built, [loss_of(built, np.random.default_rng(epoch).permutation(len(data))) for epoch in range(2)]


def logits(built: Learner, shape: tuple[int, ...] = COLOUR) -> NDArray[np.float32]:
    values = built.predictor(16)(images(40, shape, seed=3).images).values
    assert values is not None
    return values


def given(built: Learner, order: NDArray[np.int64]) -> Any:
    """The batches of an order, as tensors."""
    found = built.batches(order)
    assert found is not None
    return found


def alike(adapter: PyTorchAdapter, axes: Mapping[str, object], within: float, **options: Any) -> Learner:
    """Train by ``axes`` and plainly; both must give the same losses, weights and answers ``within`` a tolerance."""
    data = options.get("data", images(70, COLOUR))
    exact = {key: value for key, value in axes.items() if key == "precision" and value == "float64"}
    built, losses = trained(adapter, axes, **options)
    plain, expected = trained(adapter, exact, **options)
    assert losses == pytest.approx(expected, rel=within)
    assert distance(built.weights(), plain.weights()) < within
    assert logits(built, data.shape) == pytest.approx(logits(plain, data.shape), abs=10 * within)
    return built


@pytest.mark.slow  # most of a minute of g++
def test_compiled_training_and_prediction_are_the_eager_ones(adapter: PyTorchAdapter) -> None:
    """Full and short batches are compiled apart; 32 answers at a time are one graph more."""
    data, recipe = images(38, COLOUR), {**NORMED, "label_smoothing": 0.1}
    found = []
    for execution in ("compiled", "eager"):
        built, losses = trained(adapter, {"execution": execution}, data=data, recipe=recipe)
        found.append((built, losses, built.predictor(32)(images(32, COLOUR, seed=3).images).values))
    (compiled, losses, answers), (eager, expected, values) = found
    assert losses == pytest.approx(expected, rel=1e-5)
    assert distance(compiled.weights(), eager.weights()) < 1e-5
    assert answers == pytest.approx(values, abs=1e-4)
    settings = compiled.settings()
    assert settings["execution"] == "compiled"
    assert settings["compiled"] == {"compiler": "inductor", "graphs": 3, "graph_breaks": 0}
    assert settings["precision"] == "float32"


def test_what_is_not_compiled_says_so(adapter: PyTorchAdapter) -> None:
    settings = learner(adapter, MLP_PLAIN, images(40)).settings()
    assert (settings["execution"], settings["compiled"]) == ("eager", False)


def test_bfloat16_computes_in_sixteen_bits_and_keeps_its_weights_in_float32(adapter: PyTorchAdapter) -> None:
    built = alike(adapter, {"precision": "bfloat16"}, 3e-2)
    plain, _ = trained(adapter, {})
    settings = built.settings()
    assert (settings["precision"], settings["weights"], settings["autocast"]) == ("bfloat16", "float32", "bfloat16")
    assert distance(built.weights(), plain.weights()) > 1e-5  # it is not float32 under another name
    assert {value.dtype for value in built.weights().values()} == {np.dtype(np.float32)}
    assert logits(built).dtype == np.float32


def test_float16_scales_its_gradients(adapter: PyTorchAdapter) -> None:
    """Refused on the CPU, where it is only slow; what it computes can be seen there all the same."""
    built = alike(adapter, {"precision": "float16"}, 1e-2)
    assert built.settings()["precision"] == "float16"


def test_a_step_whose_gradients_overflow_is_left_out_whole(adapter: PyTorchAdapter) -> None:
    """Neither weights nor decay nor the count of Adam's steps may move."""
    optimizer = Optimizer(name="adamw", learning_rate=0.01, weight_decay=0.5)
    built = learner(adapter, MLP_PLAIN, images(64), optimizer=optimizer, axes={"precision": "float16"})
    assert isinstance(built, PyTorchLearner)
    before = built.weights()
    scaler = built._updates._scaler
    scaler._init_scale = 2.0**120
    fit(built, np.arange(32))
    assert distance(built.weights(), before) == 0
    assert scaler.get_scale() == 2.0**119
    scaler.update(1.0)
    fit(built, np.arange(32))
    # Adam's first step moves by the rate, whatever the gradient
    moved = np.abs(built.weights()["dense_2/bias"] - before["dense_2/bias"])
    assert moved == pytest.approx(np.full(10, 0.01), rel=1e-2)


def test_float64_is_float64_from_the_pixels_to_the_answers(adapter: PyTorchAdapter) -> None:
    built, _ = trained(adapter, {"precision": "float64"}, recipe=NORMED)
    assert {value.dtype for value in built.weights().values()} == {np.dtype(np.float64)}
    assert logits(built).dtype == np.float64
    assert built.settings()["precision"] == "float64"
    plain, _ = trained(adapter, {}, recipe=NORMED)
    assert 1e-8 < np.abs(logits(built) - logits(plain)).max() < 1e-3


def floats() -> Split:
    data = images(70, COLOUR)
    return Split(data.images.astype(np.float32) / np.float32(255), data.labels, 1.0, 10)


DATA = {
    "bytes": images(70, COLOUR),
    "grey": images(70, DIGITS),
    "sixteenths": replace(images(70, DIGITS), images=images(70, DIGITS).images // 16, scale=16.0),
    "floats": floats(),
    "many channels": images(70, (8, 8, 5)),
}


@pytest.mark.parametrize("normed", [False, True], ids=["scaled", "normalised"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", DATA)
def test_the_loader_gives_the_numbers_of_resident_arrays(
    adapter: PyTorchAdapter, name: str, precision: str, normed: bool
) -> None:
    data = DATA[name]
    channels = data.shape[-1]
    recipe = {"mean": np.full(channels, 0.3), "std": np.full(channels, 0.4)} if normed else {}
    within = 1e-5 if precision == "float32" else 1e-12
    built = alike(adapter, {**LOADER, "precision": precision}, within, data=data, recipe=recipe, network=MLP_PLAIN)
    settings = built.settings()
    assert settings["input"] == "loader"
    steps = settings["transforms"]
    assert isinstance(steps, list)
    assert ("Normalize" in steps) == normed
    assert ("ToTensor" in steps) == (name in ("bytes", "grey") and precision == "float32")


@pytest.mark.parametrize("axes", [{}, LOADER], ids=["resident", "loader"])
def test_the_batches_of_an_order_are_the_converted_rows_in_that_order(
    adapter: PyTorchAdapter, axes: dict[str, str]
) -> None:
    data, order = images(70, COLOUR), np.random.default_rng(1).permutation(70)[:50]
    found = [
        (inputs.numpy(), labels.numpy()) for inputs, labels in given(learner(adapter, NET, data, axes=axes), order)
    ]
    assert [len(labels) for _, labels in found] == [32, 18]
    assert np.array_equal(np.concatenate([labels for _, labels in found]), data.labels[order])
    expected = np.moveaxis(data.images[order] / 255.0, -1, 1)
    assert np.concatenate([inputs for inputs, _ in found]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("axes", [{}, LOADER], ids=["resident", "loader"])
def test_the_idiomatic_shuffle_meets_every_row_once_and_differs_from_epoch_to_epoch(
    adapter: PyTorchAdapter, axes: dict[str, str]
) -> None:
    data = images(70, DIGITS)
    data.images[:, 0, 0, 0] = np.arange(70)
    built = learner(adapter, MLP_PLAIN, data, axes={**axes, "track": "idiomatic"})
    assert isinstance(built, PyTorchLearner)
    orders = []
    for _ in range(2):
        firsts = [inputs[:, 0, 0, 0].numpy() * 255 for inputs, _ in built._source.batches(None)]
        orders.append(np.concatenate(firsts).round().astype(int))
    assert all(sorted(order) == list(range(70)) for order in orders)
    assert not np.array_equal(orders[0], orders[1])
    assert loss_of(built, None) == pytest.approx(2.3, abs=1)


def test_the_idiomatic_track_draws_weights_of_its_own_by_the_seed(adapter: PyTorchAdapter) -> None:
    """torch's own start: uniform within one over the root of the inputs, biases too."""
    own = {"axes": {"track": "idiomatic"}, "recipe": {"initial_weights": None}}
    found = [learner(adapter, MLP, images(40), seed=seed, **own).weights() for seed in (1, 1, 2)]  # type: ignore[arg-type]
    assert distance(found[0], found[1]) == 0
    assert distance(found[0], found[2]) > 1e-3
    for name, inputs in (("dense_1", 64), ("dense_2", 128)):
        for kind in ("kernel", "bias"):
            largest = np.abs(found[0][f"{name}/{kind}"]).max()
            assert 0.6 / np.sqrt(inputs) < largest <= 1 / np.sqrt(inputs)


def test_the_idiomatic_track_converts_its_pixels_once(adapter: PyTorchAdapter) -> None:
    data = images(70, COLOUR)
    built = learner(adapter, NET, data, axes={"track": "idiomatic"}, recipe=NORMED)
    assert isinstance(built, PyTorchLearner)
    assert isinstance(built._source, Resident)
    held = built._source.images
    assert str(held.dtype) == "torch.float32"
    expected = (data.images / 255.0 - NORMED["mean"]) / NORMED["std"]
    assert np.moveaxis(held.numpy(), 1, -1) == pytest.approx(expected, abs=1e-5)
    assert data.images.max() > 1


def test_the_idiomatic_settings_say_where_epsilon_stands(adapter: PyTorchAdapter) -> None:
    built = learner(adapter, MLP_PLAIN, images(40), axes={"track": "idiomatic"}, optimizer=Optimizer(weight_decay=0.1))
    fit(built, None)
    constants = built.settings()["optimizer"]
    assert isinstance(constants, dict)
    assert constants["form"] == "epsilon after the bias correction"
    assert (constants["epsilon"], constants["weight_decay"]) == (1e-7, 0.1)
    assert constants["decay"] == "L2, all parameters"


@pytest.mark.parametrize("input_", ["resident", "loader"])
def test_channels_last_changes_how_images_and_kernels_lie_and_nothing_else(
    adapter: PyTorchAdapter, input_: str
) -> None:
    import torch

    built = alike(adapter, {"channels_last": True, "input": input_}, 1e-5, recipe=NORMED)
    assert built.settings()["memory_format"] == "channels_last"
    for inputs, _ in given(built, np.arange(40)):
        assert inputs.is_contiguous(memory_format=torch.channels_last)
        assert not inputs.is_contiguous()
    plain = learner(adapter, NET, images(40, COLOUR))
    assert plain.settings()["memory_format"] == "contiguous"


def test_a_learner_of_steps_names_what_else_it_computes(adapter: PyTorchAdapter) -> None:
    settings = learner(adapter, NET, images(40, COLOUR)).settings()
    assert (settings["metrics"], settings["input"]) == ([], "resident")


@pytest.mark.parametrize(
    ("axes", "shape", "reason"),
    [
        ({"execution": "graph"}, DIGITS, "pytorch has no graph execution: PyTorch traces a model only to compile it."),
        ({"steps_per_execution": 8}, DIGITS, "pytorch has no steps_per_execution above 1"),
        ({"precision": "float16"}, DIGITS, "float16 is for a GPU"),
        ({"precision": "float16", "device": "mps"}, DIGITS, "tried on CUDA alone, not on mps"),
        ({"precision": "float64", "device": "mps"}, DIGITS, "mps has no float64 arithmetic."),
        ({"channels_last": True}, (20, 3), "channels_last is for images of two axes; these have 1."),
        (LOADER, (8, 8, 8, 1), "torchvision's transforms take images of two axes; these have 3."),
        ({"precision": "float16", "device": "cuda:0"}, DIGITS, None),
        ({"track": "idiomatic", "channels_last": True, "input": "loader", "precision": "bfloat16"}, DIGITS, None),
    ],
)
def test_what_cannot_be_run_is_said_with_its_reason(
    adapter: PyTorchAdapter, axes: dict[str, object], shape: tuple[int, ...], reason: str | None
) -> None:
    found = adapter.unsupported(case(adapter).model_copy(update=axes), NET, shape, 10)
    assert found is None if reason is None else reason in str(found)


def test_compiling_for_the_cpu_needs_a_compiler(adapter: PyTorchAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = case(adapter).model_copy(update={"execution": "compiled"})
    assert adapter.unsupported(asked, NET, DIGITS, 10) is None
    monkeypatch.setenv("CXX", "no-such-compiler")
    reason = adapter.unsupported(asked, NET, DIGITS, 10)
    assert reason == "torch.compile needs a C++ compiler for the CPU, and 'no-such-compiler' is not to be found."
