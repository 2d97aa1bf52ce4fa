"""PyTorch's adapter with one lie each: a wrong computation, or work not done as asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.adapters.base import Learner, TrainingPlan
from bench.adapters.pytorch import PyTorchAdapter
from bench.case import Case
from bench.certificate import Conditions
from bench.datasets.dataset import Split
from bench.equivalence.worker import prepared_case
from bench.models.model import BatchNorm, Model, Network

Asked = tuple[Case, Model, Split, TrainingPlan]


def prepare() -> None:
    """Prepare as a worker does: one thread, and the precision of a proof."""
    PyTorchAdapter().prepare(prepared_case(Conditions(framework="pytorch"), "float64"))


class Honest(PyTorchAdapter):
    """The adapter itself; a lie changes what is asked of it, or its learner."""

    def asked(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Asked:
        return case, model, train, plan

    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        return

    def build(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Learner:
        changed = self.asked(case, model, train, plan)
        learner = super().build(*changed)
        self.built(learner, case, plan)
        return learner


class OtherNorm(Honest):
    """BatchNorm with other constants."""

    def __init__(self, **constants: float) -> None:
        self.constants = constants

    def asked(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Asked:
        assert isinstance(model, Network)
        layers = tuple(
            replace(layer, **self.constants) if isinstance(layer, BatchNorm) else layer for layer in model.layers
        )
        return case, replace(model, layers=layers), train, plan


class OtherOptimizer(Honest):
    """The optimiser with other constants."""

    def __init__(self, **constants: Any) -> None:
        self.constants = constants

    def asked(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Asked:
        assert plan.optimizer is not None
        return case, model, train, replace(plan, optimizer=plan.optimizer.model_copy(update=self.constants))


class OtherRate(Honest):
    """A learning rate that is off by a factor, in one execution alone if it is named."""

    def __init__(self, factor: float, execution: str | None = None) -> None:
        self.factor = factor
        self.only = execution

    def asked(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Asked:
        assert plan.learning_rates is not None
        if self.only in (None, case.execution):
            plan = replace(plan, learning_rates=plan.learning_rates * self.factor)
        return case, model, train, plan


class BiasInitialised(Honest):
    """Its own biases."""

    def asked(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Asked:
        assert plan.initial_weights is not None
        own = {
            name: np.full_like(value, 0.01) if name.endswith("/bias") else value
            for name, value in plan.initial_weights.items()
        }
        return case, model, train, replace(plan, initial_weights=own)


class LabelsOffByOne(Honest):
    def asked(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Asked:
        return case, model, replace(train, labels=(train.labels + 1) % train.classes), plan


class SingleInside(Honest):
    """float32 instead of float64."""

    def asked(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Asked:
        return case.model_copy(update={"precision": "float32"}), model, train, plan


class UnbiasedVariance(Honest):
    """torch's own BatchNorm."""

    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        import torch

        for module in learner._module.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.__class__ = torch.nn.BatchNorm2d


class OwnOptimizer(Honest):
    """torch's own optimiser: Adam's epsilon after the bias correction, the rate outside the momentum."""

    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        from bench.adapters.pytorch_optimizer import own_updates

        assert plan.optimizer is not None
        learner._updates = own_updates(learner._module, plan.optimizer)


class Penalty(Honest):
    """L2 without a request."""

    def __init__(self, penalty: float) -> None:
        self.penalty = penalty

    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        for group in learner._updates._groups:
            group["weight_decay"] = self.penalty


class CoupledDecay(Honest):
    """Weight decay as part of the gradient: Adam's, not AdamW's."""

    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        from bench.adapters.pytorch_optimizer import matched_updates

        assert plan.optimizer is not None
        assert plan.learning_rates is not None
        adam = plan.optimizer.model_copy(update={"name": "adam", "weight_decay": 0.0})
        learner._updates = matched_updates(learner._module, adam, plan.learning_rates.tolist())
        for group in learner._updates._groups:
            group["weight_decay"] = plan.optimizer.weight_decay


