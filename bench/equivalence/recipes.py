"""The recipes to prove, by name: every two parts that a recipe may have occur together in one of them.

The constants are exact in float32, so that a framework that keeps a rate or an epsilon in float32 still computes the
same as the others in float64: correct results then differ by the order of 1e-15 (DESIGN, "The same model on the same
work"), and a wrong constant stands out by ten orders of magnitude.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from bench.case import Normalization, Optimizer, Schedule, Training

_EXACT: dict[str, Any] = {"beta_1": 0.875, "beta_2": 1 - 2.0**-10, "rho": 0.875, "epsilon": 2.0**-23}
_RATES = {"sgd": 2.0**-6, "adadelta": 1.0}
_MOMENTUM = {"sgd": 0.875, "rmsprop": 0.5}
_DECAY, _SMOOTHING = 0.0625, 0.0625
_SMOOTH = 2.0**-10
_GIVEN = Normalization(mean=0.125, std=0.25)
_STEP, _ONE_CYCLE = Schedule(name="step", factor=0.5), Schedule(name="one-cycle")


def _recipe(
    optimizer: str,
    *parts: str,
    schedule: Schedule | None = None,
    normalize: Any = None,
) -> Training:
    """An optimiser with the ``parts`` named: momentum, nesterov, decay, smoothing, weights."""
    constants = {
        **_EXACT,
        "name": optimizer,
        "learning_rate": _RATES.get(optimizer, 2.0**-10),
        "momentum": _MOMENTUM[optimizer] if {"momentum", "nesterov"} & set(parts) else 0.0,
        "nesterov": "nesterov" in parts,
        "weight_decay": _DECAY if "decay" in parts else 0.0,
    }
    return Training(
        optimizer=Optimizer.model_validate(constants),
        schedule=schedule or Schedule(),
        label_smoothing=_SMOOTHING if "smoothing" in parts else 0.0,
        class_weights="balanced" if "weights" in parts else None,
        normalize=normalize,
    )


def words(training: Training) -> str:
    """A recipe by its parts: ``adamw, decay, one-cycle, smoothing``."""
    optimizer = training.optimizer
    moving = "nesterov" if optimizer.nesterov else "momentum"
    parts = {
        moving: optimizer.momentum > 0 and optimizer.name in _MOMENTUM,
        "decay": optimizer.weight_decay > 0,
        training.schedule.name: training.schedule.name != "constant",
        "smoothing": training.label_smoothing > 0,
        "weights": training.class_weights is not None,
        "train" if training.normalize == "train" else "given": training.normalize is not None,
    }
    return ", ".join([optimizer.name, *(part for part, present in parts.items() if present)])


_NAMED: dict[str, Training] = {
    "sgd": _recipe("sgd"),
    "momentum": _recipe("sgd", "momentum"),
    "nesterov": _recipe("sgd", "nesterov"),
    "adam": _recipe("adam"),
    "adamw": _recipe("adamw", "decay"),
    "rmsprop": _recipe("rmsprop", "momentum"),
    "adadelta": _recipe("adadelta"),
    # a rate inside or outside the momentum is the same until it changes
    "momentum, schedule": _recipe("sgd", "momentum", schedule=_STEP),
    "all options": _recipe("adamw", "decay", "smoothing", "weights", schedule=_ONE_CYCLE, normalize=_GIVEN),
}
"""``all options``: everything else a recipe may have, at once."""

_OF_SUITES = (
    _recipe("adam", "weights"),
    _recipe("adamw", "decay", "smoothing", schedule=_ONE_CYCLE, normalize=_GIVEN),
)
"""The combinations that the shipped suites use, except plain Adam."""

_PAIRS = (
    _recipe("sgd", "nesterov", "decay", "smoothing", "weights", schedule=_STEP, normalize="train"),
    _recipe("sgd", "nesterov", "weights", schedule=_ONE_CYCLE, normalize=_GIVEN),
    _recipe("adam", "weights", normalize="train"),
    _recipe("adam", "decay", "smoothing", "weights", schedule=_ONE_CYCLE),
    _recipe("adam", "decay", "weights", schedule=_STEP, normalize=_GIVEN),
    _recipe("adamw", schedule=_STEP, normalize="train"),
    _recipe("rmsprop", "smoothing", schedule=_ONE_CYCLE, normalize="train"),
    _recipe("rmsprop", "decay", "smoothing", "weights", normalize=_GIVEN),
    _recipe("rmsprop", "smoothing", "weights", schedule=_STEP, normalize=_GIVEN),
    _recipe("adadelta", "decay", "smoothing", "weights", schedule=_STEP, normalize=_GIVEN),
    _recipe("adadelta", "decay", schedule=_ONE_CYCLE, normalize="train"),
)
"""The pairs of parts that the others lack, as far as parts combine; found by a greedy search."""

RECIPES: Mapping[str, Training] = _NAMED | {words(one): one for one in (*_OF_SUITES, *_PAIRS)}
"""By name, as given to ``--optimizer``."""

GRADIENT = Training(batch_size=8, optimizer=Optimizer.model_validate({**_EXACT, "name": "sgd", "learning_rate": 64.0}))
"""One step moves the weights by a multiple of the gradient: the check of the first update in few digits.

The multiple is so large that the rounding of the weights is lost in it. Adam's first update would not do: it is near
the gradient's sign, and rounding flips the sign of what is nearly zero.
"""


def exact(training: Training) -> Training:
    """A recipe of a suite with its constants rounded to float32, for a proof in float64."""
    optimizer = training.optimizer.model_dump()
    rounded = {name: _float32(value) for name, value in optimizer.items() if isinstance(value, float)}
    changes: dict[str, Any] = {
        "optimizer": training.optimizer.model_copy(update=rounded),
        "label_smoothing": _float32(training.label_smoothing),
    }
    if isinstance(training.normalize, Normalization):
        given = training.normalize
        changes["normalize"] = Normalization(mean=_float32(given.mean), std=_float32(given.std))
    return training.model_copy(update=changes)


def smooth(training: Training) -> Training:
    """A recipe for a proof in few digits: its epsilon is of the size of gradients.

    With an epsilon near zero an update is the gradient's sign, which rounding decides if the gradient is nearly zero:
    one such weight of 400 that moves the other way is a difference of a tenth.
    """
    optimizer = training.optimizer
    inside = optimizer.name in ("rmsprop", "adadelta")  # of the root
    epsilon = _SMOOTH**2 if inside else _SMOOTH
    return training.model_copy(update={"optimizer": optimizer.model_copy(update={"epsilon": epsilon})})


def _float32(value: float) -> float:
    """The float32 nearest to ``value``."""
    (rounded,) = struct.unpack("f", struct.pack("f", value))
    return float(rounded)
