"""The training phase: pieces of an epoch, evaluations between them, the idiomatic track, epochs of one batch."""

import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import bench.measure.clock
from bench.adapters.base import AdapterFault, Epoch, Progress
from bench.case import Training
from bench.record import EpochFigures, Phases
from bench.runner.predicting import PIPELINE_S
from bench.runner.stretches import piece_ends, stretches
from bench.score import Diverged
from tests.runner.small import DIGITS_TRAIN, Clock, NotingLearner
from tests.runner.test_trial import Ran


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(bench.measure.clock, "perf_counter_ns", clock)
    return clock


def trained(folder: Path, learner: NotingLearner, **changes: Any) -> Phases:
    return Ran(folder, learner, **changes).measured.phases


@given(st.integers(1, 5_000), st.integers(1, 12))
def test_pieces_are_as_equal_as_can_be(batches: int, pieces: int) -> None:
    ends = piece_ends(batches, pieces)
    assert ends[-1] == batches
    assert len(ends) == min(pieces, batches)
    sizes = np.diff([0, *ends])
    assert sizes.max() - sizes.min() <= 1


@given(st.integers(1, 5_000), st.integers(1, 600), st.integers(1, 12), st.booleans(), st.integers(1, 40))
def test_stretches_cover_an_epoch_and_end_between_calls(
    rows: int, batch_size: int, pieces: int, first: bool, calls_of: int
) -> None:
    training = Training(batch_size=batch_size, evaluations_per_epoch=pieces)
    found = stretches(rows, training, first=first, calls_of=calls_of)
    batches = math.ceil(rows / batch_size)
    assert sum(one.rows for one in found) == rows
    assert sum(one.steps for one in found) == batches
    assert all(one.rows > 0 for one in found)
    assert all(one.batches % calls_of == 0 for one in found[:-1])
    assert found[-1].batches == batches
    assert found[-1].evaluated
    assert (found[0].kind == "first step") == first


@given(st.integers(1, 5_000), st.integers(1, 600))
def test_the_first_epoch_has_a_stretch_for_each_size_of_batch(rows: int, batch_size: int) -> None:
    found = stretches(rows, Training(batch_size=batch_size), first=True)
    sizes = [one.rows for one in found if one.kind == "first step"]
    short = rows % batch_size
    assert sizes == [min(rows, batch_size)] + ([short] if short and rows > batch_size else [])


@pytest.mark.parametrize("batch_size", [DIGITS_TRAIN, 5_000, 1_000])
def test_a_first_epoch_that_its_first_steps_use_up_is_an_epoch_all_the_same(
    batch_size: int, clock: Clock, tmp_path: Path
) -> None:
    """Its loss is that of the first steps; the second epoch is steady, as at any other batch size."""
    epochs = trained(tmp_path, NotingLearner(clock), training=Training(epochs=2, batch_size=batch_size)).epochs
    assert epochs[0] == EpochFigures(seconds=0.0, samples=0, loss=1.5)
    assert epochs[1].samples == DIGITS_TRAIN


class DivergingLearner(NotingLearner):
    """Its loss is NaN from the third stretch on."""

    def progress(self) -> Progress:
        return super().progress() if len(self.trained()) < 3 else Progress(math.nan)


@pytest.mark.parametrize(("batch_size", "epoch"), [(500, 1), (DIGITS_TRAIN, 3), (1_000, 2)])
def test_a_loss_that_is_no_number_is_named_with_its_epoch(
    batch_size: int, epoch: int, clock: Clock, tmp_path: Path
) -> None:
    with pytest.raises(Diverged, match=f"loss of epoch {epoch} is nan"):
        trained(tmp_path, DivergingLearner(clock), training=Training(epochs=4, batch_size=batch_size))


class ImprovingLearner(NotingLearner):
    """Its loss is the number of the stretch."""

    def progress(self) -> Progress:
        return Progress(float(len(self.trained())))


def test_the_loss_of_an_epoch_is_the_mean_over_all_its_samples(clock: Clock, tmp_path: Path) -> None:
    """First epoch: 100 samples at 1, 1,300 at 2, the short batch of 37 at 3."""
    epochs = trained(tmp_path, ImprovingLearner(clock)).epochs
    assert [epoch.loss for epoch in epochs] == pytest.approx([(100 + 2 * 1300 + 3 * 37) / 1437, 4.0])


