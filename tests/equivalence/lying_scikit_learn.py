"""scikit-learn's adapter with one mistake each, from its own defaults or from careless use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from bench.adapters.base import Adapter, Epoch
from bench.adapters.scikit_learn import ScikitLearnAdapter
from tests.equivalence.plants import adapter_of

Change = Callable[[Any], None]


def parameters(**given: Any) -> Change:
    """Wrong parameters of ``MLPClassifier``."""
    return lambda learner: learner._estimator.set_params(**given)


def shuffled_by_itself(learner: Any) -> None:
    """``shuffle=True`` with a generator of its own."""
    learner._estimator.random_state.shuffle = np.random.default_rng(0).shuffle


def started_again(learner: Any) -> None:
    """``warm_start`` left off: ``fit`` draws weights of its own."""
    own = learner._estimator.fit

    def fit(rows: Any, labels: Any) -> Any:
        learner._estimator.warm_start = False
        return own(rows, labels)

    learner._estimator.fit = fit


def a_fit_for_each_epoch(learner: Any) -> None:
    """With ``warm_start``: the weights are kept, the optimiser restarts."""
    train = learner.train

    def trained(epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        for epoch in epochs:
            train([epoch], pause)

    learner.train = trained


def in_float64(learner: Any) -> None:
    """Pixels divided by a numpy number, which makes them float64; the weights stay float32."""
    vectors, shape = replace(learner._vectors, dtype="float64"), learner._train.shape
    learner._estimator.convert = lambda rows: vectors(rows.reshape(len(rows), *shape))


def standardized(learner: Any) -> None:
    """A ``StandardScaler`` as the documentation advises."""
    vectors, shape = learner._vectors, learner._train.shape
    converted = vectors(learner._train.images)
    mean, deviation = converted.mean(axis=0), converted.std(axis=0)
    deviation[deviation == 0] = 1
    learner._estimator.convert = lambda rows: (vectors(rows.reshape(len(rows), *shape)) - mean) / deviation


def flat_beforehand(learner: Any) -> None:
    """All images as one axis of floats, made in the build."""
    learner._flat = learner._vectors(learner._train.images).reshape(-1)


def as_rows_beforehand(learner: Any) -> None:
    """A list of vectors, made in the build."""
    learner._rows = list(learner._vectors(learner._train.images))


def with_threads(count: int) -> Change:
    def built(learner: Any) -> None:
        import threadpoolctl  # type: ignore[import-untyped]

        threadpoolctl.threadpool_limits(count)

    return built


def wrong(*, asked: Any = None, built: Change | None = None) -> Callable[[], Adapter]:
    """Makes an adapter with one mistake."""
    changes: dict[str, Any] = {}
    if asked is not None:
        changes["asked"] = asked
    if built is not None:
        changes["built"] = built
    return lambda: adapter_of(ScikitLearnAdapter, **changes)
