"""Deliberately wrong adapters of any framework, and the checks that find them: proof, checks of work, trial.

An adapter is wrong in one way: it changes what it is asked to build, or the learner it has built. The changes use the
interface of every learner, so they are the same in every framework.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.adapters.base import Adapter, AdapterFault, Epoch, Learner, Scores, TrainingPlan
from bench.case import Case, Measuring, Precision, Training
from bench.certificate import Conditions
from bench.datasets.dataset import Split
from bench.equivalence.compare import Comparison, compare
from bench.equivalence.definition import DEFINITION, define
from bench.equivalence.dropout import dropout_findings
from bench.equivalence.judge import explanations
from bench.equivalence.proof import Proof
from bench.equivalence.recipes import RECIPES
from bench.equivalence.trace import Trace, make_trace
from bench.equivalence.verdict import first_misses
from bench.equivalence.work import work_findings
from bench.equivalence.worker import prepared_case
from bench.models.catalog import find_model
from bench.models.model import Model
from bench.runner.trial import Trial
from tests.runner.small import job

Asked = tuple[Case, Model, Split, TrainingPlan]
Rows = NDArray[np.int64]
BATCH = 16
ROWS = 53
STEPS = 9
"""Three full batches and one of five rows make an epoch: two epoch ends and a short batch on either side."""


def unchanged(*asked: Any) -> Asked:
    return asked


def adapter_of(
    base: type[Adapter],
    *,
    asked: Callable[..., Asked] = unchanged,
    built: Callable[[Any], None] = lambda learner: None,
) -> Adapter:
    """The adapter ``base`` with one change."""

    class Wrong(base):  # type: ignore[valid-type, misc]
        def build(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Learner:
            learner: Any = super().build(*asked(case, model, train, plan))
            learner.size_of_batch = plan.batch_size
            built(learner)
            return learner  # type: ignore[no-any-return]

    return Wrong()


@dataclass(frozen=True)
class Found:
    """The finding on a wrong adapter: the first quantity that is off, and its causes."""

    quantity: str
    causes: tuple[str, ...]


def prepared(adapter: Adapter, precision: Precision = "float32", execution: str | None = None) -> Conditions:
    """Prepare this process for ``adapter``; returns the adapter's conditions."""
    conditions = Conditions.model_validate({"framework": adapter.name, "execution": execution or adapter.execution})
    adapter.prepare(prepared_case(conditions, precision))
    return conditions


def proof(model: str, recipe: str, **sizes: Any) -> Proof:
    training = RECIPES[recipe].model_copy(update={"batch_size": BATCH})
    given = {"shape": (14, 14, 1), "rows": ROWS, "steps": STEPS, **sizes}
    return Proof(model=model, recipe=recipe, training=training, **given)


@cache
def defined(asked: Proof) -> Trace:
    return define(asked)


def missed(adapter: Adapter, asked: Proof, precision: Precision = "float64", *, named: bool = True) -> Found | None:
    """The first quantity of a proof that ``adapter`` misses, with its causes if ``named``."""
    conditions = prepared(adapter, precision)
    trace = make_trace(adapter, asked, conditions, precision)
    misses = first_misses(compare(asked, precision, (DEFINITION, defined(asked)), (adapter.name, trace)))
    if not misses:
        return None
    found: Comparison = misses[0]
    return Found(found.quantity, explanations(asked, trace) if named and precision == "float64" else ())


def found_in_work(adapter: Adapter) -> list[str]:
    return work_findings(adapter, prepared(adapter))


def found_in_dropout(adapter: Adapter, rate: float = 0.5) -> list[str]:
    return dropout_findings(adapter, prepared(adapter), rate)


