"""Clipping of gradients: by the norm of all of them, by the norm of each weight's, or value by value.

Also norm limits on weights.

By a norm: Pascanu, Mikolov and Bengio, ICML 2013, algorithm 1, ``g threshold / norm`` where the norm is larger.
PyTorch's ``clip_grad_norm_`` divides by ``norm + 1e-6``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.equivalence.deviations import Deviations
from bench.equivalence.reference_losses import KERAS_EPSILON

Gradients = Mapping[str, NDArray[Any]]


def global_norm(gradients: Gradients) -> float:
    """The Euclidean norm of all gradients as one vector."""
    return math.sqrt(sum(float(np.vdot(value, value)) for value in gradients.values()))


def unit_norms(kernel: NDArray[Any]) -> NDArray[Any]:
    """The Euclidean norm of the weights into each unit (last axis); the other axes are kept as 1."""
    return np.asarray(np.sqrt((kernel**2).sum(axis=tuple(range(kernel.ndim - 1)), keepdims=True)))


def held_to_norm(weights: Gradients, deviations: Deviations) -> dict[str, NDArray[Any]]:
    """``weights`` with units limited to a norm of ``max_norm``, as Keras' ``MaxNorm`` computes it."""
    held = dict(weights)
    for name in deviations.max_norm_in & held.keys():
        norms = unit_norms(held[name])
        held[name] = held[name] * (np.minimum(norms, deviations.max_norm) / (KERAS_EPSILON + norms))
    return held


def clipped(gradients: Gradients, deviations: Deviations) -> dict[str, NDArray[Any]]:
    """``gradients`` clipped as ``deviations`` says."""
    threshold = deviations.clip

    def share(of: Gradients) -> float:
        norm = global_norm(of) + deviations.clip_slack
        return threshold / norm if norm > threshold else 1.0

    match deviations.clipped:
        case "value":
            return {name: np.clip(value, -threshold, threshold) for name, value in gradients.items()}
        case "global norm":
            of_all = share(gradients)
            return {name: value * of_all for name, value in gradients.items()}
        case "norm of each weight":
            return {name: value * share({name: value}) for name, value in gradients.items()}
