"""The functions that may replace a rectifier, each with its derivative, in numpy.

PyTorch, Keras and scikit-learn agree on all of these formulas; constants of ``selu``: Klambauer et al., NeurIPS 2017,
of ``gelu``: Hendrycks and Gimpel (arXiv 1606.08415), the exact form and the one by tanh.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Activation = Callable[[Array, float], tuple[Array, Array]]
"""From values and the slope below zero (of a leaky rectifier) to the function and its derivative there."""

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
GELU_CUBE = 0.044715


def _relu(x: Array, slope: float) -> tuple[Array, Array]:
    positive = x > 0
    return np.maximum(x, 0), positive.astype(x.dtype)


def _identity(x: Array, slope: float) -> tuple[Array, Array]:
    return x, np.ones_like(x)


def _relu6(x: Array, slope: float) -> tuple[Array, Array]:
    return np.clip(x, 0, 6), ((x > 0) & (x < 6)).astype(x.dtype)


def _leaky_relu(x: Array, slope: float) -> tuple[Array, Array]:
    gradient = np.where(x > 0, 1, slope).astype(x.dtype)
    return x * gradient, gradient


def _elu(x: Array, slope: float) -> tuple[Array, Array]:
    below = np.expm1(np.minimum(x, 0))
    return np.where(x > 0, x, below), np.where(x > 0, 1, below + 1).astype(x.dtype)


def _selu(x: Array, slope: float) -> tuple[Array, Array]:
    below = SELU_ALPHA * np.expm1(np.minimum(x, 0))
    return SELU_SCALE * np.where(x > 0, x, below), SELU_SCALE * np.where(x > 0, 1, below + SELU_ALPHA).astype(x.dtype)


def _sigmoid(x: Array, slope: float) -> tuple[Array, Array]:
    value = (1 + np.tanh(x / 2)) / 2
    return value, value * (1 - value)


def _tanh(x: Array, slope: float) -> tuple[Array, Array]:
    value = np.tanh(x)
    return value, 1 - value**2


def _softplus(x: Array, slope: float) -> tuple[Array, Array]:
    return np.logaddexp(x, 0), _sigmoid(x, slope)[0]


def _silu(x: Array, slope: float) -> tuple[Array, Array]:
    gate, change = _sigmoid(x, slope)
    return x * gate, gate + x * change


def _gelu(x: Array, slope: float) -> tuple[Array, Array]:
    below = (1 + _erf(x / math.sqrt(2))) / 2
    return x * below, below + x * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


def _gelu_by_tanh(x: Array, slope: float) -> tuple[Array, Array]:
    root = math.sqrt(2 / math.pi)
    value = np.tanh(root * (x + GELU_CUBE * x**3))
    change = (1 - value**2) * root * (1 + 3 * GELU_CUBE * x**2)
    return x * (1 + value) / 2, (1 + value) / 2 + x * change / 2


def _erf(x: Array) -> Array:
    """The error function; numpy has none."""
    return np.fromiter(map(math.erf, x.ravel()), x.dtype, x.size).reshape(x.shape)


ACTIVATIONS: dict[str, Activation] = {
    "relu": _relu,
    "identity": _identity,
    "relu6": _relu6,
    "leaky relu": _leaky_relu,
    "elu": _elu,
    "selu": _selu,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "softplus": _softplus,
    "silu": _silu,
    "gelu": _gelu,
    "gelu by tanh": _gelu_by_tanh,
}
"""By their name in explanations; ``relu`` is the definition's own."""