def fault_of_trial(adapter: Adapter, folder: Path, model: str = "mlp-plain", **changes: Any) -> str | None:
    """The message of the fault that ends a trial on digits; None if it ends well."""
    settings: dict[str, Any] = {
        "framework": adapter.name,
        "execution": adapter.execution,
        "training": Training(epochs=2, batch_size=100),
        "measuring": Measuring(predict_s=0.05, latency_s=0.05, latency_calls=120),
        **changes,
    }
    try:
        Trial(job(folder, model, **settings), adapter, find_model(model), lambda phase: None).run()
    except AdapterFault as fault:
        return str(fault)
    return None


def assert_named(found: Iterable[str], words: str) -> None:
    """Assert that a finding has these words."""
    shown = list(found)
    assert any(words in one for one in shown), shown


def assert_computed(adapter: Adapter, model: str, recipe: str, quantity: str, cause: str) -> None:
    """Assert that the proof misses ``quantity`` first and names ``cause``, if any."""
    found = missed(adapter, proof(model, recipe))
    assert found is not None
    assert found.quantity.startswith(quantity), found
    if cause:
        assert_named(found.causes, cause)


def other_train(change: Callable[[Split], Split]) -> Callable[..., Asked]:
    """``asked`` with other training rows."""
    return lambda case, model, train, plan: (case, model, change(train), plan)


def other_plan(change: Callable[[TrainingPlan], TrainingPlan]) -> Callable[..., Asked]:
    return lambda case, model, train, plan: (case, model, train, change(plan))


def other_case(**changes: object) -> Callable[..., Asked]:
    return lambda case, model, train, plan: (case.model_copy(update=changes), model, train, plan)


def other_constants(**constants: object) -> Callable[..., Asked]:
    """The optimiser with other constants."""

    def change(plan: TrainingPlan) -> TrainingPlan:
        assert plan.optimizer is not None
        return replace(plan, optimizer=plan.optimizer.model_copy(update=constants))

    return other_plan(change)


