"""Limits on the difference between two computations of a quantity, the same for every framework.

All differences are relative: ``max|a - b| / max|a|`` over a quantity; for a movement, ``|a - b| / |a|`` by Euclidean
norms.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from bench.case import Precision
from bench.models.model import BatchNorm, Network

Kind = Literal[
    "initial",
    "logits",
    "repeated",
    "update",
    "loss",
    "stretch",
    "weights",
    "whole",
    "after",
    "moved",
    "statistics",
]
"""The quantities compared: initial weights; logits before training, computed twice; the first update; the loss of a
step and of a timed stretch; final weights; those of training by whole epochs against those of training by batches;
logits after training. Where numbers are rounded, instead of weights: how far they have moved, and BatchNorm's
statistics."""

Limits = Mapping[Kind, float]

PLAIN: Limits = MappingProxyType(
    {
        "initial": 1e-15,
        "logits": 1e-12,
        "repeated": 1e-12,
        # weights of 0.1 are kept to 1e-17, and the first update may be as small as 1e-6 of them
        "update": 1e-9,
        "loss": 1e-12,
        "stretch": 1e-10,
        "weights": 1e-10,
        "whole": 1e-10,
        "after": 1e-10,
    }
)
"""float64, without BatchNorm."""

NORMALIZED: Limits = MappingProxyType(
    {
        **PLAIN,
        "logits": 1e-9,
        "repeated": 1e-9,
        "loss": 1e-9,
        "stretch": 1e-8,
        "weights": 1e-8,
        "whole": 1e-8,
        "after": 1e-8,
        "update": 1e-8,
    }
)
"""float64, with BatchNorm, which divides by what it has subtracted."""

STEPS: Limits = MappingProxyType(
    {
        "initial": 1e-15,
        "logits": 1e-5,
        "repeated": 1e-5,
        "update": 1e-4,
        "loss": 1e-5,
        "stretch": 1e-4,
        "moved": 2e-3,
        "whole": 2e-3,
        "after": 2e-4,
    }
)
"""float32, without BatchNorm: logits, gradient, and a few steps.

Largest differences of five frameworks from the definition in ``rounded_questions``: loss 1.1e-6, moved 2.5e-4, logits
after training 1.5e-5.
"""

STEPS_NORMALIZED: Limits = MappingProxyType(
    {**STEPS, "loss": 2e-4, "stretch": 2e-4, "moved": 5e-2, "whole": 5e-2, "after": 5e-3, "statistics": 2e-3}
)
"""float32, with BatchNorm; measured likewise, and in PyTorch over three seeds: loss 4.1e-5, moved 1.4e-2, after 5.4e-4,
statistics 1.8e-4."""

BFLOAT16: Limits = MappingProxyType(
    {"initial": 1e-15, "logits": 5e-2, "repeated": 1e-5, "moved": 0.14, "statistics": 5e-2}
)
"""bfloat16: logits and the first update alone; after more steps rounding hides departures.

One unit in the last place of its 8 bits is 4e-3, and rectifiers that near their edge flip. So an update is compared as
a whole: measured in PyTorch and in Keras on PyTorch and JAX, over two seeds, at most 0.065.
"""
BFLOAT16_NORMALIZED: Limits = MappingProxyType({**BFLOAT16, "moved": 0.2})
"""With BatchNorm; measured likewise 0.101."""

FLOAT16: Limits = MappingProxyType(
    {"initial": 1e-15, "logits": 1e-2, "repeated": 1e-5, "moved": 5e-2, "statistics": 1e-2}
)
"""float16, whose 11 bits round by an eighth of bfloat16's rounding."""

LIMITS: Mapping[Precision, tuple[Limits, Limits]] = MappingProxyType(
    {
        "float64": (PLAIN, NORMALIZED),
        "float32": (STEPS, STEPS_NORMALIZED),
        "bfloat16": (BFLOAT16, BFLOAT16_NORMALIZED),
        "float16": (FLOAT16, FLOAT16),
    }
)
"""By precision: without BatchNorm, and with it."""


def has_norm(network: Network) -> bool:
    """True if the network has a BatchNorm."""
    return any(isinstance(layer, BatchNorm) for layer in network.layers)


def limits_of(network: Network, precision: Precision) -> Limits:
    """The limits of a proof on ``network`` in ``precision``."""
    return LIMITS[precision][has_norm(network)]
