"""Keras on TensorFlow by hand: ``fit`` on arrays, a compiled call, and the fastest loop, an epoch in one graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tests.benchmarks.by_hand.base import (
    BATCH_SIZE,
    EPSILON,
    LEARNING_RATE,
    PREDICT_BATCH_SIZE,
    Arrays,
    ByHand,
    Fastest,
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
    """``compile`` and ``fit``, pixels scaled by the model's first layer; a ``tf.function`` to predict."""

    def __init__(self, model: str, arrays: Arrays) -> None:
        self._images, self._labels = arrays.images, arrays.labels
        inputs = keras.Input((28, 28, 1), dtype="uint8")
        self._model: Any = keras.Sequential([inputs, layers.Rescaling(1 / 255), *network(model)])
        self._model.compile(
            optimizer=keras.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        self._compiled = tf.function(lambda images: self._model(images, training=False))

    def load(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        self._model.set_weights(list(weights.values()))

    def train(self, order: NDArray[np.int64]) -> None:
        self._model.fit(self._images[order], self._labels[order], batch_size=BATCH_SIZE, shuffle=False, verbose=0)

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        starts = range(0, len(images), PREDICT_BATCH_SIZE)
        logits = [self._compiled(images[start : start + PREDICT_BATCH_SIZE]).numpy() for start in starts]
        labels: NDArray[np.int64] = np.concatenate(logits).argmax(axis=1)
        return labels


class KerasFastest(Fastest):
    """float32 tensors beforehand, all batches of a call in one ``tf.function``."""

    def __init__(self, model: str, arrays: Arrays) -> None:
        self._images = tf.constant(arrays.images.astype(np.float32) / 255)
        self._labels = tf.constant(arrays.labels)
        self._model: Any = keras.Sequential([keras.Input((28, 28, 1)), *network(model)])
        self._optimizer: Any = keras.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON)
        self._optimizer.build(self._model.trainable_variables)
        self._steps = tf.function(self._all_steps, input_signature=[tf.TensorSpec((None,), tf.int64)])
        self._compiled = tf.function(lambda images: tf.argmax(self._model(images, training=False), axis=1))

    def train(self, order: NDArray[np.int64]) -> None:
        self._steps(order)

    def _all_steps(self, order: Any) -> None:
        variables = self._model.trainable_variables
        for step in tf.range(tf.shape(order)[0] // BATCH_SIZE):
            rows = order[step * BATCH_SIZE : (step + 1) * BATCH_SIZE]
            with tf.GradientTape() as tape:
                logits = self._model(tf.gather(self._images, rows), training=True)
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(self._labels, rows), logits)
                loss = tf.reduce_mean(losses)
            self._optimizer.apply(tape.gradient(loss, variables), variables)

    def stored(self, images: NDArray[np.uint8]) -> Any:
        starts = range(0, len(images), PREDICT_BATCH_SIZE)
        return [tf.constant(images[start : start + PREDICT_BATCH_SIZE].astype(np.float32) / 255) for start in starts]

    def predict(self, stored: Any) -> NDArray[np.int64]:
        return np.concatenate([self._compiled(part).numpy() for part in stored])


BY_HAND, FASTEST = KerasByHand, KerasFastest
