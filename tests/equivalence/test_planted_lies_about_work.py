"""Adapters that compute the same and do other work on the training clock: each is found and named."""

from typing import Any

import pytest

from bench.certificate import Conditions
from bench.equivalence.work import work_findings
from tests.equivalence import lying

pytestmark = pytest.mark.own_process("planted lies")

CONDITIONS = Conditions(framework="pytorch")


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    lying.prepare()


def test_honest_work_is_not_accused() -> None:
    assert work_findings(lying.Honest(), CONDITIONS) == []


LIES: dict[str, tuple[Any, str]] = {
    "conversion off the clock": (
        lying.ConvertedBeforehand,
        "holds its images converted to float32: conversion is off the clock",
    ),
    "gathering off the clock": (
        lying.GatheredBeforehand,
        "holds 2 copies of its images: gathering may be off the clock",
    ),
    "a sample skipped in each batch": (
        lying.sample_skipped,
        "a sample of each batch is skipped",
    ),
    "last batch dropped": (
        lying.last_batch_dropped,
        "the short last batch is dropped",
    ),
    "metrics in each step": (
        lying.MetricsInEachStep,
        "computes metrics in each step in addition to the loss: accuracy",
    ),
    "evaluation inside the clock": (
        lying.EvaluatesWhileTraining,
        "evaluates inside the training clock",
    ),
    "training deferred to a pause": (
        lying.TrainsWhenAsked,
        "trains off the clock: its weights change when it is asked for what it has counted in a pause",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_about_work_is_found_and_named(lie: str) -> None:
    make, words = LIES[lie]
    found = work_findings(make(), CONDITIONS)
    assert any(words in one for one in found), found


def test_another_execution_than_was_asked_for_is_found() -> None:
    class Eager(lying.Honest):
        def asked(self, case: Any, model: Any, train: Any, plan: Any) -> Any:
            return case.model_copy(update={"execution": "eager"}), model, train, plan

    found = work_findings(Eager(), Conditions(framework="pytorch", execution="compiled"))
    assert found == ["execution is eager where compiled was asked for"]
