"""A user's nn.Module is read through the functions that it calls, whether modules or its own code call them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from bench.adapters.layer_facts import output_kind
from bench.adapters.layer_facts_pytorch import PyTorchSubject
from bench.equivalence.diff_layers import compare_layers
from bench.equivalence.diff_trace import DOUBLE, OPTIMIZERS, DiffTrace, compare_traces, draw, trace
from tests.adapters.finite_difference import gradient_and_slope

if TYPE_CHECKING:
    import torch

SHAPE = (6, 6, 2)


@pytest.fixture(autouse=True)
def _default_precision() -> Iterator[None]:
    import torch

    torch.set_num_threads(1)
    yield
    torch.set_default_dtype(torch.float32)


def net(**changes: Any) -> torch.nn.Module:
    """A small network; each plant changes one thing in it."""
    from torch import nn

    made: dict[str, Callable[[], nn.Module]] = {
        "conv": lambda: nn.Conv2d(2, 4, 3, padding=1),
        "norm": lambda: nn.BatchNorm2d(4),
        "bend": lambda: nn.LeakyReLU(0.125),
        "pool": lambda: nn.MaxPool2d(2),
        "drop": lambda: nn.Dropout(0.5),
        "flat": nn.Flatten,
        "layer": lambda: nn.LayerNorm(36),
        "out": lambda: nn.Linear(36, 3),
        **changes,
    }
    return nn.Sequential(*(make() for make in made.values()))


def opened(module: torch.nn.Module) -> PyTorchSubject:
    import torch

    kept = {value.dtype for value in module.parameters()}
    if torch.float64 in kept:  # the subject opened before has made that the default, as it may in its own process
        module.float()
    torch.set_default_dtype(torch.float32)
    return PyTorchSubject(module, SHAPE, 0)


def traced(module: torch.nn.Module, like: PyTorchSubject | None = None) -> DiffTrace:
    subject = opened(module)
    layers = (like or subject).described.layers
    return trace(subject, draw(layers, SHAPE, 3, 0), OPTIMIZERS["sgd"])


def plants() -> dict[str, tuple[str, str, str, dict[str, Callable[[], Any]]]]:
    """By name: the subject of the difference, its two values, and the change that plants it."""
    from torch import nn

    return {
        "epsilon of BatchNorm": ("BatchNorm epsilon", "1e-05", "0.001", {"norm": lambda: nn.BatchNorm2d(4, eps=1e-3)}),
        "momentum": ("BatchNorm momentum", "0.9", "0.99", {"norm": lambda: nn.BatchNorm2d(4, momentum=0.01)}),
        "epsilon of LayerNorm": ("LayerNorm epsilon", "1e-05", "0.001", {"layer": lambda: nn.LayerNorm(36, eps=1e-3)}),
        "slope": ("LeakyReLU slope", "0.125", "0.3", {"bend": lambda: nn.LeakyReLU(0.3)}),
        "activation": ("layer 3", "LeakyReLU", "GELU", {"bend": nn.GELU}),
        "kind of pooling": ("layer 4", "MaxPool 2x2", "AveragePool 2x2", {"pool": lambda: nn.AvgPool2d(2)}),
        "softmax at the end": ("layer 8", "nothing", "softmax", {"end": lambda: nn.Softmax(1)}),
    }


@pytest.mark.parametrize(
    "name",
    [
        "epsilon of BatchNorm",
        "momentum",
        "epsilon of LayerNorm",
        "slope",
        "activation",
        "kind of pooling",
        "softmax at the end",
    ],
)
def test_a_planted_difference_is_named_and_shows_in_the_proof(name: str) -> None:
    subject, left, right, changes = plants()[name]
    base = opened(net())
    other = opened(net(**changes))
    compared = compare_layers(base.described.layers, other.described.layers)
    named = [(found.subject, found.left, found.right) for found in compared.differences]
    assert named == [(subject, left, right)]
    assert compared.paired
    quantities = compare_traces(traced(net()), traced(net(**changes), base), DOUBLE, ("a", "b"), {})
    if name == "softmax at the end":  # compared as log-probabilities, it computes the same
        assert output_kind(traced(net(**changes)).outputs) == "probabilities"
    else:
        assert not all(found.holds for found in quantities)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"drop": 0.25}, ("Dropout rate", "0.5", "0.25")),
        ({"padding": ((2, 0, 2, 0), 0)}, ("Conv padding", "1 on each side", "2 before and 0 after")),
        ({"half": True}, ("Conv dtype", "float32", "bfloat16")),
    ],
)
def test_a_fact_that_needs_code_of_its_own_is_read(change: dict[str, Any], said: tuple[str, str, str]) -> None:
    import torch
    from torch import nn

    changed = net()
    if "drop" in change:
        changed = net(drop=lambda: nn.Dropout(change["drop"]))
    if "padding" in change:
        sides, own = change["padding"]
        changed = net(conv=lambda: nn.Sequential(nn.ZeroPad2d(sides), nn.Conv2d(2, 4, 3, padding=own)))
    if "half" in change:
        changed = net().to(torch.bfloat16)
    compared = compare_layers(opened(net()).described.layers, opened(changed).described.layers)
    assert said in [(found.subject, found.left, found.right) for found in compared.differences]


def test_code_in_forward_is_read_like_modules() -> None:
    import torch
    from torch import nn
    from torch.nn import functional

    class Net(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm, self.layer = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.LayerNorm(36)
            self.out = nn.Linear(36, 3)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            hidden = functional.leaky_relu(self.norm(self.conv(images)), 0.125)
            hidden = functional.dropout(functional.max_pool2d(hidden, 2), 0.5, self.training)
            answer: torch.Tensor = self.out(self.layer(torch.flatten(hidden, 1)))
            return answer

    one, other = opened(net()), opened(Net())
    assert compare_layers(one.described.layers, other.described.layers).differences == ()
    quantities = compare_traces(traced(net()), traced(Net()), DOUBLE, ("a", "b"), {})
    assert all(found.difference == 0.0 for found in quantities)


def test_dropout_called_without_a_thought_for_evaluation_is_found() -> None:
    from torch import nn
    from torch.nn import functional

    class Awake(nn.Module):  # type: ignore[misc]
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return functional.dropout(images, 0.5)

    awake = opened(net(drop=Awake))
    found = compare_layers(opened(net()).described.layers, awake.described.layers).differences
    assert [(one.subject, one.left, one.right) for one in found] == [("Dropout active in evaluation", "no", "yes")]
    result = trace(awake, draw(awake.described.layers, SHAPE, 3, 0), OPTIMIZERS["sgd"])
    assert not np.array_equal(result.outputs, result.repeated)


def test_a_dense_layer_behind_flatten_has_its_rows_in_height_width_channel_order() -> None:
    from torch import nn

    subject = opened(nn.Sequential(nn.Flatten(), nn.Linear(72, 3, bias=False)))
    kernel = np.zeros((72, 3))
    kernel[(4 * 6 + 5) * 2 + 1, 2] = 1.0  # height 4, width 5, channel 1
    subject.load({"0/kernel": kernel})
    images = np.random.default_rng(0).random((5, *SHAPE))
    np.testing.assert_array_equal(subject.outputs(images)[:, 2], images[:, 4, 5, 1])
    np.testing.assert_array_equal(subject.weights()["0/kernel"], kernel)


def test_an_image_turned_to_channels_last_before_flatten_keeps_the_rows_it_has() -> None:
    from torch import nn

    class Turned(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.out = nn.Linear(72, 3)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.out(images.permute(0, 2, 3, 1).flatten(1))
            return answer

    plain = nn.Sequential(nn.Flatten(), nn.Linear(72, 3))
    quantities = compare_traces(traced(plain), traced(Turned()), DOUBLE, ("a", "b"), {})
    assert all(found.holds for found in quantities)


def test_gradients_are_those_of_finite_differences() -> None:
    found, slope = gradient_and_slope(opened(net()), SHAPE)
    assert found == pytest.approx(slope, rel=1e-6)


def test_the_moving_variance_takes_in_the_biased_variance_of_the_batch() -> None:
    from torch import nn

    subject = opened(nn.Sequential(nn.BatchNorm2d(2, momentum=0.25), nn.Flatten(), nn.Linear(72, 3)))
    inputs = draw(subject.described.layers, SHAPE, 3, 0)
    subject.load(inputs.weights)
    images = inputs.images[:8]
    subject.gradients(images, inputs.labels[:8], "logits")
    expected = 0.75 * inputs.weights["0/moving_variance"] + 0.25 * images.var(axis=(0, 1, 2))
    np.testing.assert_allclose(subject.weights()["0/moving_variance"], expected, rtol=1e-13)


def test_weights_of_an_unknown_layer_are_named() -> None:
    from torch import nn

    class Recurrent(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.out = nn.LSTM(12, 5, batch_first=True), nn.Linear(5, 3)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.out(self.lstm(images.permute(0, 2, 3, 1).flatten(2))[0][:, -1])
            return answer

    unmapped = opened(Recurrent()).described.unmapped
    assert any(name.startswith("lstm.weight_ih_l0 of LSTM") for name in unmapped)
    assert not any("out." in name for name in unmapped)


def test_a_depthwise_convolution_is_one_filter_a_channel() -> None:
    from torch import nn

    subject = opened(nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.Flatten(), nn.Linear(64, 3)))
    assert subject.described.layers[0].kind == "DepthwiseConv"
    assert subject.described.layers[0].weights["kernel"] == (3, 3, 2, 2)


def test_the_window_of_a_pooling_is_told_with_its_stride_and_the_values_padded() -> None:
    from torch import nn

    wide = opened(net(pool=lambda: nn.MaxPool2d(3, 2, padding=1)))
    found = compare_layers(opened(net()).described.layers, wide.described.layers).differences
    assert [(one.subject, one.left, one.right) for one in found] == [
        ("MaxPool size", "2x2", "3x3"),
        ("MaxPool padding", "none", "1 before and 0 after"),  # of the 6 values and 2 padded, the last is not reached
    ]
