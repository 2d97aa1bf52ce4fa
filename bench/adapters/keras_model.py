"""What a Keras learner trains and what it answers with: a neutral network, or the user's own ``keras.Model``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.adapters.keras_network import compile_network
from bench.adapters.keras_pixels import Pixels
from bench.models import native
from bench.models.model import Model, NativeModel, Network
from bench.models.network import PlacedNetwork, place

if TYPE_CHECKING:
    from bench.datasets.dataset import Split


@dataclass(frozen=True, eq=False)
class BuiltModel:
    """A Keras model that is not compiled yet."""

    trained: Any
    """What ``fit`` is called on."""
    answering: Any
    """From images as stored to its output; the same layers as ``trained``, and the same object where it can be."""
    placed: PlacedNetwork | None
    """None for a model of the user's."""
    logits: bool
    """It gives logits, else probabilities."""


def build_model(model: Model, train: Split, seed: int, pixels: Pixels, converted: bool) -> BuiltModel:
    """``model`` for the images of ``train``. ``converted``: it is trained on pixels that are already converted.

    Raises ModelFault where the user's own is none or fails, TypeError for an estimator.
    """
    stored = str(train.images.dtype)
    if isinstance(model, Network):
        placed = place(model, train.shape, train.classes)
        if not converted:
            whole = compile_network(placed, stored, pixels)
            return BuiltModel(whole, whole, placed, True)
        trained = compile_network(placed, pixels.dtype, None)
        return BuiltModel(trained, _behind(trained, train, stored, pixels), placed, True)
    if not isinstance(model, NativeModel):
        raise TypeError(f"{model.name} is no network")
    own = _own(model, train, seed)
    try:
        answering = _behind(own, train, stored, pixels)
    except Exception as error:  # the user's layers may raise anything
        raise native.ModelFault(f"{model.name}: {native.describe(error, model)}") from error
    trained = _behind(own, train, pixels.dtype, None) if converted else answering
    return BuiltModel(trained, answering, None, not _ends_in_softmax(own))


def _own(model: NativeModel, train: Split, seed: int) -> Any:
    import keras

    built = native.build(model, "keras", train.shape, train.classes, seed)
    if not isinstance(built, keras.Model):
        raise native.ModelFault(f"{model.name}: built a {type(built).__name__}, a keras.Model expected")
    return built


def _behind(model: Any, train: Split, dtype: str, pixels: Pixels | None) -> Any:
    """``model`` behind an input of ``dtype`` and the conversion of ``pixels``, unless None."""
    import keras

    inputs = keras.Input(train.shape, dtype=dtype)
    return keras.Model(inputs, model(inputs if pixels is None else pixels.layer()(inputs)))


def _ends_in_softmax(model: Any) -> bool:
    last = model.layers[-1] if model.layers else None
    activation = getattr(last, "activation", None)
    return type(last).__name__ == "Softmax" or getattr(activation, "__name__", "") == "softmax"
