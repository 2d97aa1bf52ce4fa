"""A perceptron trained in numpy and float64, from the papers: what adapters are held to.

Adam: Kingma and Ba, ICLR 2015, algorithm 1, and the form at the end of section 2 whose ε stands before the bias
correction ("ε̂"). Nesterov: Sutskever et al., ICML 2013, in the form of Bengio et al. (arXiv 1212.0901), equation 7.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.case import Optimizer
from bench.datasets.dataset import Split

Arrays = dict[str, NDArray[np.float64]]
Pixels = NDArray[np.uint8] | NDArray[np.float32]


def _vectors(images: Pixels) -> NDArray[np.float64]:
    return images.reshape(len(images), -1).astype(np.float64) / 255.0


@dataclass
class Perceptron:
    """One hidden layer of rectified units, softmax and cross-entropy, mean over the batch."""

    weights: Arrays
    optimizer: Optimizer
    epsilon_hat: bool = True
    """False puts ε behind the bias correction, as torch's own Adam has it."""
    _steps: int = 0
    _first: Arrays = field(default_factory=dict)
    _second: Arrays = field(default_factory=dict)

    @classmethod
    def start(cls, weights: Mapping[str, NDArray[np.float32]], optimizer: Optimizer) -> "Perceptron":
        return cls({name: value.astype(np.float64) for name, value in weights.items()}, optimizer)

    def logits(self, images: Pixels) -> NDArray[np.float64]:
        return self._forward(_vectors(images))[1]

    def train(self, train: Split, batches: Iterable[NDArray[np.int64]]) -> float:
        """Mean loss over the samples, each before its own batch's update."""
        total, rows = 0.0, 0
        for batch in batches:
            loss, gradients = self._gradients(_vectors(train.images[batch]), train.labels[batch])
            self._update(gradients)
            total, rows = total + loss * len(batch), rows + len(batch)
        return total / rows

    def _forward(self, inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        weights = self.weights
        hidden = np.maximum(inputs @ weights["dense_1/kernel"] + weights["dense_1/bias"], 0.0)
        return hidden, hidden @ weights["dense_2/kernel"] + weights["dense_2/bias"]

    def _gradients(self, inputs: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[float, Arrays]:
        hidden, logits = self._forward(inputs)
        shifted = logits - logits.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        rows = np.arange(len(labels))
        error = np.exp(logs)
        error[rows, labels] -= 1.0
        error /= len(labels)
        back = (error @ self.weights["dense_2/kernel"].T) * (hidden > 0)
        return -float(logs[rows, labels].mean()), {
            "dense_1/kernel": inputs.T @ back,
            "dense_1/bias": back.sum(axis=0),
            "dense_2/kernel": hidden.T @ error,
            "dense_2/bias": error.sum(axis=0),
        }

    def _update(self, gradients: Arrays) -> None:
        self._steps += 1
        for name, gradient in gradients.items():
            step = self._adam(name, gradient) if self.optimizer.name == "adam" else self._sgd(name, gradient)
            self.weights[name] = self.weights[name] + step

    def _adam(self, name: str, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        constants, step = self.optimizer, self._steps
        zero = np.zeros_like(gradient)
        first = self._first[name] = constants.beta_1 * self._first.get(name, zero) + (1 - constants.beta_1) * gradient
        second = self._second[name] = (
            constants.beta_2 * self._second.get(name, zero) + (1 - constants.beta_2) * gradient**2
        )
        first_correction, second_correction = 1 - constants.beta_1**step, 1 - constants.beta_2**step
        if self.epsilon_hat:
            rate = constants.learning_rate * math.sqrt(second_correction) / first_correction
            hat: NDArray[np.float64] = -rate * first / (np.sqrt(second) + constants.epsilon)
            return hat
        corrected = np.sqrt(second / second_correction) + constants.epsilon
        step_taken: NDArray[np.float64] = -constants.learning_rate * (first / first_correction) / corrected
        return step_taken

    def _sgd(self, name: str, gradient: NDArray[np.float64]) -> NDArray[np.float64]:
        constants = self.optimizer
        before = self._first.get(name, np.zeros_like(gradient))
        velocity = self._first[name] = constants.momentum * before - constants.learning_rate * gradient
        return constants.momentum * velocity - constants.learning_rate * gradient if constants.nesterov else velocity
