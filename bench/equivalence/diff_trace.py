"""The trace of one of two models from given weights and images, step by step, and the comparison of two traces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.adapters.layer_facts import Layer, OutputKind, Subject, output_kind
from bench.case import Optimizer
from bench.equivalence.reference_optimizers import Updater

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

STEPS = 20
BATCH = 32
EVALUATED = 64
"""Rows whose logits are compared."""

OPTIMIZERS: Mapping[str, Optimizer] = {
    "sgd": Optimizer(name="sgd", learning_rate=2.0**-5),
    "momentum": Optimizer(name="sgd", learning_rate=2.0**-6, momentum=0.875),
    "nesterov": Optimizer(name="sgd", learning_rate=2.0**-6, momentum=0.875, nesterov=True),
    "adam": Optimizer(learning_rate=2.0**-10, beta_1=0.875, beta_2=1 - 2.0**-10, epsilon=2.0**-23),
    "adamw": Optimizer(
        name="adamw", learning_rate=2.0**-10, beta_1=0.875, beta_2=1 - 2.0**-10, epsilon=2.0**-23, weight_decay=2.0**-7
    ),
    "rmsprop": Optimizer(name="rmsprop", learning_rate=2.0**-10, rho=0.875, epsilon=2.0**-23),
    "adadelta": Optimizer(name="adadelta", learning_rate=1.0, rho=0.875, epsilon=2.0**-20),
}
"""Optimisers by name, with constants exact in float32."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs of both models."""

    images: Array
    """``(n, *spatial, channels)`` in 0..1."""
    labels: NDArray[np.int64]
    weights: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class DiffTrace:
    """Results of one model."""

    outputs: Array
    """``(n, k)`` before training."""
    repeated: Array
    """The same, computed again."""
    gradients: Mapping[str, Array]
    """Gradients of the first step."""
    losses: Array
    weights: Mapping[str, Array]
    """After the last step, statistics included."""
    trained: Array
    """``(n, k)`` after training."""


@dataclass(frozen=True)
class Quantity:
    """The largest difference in one quantity, relative to its largest value, and its limit."""

    name: str
    difference: float
    limit: float
    where: str = ""
    """The weight or the step with the difference."""

    @property
    def holds(self) -> bool:
        """True if within the limit; NaN is not."""
        return self.difference <= self.limit


@dataclass(frozen=True)
class Limits:
    """Relative limits, by quantity."""

    outputs: float
    gradients: float
    losses: float
    weights: float
    """Limit on the final weights and on their outputs."""


DOUBLE = Limits(1e-12, 1e-12, 1e-12, 1e-10)
"""An adaptive optimiser enlarges the rounding of gradients near its epsilon: 1e-12 was seen in final weights."""
NORMALIZED = Limits(1e-9, 1e-9, 1e-9, 1e-8)
"""With BatchNorm, whose division by a deviation enlarges rounding."""
SINGLE = Limits(1e-5, 1e-4, 1e-3, 1e-2)
"""For a model that itself computes in float32."""


def draw(layers: Sequence[Layer], shape: tuple[int, ...], outputs: int, seed: int) -> Inputs:
    """Images, labels and weights from ``seed``; a weight is drawn by its role, at the scale of initial ones."""
    generator = np.random.default_rng(seed)
    rows = STEPS * BATCH
    weights: dict[str, Array] = {}
    for number, layer in enumerate(layer for layer in layers if layer.weights):
        for role, size in layer.weights.items():
            weights[f"{number}/{role}"] = _drawn(generator, role, size)
    return Inputs(generator.random((rows, *shape)), generator.integers(0, outputs, rows), weights)


def _drawn(generator: np.random.Generator, role: str, size: tuple[int, ...]) -> Array:
    values = generator.standard_normal(size)
    if role == "kernel":  # He et al. 2015, equation 10
        return np.asarray(values * np.sqrt(2.0 / max(1, int(np.prod(size[:-1])))))
    if role == "moving_variance":
        return generator.uniform(0.5, 1.5, size)
    return np.asarray(0.1 * values + (role == "gamma"))


def trace(subject: Subject, inputs: Inputs, optimizer: Optimizer) -> DiffTrace:
    """Run the proof on one model: evaluate twice, then train with dropout off, the update made by numpy."""
    rows = inputs.images[:EVALUATED]
    subject.load(inputs.weights)
    outputs, repeated = subject.outputs(rows), subject.outputs(rows)
    subject.stop_dropout()
    kind = output_kind(subject.outputs(rows))
    updater = Updater(optimizer)
    losses: list[float] = []
    first: dict[str, Array] = {}
    for step in range(STEPS):
        batch = slice(step * BATCH, (step + 1) * BATCH)
        before = subject.weights()
        loss, gradients = subject.gradients(inputs.images[batch], inputs.labels[batch], kind)
        first = first or gradients
        losses.append(loss)
        subject.load(updater.update(before, gradients, optimizer.learning_rate))
    return DiffTrace(outputs, repeated, first, np.array(losses), subject.weights(), subject.outputs(rows))


