"""The harness's own learner loses nothing against a loop by hand at the same level of the framework's API.

By hand: the same order of rows, the same uint8 arrays in memory, converted and scaled on the clock, the same optimiser
and batch size; ``fit`` against ``fit``, loop against loop, ``partial_fit`` against ``partial_fit``. See README.md.
"""

from dataclasses import asdict

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.conftest import Worker
from tests.benchmarks.figures import PAIRS, Figures, summarise

CASES = [
    ("pytorch", "mlp"),
    ("pytorch", "cnn"),
    ("keras-tensorflow", "mlp"),
    ("keras-tensorflow", "cnn"),
    ("scikit-learn", "mlp-plain"),  # MLPClassifier has no dropout, and no convolution
]

pytestmark = [
    pytest.mark.data,
    pytest.mark.parametrize("worker", CASES, ids="-".join, indirect=True, scope="module"),
]


def test_training_loses_nothing_against_a_loop_by_hand(
    worker: Worker, benchmark: BenchmarkFixture, figures: list[Figures]
) -> None:
    compare(worker, "train", benchmark, figures)
    ours, theirs = worker.ask(ask="accuracies")
    assert abs(ours - theirs) < 0.1, "the two sides have not learned the same: what was timed is not the same work"


def test_prediction_loses_nothing_against_a_loop_by_hand(
    worker: Worker, benchmark: BenchmarkFixture, figures: list[Figures]
) -> None:
    compare(worker, "predict", benchmark, figures)


def test_prediction_of_one_sample_loses_nothing_against_a_call_by_hand(
    worker: Worker, benchmark: BenchmarkFixture, figures: list[Figures]
) -> None:
    compare(worker, "batch 1", benchmark, figures)


def compare(worker: Worker, work: str, benchmark: BenchmarkFixture, figures: list[Figures]) -> None:
    """Run the pairs; pytest-benchmark times each pair as a whole and keeps the figures in its JSON."""
    block = worker.ask(prepare=work)
    pairs: list[dict[str, float]] = []
    benchmark.group = f"{worker.framework} {worker.model}: {work}"
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        lambda: pairs.append(worker.ask(pair=len(pairs))), rounds=PAIRS, iterations=1
    )
    found = summarise(worker.framework, worker.model, work, block["rows"] * block["calls"], pairs)
    benchmark.extra_info.update(asdict(found))
    figures.append(found)
    assert found.holds, f"{found.ratio:.3f} ({found.low:.3f} to {found.high:.3f}) of the throughput by hand"
