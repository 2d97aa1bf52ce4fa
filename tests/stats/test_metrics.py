"""Figures that few runs have: the time to an accuracy, and the input pipeline alone."""

import pytest

from bench.case import Training
from bench.record import Checkpoint, EpochFigures, Phases, PipelineFigures, Record
from bench.stats.metrics import METRICS
from tests.report.builder import case, trial


def epoch(*points: tuple[float, float]) -> EpochFigures:
    checkpoints = tuple(Checkpoint(samples=1, seconds=seconds, validation_accuracy=share) for seconds, share in points)
    return EpochFigures(seconds=1.0, samples=100, checkpoints=checkpoints)


def record(target: float | None, *epochs: EpochFigures, pipeline: PipelineFigures | None = None) -> Record:
    rows = 10 if target is not None else 0
    asked = case("mnist", "cnn", "pytorch", training=Training(target_accuracy=target, validation_rows=rows))
    return trial(asked, 0, phases=Phases(import_s=1, load_s=1, build_s=1, epochs=epochs, pipeline=pipeline))


CURVE = (epoch((0.7, 0.91), (1.5, 0.95)), epoch((2.2, 0.94), (3.0, 0.97)))


@pytest.mark.parametrize(("target", "seconds"), [(0.90, 0.7), (0.95, 1.5), (0.96, 3.0), (0.98, None), (None, None)])
def test_time_to_accuracy_is_that_of_the_first_checkpoint_that_reaches_it(
    target: float | None, seconds: float | None
) -> None:
    assert METRICS["time_to_accuracy_s"].read(record(target, *CURVE)) == seconds


def test_the_pipeline_has_a_first_batch_and_a_rate_after_it() -> None:
    found = record(None, pipeline=PipelineFigures(first_batch_s=0.25, samples=3000, seconds=1.5))
    assert METRICS["first_batch_s"].read(found) == 0.25
    assert METRICS["pipeline_samples_per_s"].read(found) == 2000.0


def test_a_pipeline_of_one_batch_has_no_rate_and_resident_data_have_no_pipeline() -> None:
    short = record(None, pipeline=PipelineFigures(first_batch_s=0.25, samples=0, seconds=0.0))
    assert METRICS["pipeline_samples_per_s"].read(short) is None
    assert METRICS["first_batch_s"].read(record(None)) is None
