"""Bounds within which an honest dropout stays."""

from math import comb

import pytest

from bench.equivalence.dropout import binomial_bounds


def tail(trials: int, share: float, counts: range) -> float:
    return sum(comb(trials, count) * share**count * (1 - share) ** (trials - count) for count in counts)


@pytest.mark.parametrize(("trials", "share", "alpha"), [(100, 0.2, 1e-3), (400, 0.5, 1e-6), (60, 0.25, 0.05)])
def test_bounds_are_the_narrowest_that_keep_the_false_alarms(trials: int, share: float, alpha: float) -> None:
    low, high = binomial_bounds(trials, share, alpha)
    assert tail(trials, share, range(low)) <= alpha / 2 < tail(trials, share, range(low + 1))
    assert tail(trials, share, range(high + 1, trials + 1)) <= alpha / 2 < tail(trials, share, range(high, trials + 1))


@pytest.mark.parametrize(("share", "expected"), [(0.0, (0, 0)), (1.0, (9, 9))])
def test_what_is_certain_has_no_room(share: float, expected: tuple[int, int]) -> None:
    assert binomial_bounds(9, share, 0.01) == expected
