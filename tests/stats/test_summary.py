"""A case in figures: quality over seeds, speed over trials, and honest words for what went wrong."""

import pytest

from bench.record import EpochFigures, Noise, Phases, Record
from bench.stats.metrics import METRICS
from bench.stats.summary import CaseSummary, summarise
from tests.report.builder import case, failure, scores, trial

CNN = case("mnist", "cnn", "pytorch")


def summary(*records: Record) -> CaseSummary:
    """Summary of the first record's case."""
    return summarise([records[0].case], records)[records[0].case_id]


def scored(seed: int, accuracy: float) -> Record:
    """A trial with this accuracy."""
    return trial(CNN, seed, scores=scores("mnist", accuracy))


def test_accuracy_is_the_mean_over_seeds_with_a_t_interval() -> None:
    figure = summary(scored(0, 0.98), scored(1, 0.99), scored(2, 0.985)).figures["accuracy"]
    assert figure is not None
    # By hand: t(0.975, 2) = 4.302653, s = 0.005, so the half width is 4.302653 * 0.005 / sqrt(3) = 0.0124207.
    assert figure.value == pytest.approx(0.985)
    assert figure.high == pytest.approx(0.985 + 0.0124207, abs=1e-7)
    assert (figure.kind, figure.n) == ("interval", 3)


def test_a_deterministic_case_has_no_interval_over_seeds() -> None:
    figure = summary(trial(case("mnist", "knn", "scikit-learn"), 0)).figures["accuracy"]
    assert figure is not None
    assert (figure.kind, figure.low) == ("deterministic", None)


@pytest.mark.parametrize(("trials", "kind"), [(1, "single"), (5, "range"), (20, "range")])
def test_speed_is_a_median_over_trials_with_their_range(trials: int, kind: str) -> None:
    figure = summary(*(trial(CNN, seed) for seed in range(trials))).figures["train_samples_per_s"]
    assert figure is not None
    assert (figure.kind, figure.n) == (kind, trials)


def test_figures_rest_on_the_trials_that_ended_well() -> None:
    one = summary(scored(0, 0.98), failure(CNN, 1, "diverged", "The loss became NaN."), scored(2, 0.98))
    figure = one.figures["accuracy"]
    assert one.status == "partial"
    assert one.statuses == {"ok": 2, "diverged": 1}
    assert figure is not None
    assert figure.n == 2


def test_a_case_without_a_record_is_not_started() -> None:
    assert summarise([CNN], [])[CNN.id].status == "not-started"


def test_a_case_that_only_failed_has_its_status_and_no_figures() -> None:
    one = summary(failure(CNN, 0, "timeout", "slow"), failure(CNN, 1, "timeout", "slow"))
    assert one.status == "timeout"
    assert set(one.figures) == set(METRICS)
    assert not any(one.figures.values())
    assert one.test_part_interval() is None


def test_a_record_whose_case_the_manifest_does_not_name_is_not_lost() -> None:
    assert list(summarise([], [scored(0, 0.98)])) == [CNN.id]


def test_a_case_keeps_its_trials_in_the_order_of_their_seeds() -> None:
    assert [record.seed_index for record in summary(scored(2, 0.98), scored(0, 0.98), scored(1, 0.98)).records] == [
        0,
        1,
        2,
    ]


def test_a_trial_that_an_earlier_version_marked_as_noisy_counts_like_any_other() -> None:
    noisy = trial(CNN, 1, noise=Noise(marks=("other processes used 40 % of a core",)))
    figure = summary(trial(CNN, 0), noisy).figures["train_samples_per_s"]
    assert figure is not None
    assert figure.n == 2


def epochs(seed: int, *seconds: float) -> Record:
    """A trial whose steady epochs took ``seconds``."""
    found = tuple(EpochFigures(seconds=one, samples=100) for one in (9.0, *seconds))
    return trial(CNN, seed, phases=Phases(import_s=1, load_s=0, build_s=0, epochs=found))


def test_a_trend_in_all_trials_is_not_steady_a_hiccup_in_one_is() -> None:
    assert summary(epochs(0, 1.0, 1.2), epochs(1, 1.0, 1.3), epochs(2, 1.0, 1.25)).steady is False
    assert summary(epochs(0, 1.0, 1.0), epochs(1, 1.0, 1.9), epochs(2, 1.0, 1.0)).steady is True
    assert summary(epochs(0, 1.0, 1.2), epochs(1, 1.0, 1.2)).steady is None
    assert summary(epochs(0, 1.0)).steady is None


def test_the_drift_of_a_case_is_the_geometric_mean_of_its_trials() -> None:
    assert summary(epochs(0, 1.0, 0.5), epochs(1, 1.0, 2.0)).drift == pytest.approx(1.0)
    assert summary(epochs(0, 1.0)).drift is None


def test_the_finite_test_part_leaves_wilsons_interval_open() -> None:
    # scipy.stats.binomtest(9700, 10000).proportion_ci(0.95, method="wilson")
    interval = summary(scored(0, 0.97)).test_part_interval()
    assert interval == pytest.approx((0.966472, 0.973167), abs=1e-6)


def test_test_rows_in_groups_leave_more_open() -> None:
    """Rows count as their worth in the worst case, not as their number."""
    records = (scored(0, 0.97),)
    asked = records[0].case
    by_id = summarise([asked], records, {asked.dataset: 100})
    # scipy.stats.binomtest(97, 100).proportion_ci(0.95, method="wilson")
    assert by_id[asked.id].test_part_interval() == pytest.approx((0.915481, 0.989745), abs=1e-6)


def test_the_best_of_several_cases_is_less_surely_known() -> None:
    alone, best = summary(scored(0, 0.97)).test_part_interval(), summary(scored(0, 0.97)).test_part_interval(best_of=9)
    assert alone is not None
    assert best is not None
    # scipy.stats.binomtest(9700, 10000).proportion_ci(1 - 0.05 / 9, method="wilson").low
    assert best == pytest.approx((0.964897, alone[1]), abs=1e-6)


def test_two_equivalence_labels_are_both_said() -> None:
    one = summary(trial(CNN, 0), trial(CNN, 1, equivalence="verified"))
    assert one.equivalence == "not yet verified, verified"


def test_records_of_an_earlier_protocol_are_of_their_case_under_the_id_they_carry() -> None:
    """Its ids were made differently, and its records had fewer settings and no others."""
    before = trial(CNN, 0).model_copy(update={"case_id": "0123456789abcdef"})
    found = summarise([CNN], [before])
    assert list(found) == ["0123456789abcdef"]
    assert found["0123456789abcdef"].status == "ok"
