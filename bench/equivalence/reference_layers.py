"""Each neutral layer forward and backward, in numpy, for any number of spatial axes.

Formulas are those of ``bench.models.model``. BatchNorm's gradient: Ioffe and Szegedy, ICML 2015, section 3. Where
maxima tie, the first of the window takes the gradient; a rectifier passes none at 0.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bench.equivalence.deviations import Deviations, Rounding
from bench.equivalence.reference_activations import ACTIVATIONS
from bench.equivalence.reference_rounding import product, rounded
from bench.models.model import BatchNorm, Conv, Dense, Dropout, Flatten, MaxPool, Relu
from bench.models.network import PlacedLayer

Array = NDArray[Any]
Arrays = dict[str, Array]
Backward = Callable[[Array, bool], tuple[Array | None, Arrays]]
"""From the gradient of the output to that of the input, if it is wanted, and those of the weights by neutral name."""


@dataclass(frozen=True, eq=False)
class Forward:
    """Result of a layer for a batch."""

    output: Array
    backward: Backward
    statistics: Arrays = field(default_factory=dict)
    """BatchNorm's moving statistics after this batch, in training."""


def forward(placed: PlacedLayer, inputs: Array, weights: Arrays, training: bool, deviations: Deviations) -> Forward:
    """Run one layer on ``inputs`` ``(n, *placed.input)``. Raises ValueError for dropout at a rate other than 0."""
    match placed.layer:
        case Flatten():
            return _flatten(inputs, deviations.channels_first)
        case Dense(activation=activation):
            done = _rounded(_dense(placed, inputs, weights, deviations), deviations.outputs)
            return _activated(placed, activation is not None, done, deviations)
        case Conv(activation=activation):
            done = _rounded(_convolve(placed, inputs, weights, deviations), deviations.outputs)
            return _activated(placed, activation is not None, done, deviations)
        case MaxPool(size=size):
            pool = _average_pool if placed.name in deviations.average_pool_in else _max_pool
            return pool(inputs, size, placed.output)
        case BatchNorm():
            return _normalize(placed, inputs, weights, training, deviations)
        case Relu():
            return _activated(placed, True, Forward(inputs, lambda gradient, onward: (gradient, {})), deviations)
        case Dropout(rate=rate):
            if rate != 0:
                raise ValueError(f"{placed.name}: dropout at rate {rate} is random; the reference has rate 0 alone")
            return Forward(inputs, lambda gradient, onward: (gradient, {}))


def _flatten(inputs: Array, channels_first: bool) -> Forward:
    turned = np.moveaxis(inputs, -1, 1) if channels_first else inputs

    def backward(gradient: Array, onward: bool) -> tuple[Array, Arrays]:
        shaped = gradient.reshape(turned.shape)
        return (np.moveaxis(shaped, 1, -1) if channels_first else shaped), {}

    return Forward(turned.reshape(len(inputs), -1), backward)


def _activated(placed: PlacedLayer, rectified: bool, before: Forward, deviations: Deviations) -> Forward:
    if not rectified:
        return before
    other = placed.name in deviations.activation_in
    activation = ACTIVATIONS[deviations.activation if other else "relu"]
    output, change = activation(before.output, deviations.slope)
    return Forward(output, lambda gradient, onward: before.backward(gradient * change, onward))


def _rounded(done: Forward, to: Rounding) -> Forward:
    if not to:
        return done
    return Forward(rounded(done.output, to), lambda gradient, onward: done.backward(rounded(gradient, to), onward))


def _dense(placed: PlacedLayer, inputs: Array, weights: Arrays, deviations: Deviations) -> Forward:
    kernel, bias, rounding = *_kernel_and_bias(placed, weights, deviations), deviations.products
    output = product(inputs, kernel, rounding)

    def backward(gradient: Array, onward: bool) -> tuple[Array | None, Arrays]:
        gradients = {f"{placed.name}/kernel": product(inputs.T, gradient, rounding)}
        if bias is not None:
            gradients[f"{placed.name}/bias"] = gradient.sum(axis=0)
        return (product(gradient, kernel.T, rounding) if onward else None), gradients

    return Forward(output if bias is None else output + bias, backward)


