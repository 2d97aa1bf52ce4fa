"""The scikit-learn estimators that ship: class paths, and the parameters that are not the library's defaults."""

from bench.models.model import Estimator

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
    argmax=True,
    fit_s=11.0,
)

LINEAR_SVC = Estimator(
    "linear-svc",
    "linear support vector machine, one against the rest",
    "sklearn.svm.LinearSVC",
    {"dual": False},
    argmax=True,
    fit_s=15.0,
)

SVC_RBF = Estimator(
    "svc-rbf",
    "support vector machine with a Gaussian kernel",
    "sklearn.svm.SVC",
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
    seeded=True,
    argmax=True,
    fit_s=20.0,
)

RANDOM_FOREST = Estimator(
    "random-forest",
    "100 trees",
    "sklearn.ensemble.RandomForestClassifier",
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
    argmax=True,
    fit_s=68.0,
)