class SymmetricPadding(Honest):
    """Padding ``kernel // 2`` on every side, whatever the strides."""

    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        import torch

        module = learner._module
        for name, _ in list(module.named_children()):
            if name.endswith("_pad"):
                size = getattr(module, name.removesuffix("_pad")).kernel_size[0]
                setattr(module, name, torch.nn.ZeroPad2d(size // 2))


class SoftmaxTwice(Honest):
    """A softmax after the logits, before that of the loss."""

    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        import torch

        learner._module.add_module("softmax", torch.nn.Softmax(dim=1))


class DropoutInEvaluation(Honest):
    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        import torch

        class Always(torch.nn.Dropout):  # type: ignore[misc]
            def forward(self, values: Any) -> Any:
                return torch.nn.functional.dropout(values, self.p, training=True)

        for module in learner._module.modules():
            if isinstance(module, torch.nn.Dropout):
                module.__class__ = Always


class DropoutUnscaled(Honest):
    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        import torch

        class Unscaled(torch.nn.Dropout):  # type: ignore[misc]
            def forward(self, values: Any) -> Any:
                dropped = torch.nn.functional.dropout(values, self.p, self.training)
                return dropped * (1 - self.p) if self.training else dropped

        for module in learner._module.modules():
            if isinstance(module, torch.nn.Dropout):
                module.__class__ = Unscaled


class OtherOrders(Honest):
    """Trains on wrong rows, which ``rows_of`` makes from an epoch's order and the batch size."""

    def __init__(self, rows_of: Callable[[NDArray[np.int64], int], NDArray[np.int64]]) -> None:
        self.rows_of = rows_of

    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        own, size = learner._source.batches, plan.batch_size
        learner._source.batches = lambda order: own(self.rows_of(order, size))


def stored_order() -> Honest:
    """Rows in stored order, batch after batch."""
    return OtherOrders(lambda order, size: np.arange(len(order)))


class OtherBatches(Honest):
    """Trains on wrong batches, which ``batches_of`` makes from an epoch's."""

    def __init__(self, batches_of: Callable[[Iterator[Any]], Iterator[Any]]) -> None:
        self.batches_of = batches_of

    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        own = learner._source.batches
        learner._source.batches = lambda order: self.batches_of(own(order))


def last_batch_dropped() -> Honest:
    """Drop the short batch."""
    return OtherOrders(lambda order, size: order[: len(order) // size * size])


def sample_skipped() -> Honest:
    """Skip each batch's last row."""
    return OtherBatches(lambda batches: ((images[:-1], labels[:-1]) for images, labels in batches))


class EvaluatesWhileTraining(Honest):
    """Predicts after each batch."""

    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        own, images = learner._source.batches, np.moveaxis(learner._source.images[: plan.batch_size].numpy(), 1, -1)

        def batches(order: Any) -> Iterator[Any]:
            for batch in own(order):
                learner.predictor(plan.batch_size)(images)
                learner._module.train()
                yield batch

        learner._source.batches = batches


class TrainsWhenAsked(Honest):
    """Takes its steps when its loss is read, off the clock."""

    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        train, progress = learner.train, learner.progress
        due: list[Any] = []

        def later(epochs: Any, pause: Callable[[], None]) -> None:
            for epoch in epochs:
                due.append(epoch)
                pause()

        def asked() -> Any:
            train([due.pop()], lambda: None)
            return progress()

        learner.train, learner.progress = later, asked


class ConvertedBeforehand(Honest):
    """Holds its images as floats, converted in the build."""

    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        learner._source.images = learner._pixels.inputs(learner._source.images, copy=True)


class GatheredBeforehand(Honest):
    """Holds batches gathered in the build."""

    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        import torch

        rows = torch.randperm(len(learner._source.images)).split(plan.batch_size)
        learner._gathered = [learner._source.images[batch] for batch in rows]


class MetricsInEachStep(Honest):
    def built(self, learner: Any, case: Case, plan: TrainingPlan) -> None:
        own = learner.settings
        learner.settings = lambda: {**own(), "metrics": ["accuracy"]}
