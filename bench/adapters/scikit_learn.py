"""scikit-learn behind the common interface: any estimator, and dense networks as its ``MLPClassifier``."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar

from bench.adapters.base import Adapter, Learner, Probe, TrainingPlan
from bench.adapters.scikit_learn_estimator import EstimatorLearner, Vectors
from bench.adapters.scikit_learn_mlp import MLPLearner
from bench.case import Case, Training
from bench.datasets.dataset import Split
from bench.models import native
from bench.models.model import (
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Estimator,
    Layer,
    MaxPool,
    Model,
    NativeModel,
    Network,
    Relu,
    Transformer,
)
from bench.models.network import place

_MODULES = ("sklearn.dummy", "sklearn.ensemble", "sklearn.neural_network", "sklearn.svm")
"""``import sklearn`` alone imports almost nothing; these bring in what any estimator needs, on the import clock."""


class ScikitLearnAdapter(Adapter):
    """scikit-learn on the CPU."""

    name = "scikit-learn"
    packages = ("scikit-learn",)
    extra = "scikit-learn"
    builder = "scikit_learn"
    execution = "eager"
    precisions = ("float32", "float64")
    idiomatic = True
    reasons: ClassVar[Mapping[str, str]] = {
        "graph": "it calls compiled kernels from Python",
        "compiled": "it calls compiled kernels from Python",
        "bfloat16": "numpy has no such type",
        "float16": "its solvers compute in float32 and float64 alone",
        "loader": "it takes arrays, and has no input pipeline",
        "steps_per_execution": "MLPClassifier takes its steps in Python",
        "channels_last": "it takes each image as a vector",
    }
    run_on = ("cpu",)
    start_s = 1.5

    def trained_by_steps(self, model: Model) -> bool:
        return isinstance(model, Network)

    def natural(self, model: Model) -> bool:
        return isinstance(model, Estimator) or super().natural(model)

    def lacks(self, model: Model) -> str | None:
        return _missing_layer(model) if isinstance(model, Network) else None

    def unsupported(self, case: Case, model: Model, shape: tuple[int, ...], classes: int) -> str | None:
        if case.device != "cpu":
            return f"scikit-learn computes on the CPU alone, not on {case.device}"
        if obstacle := super().unsupported(case, model, shape, classes):
            return obstacle
        if missing := self.lacks(model):
            return missing
        if not isinstance(model, Network):
            return _unweighted(case, model)
        if classes == 2:
            return "MLPClassifier puts a single logistic unit where two classes would have two logits."
        return None if case.training is None else _missing_in_mlp(case.training)

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
        idiomatic = case.track == "idiomatic"
        vectors = Vectors(1.0 / train.scale, case.precision, plan.mean, plan.std)
        if isinstance(model, Network):
            return MLPLearner(place(model, train.shape, train.classes), train, plan, vectors, idiomatic=idiomatic)
        if isinstance(model, NativeModel):
            return EstimatorLearner(_native(model, train, plan), train, vectors, argmax=False, converted=idiomatic)
        if model.raw_pixels:
            vectors = Vectors(None, case.precision)
        estimator = _estimator(model, case, plan)
        return EstimatorLearner(estimator, train, vectors, argmax=model.argmax, converted=idiomatic)


_NO_LAYER: Mapping[type[Layer], str] = {
    Conv: "convolutions",
    MaxPool: "pooling",
    BatchNorm: "batch normalisation",
    Dropout: "dropout",
    Relu: "relu apart from a dense layer",
}


def _missing_layer(network: Network) -> str | None:
    """Part of ``network`` that ``MLPClassifier`` lacks: it has dense layers with biases and relu between them."""
    for layer, words in _NO_LAYER.items():
        if any(isinstance(one, layer) for one in network.layers):
            return f"MLPClassifier has no {words}."
    dense = [layer for layer in network.layers if isinstance(layer, Dense)]
    if not all(layer.bias for layer in dense):
        return "MLPClassifier has no dense layer without a bias."
    if not all(layer.activation == "relu" for layer in dense[:-1]):
        return "MLPClassifier has the same activation behind every hidden layer: relu, not none."
    return None


def _missing_in_mlp(training: Training) -> str | None:
    """Part of a recipe that ``MLPClassifier`` lacks, in one sentence."""
    optimizer = training.optimizer
    if optimizer.name not in ("sgd", "adam"):
        return f"MLPClassifier has no {optimizer.name}: its solvers by steps are sgd and adam."
    if optimizer.weight_decay:
        return "MLPClassifier has no decoupled weight decay: its alpha is an L2 term of the loss."
    if training.schedule.name != "constant":
        return "MLPClassifier has no learning rate that is given step by step."
    if training.label_smoothing:
        return "MLPClassifier has no label smoothing."
    if training.class_weights:
        return "MLPClassifier divides by the weights of a batch, where the mean is to be one over its samples."
    return None


def _unweighted(case: Case, model: Model) -> str | None:
    """Why an estimator cannot weight the classes as requested."""
    if "class_weight" not in case.parameters:
        return None
    if isinstance(model, Estimator):
        return None if model.weighted else f"{model.class_path.rpartition('.')[2]} has no class weights."
    return "An estimator of your own brings its class weights itself."


def _estimator(model: Estimator, case: Case, plan: TrainingPlan) -> Any:
    module, _, name = model.class_path.rpartition(".")
    parameters: dict[str, Any] = {**model.parameters, **case.parameters}
    if model.seeded:
        parameters["random_state"] = plan.seed
    if model.parallel:
        parameters["n_jobs"] = plan.threads
    estimator = getattr(importlib.import_module(module), name)(**parameters)
    if not model.transformers:
        return estimator
    from sklearn.pipeline import make_pipeline

    return make_pipeline(*(_transformer(step, plan) for step in model.transformers), estimator)


def _transformer(step: Transformer, plan: TrainingPlan) -> Any:
    module, _, name = step.class_path.rpartition(".")
    seed = {"random_state": plan.seed} if step.seeded else {}
    return getattr(importlib.import_module(module), name)(**step.parameters, **seed)


def _native(model: NativeModel, train: Split, plan: TrainingPlan) -> Any:
    built = native.build(model, ScikitLearnAdapter.builder, train.shape, train.classes, plan.seed)
    if not (hasattr(built, "fit") and hasattr(built, "predict")):
        raise native.ModelFault(
            f"{model.name}: built a {type(built).__name__}, an estimator with fit and predict expected"
        )
    _set_where_taken(built, n_jobs=plan.threads)
    return built


def _set_where_taken(estimator: Any, **parameters: object) -> None:
    """Set the parameters that the user's estimator has and leaves at None."""
    if not hasattr(estimator, "get_params"):
        return
    current = estimator.get_params(deep=False)
    taken = {name: value for name, value in parameters.items() if name in current and current[name] is None}
    if taken:
        estimator.set_params(**taken)