def save(path: Path, found: DiffTrace) -> None:
    """Save as ``.npz``."""
    arrays = {"outputs": found.outputs, "repeated": found.repeated, "losses": found.losses, "trained": found.trained}
    arrays |= {f"gradients:{name}": value for name, value in found.gradients.items()}
    arrays |= {f"weights:{name}": value for name, value in found.weights.items()}
    np.savez(path, **arrays)  # type: ignore[arg-type]


def load(path: Path) -> DiffTrace:
    """Read what ``save`` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}

    def part(prefix: str) -> dict[str, Array]:
        return {name.partition(":")[2]: value for name, value in arrays.items() if name.startswith(f"{prefix}:")}

    return DiffTrace(
        arrays["outputs"], arrays["repeated"], part("gradients"), arrays["losses"], part("weights"), arrays["trained"]
    )


def compare_traces(
    left: DiffTrace, right: DiffTrace, limits: Limits, labels: tuple[str, str], names: Mapping[str, str]
) -> list[Quantity]:
    """Every quantity in order of computation; ``names`` give the layer of each weight."""
    repeated = [_repeated(trace, label, limits.outputs) for trace, label in zip((left, right), labels, strict=True)]
    kinds = (output_kind(left.outputs), output_kind(right.outputs))
    what = "logits" if kinds[0] == kinds[1] == "logits" else "log-probabilities"
    outputs = _relative(_logs(left.outputs, kinds[0], what), _logs(right.outputs, kinds[1], what))
    step, losses = _of_losses(left.losses, right.losses, limits.losses)
    trained = _relative(_logs(left.trained, kinds[0], what), _logs(right.trained, kinds[1], what))
    return [
        *repeated,
        Quantity(f"{what} before training", outputs, limits.outputs),
        Quantity("gradients of the first step", *_of_arrays(left.gradients, right.gradients, limits.gradients, names)),
        Quantity(f"losses of {STEPS} steps", losses, limits.losses, f"step {step}"),
        Quantity("final weights", *_of_arrays(left.weights, right.weights, limits.weights, names)),
        Quantity(f"{what} after training", trained, limits.weights),
    ]


def _repeated(found: DiffTrace, label: str, limit: float) -> Quantity:
    return Quantity(f"evaluated twice, {label}", _relative(found.outputs, found.repeated), limit)


def _logs(outputs: Array, kind: OutputKind, wanted: str) -> Array:
    if kind == "probabilities":
        return np.asarray(np.log(outputs))
    if kind == "logits" and wanted != "logits":
        shifted = outputs - outputs.max(axis=1, keepdims=True)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
    return outputs


def _relative(left: Array, right: Array, floor: float = 0.0) -> float:
    """``max|a-b| / max(|a|, |b|, floor)``; 0 if equal."""
    difference = float(np.abs(left - right).max(initial=0.0))
    scale = max(float(np.abs(left).max(initial=0.0)), float(np.abs(right).max(initial=0.0)), floor)
    return difference / scale if difference else 0.0


def _of_losses(left: Array, right: Array, limit: float) -> tuple[int, float]:
    """The first step over ``limit``, or else the one with the largest difference; and the largest difference."""
    each = [_relative(one, other) for one, other in zip(left, right, strict=True)]
    over = [step for step, difference in enumerate(each) if not difference <= limit]
    return (over[0] if over else int(np.argmax(each))) + 1, float(np.max(each))


def _of_arrays(
    left: Mapping[str, Array], right: Mapping[str, Array], limit: float, names: Mapping[str, str]
) -> tuple[float, float, str]:
    """The largest difference, the limit, and the weight it lies in.

    Each difference is relative to the array's own largest value, but to no less than a thousandth of the largest of
    all: a gradient that is zero up to rounding, such as of a bias before BatchNorm, must not count.
    """
    shared = [name for name in left if name in right]
    floor = 1e-3 * max((float(np.abs(left[name]).max(initial=0.0)) for name in shared), default=0.0)
    each = {name: _relative(left[name], right[name], floor) for name in shared}
    worst = max(each, key=lambda name: np.inf if np.isnan(each[name]) else each[name], default="")
    return each.get(worst, 0.0), limit, names.get(worst, worst)


def named_weights(layers: Sequence[Layer]) -> Iterator[tuple[str, str]]:
    """``0/kernel`` and ``conv1 kernel`` for every weight."""
    for number, layer in enumerate(layer for layer in layers if layer.weights):
        for role in layer.weights:
            yield f"{number}/{role}", f"{layer.name or layer.kind} {role.replace('_', ' ')}"
