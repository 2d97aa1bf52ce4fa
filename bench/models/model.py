"""Models: a neutral network (layers as data), an estimator (a class path), or the user's own.

Nothing here computes or imports a framework; adapters compile these descriptions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from bench.case import digest

Activation = Literal["relu"] | None
CLASSES: Literal["classes"] = "classes"
"""Stands for the number of classes in a layer's units."""


@dataclass(frozen=True)
class Flatten:
    """Make each sample a vector, in height, width, channel order."""


@dataclass(frozen=True)
class Dense:
    """A fully connected layer. ``units`` may be ``CLASSES``: the output, whose values are logits."""

    units: int | Literal["classes"]
    activation: Activation = None
    bias: bool = True


@dataclass(frozen=True)
class Dropout:
    """Inverted dropout: zero a share ``rate`` while training, scale the rest by ``1 / (1 - rate)``."""

    rate: float


@dataclass(frozen=True)
class Conv:
    """A convolution over all spatial axes. A kernel larger than the image is padded to its size.

    ``same`` pads so that ``ceil(side / strides)`` values come out; if it adds an odd number of values, the extra one
    goes to the end of the axis, as in Keras.
    """

    filters: int
    kernel: int
    activation: Activation = None
    padding: Literal["valid", "same"] = "valid"
    bias: bool = True
    strides: int = 1


@dataclass(frozen=True)
class MaxPool:
    """Maximum over windows of ``size``, stride ``size``, remainder dropped. Left out where the window does not fit."""

    size: int


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalisation over all but the channel axis; ``momentum`` is the weight of the old statistics."""

    momentum: float = 0.99
    epsilon: float = 1e-3


@dataclass(frozen=True)
class Relu:
    """``max(x, 0)`` as a layer of its own: after a BatchNorm."""


Layer = Flatten | Dense | Dropout | Conv | MaxPool | BatchNorm | Relu


@dataclass(frozen=True)
class Network:
    """A framework-neutral architecture: layers from the image to the logits."""

    name: str
    description: str
    layers: tuple[Layer, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over what it computes, whatever its name."""
        return digest([f"{layer!r}" for layer in self.layers])


@dataclass(frozen=True)
class Transformer:
    """A step of a pipeline before its estimator, by class path, with the parameters that differ from the library's."""

    class_path: str
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    seeded: bool = False
    """Takes a ``random_state``."""


@dataclass(frozen=True)
class Estimator:
    """A scikit-learn estimator by class path, with the parameters that differ from the library's own."""

    name: str
    description: str
    class_path: str
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    seeded: bool = False
    """Takes a ``random_state``; if not, a second seed gives the same model, and it runs once."""
    parallel: bool = False
    """Takes ``n_jobs``, which is set to the thread count."""
    train_rows: int | None = None
    """Default cap on the training rows of a slow estimator; shown in the row's label."""
    argmax: bool = False
    """``predict`` is the class of the largest probability or margin, so that one call gives both."""
    transformers: tuple[Transformer, ...] = ()
    """Steps before the estimator: the model is then a pipeline, and the parameters are its last step's."""
    weighted: bool = False
    """Takes a ``class_weight``, the last step of a pipeline too."""
    raw_pixels: bool = False
    """Gets pixel values as stored (0..255), not scaled to 0..1."""
    fit_s: float = 0.5
    predict_s: float = 0.5
    """Rough seconds on 60,000 rows of 784 pixels and two cores: only to estimate a run that has no history."""

    @property
    def digest(self) -> str:
        """SHA-256 over what it computes, whatever its name."""
        steps: list[JsonValue] = [[step.class_path, dict(step.parameters)] for step in self.transformers]
        return digest([self.class_path, dict(self.parameters), self.raw_pixels, *steps])


@dataclass(frozen=True)
class NativeModel:
    """The user's own model: native builders, found in a file or a module, built only inside a worker.

    ``builders`` are the kinds found by reading the source: any of ``pytorch``, ``keras``, ``scikit_learn``.
    """

    name: str
    builders: frozenset[str]
    digest: str
    path: Path | None = None
    """The file; None where the model comes from an installed package."""
    attribute: str = ""
    """The builder in the file; empty means the file's own functions ``pytorch``, ``keras``, ``scikit_learn``."""
    module: str | None = None
    description: str = "the user's own"


Model = Network | Estimator | NativeModel
