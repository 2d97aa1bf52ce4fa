"""Checks that equal numbers are equal work: what is trained on, what is held, what else runs on the training clock.

Four checks, each on its own learner or the previous one's: the counts of a counting model (``counted``), the resources
for building a learner on a large data set (``started``), the results of softmax regression on it (``answered``), and
the settings in force.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.adapters.base import Adapter, Learner, TrainingPlan
from bench.case import Case, Optimizer, Training
from bench.datasets.dataset import Split
from bench.equivalence.answered import BATCH, CLASSES, RATE, SHAPE, Answered, zeros
from bench.equivalence.counted import counted_findings, counts
from bench.equivalence.proof import network_of
from bench.equivalence.started import Start
from bench.models.model import Model, Network
from bench.runner.closing import settings_findings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from bench.certificate import Conditions

__all__ = ["counts", "work_findings"]


@dataclass(frozen=True)
class Workplace:
    """An adapter under its conditions, which builds the learners for these checks."""

    adapter: Adapter
    conditions: Conditions
    batch_size: int = BATCH

    def build(
        self,
        model: Model,
        rows: int | Split,
        shape: tuple[int, ...],
        epochs: int,
        weights: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> Learner:
        """A learner for plain SGD on ``rows`` random images, or on those given."""
        train = rows if isinstance(rows, Split) else self.split(rows, shape)
        optimizer = Optimizer(name="sgd", learning_rate=RATE)
        training = Training(batch_size=self.batch_size, optimizer=optimizer, epochs=epochs)
        case = Case.model_validate(
            {
                **self.conditions.model_dump(),
                "dataset": "mnist",
                "model": model.name if isinstance(model, Network) else "mine",
                "training": training,
            }
        )
        rates = np.full(math.ceil(len(train) / self.batch_size) * epochs, RATE)
        plan = TrainingPlan(7, case.threads, self.batch_size, rates, optimizer, weights)
        return self.adapter.build(case, model, train, plan)

    def split(self, rows: int, shape: tuple[int, ...]) -> Split:
        """Random images and labels."""
        labels = np.random.Generator(np.random.PCG64(6)).integers(0, CLASSES, rows)
        return Split(self.images(rows, shape), labels, 255.0, CLASSES)

    def images(self, rows: int, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """``(rows, *shape)``, the same each time."""
        drawn = np.random.Generator(np.random.PCG64(7)).bytes(rows * math.prod(shape))
        return np.frombuffer(drawn, np.uint8).reshape(rows, *shape)


def work_findings(adapter: Adapter, conditions: Conditions) -> list[str]:
    """Findings on the work of ``adapter`` on its training clock, one clause each; empty if all is well.

    An adapter without a counting model (scikit-learn's own classes) gets the other checks.
    """
    place = Workplace(adapter, conditions)
    found: list[str] = []
    # the first learner bears the work that a framework does once in a process, not the second
    if counts(adapter):
        found += counted_findings(place)
    else:
        place.build(network_of("softmax"), 2 * BATCH, SHAPE, 1, zeros())
    start = Start(place)
    answered = Answered(start.learner, start.train)
    answered.train()
    found += [*start.findings(), *answered.findings(conditions.precision)]
    found += settings_findings(start.learner.settings(), adapter.probe(), conditions)
    return list(dict.fromkeys(found))
