"""scikit-learn: one ``MLPClassifier.fit`` on float32 vectors, with its own shuffle and penalty."""

from __future__ import annotations

import warnings
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from tests.benchmarks.as_a_user.script import BATCH_SIZE, PREDICT_BATCH_SIZE, Script, run

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ScikitLearnScript(Script):
    def __init__(self, model: str, images: NDArray[np.uint8], labels: NDArray[np.int64], scale: float) -> None:
        if model != "mlp-plain":
            raise ValueError(f"scikit-learn has no {model}")
        self.scale = scale
        self.x, self.y = self.converted(images), labels
        self.model: Any = None

    def converted(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return images.reshape(len(images), -1).astype(np.float32) / np.float32(self.scale)

    def restart(self) -> None:
        """Every ``fit`` begins with new weights."""

    def train(self, epochs: int) -> float:
        """Mean seconds of an epoch: a fit of ``epochs`` epochs without a fit of one."""
        return (self.fit_seconds(epochs) - self.fit_seconds(1)) / (epochs - 1)

    def fit_seconds(self, epochs: int) -> float:
        self.model = MLPClassifier((128,), batch_size=BATCH_SIZE, max_iter=epochs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it has not converged
            began = perf_counter()
            self.model.fit(self.x, self.y)
            seconds = perf_counter() - began
        if self.model.n_iter_ != epochs:
            raise ValueError(f"it has converged after {self.model.n_iter_} of {epochs} epochs: take fewer")
        return seconds

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        starts = range(0, len(images), PREDICT_BATCH_SIZE)
        parts = [self.model.predict(self.converted(images[start : start + PREDICT_BATCH_SIZE])) for start in starts]
        return np.concatenate(parts)


SCRIPT = ScikitLearnScript

if __name__ == "__main__":
    run(SCRIPT)
