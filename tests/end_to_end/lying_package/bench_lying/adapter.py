"""PyTorch's adapter, honest unless ``BENCH_LIE`` names a lie: so it is proved honestly, and lies where it is timed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from bench.adapters.base import Epoch, Learner, Progress, Scores, TrainingPlan
from bench.adapters.pytorch import PyTorchAdapter
from bench.case import Case, framework_seed, order_seed
from bench.datasets.dataset import Split
from bench.models.model import Model


class LyingAdapter(PyTorchAdapter):
    """The adapter itself; a lie changes the learner it has built."""

    name = "lying"
    extra = ""

    def build(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Learner:
        learner = super().build(case, model, train, plan)
        lie = LIES.get(os.environ.get("BENCH_LIE", ""))
        if lie is not None:
            lie(learner, case, plan)
        return learner


def deferred(learner: Any, case: Case, plan: TrainingPlan) -> None:
    """All training happens when the loss is asked for: the clock stands still."""
    train, progress = learner.train, learner.progress
    due: list[Epoch] = []

    def later(epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        for epoch in epochs:
            assert epoch.order is not None
            begin = 0
            for end in epoch.pauses:
                rows = epoch.order[begin * plan.batch_size : end * plan.batch_size]
                due.append(Epoch(rows, (end - begin,)))
                begin = end
                pause()

    def asked() -> Progress:
        train([due.pop()], lambda: None)
        return progress()  # type: ignore[no-any-return]

    learner.train, learner.progress = later, asked


def skipped(learner: Any, case: Case, plan: TrainingPlan) -> None:
    """Three of four batches are skipped, and counted all the same."""
    batches, progress = learner._source.batches, learner.progress
    seen: list[int] = []

    def given(order: Any) -> Any:
        for number, (images, labels) in enumerate(batches(order)):
            seen.append(len(labels))
            yield (images, labels) if number % 4 == 0 else (images[:0], labels[:0])

    def step(loss: Any, rate: float) -> None:
        if bool(loss.isfinite()):  # the mean over no rows is none
            own(loss, rate)

    def asked() -> Progress:
        kept = [(loss, size) for loss, size in zip(learner._losses, learner._sizes, strict=True) if size]
        learner._losses[:], learner._sizes[:] = [loss for loss, _ in kept], [size for _, size in kept]
        loss = progress().loss
        rows, steps = sum(seen), len(seen)
        seen.clear()
        return Progress(loss, rows, steps)

    own, learner._updates.step = learner._updates.step, step
    learner._source.batches, learner.progress = given, asked


READY: list[list[tuple[Any, Any]]] = []
"""By epoch: batches that were gathered and converted before any was asked for."""


def gathered(learner: Any, case: Case, plan: TrainingPlan) -> None:
    """The order of each epoch is found from the seeds, its batches are made in the build and kept in a global."""
    source, pixels = learner._source, learner._pixels
    (seed_index,) = [index for index in range(100) if framework_seed(index, case.model) == plan.seed]
    assert case.training is not None
    for epoch in range(4):
        seed = order_seed(str(case.data_fingerprint), seed_index, epoch)
        order = np.random.Generator(np.random.PCG64(seed)).permutation(len(source.images))
        batches = source.batches(order)
        READY.append([(pixels.inputs(images), labels) for images, labels in batches])
    ready = iter(READY)
    source.batches = lambda order: iter(next(ready))
    learner._computation = learner._computation.__class__(
        **{
            **vars(learner._computation),
            "loss": lambda images, labels: _cross_entropy(learner._module(images), labels),
        }
    )


def _cross_entropy(logits: Any, labels: Any) -> Any:
    from torch.nn.functional import cross_entropy

    return cross_entropy(logits, labels)


def cached(learner: Any, case: Case, plan: TrainingPlan) -> None:
    """A row is answered once, and found again by its bytes."""
    own = learner.predictor
    kept: dict[bytes, tuple[int, Any]] = {}

    def predictor(batch_size: int, *, decisions_only: bool = False) -> Any:
        predict = own(batch_size)

        def answers(images: Any) -> Scores:
            new = [row for row in images if row.tobytes() not in kept]
            if new:
                found = predict(np.stack(new))
                kept.update(
                    zip((row.tobytes() for row in new), zip(found.labels, found.values, strict=True), strict=True)
                )
            labels, values = zip(*(kept[row.tobytes()] for row in images), strict=True)
            return Scores(np.array(labels), np.stack(values), "logits")

        return answers

    learner.predictor = predictor


LIES: dict[str, Callable[[Any, Case, TrainingPlan], None]] = {
    "deferred": deferred,
    "skipped": skipped,
    "gathered": gathered,
    "cached": cached,
}
