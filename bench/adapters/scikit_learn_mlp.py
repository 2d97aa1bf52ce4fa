"""A dense network as scikit-learn's ``MLPClassifier``: pinned to what the harness decides, or as tutorials use it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.base import Epoch, Learner, Predictor, Progress, TrainingPlan
from bench.adapters.scikit_learn_course import Course, classifier
from bench.adapters.scikit_learn_estimator import EstimatorPredictor, Vectors
from bench.case import Optimizer
from bench.models.model import Dense
from bench.models.network import PlacedNetwork, check_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.datasets.dataset import Split


class MLPLearner(Learner):
    """A dense network as ``MLPClassifier``, trained by one ``fit``.

    The matched track uses the harness's weights and order, on vectors made of each batch as it is used;
    scikit-learn's L2 penalty (``alpha``, on by default) is off. The idiomatic one uses scikit-learn's weights, shuffle
    and penalty, on vectors made beforehand. It trains for the given epochs, with no stopping rule of its own.
    """

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
        if not idiomatic:
            self._estimator.convert = vectors
        if plan.initial_weights is not None:
            self.set_weights(plan.initial_weights)

    def train(self, epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        coming = iter(epochs)
        first = next(coming, None)
        if first is None:
            return
        order = np.arange(len(self._train)) if first.order is None else first.order
        whole = len(order) == len(self._train)
        rows = np.sort(order)
        images = self._train.images if self._converted is None else self._converted
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a batch larger than the rows is all of them; and it has not converged
            self._estimator.fit_epochs(
                Course(rows, first, coming, pause),
                (images if whole else images[rows]).reshape(len(rows), -1),
                self._train.labels[rows],
            )

    def progress(self) -> Progress:
        found: Progress = self._estimator.progress()
        return found

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
            "shuffle": self._converted is not None,  # else the order is given
            "loss": "log-loss of softmax, mean over the batch",
            "metrics": [],
            "execution": "eager",
            "precision": str(self._estimator.coefs_[0].dtype),
            "input": "resident",
            "threads": _threads(),
        }


def _threads() -> int:
    """Threads of the largest pool in this process, the BLAS that multiplies."""
    import threadpoolctl  # type: ignore[import-untyped]

    return max((int(pool["num_threads"]) for pool in threadpoolctl.threadpool_info()), default=1)


def _classifier(hidden: tuple[int, ...], plan: TrainingPlan, constants: Optimizer, *, idiomatic: bool) -> Any:
    """An untrained ``MLPClassifier``; in the idiomatic track all that is not given is its default."""
    track: dict[str, Any] = {} if idiomatic else {"alpha": 0.0}
    return classifier(
        plan.seed,
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
