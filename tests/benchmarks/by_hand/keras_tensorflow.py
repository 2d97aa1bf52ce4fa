"""Keras on TensorFlow by hand: ``tf.data``, a compiled call, and the fastest loop, an epoch in one graph."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from tests.benchmarks.by_hand.base import BATCH_SIZE, EPSILON, LEARNING_RATE, PREDICT_BATCH_SIZE, Arrays, Fastest
from tests.benchmarks.by_hand.keras_fit import KerasByHand, network

if TYPE_CHECKING:
    from numpy.typing import NDArray


class KerasTensorFlowByHand(KerasByHand):
    """``tf.data`` as its guide has it; a ``tf.function`` to predict."""

    def _loader(self, order: NDArray[np.int64]) -> Any:
        images, labels = self._tensors

        def example(row: Any) -> tuple[Any, Any]:
            return tf.cast(images[row], tf.float32) / 255, labels[row]

        rows = tf.data.Dataset.from_tensor_slices(order)
        return rows.map(example, tf.data.AUTOTUNE).batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)

    @cached_property
    def _tensors(self) -> tuple[Any, Any]:
        return tf.constant(self._images), tf.constant(self._labels)

    @cached_property
    def _compiled(self) -> Any:
        return tf.function(lambda images: self._model(images, training=False))

    def _logits(self, images: NDArray[Any]) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = self._compiled(images).numpy()
        return logits


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


BY_HAND, FASTEST = KerasTensorFlowByHand, KerasFastest
