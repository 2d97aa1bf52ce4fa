"""The models a Keras learner trains and answers with: a neutral network, or the user's own ``keras.Model``."""

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
    """Model that ``fit`` trains."""
    answering: Any
    """Maps stored images to outputs; shares the layers of ``trained``, and is the same object if possible."""
    placed: PlacedNetwork | None
    """None for a user's own model."""
    logits: bool = True
    """True for logits in training, else probabilities."""
    answers_logits: bool = True
    """The same in evaluation."""


def build_model(model: Model, train: Split, seed: int, pixels: Pixels, converted: bool) -> BuiltModel:
    """``model`` for the images of ``train``; with ``converted`` it trains on pixels already converted.

    Raises ModelFault if the user builds no ``keras.Model`` or it fails, TypeError for an estimator.
    """
    stored = str(train.images.dtype)
    if isinstance(model, Network):
        placed = place(model, train.shape, train.classes)
        if not converted:
            whole = compile_network(placed, stored, pixels)
            return BuiltModel(whole, whole, placed)
        trained = compile_network(placed, pixels.dtype, None)
        return BuiltModel(trained, _behind(trained, train, stored, pixels), placed)
    if not isinstance(model, NativeModel):
        raise TypeError(f"{model.name} is not a network")
    own = _own(model, train, seed)
    try:
        answering = _behind(own, train, stored, pixels)
    except Exception as error:  # the user's layers may raise anything
        raise native.ModelFault(f"{model.name}: {native.describe(error, model)}") from error
    trained = _behind(own, train, pixels.dtype, None) if converted else answering
    training, evaluation = (not _gives_probabilities(answering, train, training) for training in (True, False))
    return BuiltModel(trained, answering, None, training, evaluation)


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


def _gives_probabilities(model: Any, train: Split, training: bool) -> bool:
    """True if the outputs for a few images are probabilities; variables that the call changes are restored."""
    import keras

    before = [variable.numpy() for variable in model.variables]
    try:
        outputs = model(train.images[: native.LOOKED_AT], training=training)
        return native.gives_probabilities(keras.ops.convert_to_numpy(keras.ops.cast(outputs, "float32")))
    except Exception:  # a model that fails here fails again where it is used, and is named there
        return False
    finally:
        for variable, value in zip(model.variables, before, strict=True):
            variable.assign(value)
