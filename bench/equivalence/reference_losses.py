"""The loss of each sample and its gradient by the logits, in numpy: cross-entropy, and mistaken forms of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Loss = tuple[Array, Array]
"""``(n,)`` the losses, ``(n, k)`` their gradients."""

KERAS_EPSILON = 1e-7
"""``keras.config.epsilon()``: Keras clips probabilities to this distance from 0 and 1."""


def log_softmax(values: Array) -> Array:
    """``(n, k)``: logarithms of the softmax of each row."""
    shifted = values - values.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def cross_entropy(logits: Array, targets: Array) -> Loss:
    """Cross-entropy of ``targets`` ``(n, k)`` with the softmax of ``logits``: the definition."""
    logs = log_softmax(logits)
    return -(targets * logs).sum(axis=1), np.exp(logs) * targets.sum(axis=1, keepdims=True) - targets


def focal(logits: Array, targets: Array) -> Loss:
    """Cross-entropy times ``(1 - p)²`` of the true class (Lin et al., arXiv 1708.02002, with γ = 2)."""
    losses, error = cross_entropy(logits, targets)
    true = np.exp(-losses)
    share = (1 - true) ** 2 + 2 * (1 - true) * true * losses
    return losses * (1 - true) ** 2, error * share[:, None]


def softmax_twice(logits: Array, targets: Array) -> Loss:
    """Cross-entropy of probabilities taken for logits."""
    probabilities = np.exp(log_softmax(logits))
    losses, error = cross_entropy(probabilities, targets)
    return losses, probabilities * (error - (error * probabilities).sum(axis=1, keepdims=True))


def clipped_logits(logits: Array, targets: Array) -> Loss:
    """Logits taken for probabilities, as in Keras on TensorFlow: clipped, then divided by their sum."""
    held = np.clip(logits, KERAS_EPSILON, 1 - KERAS_EPSILON)
    total = held.sum(axis=1, keepdims=True)
    error = np.where(held == logits, 1 / total - targets / held, 0)
    return -(targets * np.log(held / total)).sum(axis=1), error


def shares_of_logits(logits: Array, targets: Array) -> Loss:
    """Logits taken for probabilities, as in Keras on JAX and PyTorch: divided by their sum, then clipped."""
    total = logits.sum(axis=1, keepdims=True)
    shares = logits / total
    held = np.clip(shares, KERAS_EPSILON, 1 - KERAS_EPSILON)
    error = np.where(held == shares, -targets / held, 0)
    return -(targets * np.log(held)).sum(axis=1), (error - (error * shares).sum(axis=1, keepdims=True)) / total


def negative_logits(logits: Array, targets: Array) -> Loss:
    """Logits taken for logarithms of probabilities (``NLLLoss`` with nothing before it)."""
    return -(targets * logits).sum(axis=1), -targets


LOSSES: dict[str, Callable[[Array, Array], Loss]] = {
    "cross-entropy": cross_entropy,
    "focal": focal,
    "softmax twice": softmax_twice,
    "clipped logits": clipped_logits,
    "shares of logits": shares_of_logits,
    "negative logits": negative_logits,
}
"""By their name in ``Deviations.loss``."""
