"""The scikit-learn estimators that ship: class paths, and the parameters that are not the library's defaults."""

from pydantic import JsonValue

from bench.models.model import Estimator, Transformer

MAJORITY = Estimator(
    "majority",
    "always the most frequent class: the floor of every table",
    "sklearn.dummy.DummyClassifier",
    {"strategy": "most_frequent"},
    argmax=True,
)

LOGISTIC_REGRESSION = Estimator(
    "logistic-regression",
    "multinomial logistic regression, lbfgs, L2 with C = 1",
    "sklearn.linear_model.LogisticRegression",
    weighted=True,
    argmax=True,
    fit_s=11.0,
)

LINEAR_SVC = Estimator(
    "linear-svc",
    "linear support vector machine, one against the rest",
    "sklearn.svm.LinearSVC",
    {"dual": False},
    weighted=True,
    argmax=True,
    fit_s=15.0,
)

SVC_RBF = Estimator(
    "svc-rbf",
    "support vector machine with a Gaussian kernel",
    "sklearn.svm.SVC",
    weighted=True,
    train_rows=20_000,
    fit_s=28.0,
)

KNN = Estimator(
    "knn",
    "five nearest neighbours on raw pixel values",
    "sklearn.neighbors.KNeighborsClassifier",
    {"n_neighbors": 5},
    parallel=True,
    argmax=True,
    raw_pixels=True,
    predict_s=11.0,
)

GAUSSIAN_NB = Estimator(
    "gaussian-nb",
    "naive Bayes with a Gaussian for each pixel",
    "sklearn.naive_bayes.GaussianNB",
    argmax=True,
    fit_s=1.0,
)

DECISION_TREE = Estimator(
    "decision-tree",
    "one tree, grown to the end",
    "sklearn.tree.DecisionTreeClassifier",
    weighted=True,
    seeded=True,
    argmax=True,
    fit_s=20.0,
)

RANDOM_FOREST = Estimator(
    "random-forest",
    "100 trees",
    "sklearn.ensemble.RandomForestClassifier",
    weighted=True,
    seeded=True,
    parallel=True,
    argmax=True,
    fit_s=15.0,
)

HIST_GRADIENT_BOOSTING = Estimator(
    "hist-gradient-boosting",
    "30 rounds of boosted trees on binned pixels, no early stopping",
    "sklearn.ensemble.HistGradientBoostingClassifier",
    {"max_iter": 30, "early_stopping": False},
    weighted=True,
    argmax=True,
    fit_s=68.0,
)

# Those below, and decision-tree and random-forest above, are the rows of scikit-learn's own benchmarks/bench_mnist.py.

EXTRA_TREES = Estimator(
    "extra-trees",
    "100 extremely randomised trees",
    "sklearn.ensemble.ExtraTreesClassifier",
    weighted=True,
    seeded=True,
    parallel=True,
    argmax=True,
    fit_s=16.0,
)

NYSTROEM_SVM = Estimator(
    "nystroem-svm",
    "linear support vector machine on 1,000 components of a Gaussian kernel (Nystroem)",
    "sklearn.svm.LinearSVC",
    {"C": 100.0},
    weighted=True,
    seeded=True,
    argmax=True,
    transformers=(
        Transformer("sklearn.kernel_approximation.Nystroem", {"gamma": 0.015, "n_components": 1000}, seeded=True),
    ),
    fit_s=120.0,
)

SAMPLED_RBF_SVM = Estimator(
    "sampled-rbf-svm",
    "linear support vector machine on 1,000 random Fourier features of a Gaussian kernel",
    "sklearn.svm.LinearSVC",
    {"C": 100.0},
    weighted=True,
    seeded=True,
    argmax=True,
    transformers=(
        Transformer("sklearn.kernel_approximation.RBFSampler", {"gamma": 0.015, "n_components": 1000}, seeded=True),
    ),
    fit_s=140.0,
)

LOGISTIC_SAG = Estimator(
    "logistic-sag",
    "multinomial logistic regression by averaged stochastic gradients, stopped early, hardly any penalty",
    "sklearn.linear_model.LogisticRegression",
    {"solver": "sag", "tol": 0.1, "C": 10_000.0},
    weighted=True,
    seeded=True,
    argmax=True,
    fit_s=17.0,
)

_PERCEPTRON: dict[str, JsonValue] = {"hidden_layer_sizes": [100, 100], "max_iter": 400, "alpha": 0.0001, "tol": 0.0001}
"""Trained until the loss stops improving, by scikit-learn's own rule."""

MLP_100_100_ADAM = Estimator(
    "mlp-100-100-adam",
    "two hidden layers of 100 units, scikit-learn's own training until the loss stops improving, adam",
    "sklearn.neural_network.MLPClassifier",
    {**_PERCEPTRON, "solver": "adam", "learning_rate_init": 0.001},
    seeded=True,
    argmax=True,
    fit_s=60.0,
)

MLP_100_100_SGD = Estimator(
    "mlp-100-100-sgd",
    "two hidden layers of 100 units, scikit-learn's own training until the loss stops improving, sgd with momentum",
    "sklearn.neural_network.MLPClassifier",
    {**_PERCEPTRON, "solver": "sgd", "learning_rate_init": 0.2, "momentum": 0.9},
    seeded=True,
    argmax=True,
    fit_s=30.0,
)

RANDOM_GUESS = Estimator(
    "random-guess",
    "a class at random, as often as the training part has it",
    "sklearn.dummy.DummyClassifier",
    {"strategy": "stratified"},
    seeded=True,
)
