"""scikit-learn by hand: ``partial_fit`` and ``predict_proba``, and the same with the pixels made ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from tests.benchmarks.by_hand.base import (
    BATCH_SIZE,
    EPSILON,
    LEARNING_RATE,
    PREDICT_BATCH_SIZE,
    Arrays,
    ByHand,
    Fastest,
    Way,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLASSES = np.arange(10)


def perceptron(model: str) -> Any:
    """``mlp-plain``: scikit-learn has no dropout and no convolution. No penalty, no shuffle of its own."""
    if model != "mlp-plain":
        raise ValueError(f"scikit-learn has no {model}")
    return MLPClassifier(
        (128,), alpha=0.0, batch_size=BATCH_SIZE, learning_rate_init=LEARNING_RATE, epsilon=EPSILON, shuffle=False
    )


class ScikitLearnByHand(ByHand):
    """Pixels converted and scaled at each call, as float32."""

    def __init__(self, model: str, arrays: Arrays, way: Way) -> None:
        if way != "default":
            raise ValueError(f"scikit-learn has no {way}")
        self._images, self._labels = arrays.images, arrays.labels
        self._model = perceptron(model)

    def load(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        self.train(np.arange(BATCH_SIZE))  # the weights and the optimiser's state come into being with the first batch
        values = iter(weights.values())
        for kernel, bias in zip(self._model.coefs_, self._model.intercepts_, strict=True):
            kernel[...] = next(values)
            bias[...] = next(values)

    def train(self, order: NDArray[np.int64]) -> None:
        inputs = self._images[order].reshape(len(order), -1).astype(np.float32) / 255
        self._model.partial_fit(inputs, self._labels[order], classes=CLASSES)

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        inputs = images.reshape(len(images), -1)
        starts = range(0, len(inputs), PREDICT_BATCH_SIZE)
        parts = [inputs[start : start + PREDICT_BATCH_SIZE].astype(np.float32) / 255 for start in starts]
        labels: NDArray[np.int64] = np.concatenate([self._model.predict_proba(part) for part in parts]).argmax(axis=1)
        return labels


class ScikitLearnFastest(Fastest):
    """float32 beforehand."""

    def __init__(self, model: str, arrays: Arrays) -> None:
        self._images = self._pixels(arrays.images)
        self._labels = arrays.labels
        self._model = perceptron(model)

    def train(self, order: NDArray[np.int64]) -> None:
        self._model.partial_fit(self._images[order], self._labels[order], classes=CLASSES)

    def stored(self, images: NDArray[np.uint8]) -> Any:
        pixels = self._pixels(images)
        return [pixels[start : start + PREDICT_BATCH_SIZE] for start in range(0, len(pixels), PREDICT_BATCH_SIZE)]

    def predict(self, stored: Any) -> NDArray[np.int64]:
        return np.concatenate([self._model.predict_proba(part).argmax(axis=1) for part in stored])

    def _pixels(self, images: NDArray[np.uint8]) -> NDArray[Any]:
        return images.reshape(len(images), -1).astype(np.float32) / 255


BY_HAND, FASTEST = ScikitLearnByHand, ScikitLearnFastest
