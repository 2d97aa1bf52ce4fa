"""Careless ports of PyTorch's adapter: each computes, or receives, something wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.adapters.base import Learner, TrainingPlan
from bench.adapters.pytorch import PyTorchAdapter
from bench.case import Case
from bench.datasets.dataset import Split
from bench.models.model import Model

Rows = NDArray[np.int64]
Batches = Iterator[tuple[Any, Any]]


class Careless(PyTorchAdapter):
    """The adapter with changed data, a changed plan, or a changed learner."""

    def __init__(
        self,
        *,
        train: Callable[[Split], Split] = lambda train: train,
        plan: Callable[[TrainingPlan], TrainingPlan] = lambda plan: plan,
        built: Callable[[Any], None] = lambda learner: None,
    ) -> None:
        self.other_train, self.other_plan, self.after_build = train, plan, built

    def build(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Learner:
        learner = super().build(case, model, self.other_train(train), self.other_plan(plan))
        self.after_build(learner)
        return learner


def transposed_in_training() -> Careless:
    return Careless(train=lambda train: replace(train, images=train.images.swapaxes(1, 2).copy()))


def divided_by_256() -> Careless:
    return Careless(train=lambda train: replace(train, scale=256.0))


def smoothed(value: float) -> Careless:
    return Careless(plan=lambda plan: replace(plan, label_smoothing=value))


def with_modules(change: Callable[[Any], Any]) -> Careless:
    """Modules replaced where ``change`` returns another."""

    def built(learner: Any) -> None:
        for name, module in list(learner._module.named_children()):
            other = change(module)
            if other is not None:
                setattr(learner._module, name, other)

    return Careless(built=built)


def activated_by(make: Callable[[Any], Any]) -> Careless:
    """Another activation, made from ``torch.nn``, for every rectifier."""
    from torch import nn

    return with_modules(lambda module: make(nn) if isinstance(module, nn.ReLU) else None)


def average_pooling() -> Careless:
    from torch import nn

    return with_modules(lambda module: nn.AvgPool2d(module.kernel_size) if isinstance(module, nn.MaxPool2d) else None)


def pooling_in_ceil_mode() -> Careless:
    def built(learner: Any) -> None:
        from torch import nn

        for module in learner._module.modules():
            if isinstance(module, nn.MaxPool2d):
                module.ceil_mode = True

    return Careless(built=built)


def before_each_update(change: Callable[[Any, int], None]) -> Careless:
    """``change`` gets the learner with its gradients, and the step number from 1."""

    def built(learner: Any) -> None:
        updates, steps = learner._updates, 0
        own = updates._prepare

        def prepare() -> None:
            nonlocal steps
            steps += 1
            change(learner, steps)
            own()

        updates._prepare = prepare

    return Careless(built=built)


def clipped(threshold: float) -> Careless:
    import torch

    def clip(learner: Any, step: int) -> None:
        torch.nn.utils.clip_grad_norm_(learner._module.parameters(), threshold)

    return before_each_update(clip)


def clipped_by_value(threshold: float) -> Careless:
    import torch

    def clip(learner: Any, step: int) -> None:
        torch.nn.utils.clip_grad_value_(learner._module.parameters(), threshold)

    return before_each_update(clip)


def uncorrected_from(first: int) -> Careless:
    """Adam with a huge step count from ``first`` on, so that its moments get no correction."""

    def age(learner: Any, step: int) -> None:
        for state in learner._updates._torch.state.values() if step >= first else ():
            state["step"].fill_(1e6)

    return before_each_update(age)


def after_each_update(change: Callable[[Any], None]) -> Careless:
    def built(learner: Any) -> None:
        learner._updates._torch.register_step_post_hook(lambda *_: change(learner))

    return Careless(built=built)


def state_in_float32() -> Careless:
    import torch

    def shorten(learner: Any) -> None:
        for state in learner._updates._torch.state.values():
            for value in state.values():
                if torch.is_tensor(value) and value.ndim:
                    value.copy_(value.float().double())

    return after_each_update(shorten)


def state_lost_each_epoch(steps: int) -> Careless:
    """A new optimiser state every ``steps`` steps."""

    def built(learner: Any) -> None:
        taken = 0

        def count(*_: object) -> None:
            nonlocal taken
            taken += 1
            if taken % steps == 0:
                learner._updates._torch.state.clear()
                learner._updates._steps = 0

        learner._updates._torch.register_step_post_hook(count)

    return Careless(built=built)


def predicts_by_old_weights() -> Careless:
    """A predictor with the weights from when it was made."""

    def built(learner: Any) -> None:
        own = learner.predictor

        def predictor(batch_size: int, *, decisions_only: bool = False) -> Any:
            predict = own(batch_size, decisions_only=decisions_only)
            kept = copy.deepcopy(learner._module.state_dict())

            def by_old(images: Any) -> Any:
                now = copy.deepcopy(learner._module.state_dict())
                learner._module.load_state_dict(kept)
                scores = predict(images)
                learner._module.load_state_dict(now)
                return scores

            return by_old

        learner.predictor = predictor

    return Careless(built=built)


def as_timed(learner: Any, epochs: list[Any]) -> bool:
    """True if a training pauses as a trial does, not after each batch."""
    return bool(len(epochs[0].pauses) < len(epochs[0].order) / learner._plan.batch_size)


def while_training(start: Callable[[Any, bool], None]) -> Careless:
    """``start`` gets the learner as training starts, and True if it pauses as a trial does."""

    def built(learner: Any) -> None:
        train = learner.train

        def trained(epochs: Iterable[Any], pause: Callable[[], None]) -> None:
            given = list(epochs)
            start(learner, as_timed(learner, given))
            train(given, pause)

        learner.train = trained

    return Careless(built=built)


def other_order(change: Callable[[Rows, int], Iterable[Rows]], *, timed_alone: bool = False) -> Careless:
    """Batches of the rows that ``change`` makes from an epoch's order and the batch size."""

    def start(learner: Any, timed: bool) -> None:
        source, size = learner._source, learner._plan.batch_size
        own = source.batches

        def batches(order: Rows) -> Batches:
            for rows in change(order, size):
                yield from own(rows)

        if timed or not timed_alone:
            source.batches = batches

    return while_training(start)


