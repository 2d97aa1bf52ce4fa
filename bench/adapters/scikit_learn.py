"""scikit-learn behind the common interface: any estimator, and dense networks as its ``MLPClassifier``."""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.base import Adapter, Learner, Predictor, Probe, Scores, TrainingPlan
from bench.case import Case
from bench.models import native
from bench.models.model import Dense, Estimator, Flatten, Model, NativeModel, Network
from bench.models.network import PlacedNetwork, check_weights, place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.datasets.dataset import Split

    Images = NDArray[np.uint8] | NDArray[np.float32]


_MODULES = ("sklearn.dummy", "sklearn.ensemble", "sklearn.neural_network", "sklearn.svm")
"""``import sklearn`` alone imports almost nothing; these bring in what any estimator needs, on the import clock."""


class ScikitLearnAdapter(Adapter):
    """scikit-learn on the CPU."""

    name = "scikit-learn"
    packages = ("scikit-learn",)
    extra = "scikit-learn"
    builder = "scikit_learn"
    execution = "eager"
    start_s = 1.5

    def trained_by_steps(self, model: Model) -> bool:
        return isinstance(model, Network)

    def natural(self, model: Model) -> bool:
        if isinstance(model, Network):
            return _is_perceptron(model)
        return isinstance(model, Estimator) or super().natural(model)

    def unsupported(self, case: Case, model: Model, shape: tuple[int, ...], classes: int) -> str | None:
        if case.device != "cpu":
            return f"scikit-learn computes on the CPU alone, not on {case.device}"
        if obstacle := super().unsupported(case, model, shape, classes):
            return obstacle
        if isinstance(model, Network):
            if classes == 2:
                return "MLPClassifier puts a single logistic unit where two classes would have two logits"
            if case.training and case.training.optimizer.name == "sgd" and case.training.optimizer.nesterov:
                return None if case.training.optimizer.momentum > 0 else "Nesterov needs a momentum"
        return None

    def prepare(self, case: Case) -> None:
        import threadpoolctl  # type: ignore[import-untyped]

        for module in _MODULES:
            importlib.import_module(module)
        threadpoolctl.threadpool_limits(case.threads)

    def probe(self) -> Probe:
        import sklearn
        import threadpoolctl

        pools = {pool["prefix"]: int(pool["num_threads"]) for pool in threadpoolctl.threadpool_info()}
        return Probe(("cpu",), {"scikit-learn": sklearn.__version__}, pools)

    def build(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Learner:
        if isinstance(model, Network):
            return MLPLearner(place(model, train.shape, train.classes), train, plan)
        if isinstance(model, NativeModel):
            built = native.build(model, self.builder, train.shape, train.classes, plan.seed)
            if not (hasattr(built, "fit") and hasattr(built, "predict")):
                raise native.ModelFault(
                    f"{model.name}: built a {type(built).__name__}, an estimator with fit and predict expected"
                )
            _set_where_taken(built, n_jobs=plan.threads)
            return EstimatorLearner(built, train, argmax=False, raw_pixels=False)
        return EstimatorLearner(_estimator(model, case, plan), train, argmax=model.argmax, raw_pixels=model.raw_pixels)


def _is_perceptron(model: Network) -> bool:
    """Whether ``MLPClassifier`` can be the network: dense layers with biases, relu between them."""
    dense = [layer for layer in model.layers if isinstance(layer, Dense)]
    only_dense = all(isinstance(layer, Flatten | Dense) for layer in model.layers)
    return only_dense and all(layer.bias for layer in dense) and all(layer.activation == "relu" for layer in dense[:-1])


def _estimator(model: Estimator, case: Case, plan: TrainingPlan) -> Any:
    module, _, name = model.class_path.rpartition(".")
    parameters: dict[str, Any] = {**model.parameters, **case.parameters}
    if model.seeded:
        parameters["random_state"] = plan.seed
    if model.parallel:
        parameters["n_jobs"] = plan.threads
    return getattr(importlib.import_module(module), name)(**parameters)


def _set_where_taken(estimator: Any, **parameters: object) -> None:
    """Set those parameters that the user's estimator has and left at their default of None."""
    if not hasattr(estimator, "get_params"):
        return
    current = estimator.get_params(deep=False)
    taken = {name: value for name, value in parameters.items() if name in current and current[name] is None}
    if taken:
        estimator.set_params(**taken)


def rows_as_vectors(images: Images, factor: float | None) -> NDArray[Any]:
    """Images as vectors ``(n, pixels)`` of float32, scaled by ``factor``; None leaves the values as stored."""
    vectors = images.reshape(len(images), -1).astype(np.float32)
    if factor is not None:
        vectors *= np.float32(factor)
    return vectors


class EstimatorLearner(Learner):
    """An estimator and its training data; one ``train`` is one ``fit``, conversion to float32 included."""

    granularity = "fit"

    def __init__(self, estimator: Any, train: Split, *, argmax: bool, raw_pixels: bool) -> None:
        self._estimator = estimator
        self._train = train
        self._argmax = argmax
        self._factor = None if raw_pixels else 1.0 / train.scale
        self._warnings: list[str] = []

    def train(self, order: NDArray[np.int64] | None) -> float | None:
        images, labels = self._train.images, self._train.labels
        if order is not None:
            images, labels = images[order], labels[order]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self._estimator.fit(rows_as_vectors(images, self._factor), labels)
        self._warnings = sorted({f"{item.category.__name__}: {str(item.message).splitlines()[0]}" for item in caught})
        return None

    def predictor(self, batch_size: int, *, decisions_only: bool = False) -> Predictor:
        return _EstimatorPredictor(self._estimator, self._factor, batch_size, self._argmax, decisions_only).predict

    def synchronize(self) -> None:
        """Nothing to wait for: scikit-learn returns when it is done."""

    def weights(self) -> dict[str, NDArray[np.float32]]:
        return {}

    def set_weights(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        raise ValueError("an estimator's weights have no neutral layout")

    def parameter_count(self) -> int | None:
        return None

    def settings(self) -> dict[str, object]:
        parameters = self._estimator.get_params() if hasattr(self._estimator, "get_params") else {}
        found: dict[str, object] = {
            "estimator": type(self._estimator).__name__,
            "parameters": {name: _plain(value) for name, value in parameters.items()},
            "pixels": "as stored" if self._factor is None else "scaled to 0..1",
            "precision": "float32 input",
        }
        iterations = getattr(self._estimator, "n_iter_", None)
        if iterations is not None:
            found["iterations"] = np.asarray(iterations).tolist()
        if self._warnings:
            found["warnings"] = self._warnings
        return found


def _plain(value: object) -> object:
    """A parameter as JSON can hold it: plain values as they are, an object by its class's name."""
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.__name__ if inspect.isclass(value) or inspect.isfunction(value) else type(value).__name__


class _EstimatorPredictor:
    """Decisions of an estimator, with its probabilities or margins where they are asked for and it has them."""

    def __init__(
        self, estimator: Any, factor: float | None, batch_size: int, argmax: bool, decisions_only: bool
    ) -> None:
        self._estimator = estimator
        self._factor = factor
        self._batch_size = batch_size
        self._argmax = argmax
        self._values = None if decisions_only else _value_method(estimator)

    def predict(self, images: Images) -> Scores:
        size = self._batch_size or len(images)
        parts = [self._part(images[start : start + size]) for start in range(0, len(images), size)]
        labels = _joined([labels for labels, _ in parts])
        if self._values is None:
            return Scores(labels, None, None)
        kind = "probabilities" if self._values == "predict_proba" else "margins"
        return Scores(labels, _joined([values for _, values in parts]), kind)  # type: ignore[arg-type]

    def _part(self, images: Images) -> tuple[NDArray[np.int64], NDArray[np.float32] | None]:
        vectors = rows_as_vectors(images, self._factor)
        if self._values is None:
            return np.asarray(self._estimator.predict(vectors)), None
        values = np.asarray(getattr(self._estimator, self._values)(vectors))
        if self._argmax and values.ndim == 2:
            labels = np.asarray(self._estimator.classes_, dtype=np.int64)[values.argmax(axis=1)]
        else:
            labels = np.asarray(self._estimator.predict(vectors))  # as they are: scoring judges them
        if values.ndim == 1:
            values = np.stack([-values, values], axis=1)  # two classes: one margin
        return labels, values.astype(np.float32, copy=False)


def _joined(parts: list[Any]) -> Any:
    """The parts as one array; a single part, as on the clock of one sample, is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _value_method(estimator: object) -> str | None:
    return next((name for name in ("predict_proba", "decision_function") if hasattr(estimator, name)), None)


class MLPLearner(Learner):
    """A dense network as ``MLPClassifier``, stepped by ``partial_fit`` with the harness's weights and order.

    scikit-learn's L2 penalty (``alpha``, on by default) is off, and its own shuffle. ``partial_fit`` keeps the
    optimiser's state between calls, so an epoch in three calls is the epoch in one.
    """

    granularity = "epoch"

    def __init__(self, placed: PlacedNetwork, train: Split, plan: TrainingPlan) -> None:
        assert plan.optimizer is not None
        assert plan.learning_rates is not None
        if np.ptp(plan.learning_rates) > 0:
            raise ValueError("MLPClassifier has no schedule of learning rates")
        self._placed = placed
        self._train = train
        self._factor = 1.0 / train.scale
        self._dense = [layer for layer in placed.layers if isinstance(layer.layer, Dense)]
        constants = plan.optimizer
        self._estimator: Any = _untrained_mlp(
            hidden_layer_sizes=tuple(layer.output[0] for layer in self._dense[:-1]),
            solver=constants.name,
            learning_rate_init=constants.learning_rate,
            alpha=0.0,
            batch_size=plan.batch_size,
            beta_1=constants.beta_1,
            beta_2=constants.beta_2,
            epsilon=constants.epsilon,
            momentum=constants.momentum,
            nesterovs_momentum=constants.nesterov,
            shuffle=False,
            random_state=plan.seed,
        )
        self._estimator.initialise(rows_as_vectors(train.images[:1], self._factor), train.labels[:1], train.classes)
        if plan.initial_weights is not None:
            self.set_weights(plan.initial_weights)

    def train(self, order: NDArray[np.int64] | None) -> float | None:
        rows = np.arange(len(self._train)) if order is None else order
        vectors = rows_as_vectors(self._train.images[rows], self._factor)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a batch larger than the rows: MLPClassifier takes them all, as it should
            self._estimator.partial_fit(vectors, self._train.labels[rows], classes=np.arange(self._train.classes))
        return float(self._estimator.loss_)

    def predictor(self, batch_size: int, *, decisions_only: bool = False) -> Predictor:
        return _EstimatorPredictor(self._estimator, self._factor, batch_size, True, False).predict

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
            "loss": "log-loss of softmax, mean over the batch",
            "execution": "eager",
            "precision": str(self._estimator.coefs_[0].dtype),
        }


def _untrained_mlp(**parameters: Any) -> Any:
    """An ``MLPClassifier`` that can have weights before its first step, where scikit-learn's has none."""
    from sklearn.neural_network import MLPClassifier

    class UntrainedMLPClassifier(MLPClassifier):  # type: ignore[misc]
        """MLPClassifier whose preparation for the first step can be had without the step."""

        def initialise(self, vectors: NDArray[np.float32], labels: NDArray[np.int64], classes: int) -> None:
            """Make the weights for such vectors; no optimiser comes into being."""
            self._only_initialise = True
            self.partial_fit(vectors, labels, classes=np.arange(classes))
            self._only_initialise = False

        def _fit_stochastic(self, *arguments: Any, **options: Any) -> None:
            if not self._only_initialise:
                super()._fit_stochastic(*arguments, **options)

    return UntrainedMLPClassifier(**parameters)
