"""The harness's own learner loses nothing against a loop by hand at the same level of the framework's API.

By hand: the same order of rows, the same uint8 arrays in memory, converted and scaled on the clock, the same optimiser
and batch size; ``fit`` against ``fit``, loop against loop, ``partial_fit`` against ``partial_fit``. See README.md.
"""

from dataclasses import asdict

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.conftest import Worker
from tests.benchmarks.figures import PAIRS, Figures, summarise

KERAS = ("keras-tensorflow", "keras-torch", "keras-jax")
MANY_STEPS = ("keras-tensorflow", "keras-jax")
"""Keras' trainer for PyTorch takes one step a call, whatever ``steps_per_execution`` says; the adapter refuses it."""

CASES = [
    ("scikit-learn", "mlp-plain", "default"),  # MLPClassifier has no dropout, and no convolution
    *((framework, model, "default") for framework in ("pytorch", *KERAS) for model in ("mlp", "cnn")),
    *((framework, model, "32 steps a call") for framework in MANY_STEPS for model in ("mlp", "cnn")),
    *((framework, model, "loader") for framework in ("pytorch", *KERAS) for model in ("mlp", "cnn")),
]
PREDICTED = [case for case in CASES if case[2] == "default"]
"""How training data are read makes no difference to prediction."""


def each(cases: list[tuple[str, str, str]]) -> pytest.MarkDecorator:
    """The test for each case, in a process of its own that the tests of the same case share."""
    names = ["-".join(part for part in case if part != "default").replace(" ", "-") for case in cases]
    return pytest.mark.parametrize("worker", cases, ids=names, indirect=True, scope="module")


pytestmark = pytest.mark.data


@each(CASES)
def test_training_loses_nothing_against_a_loop_by_hand(
    worker: Worker, benchmark: BenchmarkFixture, figures: list[Figures]
) -> None:
    compare(worker, "train", benchmark, figures)
    ours, theirs = worker.ask(ask="accuracies")
    assert abs(ours - theirs) < 0.1, "the two sides have not learned the same: what was timed is not the same work"


@each(PREDICTED)
def test_prediction_loses_nothing_against_a_loop_by_hand(
    worker: Worker, benchmark: BenchmarkFixture, figures: list[Figures]
) -> None:
    compare(worker, "predict", benchmark, figures)


@each(PREDICTED)
def test_prediction_of_one_sample_loses_nothing_against_a_call_by_hand(
    worker: Worker, benchmark: BenchmarkFixture, figures: list[Figures]
) -> None:
    compare(worker, "batch 1", benchmark, figures)


def compare(worker: Worker, work: str, benchmark: BenchmarkFixture, figures: list[Figures]) -> None:
    """Run the pairs; pytest-benchmark times each pair as a whole and keeps the figures in its JSON."""
    block = worker.ask(prepare=work)
    pairs: list[dict[str, float]] = []
    benchmark.group = f"{worker.framework} {worker.model} {worker.way}: {work}"
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        lambda: pairs.append(worker.ask(pair=len(pairs))), rounds=PAIRS, iterations=1
    )
    found = summarise(worker.framework, worker.model, worker.way, work, block["rows"] * block["calls"], pairs)
    benchmark.extra_info.update(asdict(found))
    figures.append(found)
    assert found.holds, f"{found.ratio:.3f} ({found.low:.3f} to {found.high:.3f}) of the throughput by hand"
