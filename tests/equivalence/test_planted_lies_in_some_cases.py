"""Adapters that lie only in some cases: one of the default proofs is such a case, and finds it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench.adapters.base import TrainingPlan
from bench.case import Case
from bench.certificate import Conditions
from bench.datasets.dataset import Split
from bench.equivalence.compare import Comparison, compare
from bench.equivalence.definition import DEFINITION, define
from bench.equivalence.proof import Material, Proof, case_of
from bench.equivalence.questions import questions
from bench.equivalence.trace import make_trace
from bench.equivalence.verdict import first_misses
from bench.models.model import Dropout, Model, Network
from tests.equivalence import lying

pytestmark = pytest.mark.own_process("planted lies")

HERE = Conditions(framework="pytorch")
CHEAP = [one for one in questions() if one.model in ("softmax", "mlp-plain", "mlp")]
"""Proofs without convolutions: a quarter of a second each."""


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    lying.prepare()


class InSomeCases(lying.Honest):
    """Uses the plan that ``change`` returns, in some cases another."""

    def __init__(self, change: Callable[[Case, Network, Split, TrainingPlan], TrainingPlan]) -> None:
        self.change = change

    def asked(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> lying.Asked:
        assert isinstance(model, Network)
        return case, model, train, self.change(case, model, train, plan)

    def lies_about(self, asked: Proof) -> bool:
        """True if it changes this proof."""
        material = Material(asked)
        plan = material.plan(1)
        return self.change(case_of(asked, HERE), material.network, material.train, plan) is not plan


def missed(adapter: lying.Honest, asked: Proof) -> list[Comparison]:
    """The first quantity that is off, if any; other tests explain it."""
    trace = make_trace(adapter, asked, HERE, "float64")
    return first_misses(compare(asked, "float64", (DEFINITION, define(asked)), ("pytorch", trace)))


def rates_times(factor: Any, plan: TrainingPlan) -> TrainingPlan:
    assert plan.learning_rates is not None
    return replace(plan, learning_rates=plan.learning_rates * factor)


def unless(
    kept: Callable[[Case, Network, Split, TrainingPlan], bool], factor: float = 1.01
) -> Callable[[Case, Network, Split, TrainingPlan], TrainingPlan]:
    """A rate that is off unless ``kept``."""
    return lambda *asked: asked[3] if kept(*asked) else rates_times(factor, asked[3])


def name_of(plan: TrainingPlan) -> str:
    assert plan.optimizer is not None
    return plan.optimizer.name


def schedule_ignored_by_adam(case: Case, model: Network, train: Split, plan: TrainingPlan) -> TrainingPlan:
    rates = plan.learning_rates
    assert rates is not None
    if not name_of(plan).startswith("adam") or np.ptp(rates) == 0:
        return plan
    return replace(plan, learning_rates=np.full_like(rates, rates.max()))


def decay_but_under_adamw(case: Case, model: Network, train: Split, plan: TrainingPlan) -> TrainingPlan:
    optimizer = plan.optimizer
    assert optimizer is not None
    if optimizer.name == "adamw" or not optimizer.weight_decay:
        return plan
    return replace(plan, optimizer=optimizer.model_copy(update={"weight_decay": 0.0}))


def ignored_but_under_adamw(**nothing: Any) -> Callable[[Case, Network, Split, TrainingPlan], TrainingPlan]:
    """Fields of a plan left empty, except under AdamW."""

    def change(case: Case, model: Network, train: Split, plan: TrainingPlan) -> TrainingPlan:
        given = any(np.any(getattr(plan, name)) for name in nothing if getattr(plan, name) is not None)
        return replace(plan, **nothing) if given and name_of(plan) != "adamw" else plan

    return change


def first_channel_for_all(case: Case, model: Network, train: Split, plan: TrainingPlan) -> TrainingPlan:
    if plan.mean is None or len(set(plan.mean)) == 1:
        return plan
    return replace(plan, mean=np.full_like(plan.mean, plan.mean[0]))


def every_second_step_beyond_a_thousand_rows(
    case: Case, model: Network, train: Split, plan: TrainingPlan
) -> TrainingPlan:
    assert plan.learning_rates is not None
    odd = np.arange(len(plan.learning_rates)) % 2
    return rates_times(1 - odd, plan) if len(train) > 1000 else plan


def nothing_from_the_fifth_epoch_on(case: Case, model: Network, train: Split, plan: TrainingPlan) -> TrainingPlan:
    assert plan.learning_rates is not None
    assert case.training is not None
    step = np.arange(len(plan.learning_rates))
    return rates_times(step < 4 * len(step) / case.training.epochs, plan) if case.training.epochs > 4 else plan


def other_rate_from_step_101_on(case: Case, model: Network, train: Split, plan: TrainingPlan) -> TrainingPlan:
    assert plan.learning_rates is not None
    step = np.arange(len(plan.learning_rates))
    return rates_times(np.where(step < 100, 1.0, 1.01), plan) if len(step) > 100 else plan


LIES: dict[str, Callable[[Case, Network, Split, TrainingPlan], TrainingPlan]] = {
    "Adam ignores the schedule": schedule_ignored_by_adam,
    "weight decay is ignored but under AdamW": decay_but_under_adamw,
    "label smoothing is ignored but under AdamW": ignored_but_under_adamw(label_smoothing=0.0),
    "class weights are ignored but under AdamW": ignored_but_under_adamw(class_weights=None),
    "normalisation is ignored but under AdamW": ignored_but_under_adamw(mean=None, std=None),
    "every second step is skipped beyond 1,000 rows": every_second_step_beyond_a_thousand_rows,
    "training ends after four epochs": nothing_from_the_fifth_epoch_on,
    "another rate from step 101 on": other_rate_from_step_101_on,
    "honest where the data set is called proof": unless(lambda case, model, train, plan: case.dataset == "proof"),
    "honest up to ten classes": unless(lambda case, model, train, plan: train.classes <= 10),
    "honest from ten classes on": unless(lambda case, model, train, plan: train.classes >= 10),
    "honest on one channel": unless(lambda case, model, train, plan: train.shape[-1] == 1),
    "honest on flat images": unless(lambda case, model, train, plan: len(train.shape) == 3),
    "honest on bytes": unless(lambda case, model, train, plan: train.images.dtype == np.uint8),
    "honest up to batches of 128": unless(lambda case, model, train, plan: plan.batch_size <= 128),
    "honest from batches of 64 on": unless(lambda case, model, train, plan: plan.batch_size >= 64),
    "honest without dropout": unless(
        lambda case, model, train, plan: not any(isinstance(one, Dropout) and one.rate for one in model.layers)
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_in_some_cases_is_found_by_a_proof_that_is_such_a_case(lie: str) -> None:
    adapter = InSomeCases(LIES[lie])
    concerned = [one for one in CHEAP if adapter.lies_about(one)]
    assert 0 < len(concerned) < len(CHEAP) or lie == "honest where the data set is called proof"
    assert missed(adapter, concerned[0])


def test_statistics_of_the_first_channel_for_all_of_them_are_found() -> None:
    """Three channels, each with its own statistics; data sets of one channel cannot show it."""
    adapter = InSomeCases(first_channel_for_all)
    (asked,) = [one for one in questions() if one.model == "cnn-norm" and one.shape == (8, 8, 3)]
    assert adapter.lies_about(asked)
    assert missed(adapter, asked)


def test_an_honest_adapter_is_not_accused() -> None:
    assert [miss for one in CHEAP[::4] for miss in missed(lying.Honest(), one)] == []