def timed_in_batches_of(size: int) -> Careless:
    def start(learner: Any, timed: bool) -> None:
        if timed:
            learner._source._batch_size = size
            learner._rates = 2 * learner._rates  # for more steps

    return while_training(start)


def reversed_batches(order: Rows, size: int) -> Iterable[Rows]:
    return np.split(order, range(size, len(order), size))[::-1]


def first_order_again() -> Careless:
    first: dict[int, Rows] = {}

    def change(order: Rows, size: int) -> Iterable[Rows]:
        return [first.setdefault(len(order), order)]

    return other_order(change)


def filled_up(order: Rows, size: int) -> Iterable[Rows]:
    """The short batch filled up with its own rows."""
    whole = len(order) // size * size
    return [order[:whole], np.resize(order[whole:], size)]


def without_last_row(order: Rows, size: int) -> Iterable[Rows]:
    return [order[:-1]]


def in_stored_order(order: Rows, size: int) -> Iterable[Rows]:
    return [np.sort(order)]


def multiplied_after_timed_epochs(factor: float) -> Careless:
    """Weights multiplied after each epoch, if the training pauses as a trial does."""

    def start(learner: Any, timed: bool) -> None:
        import torch

        own = learner._source.batches

        def batches(order: Rows) -> Batches:
            yield from own(order)
            with torch.no_grad():
                for parameter in learner._module.parameters():
                    parameter.mul_(factor)

        if timed:
            learner._source.batches = batches

    return while_training(start)


def shuffled(order: Rows, size: int) -> Iterable[Rows]:
    return [np.random.default_rng(int(order[0])).permutation(order)]


def autocast() -> Careless:
    """A module that computes in bfloat16."""
    import torch

    def built(learner: Any) -> None:
        own = learner._module.forward

        def forward(inputs: Any) -> Any:
            with torch.autocast("cpu", torch.bfloat16):
                return own(inputs).float()

        learner._module.forward = forward

    return Careless(built=built)
