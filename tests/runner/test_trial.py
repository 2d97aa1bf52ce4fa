"""A trial's phases, with a framework that notes its calls and a clock that moves only by command."""

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bench.measure.clock
from bench.adapters.base import Scores as Answers
from bench.case import Case, Measuring, Training
from bench.datasets.catalog import load
from bench.datasets.dataset import Split
from bench.models.catalog import find_model
from bench.models.model import NativeModel
from bench.models.native import ModelFault
from bench.runner.closing import digest_of_answers, digest_of_weights
from bench.runner.job import Measured
from bench.runner.trial import Trial, check_answers
from bench.score import Diverged
from tests.runner.small import DIGITS_TEST, DIGITS_TRAIN, Clock, NotingAdapter, NotingLearner, job


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(bench.measure.clock, "perf_counter_ns", clock)
    return clock


class Ran:
    """A trial that has run, with its learner's calls."""

    def __init__(self, folder: Path, learner: NotingLearner, model: str = "mlp-plain", **changes: Any) -> None:
        self.phases: list[str] = []
        self.job = job(folder, model, **changes)
        self.learner = learner
        self.adapter = NotingAdapter(learner)
        self.trial = Trial(self.job, self.adapter, find_model(model), self.phases.append)
        self.measured: Measured = self.trial.run()

    @property
    def built(self) -> tuple[Case, Any, Split, Any]:
        return self.adapter.built[0]


@pytest.mark.parametrize("batch_size", [1, 100, 479, 700, 718, 1436, 1437, 1438, 5000])
def test_every_epoch_meets_each_row_once_although_the_first_steps_stand_apart(
    batch_size: int, clock: Clock, tmp_path: Path
) -> None:
    ran = Ran(tmp_path, NotingLearner(clock), training=Training(epochs=3, batch_size=batch_size))
    met = np.concatenate(ran.learner.trained())
    assert len(met) == 3 * DIGITS_TRAIN
    for epoch in range(3):
        rows = met[epoch * DIGITS_TRAIN : (epoch + 1) * DIGITS_TRAIN]
        assert np.array_equal(np.sort(rows), np.arange(DIGITS_TRAIN))


@pytest.mark.parametrize("batch_size", [1, 100, 479, 1437, 5000])
def test_a_learning_rate_is_planned_for_every_step_and_no_other(batch_size: int, clock: Clock, tmp_path: Path) -> None:
    ran = Ran(tmp_path, NotingLearner(clock), training=Training(epochs=3, batch_size=batch_size))
    plan = ran.built[3]
    steps = sum(math.ceil(len(rows) / batch_size) for rows in ran.learner.trained())
    assert plan.learning_rates.tolist() == [0.001] * steps
    assert plan.batch_size == batch_size


def test_the_first_full_and_the_short_batch_have_clocks_of_their_own(clock: Clock, tmp_path: Path) -> None:
    phases = Ran(tmp_path, NotingLearner(clock)).measured.phases
    assert [step.samples for step in phases.first_steps] == [100, 37]
    assert [epoch.samples for epoch in phases.epochs] == [DIGITS_TRAIN - 137, DIGITS_TRAIN]


def test_an_epoch_of_one_batch_is_a_first_step_and_nothing_else(clock: Clock, tmp_path: Path) -> None:
    phases = Ran(tmp_path, NotingLearner(clock), training=Training(epochs=2, batch_size=2000)).measured.phases
    assert [step.samples for step in phases.first_steps] == [DIGITS_TRAIN]
    assert [epoch.samples for epoch in phases.epochs] == [0, DIGITS_TRAIN]


def test_every_figure_is_the_time_of_its_own_phase_until_the_device_is_idle(clock: Clock, tmp_path: Path) -> None:
    """A millisecond a row, and the device a quarter of a second behind."""
    phases = Ran(tmp_path, NotingLearner(clock)).measured.phases
    assert phases.import_s == 3.0
    assert phases.build_s == 2.0
    assert [step.seconds for step in phases.first_steps] == pytest.approx([0.1 + 0.25, 0.037 + 0.25])
    assert [epoch.seconds for epoch in phases.epochs] == pytest.approx([1.3 + 0.25, 1.437 + 0.25])
    assert phases.evaluate_s == pytest.approx(0.036 + 0.25)
    assert phases.train_s == pytest.approx(2 * 1.437 + 4 * 0.25)


def test_evaluation_between_epochs_is_off_the_training_clock(clock: Clock, tmp_path: Path) -> None:
    """Here the evaluation takes a thousand times as long as the training."""
    slow = NotingLearner(clock, predict_row_s=1.0)
    training = Training(epochs=3, batch_size=100, validation_rows=137)
    phases = Ran(tmp_path, slow, training=training).measured.phases
    assert [epoch.seconds for epoch in phases.epochs] == pytest.approx([1.2 + 0.25, 1.3 + 0.25, 1.3 + 0.25])
    assert [epoch.validation_accuracy is not None for epoch in phases.epochs] == [True] * 3


