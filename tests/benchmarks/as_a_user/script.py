"""The common base of the scripts: their interface, and how to run one alone.

    python -m tests.benchmarks.as_a_user.pytorch_script mlp-plain arrays.npz 6

The scripts stand for a user who does not know this package: neither they nor this module import it.
"""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH_SIZE = 128
PREDICT_BATCH_SIZE = 1000


class Script(ABC):
    """A model as the framework's tutorials write it, and training rows converted beforehand."""

    @abstractmethod
    def __init__(self, model: str, images: NDArray[np.uint8], labels: NDArray[np.int64], scale: float) -> None:
        """``images`` ``(n, height, width, 1)``; ``scale`` is the value that means 1.0."""

    @abstractmethod
    def converted(self, images: NDArray[np.uint8]) -> Any:
        """Images as the model takes them: float32, 0 to 1. For training rows this is done before the clock starts."""

    @abstractmethod
    def restart(self) -> None:
        """Put the weights back to those before the first training."""

    @abstractmethod
    def train(self, epochs: int) -> float:
        """Train for ``epochs`` epochs, 2 or more. Returns the mean seconds of one, the first left out."""

    @abstractmethod
    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The classes of images, taken 1000 at a time; conversion is part of it."""

    def conversion_seconds(self, images: NDArray[np.uint8]) -> float:
        """Seconds to convert ``images`` batch by batch, as a script that converts on the clock."""
        began = perf_counter()
        for start in range(0, len(images), BATCH_SIZE):
            self.converted(images[start : start + BATCH_SIZE])
        return perf_counter() - began


def run(script: type[Script]) -> None:
    """Train as the command line says; print the times and the test accuracy as one line of JSON."""
    model, arrays, epochs = sys.argv[1:]
    data = np.load(arrays)
    trained = script(model, data["x_train"], data["y_train"], float(data["scale"]))
    found = {"epoch_s": trained.train(int(epochs)), "conversion_s": trained.conversion_seconds(data["x_train"])}
    accuracy = float(np.mean(trained.predict(data["x_test"]) == data["y_test"]))
    print(json.dumps(found | {"accuracy": accuracy}))
