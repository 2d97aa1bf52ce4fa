"""A network placed on images: the layers that remain, their shapes, weights, parameters and operations.

The neutral layout of weights is Keras': a dense kernel is ``(inputs, units)``, a convolution's ``(*window, channels,
filters)``, and a flattened image is in height, width, channel order. Weights are named ``layer/weight``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bench.case import weights_seed
from bench.models.model import CLASSES, BatchNorm, Conv, Dense, Dropout, Flatten, Layer, MaxPool, Network, Relu

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Shape = tuple[int, ...]


@dataclass(frozen=True)
class PlacedLayer:
    """A layer of a network on images of a given shape."""

    name: str
    """Kind and number: ``conv_1``, ``dense_2``."""
    layer: Layer
    input: Shape
    output: Shape
    padding: Literal["valid", "same"] = "valid"
    """A convolution's padding, adapted to the image."""

    @property
    def trained(self) -> dict[str, Shape]:
        """Shapes of the trained weights, by neutral name."""
        match self.layer:
            case Dense(bias=bias):
                kernel: Shape = (self.input[0], self.output[0])
            case Conv(kernel=size, bias=bias):
                kernel = (size,) * (len(self.input) - 1) + (self.input[-1], self.output[-1])
            case BatchNorm():
                return {f"{self.name}/gamma": self.input[-1:], f"{self.name}/beta": self.input[-1:]}
            case _:
                return {}
        shapes: dict[str, Shape] = {f"{self.name}/kernel": kernel}
        return shapes | {f"{self.name}/bias": kernel[-1:]} if bias else shapes

    @property
    def pads(self) -> tuple[tuple[int, int], ...]:
        """Values that a convolution with padding ``same`` adds at the start and the end of each spatial axis."""
        if not isinstance(self.layer, Conv) or self.padding == "valid":
            return ((0, 0),) * (len(self.input) - 1)
        needed = (
            max((out - 1) * self.layer.strides + self.layer.kernel - side, 0)
            for side, out in zip(self.input[:-1], self.output[:-1], strict=True)
        )
        return tuple((total // 2, total - total // 2) for total in needed)

    @property
    def statistics(self) -> dict[str, Shape]:
        """Shapes of the weights that are kept but not trained: BatchNorm's moving mean and variance."""
        if not isinstance(self.layer, BatchNorm):
            return {}
        channels = self.input[-1:]
        return {f"{self.name}/moving_mean": channels, f"{self.name}/moving_variance": channels}

    @property
    def flops(self) -> int:
        """Floating-point operations of one sample, forward: products and sums of kernels only, two a pair."""
        match self.layer:
            case Dense():
                return 2 * self.input[0] * self.output[0]
            case Conv(kernel=size):
                window = math.prod([size] * (len(self.input) - 1))
                return 2 * window * self.input[-1] * math.prod(self.output)
            case _:
                return 0


@dataclass(frozen=True)
class PlacedNetwork:
    """A network on images of ``shape`` with ``classes`` logits."""

    name: str
    shape: Shape
    classes: int
    layers: tuple[PlacedLayer, ...]

    @property
    def parameters(self) -> int:
        """Trained parameters."""
        return sum(math.prod(shape) for layer in self.layers for shape in layer.trained.values())

    @property
    def flops(self) -> int:
        """Operations of one forward pass of one sample."""
        return sum(layer.flops for layer in self.layers)

    @property
    def weight_shapes(self) -> dict[str, Shape]:
        """All weights by neutral name, statistics included."""
        shapes: dict[str, Shape] = {}
        for layer in self.layers:
            shapes |= layer.trained | layer.statistics
        return shapes


def place(network: Network, shape: Shape, classes: int) -> PlacedNetwork:
    """Fit ``network`` to images of ``shape`` (``(*spatial, channels)``) and ``classes`` classes.

    A pooling whose window is larger than the image is left out, and a convolution whose kernel is larger is padded
    to keep the image's size: so the networks run on 8x8 images as on 28x28.

    Raises ValueError where a layer cannot follow the one before it.
    """
    return PlacedNetwork(network.name, shape, classes, tuple(_placed(network, shape, classes)))


def _placed(network: Network, shape: Shape, classes: int) -> Iterator[PlacedLayer]:
    counts: dict[str, int] = {}
    for layer in network.layers:
        if isinstance(layer, Conv | MaxPool) and len(shape) == 1:
            kind = type(layer).__name__
            raise ValueError(f"network {network.name!r}: a {kind} layer needs an image, and cannot follow a Flatten")
        if isinstance(layer, MaxPool) and min(shape[:-1]) < layer.size:
            continue
        if isinstance(layer, Dense) and len(shape) != 1:
            raise ValueError(f"network {network.name!r}: a Dense layer needs a Flatten before it")
        kind = _KINDS[type(layer)]
        counts[kind] = counts.get(kind, 0) + 1
        padding = _padding(layer, shape)
        output = _output(layer, shape, classes, padding)
        yield PlacedLayer(f"{kind}_{counts[kind]}", layer, shape, output, padding)
        shape = output


_KINDS: dict[type, str] = {
    Flatten: "flatten",
    Dense: "dense",
    Dropout: "dropout",
    Conv: "conv",
    MaxPool: "pool",
    BatchNorm: "norm",
    Relu: "relu",
}


def _padding(layer: Layer, shape: Shape) -> Literal["valid", "same"]:
    if not isinstance(layer, Conv):
        return "valid"
    return "same" if layer.padding == "same" or min(shape[:-1]) < layer.kernel else "valid"


def _output(layer: Layer, shape: Shape, classes: int, padding: str) -> Shape:
    match layer:
        case Flatten():
            return (math.prod(shape),)
        case Dense(units=units):
            return (classes if units == CLASSES else units,)
        case Conv(filters=filters, kernel=kernel, strides=strides):
            lost = 0 if padding == "same" else kernel - 1
            return (*(-(-(side - lost) // strides) for side in shape[:-1]), filters)
        case MaxPool(size=size):
            return (*(side // size for side in shape[:-1]), shape[-1])
        case _:
            return shape


def initial_weights(network: PlacedNetwork, seed_index: int) -> dict[str, NDArray[np.float32]]:
    """Glorot uniform kernels, zero biases, unit BatchNorm: the same arrays for every framework.

    Each layer draws from its own stream, so that adding a layer does not change the others. Bound
    ``sqrt(6 / (fan_in + fan_out))``: Glorot and Bengio, AISTATS 2010, equation 16.
    """
    import numpy as np

    weights: dict[str, NDArray[np.float32]] = {}
    for layer in network.layers:
        generator = np.random.Generator(np.random.PCG64(weights_seed(seed_index, network.name, layer.name)))
        for name, shape in (layer.trained | layer.statistics).items():
            kind = name.rpartition("/")[2]
            if kind == "kernel":
                window = math.prod(shape[:-2])
                bound = math.sqrt(6.0 / (window * (shape[-2] + shape[-1])))
                weights[name] = generator.uniform(-bound, bound, shape).astype(np.float32)
            elif kind in ("gamma", "moving_variance"):
                weights[name] = np.ones(shape, np.float32)
            else:
                weights[name] = np.zeros(shape, np.float32)
    return weights


def check_weights(network: PlacedNetwork, weights: dict[str, Shape]) -> None:
    """Raise ValueError where the names or shapes of ``weights`` are not the network's."""
    expected = network.weight_shapes
    for name in expected.keys() | weights.keys():
        if expected.get(name) != weights.get(name):
            found = weights.get(name)
            raise ValueError(f"network {network.name!r}: weight {name!r} is {found}, {expected.get(name)} expected")
