"""How far apart two computations of the same may lie, and the frameworks that cannot keep to it, with the cause.

All differences are relative: ``max|a - b| / max|a|`` over a quantity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Literal

from bench.case import Precision
from bench.models.model import BatchNorm, Network

Kind = Literal["initial", "logits", "repeated", "update", "loss", "weights", "whole", "after"]
"""What is compared: initial weights; logits before training, and once more; the first update; the loss of a step;
final weights; those of training by whole epochs against those of training by batches; logits after training."""

Limits = Mapping[Kind, float]

PLAIN: Limits = MappingProxyType(
    {
        "initial": 1e-15,
        "logits": 1e-12,
        "repeated": 1e-12,
        # weights of 0.1 are kept to 1e-17, and the first update may be as small as 1e-6 of them
        "update": 1e-9,
        "loss": 1e-12,
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
        "weights": 1e-8,
        "whole": 1e-8,
        "after": 1e-8,
        "update": 1e-8,
    }
)
"""float64, with BatchNorm, which divides by what it has subtracted."""

ROUNDED: Mapping[Precision, Limits] = MappingProxyType(
    {
        "float64": PLAIN,
        "float32": {"initial": 1e-15, "logits": 1e-5, "repeated": 1e-5, "update": 1e-4},
        # one unit in the last place of the 8 bits of bfloat16 is 4e-3, of the 11 bits of float16 5e-4; so many
        # rectifiers are that near their edge that an update is held to its size and sign alone (0.4 is honest)
        "bfloat16": {"initial": 1e-15, "logits": 5e-2, "repeated": 1e-5, "update": 1.0},
        "float16": {"initial": 1e-15, "logits": 1e-2, "repeated": 1e-5, "update": 0.25},
    }
)
"""Logits and the first update alone: after more steps rounding hides what is looked for."""

FALLEN: Limits = MappingProxyType(
    {
        "initial": 1e-7,
        "logits": 1e-5,
        "repeated": 1e-5,
        "update": 1e-4,
        "loss": 1e-4,
        "weights": 1e-2,
        "whole": 1e-2,
        "after": 1e-2,
    }
)
"""For a proof in float64 of a framework that itself computes a part of it in float32."""


@dataclass(frozen=True)
class Fall:
    """A framework that computes a part of a float64 run in float32."""

    framework: str
    """A name or glob."""
    cause: str
    norm_only: bool = False

    def concerns(self, framework: str, network: Network) -> bool:
        """Whether it touches ``network`` in ``framework``."""
        return fnmatchcase(framework, self.framework) and (has_norm(network) or not self.norm_only)


FALLS: tuple[Fall, ...] = (
    Fall("keras-torch", "keras-torch computes the loss in float32 under float64"),
    Fall("keras-jax", "keras-jax computes BatchNorm in float32 under float64", norm_only=True),
)


def has_norm(network: Network) -> bool:
    """Whether the network holds a BatchNorm."""
    return any(isinstance(layer, BatchNorm) for layer in network.layers)


def limits_of(network: Network, precision: Precision) -> Limits:
    """What a proof on ``network`` in ``precision`` is held to."""
    return NORMALIZED if precision == "float64" and has_norm(network) else ROUNDED[precision]


def cause_of(framework: str, network: Network) -> str | None:
    """Why ``framework`` cannot keep to the limits of float64 on ``network``; None where it can."""
    return next((fall.cause for fall in FALLS if fall.concerns(framework, network)), None)