class SlowlyReadLearner(NotingLearner):
    """Reading its loss takes as long as the device, a quarter of a second."""

    def progress(self) -> Progress:
        self.clock.move(0.25)
        return super().progress()


def test_reading_the_loss_is_off_the_clock(clock: Clock, tmp_path: Path) -> None:
    slow, quick = (trained(tmp_path, kind(clock)) for kind in (SlowlyReadLearner, NotingLearner))
    assert [epoch.seconds for epoch in slow.epochs] == pytest.approx([epoch.seconds for epoch in quick.epochs])
    assert [step.seconds for step in slow.first_steps] == pytest.approx([step.seconds for step in quick.first_steps])


CURVE = Training(epochs=2, batch_size=100, validation_rows=137, evaluations_per_epoch=2)
"""Thirteen whole batches an epoch: checkpoints after the sixth and the last."""


def test_an_epoch_is_evaluated_as_often_as_asked_and_off_the_clock(clock: Clock, tmp_path: Path) -> None:
    slow = NotingLearner(clock, predict_row_s=1.0, wait_s=0.0)
    epochs = trained(tmp_path, slow, training=CURVE).epochs
    points = [point for epoch in epochs for point in epoch.checkpoints]
    assert [point.samples for point in points] == [600, 1300, 1900, 2600]
    assert [point.seconds for point in points] == pytest.approx([0.6, 1.3, 1.9, 2.6])
    assert [epoch.seconds for epoch in epochs] == pytest.approx([1.2, 1.3])
    assert [epoch.samples for epoch in epochs] == [1200, 1300]


def test_every_row_is_met_once_an_epoch_however_often_it_is_evaluated(clock: Clock, tmp_path: Path) -> None:
    learner = NotingLearner(clock)
    training = Training(epochs=1, batch_size=100, validation_rows=10, evaluations_per_epoch=5)
    trained(tmp_path, learner, training=training)
    assert sorted(np.concatenate(learner.trained())) == list(range(DIGITS_TRAIN - 10))


def test_the_grid_is_the_same_for_every_framework_and_ends_with_the_epoch(clock: Clock, tmp_path: Path) -> None:
    epoch = trained(tmp_path, NotingLearner(clock), training=CURVE).epochs[-1]
    assert epoch.validation_accuracy == epoch.checkpoints[-1].validation_accuracy
    assert 0.05 < epoch.checkpoints[-1].validation_accuracy < 0.15  # always 3, of ten classes


def test_without_a_validation_part_there_is_no_checkpoint(clock: Clock, tmp_path: Path) -> None:
    epochs = trained(tmp_path, NotingLearner(clock), training=Training(batch_size=100, evaluations_per_epoch=3)).epochs
    assert [epoch.checkpoints for epoch in epochs] == [()] * 3


def test_the_last_rows_are_the_validation_part_where_asked(clock: Clock, tmp_path: Path) -> None:
    training = Training(epochs=1, batch_size=100, validation_rows=137, validation_part="last")
    whole = Ran(tmp_path, NotingLearner(clock)).built[2]
    rest = Ran(tmp_path, NotingLearner(clock), training=training).built[2]
    assert np.array_equal(rest.images, whole.images[:1300])


def test_the_idiomatic_track_leaves_order_and_first_step_to_the_framework(clock: Clock, tmp_path: Path) -> None:
    learner = NotingLearner(clock)
    phases = trained(tmp_path, learner, track="idiomatic", training=Training(epochs=3, batch_size=100))
    assert learner.trained() == [None] * 3
    assert phases.first_steps == ()
    assert [epoch.samples for epoch in phases.epochs] == [DIGITS_TRAIN] * 3


def test_resident_data_have_no_pipeline_to_time(clock: Clock, tmp_path: Path) -> None:
    assert trained(tmp_path, NotingLearner(clock)).pipeline is None


@pytest.mark.parametrize(("batch_s", "samples"), [(0.01, 1337), (1.0, 200)])
def test_the_pipeline_is_timed_alone_for_a_pass_or_its_seconds(
    batch_s: float, samples: int, clock: Clock, tmp_path: Path
) -> None:
    """The first batch takes half a second more; a pass is 14 further batches, the last of 37 rows."""
    learner = NotingLearner(clock, batch_s=batch_s)
    found = trained(tmp_path, learner, input="loader").pipeline
    assert found is not None
    assert found.first_batch_s == pytest.approx(0.5 + batch_s)
    assert found.samples == samples
    assert found.seconds == pytest.approx(14 * batch_s if samples == 1337 else PIPELINE_S)
    assert [kind for kind, _ in learner.calls if kind == "train"] == ["train"] * 4  # three stretches, then one


