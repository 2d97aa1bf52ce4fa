"""A suite is proved by what it asks: its networks, recipes, batch sizes, data and ways of running, and nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.certificate import Claim, Conditions, DataKind
from bench.equivalence.asked import Asked, subjects_of
from bench.equivalence.proof import Proof
from bench.equivalence.suite_questions import suite_questions
from bench.equivalence.verdict import Verification
from bench.errors import BenchError, UnknownName
from bench.models.networks import CNN, MLP_PLAIN
from bench.runner.request import Request

SUITE = """
name = "mine"
threads = 1

[training]
epochs = 5
batch_size = 64
optimizer = { name = "sgd", learning_rate = 0.1, momentum = 0.9, nesterov = true }

[[matrix]]
datasets = ["digits"]
models = ["mlp-plain", "random-forest"]
frameworks = ["scikit-learn"]
batch_sizes = [64, 200]

[[matrix]]
datasets = ["digits"]
models = ["mlp-plain"]
frameworks = ["scikit-learn"]
track = "idiomatic"
"""
NETWORKS = """
[[matrix]]
datasets = ["digits"]
models = ["cnn"]
frameworks = ["pytorch"]
executions = ["default", "compiled"]
precisions = ["float32", "bfloat16"]
training = { class_weights = "balanced" }
"""
DIGITS = DataKind(shape=(8, 8, 1), classes=10)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "cache"))
    file = tmp_path / "mine.toml"
    file.write_text(SUITE)
    return Request(suite=str(file), offline=True)


def questions_of(request: Request) -> dict[Conditions, list[Proof]]:
    blocked: dict[str, list[str]] = {}
    found = suite_questions(request, range(1), blocked, lambda text: None)
    assert blocked == {}
    return found


def test_each_network_is_asked_with_the_recipe_the_sizes_and_the_data_of_the_suite(asked: Request) -> None:
    ((way, proofs),) = questions_of(asked).items()
    assert way == Conditions(framework="scikit-learn", threads=1)
    assert [one.claim for one in proofs] == [
        Claim(
            model="mlp-plain",
            network=MLP_PLAIN.digest,
            optimizer="sgd",
            momentum=True,
            nesterov=True,
            batch_size=size,
            shape=(8, 8, 1),
            classes=10,
        )
        for size in (64, 200)
    ]
    assert {one.dataset for one in proofs} == {"digits"}
    assert {one.training.optimizer.learning_rate for one in proofs} == {0.10000000149011612}  # 0.1 in float32


def test_a_request_narrows_and_widens_what_is_asked(asked: Request) -> None:
    narrow = Request(suite=asked.suite, offline=True, models=("mlp-plain",), batch_sizes=(200,), frameworks=("torch",))
    (proofs,) = questions_of(replace(narrow, class_weights="balanced")).values()
    assert [(one.training.batch_size, one.training.class_weights) for one in proofs] == [(200, "balanced")]


def test_every_way_of_running_is_asked_by_itself(asked: Request, tmp_path: Path) -> None:
    file = tmp_path / "ways.toml"
    file.write_text(SUITE.partition("[[matrix]]")[0] + NETWORKS)
    found = questions_of(Request(suite=str(file), offline=True))
    assert {(way.execution, way.precision) for way in found} == {
        (execution, precision) for execution in ("eager", "compiled") for precision in ("float32", "bfloat16")
    }
    for proofs in found.values():
        assert [(one.claim.network, one.claim.class_weights) for one in proofs if one.claim] == [(CNN.digest, True)]
    result = Verification([])
    subjects = subjects_of(Asked(suite=Request(suite=str(file), offline=True)), result, lambda name, phase: None)
    assert [one.verdict.name for one in subjects][:2] == ["pytorch (eager, float32)", "pytorch (eager, bfloat16)"]
    assert all([proof.claim for proof in one.exact] for one in subjects)


def test_a_suite_without_a_network_is_refused(asked: Request) -> None:
    only = Asked(suite=Request(suite=asked.suite, models=("random-forest",), offline=True))
    with pytest.raises(BenchError, match=r"nothing to prove: no case of the suite is a network"):
        subjects_of(only, Verification([]), lambda name, phase: None)


def test_a_misspelt_suite_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'quick'"):
        suite_questions(Request(suite="quik"), range(1), {}, lambda text: None)
