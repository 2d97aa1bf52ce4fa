"""The models by name: those that ship, those of other packages' entry points, and the user's own files."""

from typing import cast

from bench.errors import BenchError
from bench.models import native
from bench.models.model import Estimator, Model, NativeModel, Network
from bench.registry import Registry

MODELS: Registry[Model] = Registry(
    "model",
    "bench.models",
    "bench list models",
    {
        "softmax": "bench.models.networks:SOFTMAX",
        "mlp": "bench.models.networks:MLP",
        "mlp-plain": "bench.models.networks:MLP_PLAIN",
        "cnn": "bench.models.networks:CNN",
        "cnn-norm": "bench.models.networks:CNN_NORM",
        "cnn-fast": "bench.models.networks:CNN_FAST",
        "cnn-wide": "bench.models.networks:CNN_WIDE",
        "cnn3d": "bench.models.networks:CNN3D",
        "majority": "bench.models.estimators:MAJORITY",
        "logistic-regression": "bench.models.estimators:LOGISTIC_REGRESSION",
        "linear-svc": "bench.models.estimators:LINEAR_SVC",
        "svc-rbf": "bench.models.estimators:SVC_RBF",
        "knn": "bench.models.estimators:KNN",
        "gaussian-nb": "bench.models.estimators:GAUSSIAN_NB",
        "decision-tree": "bench.models.estimators:DECISION_TREE",
        "random-forest": "bench.models.estimators:RANDOM_FOREST",
        "hist-gradient-boosting": "bench.models.estimators:HIST_GRADIENT_BOOSTING",
        "extra-trees": "bench.models.estimators:EXTRA_TREES",
        "nystroem-svm": "bench.models.estimators:NYSTROEM_SVM",
        "sampled-rbf-svm": "bench.models.estimators:SAMPLED_RBF_SVM",
        "logistic-sag": "bench.models.estimators:LOGISTIC_SAG",
        "mlp-100-100-adam": "bench.models.estimators:MLP_100_100_ADAM",
        "mlp-100-100-sgd": "bench.models.estimators:MLP_100_100_SGD",
        "random-guess": "bench.models.estimators:RANDOM_GUESS",
    },
)


def find_model(reference: str, *, where: str = "") -> Model:
    """The model that a name or a file (``./net.py:ResNet``) stands for; no framework is imported.

    Raises UnknownName for a misspelt name, BenchError for a file or plug-in that does not say what it builds.
    """
    if native.is_reference(reference):
        return native.from_file(reference)
    entry = MODELS.entry(reference)
    if entry is not None:
        found = native.from_module(reference, entry.module, entry.attr)
        if found is not None:
            return found
    model = cast(object, MODELS.get(reference, where=where))
    if not isinstance(model, Network | Estimator | NativeModel):
        raise BenchError(
            f"model {reference!r} of an installed package is a {type(model).__name__}",
            "An entry point of bench.models names a Network, an Estimator, or a class or function that builds a model.",
        )
    return model
