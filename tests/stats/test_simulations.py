"""Intervals cover what they say, and marks are seldom wrong: the tables of docs/statistics.md at small size.

Shares of simulated experiments are held against the promised ones within four binomial standard errors, which a right
share leaves once in 16,000 runs of another seed; the seeds are fixed.
"""

import numpy as np
import pytest

from bench.record import EpochFigures, Noise, Phases, Record
from bench.stats.steady import drift
from tests.report.builder import case, trial
from tests.stats import noise_in_records, simulate
from tests.stats.simulate import RHO, Values, standard_error
from tests.stats.tables import normal, rounded


def at_least(promised: float, repeats: int) -> float:
    """The least share that agrees with ``promised``."""
    return promised - 4 * standard_error(promised, repeats)


def at_most(promised: float, repeats: int) -> float:
    """The largest share that agrees with ``promised``."""
    return promised + 4 * standard_error(promised, repeats)


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_interval_of_a_mean_over_seeds_covers_95_percent(seeds: int) -> None:
    covered, _, _ = simulate.mean_over_seeds(normal(0.97, 0.001), 0.97, seeds, 3000)
    assert at_least(0.95, 3000) <= covered <= at_most(0.95, 3000)


def test_it_does_so_for_accuracies_in_steps_of_one_row() -> None:
    covered, _, _ = simulate.mean_over_seeds(rounded(0.97, 0.01, 360), 0.97, 3, 3000)
    assert at_least(0.93, 3000) <= covered <= at_most(0.97, 3000)


def test_hiding_wide_intervals_shows_no_more_wrong_ones() -> None:
    covered, shown, wrong = simulate.mean_over_seeds(normal(0.35, 0.114), 0.35, 3, 3000)
    assert shown < 0.7
    assert wrong <= at_most(0.05, 3000)
    assert covered >= at_least(0.95, 3000)


@pytest.mark.parametrize("trials", [6, 10, 20])
def test_an_interval_of_the_median_of_trials_in_a_row_would_cover_far_less_than_95_percent(trials: int) -> None:
    correlated, _ = simulate.median_of_trials(trials, RHO, 1000)
    independent, _ = simulate.median_of_trials(trials, 0.0, 1000)
    assert correlated is not None
    assert independent is not None
    assert correlated < at_least(0.75, 1000)
    assert independent >= at_least(0.95, 1000)


@pytest.mark.parametrize("rounds", [6, 10])
@pytest.mark.parametrize(("cases", "apart"), [(2, 1), (9, 1), (9, 3)])
def test_the_interval_of_a_ratio_within_rounds_covers_95_percent_on_a_machine_that_changes_its_speed(
    rounds: int, cases: int, apart: int
) -> None:
    assert simulate.ratio_of_equals(rounds, cases, 1500, apart=apart) >= at_least(0.95, 1500)


@pytest.mark.parametrize(("rounds", "left_out"), [(3, 1 / 4), (4, 1 / 8), (5, 1 / 16)])
def test_a_range_of_few_rounds_leaves_1_out_as_often_as_the_legend_says(rounds: int, left_out: float) -> None:
    share = 1 - simulate.ratio_of_equals(rounds, 9, 2000)
    assert at_least(left_out, 2000) <= share <= at_most(left_out, 2000)


@pytest.mark.parametrize(("share", "rows"), [(0.5, 360), (0.9, 360), (0.97, 2000)])
def test_the_test_part_interval_covers_95_percent(share: float, rows: int) -> None:
    covered = simulate.accuracy_of_test_part(share, rows, 2000)
    assert at_least(0.94, 2000) <= covered <= at_most(0.96, 2000)


@pytest.mark.parametrize(("size", "alike"), [(2, 0.8), (5, 0.5), (5, 1.0)])
def test_the_test_part_interval_of_rows_in_groups_covers_at_least_95_percent(size: int, alike: float) -> None:
    assert simulate.accuracy_of_test_part(0.7, 200, 1500, size=size, alike=alike) >= at_least(0.94, 1500)


def test_balanced_accuracy_of_unequal_classes_rests_on_the_rows_it_is_said_to() -> None:
    assert simulate.mean_of_recalls((1341, 222, 103, 28), (0.6,) * 4, 2000) >= at_least(0.94, 2000)


@pytest.mark.parametrize("agreement", [0.0, 0.5])
def test_the_best_of_nine_rows_is_covered_only_with_the_correction(agreement: float) -> None:
    rows = [0.95] * 9
    plain = simulate.best_of_many(rows, 500, 800, agreement=agreement, corrected=False)
    assert plain < at_least(0.9, 800)
    assert simulate.best_of_many(rows, 500, 800, agreement=agreement) >= at_least(0.95, 800)


