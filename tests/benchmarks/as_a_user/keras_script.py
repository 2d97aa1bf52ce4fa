"""Keras on any of its backends: ``compile`` and one ``fit`` on float32 arrays, in Keras' own shuffle."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers

from tests.benchmarks.as_a_user.script import BATCH_SIZE, PREDICT_BATCH_SIZE, Script, run

if TYPE_CHECKING:
    from numpy.typing import NDArray


def network(model: str) -> list[Any]:
    if model == "mlp-plain":
        return [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10)]
    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(10),
    ]


class EpochEnds(keras.callbacks.Callback):  # type: ignore[misc]
    """The least that a callback can do: note when each epoch ended."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        self.times.append(perf_counter())


class KerasScript(Script):
    def __init__(self, model: str, images: NDArray[np.uint8], labels: NDArray[np.int64], scale: float) -> None:
        self.scale = scale
        self.x, self.y = self.converted(images), labels
        self.model: Any = keras.Sequential([keras.Input(images.shape[1:]), *network(model)])
        self.model.compile(optimizer="adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        self.initial = self.model.get_weights()

    def converted(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return images.astype(np.float32) / np.float32(self.scale)

    def restart(self) -> None:
        self.model.set_weights(self.initial)

    def train(self, epochs: int) -> float:
        ends = EpochEnds()
        self.model.fit(self.x, self.y, batch_size=BATCH_SIZE, epochs=epochs, verbose=0, callbacks=[ends])
        return (ends.times[-1] - ends.times[0]) / (epochs - 1)

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        starts = range(0, len(images), PREDICT_BATCH_SIZE)
        parts = [self.logits(self.converted(images[start : start + PREDICT_BATCH_SIZE])) for start in starts]
        labels: NDArray[np.int64] = np.concatenate(parts).argmax(axis=1)
        return labels

    @cached_property
    def logits(self) -> Callable[[Any], Any]:
        """A call as the backend's guide has it: ``Model.predict`` takes 50 ms however few the images are."""
        model = self.model
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            graph = tf.function(lambda images: model(images, training=False), reduce_retracing=True)
            return lambda images: graph(images).numpy()
        if keras.backend.backend() == "jax":
            import jax

            compiled = jax.jit(lambda trained, fixed, images: model.stateless_call(trained, fixed, images)[0])
            return lambda images: compiled(
                [variable.value for variable in model.trainable_variables],
                [variable.value for variable in model.non_trainable_variables],
                images,
            )
        import torch

        def eager(images: Any) -> Any:
            with torch.no_grad():
                return model(images, training=False).numpy()

        return eager


SCRIPT = KerasScript

if __name__ == "__main__":
    run(SCRIPT)
