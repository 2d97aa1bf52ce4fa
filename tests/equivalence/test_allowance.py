"""An allowance is of a thread's own time."""

import time

from bench.equivalence.allowance import Allowance


def test_nothing_is_allowed_of_no_seconds() -> None:
    assert Allowance(0.0).spent()


def test_waiting_costs_nothing() -> None:
    allowed = Allowance(5.0)
    time.sleep(0.3)
    assert not allowed.spent()


def test_what_is_spent_stays_so() -> None:
    allowed = Allowance(0.0)
    assert [allowed.spent() for _ in range(3)] == [True, True, True]
