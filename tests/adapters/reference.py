"""A perceptron trained in numpy and float64, from the papers: what adapters are held to.

Adam: Kingma and Ba, ICLR 2015, algorithm 1, and the form at the end of section 2 whose ε stands before the bias
correction ("ε̂"). Nesterov: Sutskever et al., ICML 2013, in the form of Bengio et al. (arXiv 1212.0901), equation 7.
RMSprop: Tieleman and Hinton, lecture 6.5, with ε inside the root and momentum on the update, as Keras has it.
Adadelta: Zeiler, arXiv 1212.5701, algorithm 1, with a rate. Decoupled weight decay, of kernels alone: Loshchilov and
Hutter, ICLR 2019, algorithm 2. Label smoothing: Szegedy et al., CVPR 2016, section 7.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.case import Optimizer
from bench.datasets.dataset import Split

Array = NDArray[np.float64]
Arrays = dict[str, Array]
Pixels = NDArray[np.uint8] | NDArray[np.float32]


@dataclass
class Perceptron:
    """One hidden layer of rectified units, softmax and cross-entropy, mean over the batch."""

    weights: Arrays
    optimizer: Optimizer
    epsilon_hat: bool = True
    """False puts ε behind the bias correction, as torch's own Adam has it."""
    rates: Array | None = None
    """One per step; None leaves the optimiser's own."""
    label_smoothing: float = 0.0
    class_weights: Array | None = None
    mean: float = 0.0
    std: float = 1.0
    _steps: int = 0
    _states: dict[str, Arrays] = field(default_factory=dict)

    @classmethod
    def start(cls, weights: Mapping[str, NDArray[np.float32]], optimizer: Optimizer) -> "Perceptron":
        return cls({name: value.astype(np.float64) for name, value in weights.items()}, optimizer)

    def logits(self, images: Pixels) -> Array:
        return self._forward(self._vectors(images))[1]

    def train(self, train: Split, batches: Iterable[NDArray[np.int64]]) -> float:
        """Mean loss over the samples, each before its own batch's update."""
        total, rows = 0.0, 0
        for batch in batches:
            loss, gradients = self._gradients(self._vectors(train.images[batch]), train.labels[batch])
            self._update(gradients)
            total, rows = total + loss * len(batch), rows + len(batch)
        return total / rows

    def _vectors(self, images: Pixels) -> Array:
        return (images.reshape(len(images), -1).astype(np.float64) / 255.0 - self.mean) / self.std

    def _forward(self, inputs: Array) -> tuple[Array, Array]:
        weights = self.weights
        hidden = np.maximum(inputs @ weights["dense_1/kernel"] + weights["dense_1/bias"], 0.0)
        return hidden, hidden @ weights["dense_2/kernel"] + weights["dense_2/bias"]

    def _gradients(self, inputs: Array, labels: NDArray[np.int64]) -> tuple[float, Arrays]:
        hidden, logits = self._forward(inputs)
        shifted = logits - logits.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        classes = logits.shape[1]
        target = np.eye(classes)[labels] * (1 - self.label_smoothing) + self.label_smoothing / classes
        weight = np.ones(len(labels)) if self.class_weights is None else self.class_weights[labels]
        error = (np.exp(logs) - target) * weight[:, np.newaxis] / len(labels)
        back = (error @ self.weights["dense_2/kernel"].T) * (hidden > 0)
        loss = -float(((target * logs).sum(axis=1) * weight).mean())
        return loss, {
            "dense_1/kernel": inputs.T @ back,
            "dense_1/bias": back.sum(axis=0),
            "dense_2/kernel": hidden.T @ error,
            "dense_2/bias": error.sum(axis=0),
        }

    def _update(self, gradients: Arrays) -> None:
        rate = self.optimizer.learning_rate if self.rates is None else float(self.rates[self._steps])
        self._steps += 1
        formula = {"sgd": self._sgd, "rmsprop": self._rmsprop, "adadelta": self._adadelta}
        for name, gradient in gradients.items():
            weight = self.weights[name]
            if name.endswith("kernel"):
                weight = weight - rate * self.optimizer.weight_decay * weight
            self.weights[name] = weight + formula.get(self.optimizer.name, self._adam)(name, gradient, rate)

    def _state(self, kind: str, name: str, gradient: Array) -> Array:
        return self._states.setdefault(kind, {}).get(name, np.zeros_like(gradient))

    def _adam(self, name: str, gradient: Array, rate: float) -> Array:
        constants, step = self.optimizer, self._steps
        first = constants.beta_1 * self._state("first", name, gradient) + (1 - constants.beta_1) * gradient
        second = constants.beta_2 * self._state("second", name, gradient) + (1 - constants.beta_2) * gradient**2
        self._states["first"][name], self._states["second"][name] = first, second
        first_correction, second_correction = 1 - constants.beta_1**step, 1 - constants.beta_2**step
        if self.epsilon_hat:
            rate = rate * math.sqrt(second_correction) / first_correction
            hat: Array = -rate * first / (np.sqrt(second) + constants.epsilon)
            return hat
        corrected = np.sqrt(second / second_correction) + constants.epsilon
        step_taken: Array = -rate * (first / first_correction) / corrected
        return step_taken

    def _sgd(self, name: str, gradient: Array, rate: float) -> Array:
        momentum = self.optimizer.momentum
        velocity = momentum * self._state("velocity", name, gradient) - rate * gradient
        self._states["velocity"][name] = velocity
        return momentum * velocity - rate * gradient if self.optimizer.nesterov else velocity

    def _rmsprop(self, name: str, gradient: Array, rate: float) -> Array:
        constants = self.optimizer
        square = constants.rho * self._state("square", name, gradient) + (1 - constants.rho) * gradient**2
        update = rate * gradient / np.sqrt(square + constants.epsilon)
        moved = constants.momentum * self._state("moved", name, gradient) + update
        self._states["square"][name], self._states["moved"][name] = square, moved
        return -moved

    def _adadelta(self, name: str, gradient: Array, rate: float) -> Array:
        rho, epsilon = self.optimizer.rho, self.optimizer.epsilon
        square = rho * self._state("square", name, gradient) + (1 - rho) * gradient**2
        before = self._state("deltas", name, gradient)
        delta = gradient * np.sqrt(before + epsilon) / np.sqrt(square + epsilon)
        self._states["square"][name] = square
        self._states["deltas"][name] = rho * before + (1 - rho) * delta**2
        return -rate * delta
