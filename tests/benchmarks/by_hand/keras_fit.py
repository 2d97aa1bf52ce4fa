"""Keras by hand, the same for every backend: ``compile`` and ``fit`` on arrays or on the backend's own loader."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers

from tests.benchmarks.by_hand.base import (
    BATCH_SIZE,
    EPSILON,
    LEARNING_RATE,
    PREDICT_BATCH_SIZE,
    Arrays,
    ByHand,
    Way,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


def network(model: str) -> list[Any]:
    """The model's layers as its tutorial writes them."""
    if model == "mlp":
        return [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dropout(0.2), layers.Dense(10)]
    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(10),
    ]


class KerasByHand(ByHand):
    """Arrays: pixels scaled by the model's first layer. Loader: by the loader, image by image."""

    jit_compile = False
    """As the harness sets it where the suite does not ask: TensorFlow as a graph, torch eager."""

    def __init__(self, model: str, arrays: Arrays, way: Way) -> None:
        self._images, self._labels, self._way = arrays.images, arrays.labels, way
        loader = way == "loader"
        inputs = keras.Input((28, 28, 1), dtype="float32" if loader else "uint8")
        self._network: Any = keras.Sequential(network(model))
        scaled = inputs if loader else layers.Rescaling(1 / 255)(inputs)
        self._model: Any = keras.Model(inputs, self._network(scaled))
        self._model.compile(
            optimizer=keras.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=self.jit_compile,
            steps_per_execution=32 if way == "32 steps a call" else 1,
        )

    def load(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        self._model.set_weights(list(weights.values()))

    def train(self, order: NDArray[np.int64]) -> None:
        if self._way == "loader":
            self._model.fit(self._loader(order), verbose=0)
        else:
            self._model.fit(self._images[order], self._labels[order], batch_size=BATCH_SIZE, shuffle=False, verbose=0)

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        if self._way == "loader":
            images = images.astype(np.float32) / 255  # type: ignore[assignment]
        starts = range(0, len(images), PREDICT_BATCH_SIZE)
        logits = [self._logits(images[start : start + PREDICT_BATCH_SIZE]) for start in starts]
        labels: NDArray[np.int64] = np.concatenate(logits).argmax(axis=1)
        return labels

    @abstractmethod
    def _loader(self, order: NDArray[np.int64]) -> Any:
        """What ``fit`` takes: the backend's own input pipeline over the rows of ``order``."""

    @abstractmethod
    def _logits(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """The logits of one batch of host images."""
