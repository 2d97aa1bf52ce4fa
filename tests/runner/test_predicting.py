"""Passes of prediction: as many rows as the time allows, in whole batches, without compiling."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import bench.measure.clock
from bench.adapters.base import Scores
from bench.case import Measuring
from bench.datasets.catalog import load
from bench.record import PredictPass
from bench.runner.predicting import timed_passes
from tests.runner.small import Clock, NotingLearner, job

MEASURING = Measuring(predict_batch_size=50, predict_s=0.6, predict_passes=4)
TEST_ROWS = 360


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(bench.measure.clock, "perf_counter_ns", clock)
    return clock


def passes(
    clock: Clock, folder: Path, row_s: float, *, by_steps: bool = True, compiling_s: float = 0.0
) -> tuple[PredictPass, ...]:
    """Passes of a model that takes ``row_s`` for a row, and once ``compiling_s`` for each size of batch."""
    learner = NotingLearner(clock, by_steps=by_steps)
    compiled: set[int] = set()

    def predict(images: NDArray[np.uint8] | NDArray[np.float32]) -> Scores:
        sizes = {min(50, len(images) - start) for start in range(0, len(images), 50)}
        clock.move(compiling_s * len(sizes - compiled) + row_s * len(images))
        compiled.update(sizes)
        return Scores(np.full(len(images), 3), None, None)

    asked = job(folder, measuring=MEASURING)
    test = load(Path(asked.dataset_folder)).test
    scored = Scores(np.full(len(test), 3), None, None)
    return timed_passes(learner, predict, asked.case, test, scored, row_s * len(test) + compiling_s)


def test_a_fast_model_answers_all_rows_but_those_by_which_passes_are_shifted(clock: Clock, tmp_path: Path) -> None:
    assert [one.samples for one in passes(clock, tmp_path, 1e-6)] == [TEST_ROWS - 5] * 5


def test_passes_after_the_warm_up_fill_the_time_set(clock: Clock, tmp_path: Path) -> None:
    found = passes(clock, tmp_path, 0.0005)  # 0.18 s for all rows: three of 0.6 s
    assert [one.samples for one in found] == [TEST_ROWS - 5] * 5
    found = passes(clock, tmp_path, 0.001)
    assert [one.samples for one in found] == [200] * 4  # 355 rows take 0.36 s
    assert sum(one.seconds for one in found[1:]) == pytest.approx(0.6)
    found = passes(clock, tmp_path, 0.0012)
    assert {one.samples for one in found} == {150}  # 166 in a third of the time: whole batches


def test_a_slow_model_answers_a_whole_batch_at_least(clock: Clock, tmp_path: Path) -> None:
    assert {one.samples for one in passes(clock, tmp_path, 1.0)} == {50}
    assert {one.samples for one in passes(clock, tmp_path, 1.0, by_steps=False)} == {100}


@pytest.mark.parametrize("row_s", [1e-6, 0.001])
def test_compiling_changes_neither_the_rows_nor_the_counted_passes(clock: Clock, tmp_path: Path, row_s: float) -> None:
    plain = passes(clock, tmp_path, row_s)
    compiled = passes(clock, tmp_path, row_s, compiling_s=20.0)
    assert [one.samples for one in compiled] == [one.samples for one in plain]
    assert [one.seconds for one in compiled[1:]] == pytest.approx([one.seconds for one in plain[1:]])
