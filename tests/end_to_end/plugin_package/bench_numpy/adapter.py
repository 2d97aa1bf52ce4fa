"""Softmax regression in plain numpy as a framework of its own: the smallest one that does what an adapter must."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.base import Adapter, Epoch, Learner, Predictor, Probe, Progress, Scores, TrainingPlan
from bench.case import Case
from bench.models.model import Dense, Dropout, Flatten, Model, Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.datasets.dataset import Split

    Images = NDArray[np.uint8] | NDArray[np.float32]


class NumpyAdapter(Adapter):
    """numpy on the CPU; of the networks it knows those with a single dense layer."""

    name = "numpy"
    packages = ("numpy",)
    extra = "numpy"
    builder = "numpy"
    execution = "eager"
    precisions = ("float32", "float64")
    start_s = 1.0

    def unsupported(self, case: Case, model: Model, shape: tuple[int, ...], classes: int) -> str | None:
        """All but softmax regression by Adam or plain gradient steps."""
        assert isinstance(model, Network)
        assert case.training is not None
        optimizer, recipe = case.training.optimizer, case.training
        if optimizer.name not in ("adam", "sgd") or optimizer.momentum or optimizer.weight_decay:
            return "numpy knows Adam and plain gradient steps alone"
        if recipe.label_smoothing or recipe.class_weights or recipe.normalize:
            return "numpy knows the plain loss of plain pixels alone"
        work = [layer for layer in model.layers if not isinstance(layer, Flatten | Dropout)]
        return None if len(work) == 1 and isinstance(work[0], Dense) else "numpy computes softmax regression alone"

    def prepare(self, case: Case) -> None:
        """numpy is imported already, and takes its threads from the environment."""

    def probe(self) -> Probe:
        """The CPU."""
        return Probe(("cpu",), {"numpy": np.__version__}, {})

    def build(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Learner:
        """Softmax regression with the weights of ``plan``."""
        return SoftmaxLearner(train, plan, np.dtype(case.precision))


class SoftmaxLearner(Learner):
    """Kernel and bias, and Adam in the form of Keras and scikit-learn: epsilon before the bias correction."""

    def __init__(self, train: Split, plan: TrainingPlan, kind: np.dtype[Any]) -> None:
        assert plan.initial_weights is not None
        assert plan.learning_rates is not None
        assert plan.optimizer is not None
        self._train = train
        self._plan = plan
        self._constants = plan.optimizer
        self._rates = plan.learning_rates
        self._weights = {name: value.astype(kind) for name, value in plan.initial_weights.items()}
        self._kind = kind
        self._first = {name: np.zeros_like(value) for name, value in self._weights.items()}
        self._second = {name: np.zeros_like(value) for name, value in self._weights.items()}
        self._step = 0
        self._loss, self._rows, self._steps = 0.0, 0, 0

    def train(self, epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        """Batch by batch, with a pause after those that each epoch names."""
        size = self._plan.batch_size
        for epoch in epochs:
            rows = np.arange(len(self._train)) if epoch.order is None else epoch.order
            for batch in range(epoch.pauses[-1]):
                self._loss += self._update(rows[batch * size : (batch + 1) * size])
                if batch + 1 in epoch.pauses:
                    pause()

    def progress(self) -> Progress:
        """Loss, rows and steps since the last pause."""
        found = Progress(self._loss / self._rows, self._rows, self._steps)
        self._loss, self._rows, self._steps = 0.0, 0, 0
        return found

    def _update(self, rows: NDArray[np.int64]) -> float:
        """One step of Adam on a batch; returns the sum of its losses."""
        inputs, labels = self._vectors(self._train.images[rows]), self._train.labels[rows]
        share = _softmax(self._logits(inputs))
        chosen = np.arange(len(rows)), labels
        loss = float(-np.log(share[chosen]).sum())
        share[chosen] -= 1.0
        gradient = share / self._kind.type(len(rows))
        self._rows += len(rows)
        self._steps += 1
        self._step_along({"dense_1/kernel": inputs.T @ gradient, "dense_1/bias": gradient.sum(axis=0)})
        return loss

    def _step_along(self, gradients: Mapping[str, NDArray[np.float32]]) -> None:
        if self._constants.name == "adam":
            self._adam(gradients)
            return
        for name, gradient in gradients.items():
            self._weights[name] -= (self._rates[self._step] * gradient).astype(self._kind)
        self._step += 1

    def _adam(self, gradients: Mapping[str, NDArray[np.float32]]) -> None:
        constants = self._constants
        rate = self._rates[self._step]
        self._step += 1
        rate *= np.sqrt(1 - constants.beta_2**self._step) / (1 - constants.beta_1**self._step)
        for name, gradient in gradients.items():
            first, second = self._first[name], self._second[name]
            first += self._kind.type(1 - constants.beta_1) * (gradient - first)
            second += self._kind.type(1 - constants.beta_2) * (gradient * gradient - second)
            self._weights[name] -= (rate * first / (np.sqrt(second) + constants.epsilon)).astype(self._kind)

    def predictor(self, batch_size: int, *, decisions_only: bool = False) -> Predictor:
        """All rows at once, whatever the batch."""

        def predict(images: Images) -> Scores:
            logits = self._logits(self._vectors(images))
            return Scores(logits.argmax(axis=1), logits, "logits")

        return predict

    def _vectors(self, images: Images) -> NDArray[np.float32]:
        factor = self._kind.type(1 / self._train.scale)
        vectors: NDArray[np.float32] = images.reshape(len(images), -1).astype(self._kind) * factor
        return vectors

    def _logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = inputs @ self._weights["dense_1/kernel"] + self._weights["dense_1/bias"]
        return logits

    def synchronize(self) -> None:
        """numpy returns when it is done."""

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Kernel and bias."""
        return dict(self._weights)

    def set_weights(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """Load kernel and bias."""
        if weights.keys() != self._weights.keys():
            raise ValueError(f"weights {sorted(weights)}; {sorted(self._weights)} expected")
        self._weights = {name: value.astype(self._kind) for name, value in weights.items()}

    def parameter_count(self) -> int | None:
        """All of them."""
        return sum(value.size for value in self._weights.values())

    def settings(self) -> dict[str, Any]:
        """The optimiser's constants."""
        return {"optimizer": self._constants.model_dump(), "form": "epsilon-hat", "steps": self._step}


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    share: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return share
