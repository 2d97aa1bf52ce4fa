"""A neutral network as an ``nn.Sequential``, and its weights between torch's layout and the neutral one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from bench.models.model import BatchNorm, Conv, Dense, Dropout, Flatten, MaxPool
from bench.models.network import PlacedLayer, PlacedNetwork, Shape, check_weights

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray


def compile_network(placed: PlacedNetwork) -> torch.nn.Sequential:
    """The network on inputs ``(n, channels, *spatial)``, each module under its neutral name."""
    import torch

    modules = torch.nn.Sequential()
    for layer in placed.layers:
        modules.add_module(layer.name, _module(layer))
        if isinstance(layer.layer, Dense | Conv) and layer.layer.activation == "relu":
            modules.add_module(f"{layer.name}_relu", torch.nn.ReLU())
    return modules


def _module(placed: PlacedLayer) -> torch.nn.Module:
    from torch import nn

    dimensions = len(placed.input) - 1
    match placed.layer:
        case Flatten():
            return nn.Flatten()
        case Dense(bias=bias):
            return nn.Linear(placed.input[0], placed.output[0], bias)
        case Dropout(rate=rate):
            return nn.Dropout(rate)
        case Conv(kernel=kernel, bias=bias):
            convolution = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[dimensions]
            return convolution(placed.input[-1], placed.output[-1], kernel, padding=placed.padding, bias=bias)
        case MaxPool(size=size):
            return {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}[dimensions](size)
        case BatchNorm(momentum=momentum, epsilon=epsilon):
            norm = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}[dimensions]
            return norm(placed.input[-1], epsilon, 1.0 - momentum)


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