def test_a_pipeline_of_one_batch_has_no_rate(clock: Clock, tmp_path: Path) -> None:
    training = Training(epochs=1, batch_size=2_000)
    found = trained(tmp_path, NotingLearner(clock), input="loader", training=training).pipeline
    assert found is not None
    assert (found.samples, found.seconds) == (0, 0.0)


class HastyLearner(NotingLearner):
    """Asks for the next epoch before pausing in the one before."""

    def train(self, epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        for epoch in list(epochs):
            super().train([epoch], pause)


class RestlessLearner(NotingLearner):
    """Pauses once too often, after the last epoch."""

    def train(self, epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        super().train(epochs, pause)
        pause()


class LazyLearner(NotingLearner):
    """Trains only the first given epoch."""

    def train(self, epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        super().train([next(iter(epochs))], pause)


class SkippingLearner(NotingLearner):
    """Leaves out a row of each stretch, and counts what it trains."""

    def train_stretch(self, rows: NDArray[np.int64] | None) -> None:
        super().train_stretch(rows if rows is None else rows[1:])


class CallsLearner(NotingLearner):
    """Counts one step a stretch."""

    def progress(self) -> Progress:
        return Progress(1.5, steps=1)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (HastyLearner, "asks for epoch 2 before its last pause in the one before."),
        (RestlessLearner, "pauses more often than asked in epoch 3."),
        (LazyLearner, "training ended in epoch 2, before all its rows were trained on."),
        (SkippingLearner, "the first step trained 99 rows, 100 were given."),
        (CallsLearner, "epoch 1 trained 1 steps, 13 were given."),
    ],
)
def test_a_learner_that_does_other_work_than_it_was_given_is_named_with_the_epoch(
    kind: type[NotingLearner], words: str, clock: Clock, tmp_path: Path
) -> None:
    with pytest.raises(AdapterFault, match=re.escape(words)):
        trained(tmp_path, kind(clock))


def test_a_learner_that_counts_nothing_is_taken_at_its_word(clock: Clock, tmp_path: Path) -> None:
    class SilentLearner(NotingLearner):
        def progress(self) -> Progress:
            return Progress()

    assert [epoch.loss for epoch in trained(tmp_path, SilentLearner(clock)).epochs] == [None, None]


def test_the_steps_of_a_training_are_those_the_framework_counted(clock: Clock, tmp_path: Path) -> None:
    class CountingLearner(NotingLearner):
        def progress(self) -> Progress:
            return Progress(1.5, steps=math.ceil(len(self.trained()[-1]) / 100))

    phases = trained(tmp_path, CountingLearner(clock))
    assert phases.steps == 2 * math.ceil(DIGITS_TRAIN / 100)


def test_what_follows_the_last_epoch_in_the_call_is_a_figure_of_its_own(clock: Clock, tmp_path: Path) -> None:
    class TidyingLearner(NotingLearner):
        def train(self, epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
            super().train(epochs, pause)
            self.clock.move(0.125)

    phases, plain = (trained(tmp_path, kind(clock)) for kind in (TidyingLearner, NotingLearner))
    assert phases.end_s == 0.125
    assert phases.train_s == pytest.approx(plain.train_s + 0.125)


def test_a_small_data_set_gets_the_steps_a_large_one_gets(clock: Clock, tmp_path: Path) -> None:
    learner = NotingLearner(clock)
    training = Training(epochs=2, batch_size=500, min_steps=10, validation_share=0.1)
    phases = trained(tmp_path, learner, training=training)
    rows = DIGITS_TRAIN - 144
    assert len(phases.epochs) == 4  # of three batches each
    assert sum(len(part) for part in learner.trained()) == 4 * rows


def test_each_evaluation_keeps_the_loss_on_the_validation_part(clock: Clock, tmp_path: Path) -> None:
    """Logits are 2 for class 3, a tenth of the rows, and 0 for the nine others."""
    epochs = trained(tmp_path, NotingLearner(clock), training=CURVE).epochs
    point = epochs[-1].checkpoints[-1]
    expected = math.log(9 + math.exp(2)) - 2 * point.validation_accuracy
    assert point.validation_loss == pytest.approx(expected, rel=1e-6)
