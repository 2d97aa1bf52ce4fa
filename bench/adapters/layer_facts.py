"""Facts read off a user's own model layer by layer, and the computations that compare it with another's.

A framework's part (``layer_facts_pytorch.py``, ``layer_facts_keras.py``) opens the model as a ``Subject``: its layers
in the order in which they run, as neutral facts, its weights in one neutral layout, and its arithmetic in float64.
"""

from __future__ import annotations

import importlib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import Field, JsonValue

from bench.case import Frozen
from bench.models.model import NativeModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

OutputKind = Literal["logits", "probabilities", "log-probabilities"]

OPENERS: Mapping[str, str] = {
    "pytorch": "bench.adapters.layer_facts_pytorch:open_model",
    "keras": "bench.adapters.layer_facts_keras:open_model",
}
"""By builder: the function that opens a model of that kind in a worker."""

PREFERRED: Mapping[str, tuple[str, ...]] = {
    "pytorch": ("pytorch",),
    "keras": ("keras-tensorflow", "keras-torch", "keras-jax"),
}
"""By builder: the frameworks that can open a model; the first of these that is installed does."""


AWAKE = "active in evaluation"
"""Key of this fact of a dropout."""


class Layer(Frozen):
    """One layer or operation as it ran."""

    kind: str
    """``Conv``, ``Dense``, ``MaxPool``, …; an activation's own name: ``relu``."""
    name: str
    """The model's own name for it: ``conv1``."""
    facts: dict[str, JsonValue] = Field(default_factory=dict)
    weights: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    """Shapes in the neutral layout (Keras': channels last) by role: ``kernel``, ``bias``, ``gamma``, …"""


class Described(Frozen):
    """A model as its framework shows it."""

    framework: str
    layers: tuple[Layer, ...]
    parameters: int
    """Trained ones."""
    outputs: int
    """Values a sample."""
    unmapped: tuple[str, ...] = ()
    """Named weights that cannot be compared, each with its owner."""
    single: tuple[str, ...] = ()
    """Layers that compute in float32 although asked for float64."""


class Subject(ABC):
    """A user's model in its framework, in float64; weights go by ``<number of the layer with weights>/<role>``."""

    described: Described

    @abstractmethod
    def load(self, weights: Mapping[str, Array]) -> None:
        """Load ``weights``, in the neutral layout; others stay."""

    @abstractmethod
    def weights(self) -> dict[str, Array]:
        """All weights in the neutral layout, statistics included, as copies."""

    @abstractmethod
    def outputs(self, images: Array) -> Array:
        """``(n, k)`` in evaluation mode for images ``(n, *spatial, channels)``."""

    @abstractmethod
    def stop_dropout(self) -> None:
        """Set every dropout rate to 0, also of dropout called as a function."""

    @abstractmethod
    def gradients(self, images: Array, labels: NDArray[np.int64], kind: OutputKind) -> tuple[float, dict[str, Array]]:
        """The mean cross-entropy in training mode and its gradients; statistics follow, trained weights stay."""


def open_model(model: NativeModel, builder: str, shape: tuple[int, ...], classes: int, seed: int) -> Subject:
    """The user's model, built in this process. ``shape`` is one image's, channels last.

    Raises ModelFault where the user's code raises.
    """
    module, _, attribute = OPENERS[builder].partition(":")
    return cast(Subject, getattr(importlib.import_module(module), attribute)(model, shape, classes, seed))


@dataclass(frozen=True)
class Layout:
    """Conversion of a framework's array to the neutral one: split into axes, transpose, merge again."""

    split: tuple[int, ...]
    order: tuple[int, ...]
    shape: tuple[int, ...]

    def neutral(self, own: NDArray[Any]) -> Array:
        """A copy of ``own`` in the neutral layout."""
        import numpy as np

        return np.array(own.reshape(self.split).transpose(self.order).reshape(self.shape), np.float64)

    def own(self, neutral: Array, shape: Sequence[int]) -> Array:
        """A neutral array in the framework's layout, whose shape is ``shape``."""
        import numpy as np

        moved = neutral.reshape([self.split[axis] for axis in self.order])
        return np.ascontiguousarray(moved.transpose(np.argsort(self.order)).reshape(tuple(shape)))


def as_it_is(shape: Sequence[int]) -> Layout:
    """The layout that is neutral already."""
    return Layout(tuple(shape), tuple(range(len(shape))), tuple(shape))


class FeatureOrder:
    """Tracks an image's axes until it is flattened, so that the rows after that are known by position.

    PyTorch flattens channels, height, width; Keras height, width, channels, which is the neutral order.
    """

    def __init__(self, *, channels_first: bool) -> None:
        self._channels_first = channels_first
        self._labels: tuple[int, ...] | None = None
        self._flat: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    def restart(self) -> None:
        """Reset: a spatial layer gives the framework's own order."""
        self._labels = None

    def permuted(self, axes: Sequence[int]) -> None:
        """Note permuted axes of a sample: new axis i was ``axes[i]``, counted from 0 without the batch."""
        labels = self._now(len(axes))
        self._labels = tuple(labels[axis] for axis in axes)

    def flattened(self, sizes: Sequence[int]) -> None:
        """Note that axes of these sizes were flattened, in memory order."""
        if len(sizes) > 1:
            self._flat, self._labels = (tuple(sizes), self._now(len(sizes))), None

    def rows(self, features: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Sizes of the axes of ``features`` values, and the neutral order of these axes."""
        if self._flat is None or math.prod(self._flat[0]) != features:
            return (features,), (0,)
        sizes, labels = self._flat
        wanted = (*range(1, len(labels)), 0)
        return sizes, tuple(labels.index(label) for label in wanted)

    def consumed(self) -> None:
        """Forget axes mixed by a dense layer."""
        self._flat = None

    def _now(self, rank: int) -> tuple[int, ...]:
        """Labels of the axes: 0 the channels, from 1 the spatial ones."""
        if self._labels is not None and len(self._labels) == rank:
            return self._labels
        return tuple(range(rank)) if self._channels_first else (*range(1, rank), 0)


def vector_layout(order: FeatureOrder, features: int) -> Layout:
    """Layout of per-feature values: bias, scale, statistic."""
    sizes, axes = order.rows(features)
    return Layout(sizes, axes, (features,))


def same_padding(size: int, kernel: int, stride: int, dilation: int = 1) -> list[int]:
    """Values added before and after an axis of ``size`` by Keras' ``same``: ``ceil(size / stride)`` come out."""
    total = max((math.ceil(size / stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return [total // 2, total - total // 2]


def reached(size: int, kernel: int, stride: int, dilation: int, added: Sequence[int]) -> list[int]:
    """The values ``added`` before and after an axis of ``size`` that some window reaches."""
    window = (kernel - 1) * dilation + 1
    outputs = (size + sum(added) - window) // stride + 1
    return [added[0], max(0, (outputs - 1) * stride + window - size - added[0])]


def output_kind(outputs: Array) -> OutputKind:
    """Kind of ``(n, k)`` outputs, by their values: rows sum to 1, their exponentials do, or neither."""
    import numpy as np

    if (outputs >= 0).all() and np.allclose(outputs.sum(axis=1), 1.0, atol=1e-5):
        return "probabilities"
    if (outputs <= 0).all() and np.allclose(np.exp(outputs).sum(axis=1), 1.0, atol=1e-5):
        return "log-probabilities"
    return "logits"
