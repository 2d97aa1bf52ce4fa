"""One update of every optimiser of ``bench.case.Optimizer``, in numpy: its docstring is the definition.

Adam in its two forms: Kingma and Ba, ICLR 2015, algorithm 1 and the end of section 2. Nesterov's momentum: Sutskever et
al., ICML 2013, in the form of Bengio et al. (arXiv 1212.0901), equation 7. Decoupled decay: Loshchilov and Hutter, ICLR
2019. Adadelta: Zeiler (arXiv 1212.5701), algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.case import Optimizer
from bench.equivalence.deviations import NONE, Deviations, Scope
from bench.equivalence.reference_rounding import rounded

Array = NDArray[Any]
Arrays = dict[str, Array]


def covers(scope: Scope, name: str) -> bool:
    """True if ``scope`` has a weight, by neutral name: kernels, all, or all but biases."""
    return name.endswith("/kernel") or scope == "all" or (scope == "all but biases" and not name.endswith("/bias"))


@dataclass(eq=False)
class Updater:
    """An optimiser with its state; every state is zero at the start."""

    optimizer: Optimizer
    deviations: Deviations = NONE
    _step: int = 0
    _states: dict[tuple[str, str], Array] = field(default_factory=dict)

    def update(self, weights: Mapping[str, Array], gradients: Mapping[str, Array], rate: float) -> Arrays:
        """The weights of ``gradients`` after one step at ``rate``; the given arrays do not change."""
        self._step += 1
        rules = {
            "sgd": self._sgd,
            "adam": self._adam,
            "adamw": self._adam,
            "rmsprop": self._rmsprop,
            "adadelta": self._adadelta,
        }
        rule = rules[self.optimizer.name]
        updated: Arrays = {}
        for name, gradient in gradients.items():
            weight, decay = weights[name], self._decay(name)
            if self.deviations.coupled_decay:
                updated[name] = weight + rule(name, gradient + decay * weight, rate)
                continue
            kept = 1 - decay * self._decay_rate(rate)
            if self.deviations.decay_after:
                updated[name] = (weight + rule(name, gradient, rate)) * kept
            else:
                updated[name] = weight * kept + rule(name, gradient, rate)
        return updated

    def _decay_rate(self, rate: float) -> float:
        return 1.0 if self.deviations.decay_without_rate else self.deviations.decay_rate or rate

    def _decay(self, name: str) -> float:
        return self.optimizer.weight_decay if covers(self.deviations.decay_on, name) else 0.0

    def _state(self, kind: str, name: str, like: Array) -> Array:
        return self._states.setdefault((kind, name), np.zeros_like(like))

    def _keep(self, kind: str, name: str, value: Array) -> Array:
        """Keep a state for the next step. Returns the value for this step."""
        kept = rounded(value, "float32") if self.deviations.state else value
        self._states[kind, name] = kept
        return kept if self.deviations.state == "used" else value

    def copy(self) -> Updater:
        """An independent copy with the same state."""
        return Updater(self.optimizer, self.deviations, self._step, dict(self._states))

    def start_again(self) -> None:
        """Forget the number of steps, and every state unless moments are kept."""
        self._step = 0
        if not self.deviations.keeps_moments:
            self._states.clear()

    def _sgd(self, name: str, gradient: Array, rate: float) -> Array:
        momentum, inside = self.optimizer.momentum, 1.0 if self.deviations.rate_outside else rate
        whole = self._step == 1 and not self.deviations.dampens_first
        share = 1.0 if whole else 1 - self.deviations.dampening
        velocity = self._keep(
            "velocity", name, momentum * self._state("velocity", name, gradient) - share * inside * gradient
        )
        step = momentum * velocity - inside * gradient if self.optimizer.nesterov else velocity
        return rate * step if self.deviations.rate_outside else step

    def _adam(self, name: str, gradient: Array, rate: float) -> Array:
        constants, place = self.optimizer, self.deviations.epsilon_place
        first, second, epsilon = constants.beta_1, constants.beta_2, constants.epsilon
        mean = self._keep("mean", name, first * self._state("mean", name, gradient) + (1 - first) * gradient)
        square = self._keep("square", name, second * self._state("square", name, gradient) + (1 - second) * gradient**2)
        if self.deviations.amsgrad:
            square = self._keep("largest", name, np.maximum(self._state("largest", name, gradient), square))
        first_correction, second_correction = 1 - first**self._step, 1 - second**self._step
        if self.deviations.uncorrected == "first":
            first_correction = 1.0
        if self.deviations.uncorrected == "second":
            second_correction = 1.0
        steps = self.deviations.corrected_steps
        if steps is not None and self._step > steps:
            epsilon = epsilon / math.sqrt(second_correction) if self.deviations.epsilon_corrected else epsilon
            first_correction = second_correction = 1.0
        if place == "after correction":
            return -rate / first_correction * mean / (np.sqrt(square / second_correction) + epsilon)
        root = np.sqrt(square + epsilon) if place == "inside root" else np.sqrt(square) + epsilon
        return -rate * math.sqrt(second_correction) / first_correction * mean / root

    def _rmsprop(self, name: str, gradient: Array, rate: float) -> Array:
        rho = self.optimizer.rho
        square = self._keep("square", name, rho * self._state("square", name, gradient) + (1 - rho) * gradient**2)
        inside = 1.0 if self.deviations.rate_outside else rate
        step = inside * gradient / self._root(square)
        velocity = self._keep(
            "velocity", name, self.optimizer.momentum * self._state("velocity", name, gradient) + step
        )
        return -rate * velocity if self.deviations.rate_outside else -velocity

    def _adadelta(self, name: str, gradient: Array, rate: float) -> Array:
        rho = self.optimizer.rho
        square = self._keep("square", name, rho * self._state("square", name, gradient) + (1 - rho) * gradient**2)
        before = self._state("steps", name, gradient)
        step = gradient * self._root(before) / self._root(square)
        self._keep("steps", name, rho * before + (1 - rho) * step**2)
        return -rate * step

    def _root(self, square: Array) -> Array:
        """The root with epsilon inside, as in RMSprop and Adadelta; or outside."""
        epsilon = self.optimizer.epsilon
        if self.deviations.epsilon_place == "outside root":
            return np.asarray(np.sqrt(square) + epsilon)
        return np.asarray(np.sqrt(square + epsilon))
