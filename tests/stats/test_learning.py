"""The mark of a network that was still learning: where it is due, and how often it is not."""

import random

import pytest

from bench.record import Checkpoint, EpochFigures, Phases, Record
from bench.stats.learning import last_moves, still_learning
from tests.report.builder import case


def trial(losses: list[float], accuracies: list[float] | None = None) -> Record:
    """A trial with an evaluation after each epoch."""
    accuracies = accuracies or [0.9] * len(losses)
    epochs = tuple(
        EpochFigures(
            seconds=1.0,
            samples=100,
            checkpoints=(Checkpoint(samples=100, seconds=1.0, validation_accuracy=accuracy, validation_loss=loss),),
        )
        for loss, accuracy in zip(losses, accuracies, strict=True)
    )
    phases = Phases(import_s=1.0, load_s=0.1, build_s=0.1, epochs=epochs)
    return Record(case_id="a", case=case("digits", "mlp-plain", "pytorch"), status="ok", phases=phases)


def test_a_loss_that_falls_to_the_end_is_still_learning() -> None:
    falling = [1.0 * 0.9**epoch for epoch in range(10)]
    assert still_learning([trial(falling)] * 3) is True


def test_a_loss_that_has_come_to_rest_is_not() -> None:
    resting = [1.0, 0.5, 0.3, 0.25, 0.22, 0.21, 0.205, 0.203, 0.202, 0.2015]
    assert still_learning([trial(resting)] * 3) is False


def test_a_loss_that_rises_again_is_not_learning_though_training_goes_on() -> None:
    assert still_learning([trial([1.0, 0.5, 0.4, 0.45, 0.5, 0.6])] * 3) is False


def test_accuracy_that_rises_is_learning_though_the_loss_does_not_fall() -> None:
    rising = [0.80, 0.82, 0.84, 0.86, 0.88]
    assert still_learning([trial([0.5] * 5, rising)] * 3) is True


def test_one_trial_that_moves_the_other_way_speaks_against_it() -> None:
    falling, risen = trial([1.0, 0.9, 0.8, 0.7]), trial([1.0, 0.9, 0.8, 0.85])
    assert still_learning([falling, falling, risen]) is False


@pytest.mark.parametrize("losses", [[], [0.5]])
def test_with_less_than_two_evaluations_nothing_is_said(losses: list[float]) -> None:
    assert still_learning([trial(losses)]) is None


def test_a_fifth_of_the_evaluations_is_held_against_the_fifth_before() -> None:
    found = last_moves(trial([9.0] * 6 + [2.0, 2.0, 1.0, 1.0], [0.1] * 6 + [0.5, 0.5, 0.75, 0.75]))
    assert found == pytest.approx((0.5, 0.25))


def test_few_networks_that_stand_still_are_marked() -> None:
    """Losses that vary by 3 % from one evaluation to the next, with no trend; an evaluation a fifth."""
    generator = random.Random(0)
    tries = 2000
    marked = sum(
        still_learning([trial([0.3 * (1 + generator.gauss(0, 0.03)) for _ in range(5)]) for _ in range(3)]) is True
        for _ in range(tries)
    )
    assert marked / tries < 0.05