def _pads(placed: PlacedLayer, deviations: Deviations) -> tuple[tuple[int, int], ...]:
    assert isinstance(placed.layer, Conv)
    if deviations.symmetric_pads and placed.padding == "same":
        return ((placed.layer.kernel // 2,) * 2,) * (len(placed.input) - 1)
    return placed.pads


def _kernel_and_bias(placed: PlacedLayer, weights: Arrays, deviations: Deviations) -> tuple[Array, Array | None]:
    bias = weights.get(f"{placed.name}/bias")
    return weights[f"{placed.name}/kernel"], None if bias is None else rounded(bias, deviations.outputs)


def _convolve(placed: PlacedLayer, inputs: Array, weights: Arrays, deviations: Deviations) -> Forward:
    """A convolution as one product: every window becomes a row of ``kernel ** axes * channels`` values."""
    assert isinstance(placed.layer, Conv)
    size, strides, pads = placed.layer.kernel, placed.layer.strides, _pads(placed, deviations)
    kernel, bias, rounding = *_kernel_and_bias(placed, weights, deviations), deviations.products
    rows, sides, axes = len(inputs), placed.output[:-1], tuple(range(1, inputs.ndim - 1))
    padded = np.pad(inputs, ((0, 0), *pads, (0, 0)))
    windows = sliding_window_view(padded, (size,) * len(axes), axis=axes)
    windows = windows[(slice(None), *(slice(0, side * strides, strides) for side in sides))]
    patches = np.moveaxis(windows, len(axes) + 1, -1).reshape(rows * math.prod(sides), -1)
    flat_kernel = kernel.reshape(-1, kernel.shape[-1])
    output = product(patches, flat_kernel, rounding).reshape(rows, *sides, -1)

    def backward(gradient: Array, onward: bool) -> tuple[Array | None, Arrays]:
        flat = gradient.reshape(-1, gradient.shape[-1])
        gradients = {f"{placed.name}/kernel": product(patches.T, flat, rounding).reshape(kernel.shape)}
        if bias is not None:
            gradients[f"{placed.name}/bias"] = flat.sum(axis=0)
        if not onward:
            return None, gradients
        back = np.zeros_like(padded)
        for offset in itertools.product(range(size), repeat=len(axes)):
            reach = (slice(at, at + side * strides, strides) for at, side in zip(offset, sides, strict=True))
            back[(slice(None), *reach)] += product(gradient, kernel[offset].T, rounding)
        ends = zip(pads, inputs.shape[1:-1], strict=True)
        return back[(slice(None), *(slice(start, start + side) for (start, _), side in ends))], gradients

    return Forward(output if bias is None else output + bias, backward)


def _max_pool(inputs: Array, size: int, output: tuple[int, ...]) -> Forward:
    windows, back = _windows(inputs, size, output, -np.inf)
    first = windows.argmax(axis=-1)[..., None]

    def backward(gradient: Array, onward: bool) -> tuple[Array | None, Arrays]:
        if not onward:
            return None, {}
        spread = np.zeros_like(windows)
        np.put_along_axis(spread, first, gradient[..., None], axis=-1)
        return back(spread), {}

    return Forward(np.take_along_axis(windows, first, axis=-1)[..., 0], backward)


def _average_pool(inputs: Array, size: int, output: tuple[int, ...]) -> Forward:
    windows, back = _windows(inputs, size, output, 0)
    held = _windows(np.ones_like(inputs[:1]), size, output, 0)[0]
    shares = held / held.sum(axis=-1, keepdims=True)

    def backward(gradient: Array, onward: bool) -> tuple[Array | None, Arrays]:
        return (back(gradient[..., None] * shares) if onward else None), {}

    return Forward((windows * shares).sum(axis=-1), backward)


def _windows(inputs: Array, size: int, output: tuple[int, ...], fill: float) -> tuple[Array, Callable[[Array], Array]]:
    """The windows of a pooling, ``(n, *sides, channels, size ** axes)``, and the way back from them to ``inputs``.

    If ``output`` has more windows than fit (PyTorch's ``ceil_mode``), missing values of the last one are ``fill``.
    """
    rows, *spatial, channels = inputs.shape
    sides = output[:-1]
    axes = len(sides)
    lacking = [(0, max(side * size - old, 0)) for side, old in zip(sides, spatial, strict=True)]
    filled = np.pad(inputs, ((0, 0), *lacking, (0, 0)), constant_values=fill) if any(map(max, lacking)) else inputs
    kept = (slice(None), *(slice(side * size) for side in sides))
    split = [rows, *itertools.chain.from_iterable((side, size) for side in sides), channels]
    # (n, side, size, side, size, channels) -> (n, side, side, channels, size, size): the window last, in order
    order = [0, *range(1, 2 * axes, 2), 2 * axes + 1, *range(2, 2 * axes + 1, 2)]

    def back(windows: Array) -> Array:
        shaped = windows.reshape([split[axis] for axis in order]).transpose(np.argsort(order))
        whole = np.zeros_like(filled)
        whole[kept] = shaped.reshape(whole[kept].shape)
        return whole[(slice(None), *(slice(side) for side in spatial))]

    return filled[kept].reshape(split).transpose(order).reshape(rows, *sides, channels, -1), back


def _normalize(placed: PlacedLayer, inputs: Array, weights: Arrays, training: bool, deviations: Deviations) -> Forward:
    assert isinstance(placed.layer, BatchNorm)
    name, axes = placed.name, tuple(range(inputs.ndim - 1))
    mean, variance = weights[f"{name}/moving_mean"], weights[f"{name}/moving_variance"]
    by_batch = not deviations.norm_trains_by_moving if training else deviations.norm_evaluates_by_batch
    statistics: Arrays = {}
    if by_batch:
        old = placed.layer.momentum
        batch_mean, batch_variance = inputs.mean(axis=axes), inputs.var(axis=axes)
        count = inputs.size // inputs.shape[-1]
        kept = batch_variance * (count / (count - 1)) if deviations.unbiased_variance else batch_variance
        if training:
            statistics[f"{name}/moving_mean"] = old * mean + (1 - old) * batch_mean
            statistics[f"{name}/moving_variance"] = old * variance + (1 - old) * kept
        mean, variance = batch_mean, batch_variance
    scale = 1 / np.sqrt(variance + placed.layer.epsilon)
    standard = (inputs - mean) * scale
    gamma = weights[f"{name}/gamma"]

    def backward(gradient: Array, onward: bool) -> tuple[Array, Arrays]:
        gradients = {f"{name}/gamma": (gradient * standard).sum(axis=axes), f"{name}/beta": gradient.sum(axis=axes)}
        inner = gradient * gamma
        if by_batch:
            inner = inner - inner.mean(axis=axes) - standard * (inner * standard).mean(axis=axes)
        return inner * scale, gradients

    return Forward(standard * gamma + weights[f"{name}/beta"], backward, statistics)
