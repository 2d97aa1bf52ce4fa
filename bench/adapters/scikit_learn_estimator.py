"""A scikit-learn estimator with its training data: images as vectors, one fit, and its answers."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.base import Epoch, Learner, Predictor, Progress, Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.datasets.dataset import Split

    Images = NDArray[np.uint8] | NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Vectors:
    """Callable from images ``(n, *spatial, channels)``, flat or not, to vectors ``(n, values)``.

    It is called for every batch of a network on the clock, so it makes as few calls of its own as it can.
    """

    factor: float | None
    """Factor for stored values; None leaves them as they are."""
    dtype: str = "float32"
    mean: NDArray[np.float64] | None = None
    std: NDArray[np.float64] | None = None
    """``(channels,)``; None leaves scaled pixels as they are."""

    def __call__(self, images: Images) -> NDArray[Any]:
        values = images.reshape(len(images), -1).astype(self.dtype)
        if self.factor is not None:
            values *= self.factor
        if self.mean is not None and self.std is not None:
            pixels = values.shape[1] // len(self.mean)
            values -= np.tile(self.mean.astype(self.dtype), pixels)
            values /= np.tile(self.std.astype(self.dtype), pixels)
        return values


class EstimatorLearner(Learner):
    """An estimator and its training data; one epoch is one ``fit``.

    Conversion to vectors is part of it, unless the data are ``converted`` beforehand, as tutorials do.
    """

    by_steps = False

    def __init__(self, estimator: Any, train: Split, vectors: Vectors, *, argmax: bool, converted: bool) -> None:
        self._estimator = estimator
        self._train = train
        self._vectors = vectors
        self._argmax = argmax
        self._converted = vectors(train.images) if converted else None
        self._warnings: list[str] = []
        self._fitted = 0
        """Rows that the estimator was fitted to since the last pause."""

    def train(self, epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        for epoch in epochs:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                vectors, labels = self._rows(epoch.order)
                self._estimator.fit(vectors, labels)
            self._fitted = len(vectors)
            found = {f"{item.category.__name__}: {str(item.message).splitlines()[0]}" for item in caught}
            self._warnings = sorted(found)
            pause()

    def progress(self) -> Progress:
        fitted, self._fitted = self._fitted, 0
        return Progress(rows=fitted)

    def _rows(self, order: NDArray[np.int64] | None) -> tuple[NDArray[Any], NDArray[np.int64]]:
        chosen = slice(None) if order is None else order
        labels = self._train.labels[chosen]
        if self._converted is not None:
            return self._converted[chosen], labels
        return self._vectors(self._train.images[chosen]), labels

    def predictor(self, batch_size: int, *, decisions_only: bool = False) -> Predictor:
        return EstimatorPredictor(self._estimator, self._vectors, batch_size, self._argmax, decisions_only).predict

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
            "pixels": "as stored" if self._vectors.factor is None else "scaled to 0..1",
            "precision": f"{self._vectors.dtype} input",
            "input": "resident",
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


class EstimatorPredictor:
    """Decisions of an estimator, with its probabilities or margins if requested and available."""

    def __init__(self, estimator: Any, vectors: Vectors, batch_size: int, argmax: bool, decisions_only: bool) -> None:
        self._estimator = estimator
        self._vectors = vectors
        self._batch_size = batch_size
        self._argmax = argmax
        self._values = None if decisions_only else _value_method(estimator)
        self._parallel = _parallel_part(estimator) if batch_size == 1 else None

    def predict(self, images: Images) -> Scores:
        """The decisions for ``images``, in parts of the batch size, and their values in the vectors' type.

        Samples taken one at a time are answered in one thread, scikit-learn's default: starting several takes a forest
        four times as long as the answer.
        """
        if self._parallel is None:
            return self._answers(images)
        jobs, self._parallel.n_jobs = self._parallel.n_jobs, None
        try:
            return self._answers(images)
        finally:
            self._parallel.n_jobs = jobs

    def _answers(self, images: Images) -> Scores:
        size = self._batch_size or len(images)
        parts = [self._part(images[start : start + size]) for start in range(0, len(images), size)]
        labels = _joined([labels for labels, _ in parts])
        if self._values is None:
            return Scores(labels, None, None)
        kind = "probabilities" if self._values == "predict_proba" else "margins"
        return Scores(labels, _joined([values for _, values in parts]), kind)  # type: ignore[arg-type]

    def _part(self, images: Images) -> tuple[NDArray[np.int64], NDArray[Any] | None]:
        vectors = self._vectors(images)
        if self._values is None:
            return np.asarray(self._estimator.predict(vectors)), None
        values = np.asarray(getattr(self._estimator, self._values)(vectors))
        if self._argmax and values.ndim == 2:
            labels = np.asarray(self._estimator.classes_, dtype=np.int64)[values.argmax(axis=1)]
        else:
            labels = np.asarray(self._estimator.predict(vectors))  # as they are: scoring judges them
        if values.ndim == 1:
            values = np.stack([-values, values], axis=1)  # two classes: one margin
        return labels, values.astype(self._vectors.dtype, copy=False)


def _parallel_part(estimator: Any) -> Any:
    """The estimator, or the last step of a pipeline, where it answers in several threads; else None."""
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    return last if getattr(last, "n_jobs", None) not in (None, 1) else None


def _joined(parts: list[Any]) -> Any:
    """The parts as one array; a single part, as on the clock of one sample, is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _value_method(estimator: object) -> str | None:
    return next((name for name in ("predict_proba", "decision_function") if hasattr(estimator, name)), None)