def test_the_clock_starts_and_stops_with_an_idle_device(clock: Clock, tmp_path: Path) -> None:
    calls = [kind for kind, _ in Ran(tmp_path, NotingLearner(clock)).learner.calls]
    for index, kind in enumerate(calls):
        if kind == "train":
            assert calls[index - 1] == calls[index + 1] == "synchronize"


def test_the_order_is_the_same_for_every_model_and_framework_and_another_for_every_seed_and_epoch(
    clock: Clock, tmp_path: Path
) -> None:
    def order(model: str, seed_index: int, framework: str) -> list[int]:
        ran = Ran(tmp_path, NotingLearner(clock), model, seed_index=seed_index, framework=framework)
        return [int(row) for row in np.concatenate(ran.learner.trained())]

    first = order("mlp-plain", 0, "fake")
    assert order("cnn", 0, "other") == first
    assert order("mlp-plain", 1, "fake") != first
    assert first[:DIGITS_TRAIN] != first[DIGITS_TRAIN:]


def test_first_weights_and_seed_are_those_of_seed_index_and_model_alone(clock: Clock, tmp_path: Path) -> None:
    def plan(seed_index: int, framework: str) -> Any:
        return Ran(tmp_path, NotingLearner(clock), seed_index=seed_index, framework=framework).built[3]

    one, same, other = plan(0, "fake"), plan(0, "other"), plan(1, "fake")
    assert one.seed == same.seed != other.seed
    assert set(one.initial_weights) == {"dense_1/kernel", "dense_1/bias", "dense_2/kernel", "dense_2/bias"}
    kernels = [found.initial_weights["dense_1/kernel"] for found in (one, same, other)]
    assert np.array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_the_adapter_gets_the_training_part_alone(clock: Clock, tmp_path: Path) -> None:
    ran = Ran(tmp_path, NotingLearner(clock), training=Training(batch_size=100, validation_rows=200))
    assert len(ran.built[2]) == DIGITS_TRAIN - 200
    assert ran.measured.train_rows == DIGITS_TRAIN - 200
    assert ran.measured.test_rows == DIGITS_TEST


def test_a_cap_is_kept(clock: Clock, tmp_path: Path) -> None:
    ran = Ran(tmp_path, NotingLearner(clock), train_rows=300)
    assert ran.measured.train_rows == len(ran.built[2]) == 300
    assert set(np.bincount(ran.built[2].labels)) <= set(range(28, 33))


def test_the_phases_are_announced_as_they_begin(clock: Clock, tmp_path: Path) -> None:
    assert Ran(tmp_path, NotingLearner(clock)).phases == [
        *("import", "load", "build", "epoch 1/2", "epoch 2/2", "evaluate", "predict", "latency")
    ]


def test_an_estimator_is_fitted_once_and_asked_for_all_rows_at_once(clock: Clock, tmp_path: Path) -> None:
    ran = Ran(tmp_path, NotingLearner(clock, by_steps=False), "knn", training=None)
    assert ran.phases[3] == "fit"
    assert ran.learner.trained() == [None]
    assert [(epoch.samples, epoch.seconds) for epoch in ran.measured.phases.epochs] == [(DIGITS_TRAIN, 0.251)]
    asked = [what for kind, what in ran.learner.calls if kind == "predict"]
    assert asked[0] == (0, False, DIGITS_TEST)
    plan = ran.built[3]
    assert (plan.learning_rates, plan.initial_weights, plan.optimizer) == (None, None, None)


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_ends_the_trial(loss: float, clock: Clock, tmp_path: Path) -> None:
    with pytest.raises(Diverged, match="the mean training loss of the first step is"):
        Ran(tmp_path, NotingLearner(clock, loss=loss))


def test_the_test_part_is_scored_once_and_its_answers_are_kept(clock: Clock, tmp_path: Path) -> None:
    ran = Ran(tmp_path, NotingLearner(clock))
    truth = load(Path(ran.job.dataset_folder)).test.labels
    with np.load(ran.job.predictions_path) as stored:
        assert np.array_equal(stored["truth"], truth)
        assert set(stored.files) == {"truth", "labels", "logits"}
        assert (stored["labels"] == 3).all()
    assert ran.measured.scores.accuracy == pytest.approx(float((truth == 3).mean()))
    full = [what for kind, what in ran.learner.calls if kind == "predict" and not what[1]]
    assert full == [(1000, False, DIGITS_TEST)]


def test_hashes_are_of_the_bytes_alone(clock: Clock, tmp_path: Path) -> None:
    figures = Ran(tmp_path, NotingLearner(clock)).measured.model
    expected = hashlib.sha256(b"dense_1/kernel" + np.ones((2, 3), "<f4").tobytes()).hexdigest()
    assert figures.final_weights_sha256 == expected
    assert (figures.parameters, figures.flops_per_sample) == (6, 2 * (64 * 128 + 128 * 10))


