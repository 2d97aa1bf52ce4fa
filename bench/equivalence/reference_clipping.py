"""Gradients that are clipped: by the norm of all of them, by the norm of each weight's, or value by value.

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

Gradients = Mapping[str, NDArray[Any]]


def global_norm(gradients: Gradients) -> float:
    """The Euclidean norm of all gradients as one vector."""
    return math.sqrt(sum(float(np.vdot(value, value)) for value in gradients.values()))


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
