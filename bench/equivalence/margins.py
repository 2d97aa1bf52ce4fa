"""A batch on which rounding decides nothing: no rectifier near its edge, no two maxima near each other.

If a value is zero up to rounding, two correct frameworks may differ on its sign, and so on whether a gradient passes:
one such flip changes the gradient of a kernel by a hundredth. In float64 none occurs in practice; for proofs in fewer
digits a batch is chosen on which none can occur.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.equivalence.deviations import Deviations
from bench.equivalence.reference_layers import forward
from bench.models.model import Conv, Dense, MaxPool, Relu
from bench.models.network import PlacedLayer, PlacedNetwork

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MARGIN = 4e-6
"""Several times the float32 rounding of a value of the order of 1."""
TRIES = 300


def settled(
    placed: PlacedNetwork,
    weights: Mapping[str, NDArray[np.float32]],
    inputs: NDArray[np.float64],
    size: int,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """``(size,)`` rows of ``inputs`` drawn until their margin is ``MARGIN``; after ``TRIES`` draws, the best."""
    best, rows = -1.0, np.arange(size)
    for _ in range(TRIES):
        drawn = generator.permutation(len(inputs))[:size]
        found = margin(placed, weights, inputs[drawn])
        if found > best:
            best, rows = found, drawn
        if best >= MARGIN:
            break
    return rows


def margin(placed: PlacedNetwork, weights: Mapping[str, NDArray[np.float32]], inputs: NDArray[np.float64]) -> float:
    """The smallest distance, in training, of a rectifier from its edge or of a maximum from the next value."""
    exact = {name: value.astype(np.float64) for name, value in weights.items()}
    bare = Deviations(activation="identity", activation_in=frozenset(layer.name for layer in placed.layers))
    values, smallest = inputs, np.inf
    for layer in placed.layers:
        if isinstance(layer.layer, MaxPool):
            smallest = min(smallest, _gap(values, layer.layer.size))
        values = forward(layer, values, exact, True, bare).output
        if _rectified(layer):
            smallest = min(smallest, float(np.min(np.abs(values))))
            values = np.maximum(values, 0.0)
    return float(smallest)


def _rectified(layer: PlacedLayer) -> bool:
    kind = layer.layer
    return isinstance(kind, Relu) or (isinstance(kind, Conv | Dense) and kind.activation is not None)


def _gap(values: NDArray[np.float64], size: int) -> float:
    """The smallest distance between the two largest values of a window; rectified zeros pass no gradient, so none."""
    axes = tuple(range(1, values.ndim - 1))
    for axis in axes:
        sides = values.shape[axis] // size
        values = np.take(values, np.arange(sides * size), axis=axis)
    shape = [values.shape[0]]
    for axis in axes:
        shape += [values.shape[axis] // size, size]
    windows = values.reshape(*shape, values.shape[-1])
    inner = tuple(range(2, 2 + 2 * len(axes), 2))
    moved = np.moveaxis(windows, inner, tuple(range(-len(axes), 0)))
    flat = np.sort(moved.reshape(*moved.shape[: -len(axes)], -1), axis=-1)
    gaps = (flat[..., -1] - flat[..., -2])[flat[..., -1] != 0]
    return float(gaps.min(initial=np.inf))
