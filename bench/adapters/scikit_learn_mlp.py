"""A dense network as scikit-learn's ``MLPClassifier``: pinned to what the harness decides, or as tutorials use it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.base import Learner, Predictor, ReadLoss, TrainingPlan
from bench.adapters.scikit_learn_estimator import EstimatorPredictor, Vectors
from bench.case import Optimizer
from bench.models.model import Dense
from bench.models.network import PlacedNetwork, check_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.datasets.dataset import Split


class MLPLearner(Learner):
    """A dense network as ``MLPClassifier``, stepped by ``partial_fit``.

    In the matched track with the harness's weights and order; scikit-learn's L2 penalty (``alpha``, on by default)
    is off, and its own shuffle. In the idiomatic one with its own weights, shuffle and penalty, on vectors made
    beforehand. ``partial_fit`` keeps the optimiser's state between calls, so an epoch in three calls is the epoch in
    one.
    """

    granularity = "epoch"

    def __init__(
        self, placed: PlacedNetwork, train: Split, plan: TrainingPlan, vectors: Vectors, *, idiomatic: bool
    ) -> None:
        assert plan.optimizer is not None
        assert plan.learning_rates is not None
        if np.ptp(plan.learning_rates) > 0:
            raise ValueError("MLPClassifier has no schedule of learning rates")
        self._placed = placed
        self._train = train
        self._vectors = vectors
        self._converted = vectors(train.images) if idiomatic else None
        self._dense = [layer for layer in placed.layers if isinstance(layer.layer, Dense)]
        hidden = tuple(layer.output[0] for layer in self._dense[:-1])
        self._estimator = _classifier(hidden, plan, plan.optimizer, idiomatic=idiomatic)
        self._estimator.initialise(vectors(train.images[:1]), train.labels[:1], train.classes)
        if plan.initial_weights is not None:
            self.set_weights(plan.initial_weights)

    def train(self, order: NDArray[np.int64] | None) -> ReadLoss | None:
        chosen = slice(None) if order is None else order
        converted, images = self._converted, self._train.images
        vectors = self._vectors(images[chosen]) if converted is None else converted[chosen]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a batch larger than the rows: MLPClassifier takes them all, as it should
            self._estimator.partial_fit(vectors, self._train.labels[chosen], classes=np.arange(self._train.classes))
        return lambda: float(self._estimator.loss_)

    def predictor(self, batch_size: int, *, decisions_only: bool = False) -> Predictor:
        return EstimatorPredictor(self._estimator, self._vectors, batch_size, True, False).predict

    def synchronize(self) -> None:
        """Nothing to wait for: scikit-learn returns when it is done."""

    def weights(self) -> dict[str, NDArray[np.float32]]:
        found: dict[str, NDArray[np.float32]] = {}
        for layer, kernel, bias in zip(self._dense, self._estimator.coefs_, self._estimator.intercepts_, strict=True):
            found[f"{layer.name}/kernel"] = kernel.copy()
            found[f"{layer.name}/bias"] = bias.copy()
        return found

    def set_weights(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        check_weights(self._placed, {name: value.shape for name, value in weights.items()})
        for layer, kernel, bias in zip(self._dense, self._estimator.coefs_, self._estimator.intercepts_, strict=True):
            kernel[...] = weights[f"{layer.name}/kernel"]
            bias[...] = weights[f"{layer.name}/bias"]

    def parameter_count(self) -> int | None:
        return sum(int(value.size) for value in [*self._estimator.coefs_, *self._estimator.intercepts_])

    def settings(self) -> dict[str, object]:
        shown = self._estimator.get_params()
        form = {"form": "epsilon-hat"} if shown["solver"] == "adam" else {}
        return {
            "optimizer": {
                "name": shown["solver"],
                "learning_rate": shown["learning_rate_init"],
                **{name: shown[name] for name in ("beta_1", "beta_2", "epsilon", "momentum", "nesterovs_momentum")},
                **form,
            },
            "alpha": shown["alpha"],
            "shuffle": shown["shuffle"],
            "loss": "log-loss of softmax, mean over the batch",
            "metrics": [],
            "execution": "eager",
            "precision": str(self._estimator.coefs_[0].dtype),
            "input": "resident",
        }


def _classifier(hidden: tuple[int, ...], plan: TrainingPlan, constants: Optimizer, *, idiomatic: bool) -> Any:
    """An ``MLPClassifier`` that has not been trained; in the idiomatic track all that is not given is its own."""
    # one generator for all epochs: a bare seed would shuffle each partial_fit alike
    track: dict[str, Any] = {"random_state": np.random.RandomState(plan.seed)}
    if not idiomatic:
        track = {"alpha": 0.0, "shuffle": False, "random_state": plan.seed}
    return _untrained_class()(
        hidden_layer_sizes=hidden,
        solver=constants.name,
        learning_rate_init=constants.learning_rate,
        batch_size=plan.batch_size,
        beta_1=constants.beta_1,
        beta_2=constants.beta_2,
        epsilon=constants.epsilon,
        momentum=constants.momentum,
        nesterovs_momentum=constants.nesterov,
        **track,
    )


def _untrained_class() -> Any:
    """An ``MLPClassifier`` that can have weights before its first step, where scikit-learn's has none."""
    from sklearn.neural_network import MLPClassifier

    class UntrainedMLPClassifier(MLPClassifier):  # type: ignore[misc]
        """MLPClassifier whose preparation for the first step can be had without the step."""

        def initialise(self, vectors: NDArray[Any], labels: NDArray[np.int64], classes: int) -> None:
            """Make the weights for such vectors; no optimiser comes into being."""
            self._only_initialise = True
            self.partial_fit(vectors, labels, classes=np.arange(classes))
            self._only_initialise = False

        def _fit_stochastic(self, *arguments: Any, **options: Any) -> None:
            if not self._only_initialise:
                super()._fit_stochastic(*arguments, **options)

    return UntrainedMLPClassifier