def test_predictions_of_another_width_have_the_same_hash() -> None:
    values = np.ones((2, 3), np.float32)
    wide = Answers(np.array([1, 2]), values, "logits")
    narrow = Answers(np.array([1, 2], np.int32), values.astype(np.float64), "logits")
    assert digest_of_answers(wide) == digest_of_answers(narrow)
    assert digest_of_answers(wide) != digest_of_answers(Answers(np.array([1, 2]), None, None))
    assert digest_of_weights({}) is None


def test_settings_are_plain_and_hold_the_threads_in_force(clock: Clock, tmp_path: Path) -> None:
    settings = Ran(tmp_path, NotingLearner(clock)).measured.settings
    assert settings["betas"] == [0.9, 0.999]
    assert settings["framework_threads"] == {"intra-op": 1}


def test_memory_has_a_peak_for_every_phase(clock: Clock, tmp_path: Path) -> None:
    memory = Ran(tmp_path, NotingLearner(clock)).measured.memory
    assert {"load", "build", "train", "evaluate", "predict"} <= set(memory.phase_peak_mib)
    assert memory.peak_rss_mib >= memory.after_import_mib > 0
    assert memory.device_allocated_peak_mib is None


def measuring(clock: Clock, folder: Path, learner: NotingLearner, **figures: Any) -> Measured:
    return Ran(folder, learner, measuring=Measuring(**figures)).measured


def test_prediction_passes_fill_the_time_set(clock: Clock, tmp_path: Path) -> None:
    learner = NotingLearner(clock, predict_row_s=0.001, wait_s=0.0)  # 0.36 s a pass
    passes = measuring(clock, tmp_path, learner, predict_s=1.0).phases.predict
    assert [made.samples for made in passes] == [DIGITS_TEST - 11] * 4  # each a row further than the one before
    assert [made.seconds for made in passes] == pytest.approx([0.349] * 4)


def test_there_are_always_a_warm_up_and_a_counted_pass_and_never_too_many(clock: Clock, tmp_path: Path) -> None:
    slow = NotingLearner(clock, predict_row_s=0.1)
    assert len(measuring(clock, tmp_path, slow, predict_s=1.0).phases.predict) == 2
    fast = NotingLearner(clock, predict_row_s=1e-9, wait_s=0.0)
    assert len(measuring(clock, tmp_path, fast, predict_s=1.0, predict_passes=4).phases.predict) == 5


def test_a_model_too_slow_for_a_pass_in_the_time_set_answers_fewer_rows(clock: Clock, tmp_path: Path) -> None:
    learner = NotingLearner(clock, predict_row_s=0.01, wait_s=0.0)  # 3.6 s for all
    passes = measuring(clock, tmp_path, learner, predict_s=1.8, predict_batch_size=10).phases.predict
    assert passes[0].samples == 60


@pytest.mark.parametrize(("calls", "seconds", "expected"), [(50, 100.0, 50), (1000, 0.5, 5)])
def test_latency_ends_with_its_calls_or_its_seconds_whichever_is_first(
    calls: int, seconds: float, expected: int, clock: Clock, tmp_path: Path
) -> None:
    learner = NotingLearner(clock, predict_row_s=0.1, wait_s=0.0)
    latency = measuring(clock, tmp_path, learner, latency_calls=calls, latency_s=seconds).phases.latency_us
    assert latency == (100_000.0,) * expected


def test_latency_is_of_single_samples_after_a_warm_up(clock: Clock, tmp_path: Path) -> None:
    learner = NotingLearner(clock)
    measuring(clock, tmp_path, learner, latency_calls=7, latency_s=1e6)
    kinds = [what for kind, what in learner.calls if kind == "predict"]
    assert kinds.count((1, True, 1)) == 1 + 20 + 7 + 1  # the last when the trial is over, with other weights


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        (np.zeros((2, 4), np.float32), ModelFault, r"net returns shape \(2, 4\) for 2 images of shape \(8, 8, 1\)"),
        (np.zeros((2, 3, 1), np.float32), ModelFault, r"\(2, 3\) expected: one value per class"),
        (np.full((2, 3), np.nan, np.float32), Diverged, "net returns NaN or infinity before any training"),
    ],
)
def test_a_users_model_with_impossible_answers_is_told_so_before_it_is_trained(
    values: Any, error: type[Exception], said: str
) -> None:
    train = Split(np.zeros((2, 8, 8, 1), np.uint8), np.zeros(2, np.int64), 255.0, 3)
    with pytest.raises(error, match=said):
        check_answers(Answers(np.zeros(2, np.int64), values, "logits"), NativeModel("net", frozenset(), ""), train)
