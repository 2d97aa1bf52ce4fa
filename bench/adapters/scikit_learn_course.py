"""``MLPClassifier`` trained by one ``fit`` in a given order, with pauses.

scikit-learn runs its own loop and is steered through what it calls: the order through the ``shuffle`` of its
``random_state``, pixel conversion and the counts through the methods it calls for each batch and epoch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.base import Epoch, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Course:
    """The epochs of one ``fit`` over the rows ``rows`` (sorted), and the counts since the last pause."""

    def __init__(
        self, rows: NDArray[np.int64], first: Epoch, coming: Iterator[Epoch], pause: Callable[[], None]
    ) -> None:
        self._rows = rows
        self._coming = coming
        self._pause = pause
        self._epoch = first
        self._inner = frozenset(first.pauses[:-1])
        self._places = np.arange(len(rows))
        """Position of each row in scikit-learn, which shuffles the last epoch's order."""
        self._batch = 0
        self._loss = 0.0
        self._seen = 0
        self._steps = 0

    @property
    def ordered(self) -> bool:
        """True where the harness gives the order."""
        return self._epoch.order is not None

    def shuffle(self, indices: NDArray[np.int64]) -> None:
        """Write into ``indices`` the permutation from the last epoch's order to this one's."""
        assert self._epoch.order is not None
        wanted = self._epoch.order
        if len(self._rows) and self._rows[-1] != len(self._rows) - 1:
            wanted = np.searchsorted(self._rows, wanted)
        indices[:] = self._places[wanted]
        self._places[wanted] = np.arange(len(wanted))

    def computed(self, loss: float, rows: int) -> None:
        """Note a batch whose mean loss has been computed."""
        self._loss += loss * rows
        self._seen += rows

    def stepped(self) -> None:
        """Note an update of the weights; pauses where the epoch says so."""
        self._steps += 1
        self._batch += 1
        if self._batch in self._inner:
            self._pause()

    def goes_on(self) -> bool:
        """Pause at the end of an epoch; True where another follows."""
        self._pause()
        epoch = next(self._coming, None)
        if epoch is not None:
            self._epoch, self._inner, self._batch = epoch, frozenset(epoch.pauses[:-1]), 0
        return epoch is not None

    def progress(self) -> Progress:
        """Loss, rows and steps since the last pause."""
        found = Progress(self._loss / self._seen if self._seen else None, self._seen, self._steps)
        self._loss, self._seen, self._steps = 0.0, 0, 0
        return found


class GivenOrder(np.random.RandomState):
    """A generator whose shuffles follow a course, where it gives the order."""

    course: Course | None = None

    def shuffle(self, x: Any) -> None:
        """Shuffle in place."""
        if self.course is not None and self.course.ordered:
            self.course.shuffle(x)
        else:
            super().shuffle(x)


class Stepper:
    """A scikit-learn optimiser that reports each step it takes."""

    def __init__(self, optimizer: Any, stepped: Callable[[], None]) -> None:
        self._own = optimizer
        self._stepped = stepped

    def update_params(self, params: Any, grads: Any) -> None:
        """One step."""
        self._own.update_params(params, grads)
        self._stepped()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)


def classifier(seed: int, **parameters: Any) -> Any:
    """An ``MLPClassifier`` that follows a course, with ``parameters``; it has no stopping rule of its own."""
    return _class()(random_state=GivenOrder(seed), max_iter=2**31, **parameters)


@cache
def _class() -> Any:
    from sklearn.neural_network import MLPClassifier

    class CourseMLPClassifier(MLPClassifier):  # type: ignore[misc]
        """MLPClassifier with weights before its first step, one ``fit`` for given epochs, and pauses in it."""

        convert: Callable[[NDArray[Any]], NDArray[Any]] | None = None
        """Converts a batch's stored rows to vectors; None for rows that are vectors."""
        _course: Course | None = None
        _computed: Callable[[float, int], None]
        """``Course.computed`` of the course that is followed."""
        _initialises = False

        def initialise(self, vectors: NDArray[Any], labels: NDArray[np.int64], classes: int) -> None:
            """Make the weights for such vectors, but no optimiser."""
            self._initialises = True
            self.partial_fit(vectors, labels, classes=np.arange(classes))
            self._initialises = False

        def fit_epochs(self, course: Course, rows: NDArray[Any], labels: NDArray[np.int64]) -> None:
            """One ``fit`` on ``rows`` ``(n, pixels)``, as long as ``course`` goes on."""
            self._course = self.random_state.course = course
            self._computed = course.computed
            self.warm_start = True  # from the present weights
            self.fit(rows, labels)

        def progress(self) -> Progress:
            """Counts since the last pause."""
            assert self._course is not None
            return self._course.progress()

        def _validate_input(self, rows: Any, labels: Any, incremental: bool, reset: bool) -> Any:
            # rows as stored are bytes, which scikit-learn would convert to float64, all at once
            if self._course is None:
                return super()._validate_input(rows, labels, incremental, reset)
            return rows, self._label_binarizer.transform(labels).astype(bool)

        def _fit_stochastic(self, *arguments: Any, **options: Any) -> None:
            if not self._initialises:
                super()._fit_stochastic(*arguments, **options)

        @property
        def _optimizer(self) -> Any:
            return self._stepper

        @_optimizer.setter
        def _optimizer(self, made: Any) -> None:
            assert self._course is not None
            self._stepper = Stepper(made, self._course.stepped)

        def _backprop(self, rows: Any, targets: Any, weights: Any, activations: Any, *buffers: Any) -> Any:
            if self.convert is not None:
                rows = activations[0] = self.convert(rows)
            found = super()._backprop(rows, targets, weights, activations, *buffers)
            self._computed(float(found[0]), len(rows))
            return found

        def _update_no_improvement_count(self, *_: Any) -> None:
            assert self._course is not None
            self._no_improvement_count = 0 if self._course.goes_on() else math.inf

    return CourseMLPClassifier