@pytest.mark.parametrize(("seeds", "spread"), [(1, 0.0), (3, 0.003), (3, 0.01)])
@pytest.mark.parametrize("agreement", [0.0, 0.5])
def test_a_method_as_good_as_a_floor_is_called_below_it_in_5_percent_at_most(
    seeds: int, spread: float, agreement: float
) -> None:
    called = simulate.against_a_floor(0.95, 0.95, 360, 800, seeds=seeds, spread=spread, agreement=agreement)
    assert called <= at_most(0.05, 800)


def test_a_method_far_below_a_floor_is_called_so() -> None:
    assert simulate.against_a_floor(0.85, 0.95, 1000, 200, agreement=0.5) >= at_least(0.95, 200)


def test_a_constant_answer_is_shown_to_beat_the_majority_in_5_percent_at_most() -> None:
    assert simulate.against_the_majority(0.67, 0.67, 360, 2000) <= at_most(0.05, 2000)
    assert simulate.against_the_majority(0.75, 0.67, 2000, 200) >= at_least(0.95, 200)


@pytest.mark.parametrize("rho", [0.0, RHO])
@pytest.mark.parametrize(("trials", "epochs"), [(3, 2), (3, 5), (5, 20)])
@pytest.mark.parametrize("variation", [0.02, 0.1])
def test_without_a_trend_a_case_is_called_not_steady_in_5_percent_at_most(
    trials: int, epochs: int, variation: float, rho: float
) -> None:
    seconds = simulate.noisy_epochs(trials, epochs, variation, 1500, rho=rho)
    assert simulate.called_not_steady(seconds) <= at_most(0.05, 1500)


@pytest.mark.parametrize("switch", [0.02, 0.2])
def test_a_machine_of_two_speeds_makes_no_trend(switch: float) -> None:
    assert simulate.called_not_steady(simulate.switching_epochs(3, 5, switch, 1500)) <= at_most(0.05, 1500)


@pytest.mark.parametrize(("trend", "variation", "found"), [(0.1, 0.02, 0.82), (0.2, 0.05, 0.64)])
def test_three_trials_find_a_trend_as_often_as_is_said(trend: float, variation: float, found: float) -> None:
    share = simulate.called_not_steady(simulate.noisy_epochs(3, 5, variation, 1500, trend=trend))
    assert at_least(found, 1500) <= share <= at_most(found, 1500)


CNN = case("mnist", "cnn", "pytorch")


def with_epochs(seconds: Values) -> Record:
    """A trial whose timed epochs took ``seconds``, after a first one."""
    epochs = tuple(EpochFigures(seconds=one, samples=100) for one in (9.0, *seconds.tolist()))
    return trial(CNN, 0, phases=Phases(import_s=1, load_s=0, build_s=0, epochs=epochs))


def test_the_simulated_drift_is_that_of_a_record() -> None:
    for epochs in (2, 3, 7, 20):
        seconds = np.random.default_rng(epochs).uniform(0.5, 2.0, epochs)
        assert np.log(drift(with_epochs(seconds)) or 0.0) == pytest.approx(simulate.log_drifts(seconds))


def loaded(asked: int, seed: int, load: float, *, slower: float) -> Record:
    """A trial beside other processes that used ``load`` percent of a core and slowed it by ``slower`` of that."""
    seconds = 1 + slower * load / 100
    epochs = (EpochFigures(seconds=1, samples=100), EpochFigures(seconds=seconds, samples=100))
    phases = Phases(import_s=1, load_s=0, build_s=0, epochs=epochs)
    return trial(
        case("mnist", "cnn", "pytorch", train_rows=100 + asked),
        seed,
        phases=phases,
        noise=Noise(other_cpu_percent=load),
    )


@pytest.mark.parametrize(("slower", "expected"), [(0.5, 1.0), (-0.5, -1.0)])
def test_a_reading_that_goes_with_the_figure_is_found_among_records(slower: float, expected: float) -> None:
    rng = np.random.default_rng(0)
    records = [loaded(one, seed, float(rng.uniform(0, 100)), slower=slower) for one in range(10) for seed in range(4)]
    found = noise_in_records.deviations(records, "train_samples_per_s", noise_in_records.other_cpu)
    rho, p = noise_in_records.rank_correlation(*found)
    assert rho == pytest.approx(expected, abs=0.05)
    assert p < 1e-6
    few = noise_in_records.deviations(records[:2], "train_samples_per_s", noise_in_records.other_cpu)
    assert few == ([], [])