def rates(change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Callable[..., Asked]:
    """Other learning rates, step by step."""

    def changed(plan: TrainingPlan) -> TrainingPlan:
        assert plan.learning_rates is not None
        assert plan.optimizer is not None
        found = change(plan.learning_rates)
        optimizer = plan.optimizer.model_copy(update={"learning_rate": float(found.max())})
        return replace(plan, learning_rates=found, optimizer=optimizer)

    return other_plan(changed)


def scaled_by(scale: float) -> Callable[..., Asked]:
    return other_train(lambda train: replace(train, scale=scale))


def converted_beforehand(train: Split) -> Split:
    """As most scripts begin: ``x_train.astype("float32") / 255``."""
    images: NDArray[np.float32] = train.images.astype(np.float32) / np.float32(train.scale)
    return replace(train, images=images, scale=1.0)


def transposed(train: Split) -> Split:
    images: NDArray[Any] = np.ascontiguousarray(train.images.swapaxes(1, 2))
    return replace(train, images=images)


def labels_from_one(train: Split) -> Split:
    """Labels that begin at 1, as those of EMNIST letters do in their files."""
    return replace(train, labels=(train.labels + 1) % train.classes)


def smoothed(share: float) -> Callable[..., Asked]:
    return other_plan(lambda plan: replace(plan, label_smoothing=share))


def own_weights(plan: TrainingPlan) -> TrainingPlan:
    return replace(plan, initial_weights=None)


def with_orders(change: Callable[[Rows, int], Rows]) -> Callable[[Any], None]:
    """Epochs in another order, made from the given order and the batch size."""

    def built(learner: Any) -> None:
        train = learner.train

        def trained(epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
            def changed() -> Iterable[Epoch]:
                for epoch in epochs:
                    assert epoch.order is not None
                    yield Epoch(change(epoch.order, learner.size_of_batch), epoch.pauses)

            train(changed(), pause)

        learner.train = trained

    return built


def shuffled_again(order: Rows, size: int) -> Rows:
    return np.random.default_rng(0).permutation(order)


def as_stored(order: Rows, size: int) -> Rows:
    return np.sort(order)


def batches_reversed(order: Rows, size: int) -> Rows:
    """Full batches reversed; the short one is last."""
    whole = len(order) // size * size
    return np.concatenate([*np.split(order[:whole], whole // size)[::-1], order[whole:]])


def without_short_batch(order: Rows, size: int) -> Rows:
    return order[: len(order) // size * size]


def filled_up(order: Rows, size: int) -> Rows:
    """The short batch filled up with its own rows, so that all batches have one shape."""
    whole = len(order) // size * size
    return np.concatenate([order[:whole], np.resize(order[whole:], size)])


def one_of_four_batches(order: Rows, size: int) -> Rows:
    return np.concatenate(np.split(order, range(size, len(order), size))[::4])


def first_order_again() -> Callable[[Rows, int], Rows]:
    first: list[Rows] = []

    def change(order: Rows, size: int) -> Rows:
        first.append(order)
        return first[0]

    return change


def nothing_after(epochs: int) -> Callable[[Rows, int], Rows]:
    """Each epoch after ``epochs`` is its first row alone."""
    seen = 0

    def change(order: Rows, size: int) -> Rows:
        nonlocal seen
        seen += 1
        return order if seen <= epochs else order[:1]

    return change


def in_pauses(act: Callable[[Any], None], *, timed_alone: bool = False) -> Callable[[Any], None]:
    """Run ``act`` on the clock before each pause; if ``timed_alone``, only in trials, not after single batches."""

    def built(learner: Any) -> None:
        train = learner.train

        def trained(epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
            given = list(epochs)
            acts = not timed_alone or len(given[0].pauses) < given[0].pauses[-1]

            def paused() -> None:
                if acts:
                    act(learner)
                pause()

            train(given, paused)

        learner.train = trained

    return built


def weights_times(factor: float) -> Callable[[Any], None]:
    def act(learner: Any) -> None:
        found: Mapping[str, NDArray[Any]] = learner.weights()
        learner.set_weights({name: value * value.dtype.type(factor) for name, value in found.items()})

    return act


def evaluate(learner: Any) -> None:
    """Predict on the clock, as ``validation_data``."""
    images = learner_images(learner)[:32]
    if images.shape[1] == 1:  # channels first
        images = np.moveaxis(images, 1, -1)
    learner.predictor(16)(images)


def trains_when_asked(learner: Any) -> None:
    """Takes its steps when its progress is read, off the clock."""
    train, progress = learner.train, learner.progress
    due: list[Epoch] = []
    size = learner.size_of_batch

    def later(epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        for epoch in epochs:
            begin = 0
            for end in epoch.pauses:
                due.append(Epoch(epoch.order[begin * size : end * size], (end - begin,)))  # type: ignore[index]
                begin = end
                pause()

    def asked() -> Any:
        train([due.pop()], lambda: None)
        return progress()

    learner.train, learner.progress = later, asked


def trains_when_asked_later(learner: Any) -> None:
    """Its weights change whenever its progress is read, except for the first time."""
    progress = learner.progress
    asked: list[int] = []

    def changed() -> Any:
        found = progress()
        asked.append(0)
        if len(asked) > 1:
            weights_times(0.999)(learner)
        return found

    learner.progress = changed


def first_weights_restored(learner: Any) -> None:
    """The weights of the first epoch at the end, as ``restore_best_weights`` may leave them."""
    train = learner.train

    def trained(epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        kept: list[Mapping[str, NDArray[Any]]] = []

        def paused() -> None:
            kept.append(learner.weights())
            pause()

        train(epochs, paused)
        learner.set_weights(kept[0])

    learner.train = trained


def half_the_loss_of_several_batches(learner: Any) -> None:
    progress = learner.progress

    def halved() -> Any:
        found = progress()
        several = found.rows is not None and found.rows > learner.size_of_batch
        return replace(found, loss=found.loss / 2) if several else found

    learner.progress = halved


def all_at_once(learner: Any) -> None:
    """A predictor that takes all rows at once, whatever the batch size: the argument was forgotten."""
    own = learner.predictor

    def predictor(batch_size: int, *, decisions_only: bool = False) -> Answer:
        return own(0 if batch_size > 1 else batch_size, decisions_only=decisions_only)  # type: ignore[no-any-return]

    learner.predictor = predictor


Answer = Callable[[NDArray[Any]], Scores]


def predicting(change: Callable[[Answer, bool], Answer]) -> Callable[[Any], None]:
    """Another predictor, made from the learner's own and ``decisions_only``."""

    def built(learner: Any) -> None:
        own = learner.predictor

        def predictor(batch_size: int, *, decisions_only: bool = False) -> Answer:
            return change(own(batch_size, decisions_only=decisions_only), decisions_only)

        learner.predictor = predictor

    return built


def half_copied(answer: Answer, decisions_only: bool) -> Answer:
    """Above 64 rows only the first half is answered; the other half gets the same answers."""

    def answers(images: NDArray[Any]) -> Scores:
        if len(images) <= 64:
            return answer(images)
        half = answer(images[: len(images) // 2])
        values = None if half.values is None else np.resize(half.values, (len(images), half.values.shape[1]))
        return Scores(np.resize(half.labels, len(images)), values, half.kind)

    return answers


def zeros_for_decisions(answer: Answer, decisions_only: bool) -> Answer:
    def answers(images: NDArray[Any]) -> Scores:
        return Scores(np.zeros(len(images), np.int64), None, None) if decisions_only else answer(images)

    return answers


def kept_by_length(answer: Answer, decisions_only: bool) -> Answer:
    """Repeats the first answer to each number of rows."""
    kept: dict[int, Scores] = {}
    return lambda images: kept.get(len(images)) or kept.setdefault(len(images), answer(images))


def kept_by_row() -> Callable[[Answer, bool], Answer]:
    """Answers each row once; repeats are looked up by the row's bytes."""
    kept: dict[bytes, tuple[int, Any]] = {}

    def change(answer: Answer, decisions_only: bool) -> Answer:
        def answers(images: NDArray[Any]) -> Scores:
            new = [row for row in images if row.tobytes() not in kept]
            if new:
                found = answer(np.stack(new))
                values = found.values if found.values is not None else [None] * len(new)
                pairs = zip(found.labels, values, strict=True)
                kept.update(zip((row.tobytes() for row in new), pairs, strict=True))
            answered = [kept[row.tobytes()] for row in images]
            labels = np.array([label for label, _ in answered])
            if any(values is None for _, values in answered):
                return Scores(labels, None, None)
            return Scores(labels, np.stack([values for _, values in answered]), "logits")

        return answers

    return change


def by_old_weights(learner: Any) -> None:
    """A predictor with the weights from when it was made, as ``jax.jit`` of a closure over a model gives."""
    own = learner.predictor

    def predictor(batch_size: int, *, decisions_only: bool = False) -> Answer:
        predict, kept = own(batch_size, decisions_only=decisions_only), learner.weights()

        def answers(images: NDArray[Any]) -> Scores:
            now = learner.weights()
            learner.set_weights(kept)
            found: Scores = predict(images)
            learner.set_weights(now)
            return found

        return answers

    learner.predictor = predictor


def gathered_in_build(learner: Any) -> None:
    """Batches of a shuffled epoch, cut in the build."""
    images = learner_images(learner)
    learner._gathered = np.split(images[np.random.default_rng(0).permutation(len(images))], range(64, len(images), 64))


def learner_images(learner: Any) -> NDArray[Any]:
    """The images as stored, wherever the learner has them."""
    for holder in ("_source", "_data", "_train"):
        images = getattr(getattr(learner, holder, None), "images", None)
        if images is not None:
            return np.asarray(images)
    raise AssertionError("the learner holds no images")
