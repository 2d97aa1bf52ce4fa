"""A neutral network as an ``nn.Sequential``, and its weights between torch's layout and the neutral one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.models.model import BatchNorm, Conv, Dense, Dropout, Flatten, MaxPool, Relu
from bench.models.network import PlacedLayer, PlacedNetwork, Shape, check_weights

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray


def compile_network(placed: PlacedNetwork, *, biased_variance: bool = True) -> torch.nn.Sequential:
    """The network on inputs ``(n, channels, *spatial)``, each module under its neutral name.

    ``biased_variance`` keeps BatchNorm's moving variance as the neutral definition has it; else it is torch's own.
    """
    import torch

    modules = torch.nn.Sequential()
    for layer in placed.layers:
        for name, module in _modules(layer, biased_variance):
            modules.add_module(name, module)
    return modules


def _modules(placed: PlacedLayer, biased_variance: bool) -> Iterator[tuple[str, torch.nn.Module]]:
    from torch import nn

    dimensions, layer = len(placed.input) - 1, placed.layer
    match layer:
        case Flatten():
            yield placed.name, nn.Flatten()
        case Dense(bias=bias):
            yield placed.name, nn.Linear(placed.input[0], placed.output[0], bias)
        case Dropout(rate=rate):
            yield placed.name, nn.Dropout(rate)
        case Conv():
            yield from _convolution(placed, layer)
        case MaxPool(size=size):
            yield placed.name, {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}[dimensions](size)
        case BatchNorm(momentum=momentum, epsilon=epsilon):
            own = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}[dimensions]
            norm = biased_batch_norm(own) if biased_variance else own
            yield placed.name, norm(placed.input[-1], epsilon, 1.0 - momentum)
        case Relu():
            yield placed.name, nn.ReLU()
    if isinstance(layer, Dense | Conv) and layer.activation == "relu":
        yield f"{placed.name}_relu", nn.ReLU()


def _convolution(placed: PlacedLayer, layer: Conv) -> Iterator[tuple[str, torch.nn.Module]]:
    """A convolution, after a module that pads if start and end are padded differently."""
    from torch import nn

    dimensions = len(placed.pads)
    convolution = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[dimensions]
    padding = tuple(start for start, _ in placed.pads)
    if any(start != end for start, end in placed.pads):
        padder = {1: nn.ZeroPad1d, 2: nn.ZeroPad2d, 3: nn.ZeroPad3d}[dimensions]
        # torch counts from the last axis
        yield f"{placed.name}_pad", padder(tuple(value for pair in reversed(placed.pads) for value in pair))
        padding = (0,) * dimensions
    channels, filters = placed.input[-1], placed.output[-1]
    yield placed.name, convolution(channels, filters, layer.kernel, layer.strides, padding, bias=layer.bias)


@cache
def biased_batch_norm(own: Any) -> Any:
    """torch's BatchNorm of class ``own``, but the moving variance follows the biased one: sum over n.

    torch moves it towards the unbiased estimate, ``n / (n - 1)`` times as much.
    """

    class BiasedBatchNorm(own):  # type: ignore[misc]
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            from torch.nn.functional import batch_norm

            if not self.training:
                return super().forward(inputs)
            self._check_input_dim(inputs)
            count = inputs.numel() // self.num_features
            # torch updates a copy, which the backward pass keeps: changing it would spoil the gradients
            moved = self.running_var.clone()
            outputs = batch_norm(
                inputs, self.running_mean, moved, self.weight, self.bias, True, self.momentum, self.eps
            )
            # moved = (1 - m) old + m biased n / (n - 1); wanted: (1 - m) old + m biased
            self.running_var.mul_((1.0 - self.momentum) / count).add_(moved, alpha=(count - 1) / count)
            return outputs

    return BiasedBatchNorm


Convert = Callable[["NDArray[np.float32]"], "NDArray[np.float32]"]


def _entries(placed: PlacedNetwork) -> dict[str, tuple[str, Convert, Convert]]:
    """For each neutral name: the key in torch's state, and the conversions to torch and back."""
    entries: dict[str, tuple[str, Convert, Convert]] = {}
    flattened: Shape | None = None
    for layer in placed.layers:
        if isinstance(layer.layer, Flatten):
            flattened = layer.input
        names = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}
        names |= {"moving_mean": "running_mean", "moving_variance": "running_var"}
        for name in layer.trained | layer.statistics:
            kind = name.rpartition("/")[2]
            to_torch: Convert = _same
            from_torch: Convert = _same
            if isinstance(layer.layer, BatchNorm):
                to_torch, from_torch = _per_feature(flattened)
            elif kind == "kernel":
                to_torch, from_torch = _dense(flattened) if isinstance(layer.layer, Dense) else (_to_conv, _from_conv)
            entries[name] = (f"{layer.name}.{names[kind]}", to_torch, from_torch)
        if isinstance(layer.layer, Dense):
            flattened = None
    return entries


def _same(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values


def _to_conv(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(*window, channels, filters)`` to ``(filters, channels, *window)``."""
    return np.moveaxis(np.moveaxis(kernel, -1, 0), -1, 1)


def _from_conv(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.moveaxis(np.moveaxis(kernel, 1, -1), 0, -1)


def _dense(image: Shape | None) -> tuple[Convert, Convert]:
    """``(inputs, units)`` to ``(units, inputs)``; behind a flattened image the rows change from HWC to CHW order.

    torch flattens channels first, so permuting the kernel's rows once spares permuting every batch.
    """
    to_rows, back = _per_feature(image)
    return lambda kernel: to_rows(kernel).T, lambda weight: back(weight.T)


def _per_feature(image: Shape | None) -> tuple[Convert, Convert]:
    """Between HWC and CHW order along the first axis, behind a flattened image; no change elsewhere."""
    if image is None:
        return _same, _same
    size = math.prod(image)
    to_rows = np.moveaxis(np.arange(size).reshape(image), -1, 0).reshape(size)
    back = np.argsort(to_rows)
    return lambda values: values[to_rows], lambda values: values[back]


def load_weights(placed: PlacedNetwork, module: torch.nn.Module, weights: Mapping[str, NDArray[np.float32]]) -> None:
    """Copy neutral weights into ``module``. Raises ValueError where a name or shape is not the network's."""
    import torch

    check_weights(placed, {name: value.shape for name, value in weights.items()})
    state = module.state_dict()
    with torch.no_grad():
        for name, (key, to_torch, _) in _entries(placed).items():
            state[key].copy_(torch.from_numpy(np.ascontiguousarray(to_torch(weights[name]))))


def read_weights(placed: PlacedNetwork, module: torch.nn.Module) -> dict[str, NDArray[np.float32]]:
    """The module's weights in the neutral layout, copied to the host."""
    state = module.state_dict()
    return {
        name: np.array(from_torch(state[key].cpu().numpy()), order="C")
        for name, (key, _, from_torch) in _entries(placed).items()
    }
