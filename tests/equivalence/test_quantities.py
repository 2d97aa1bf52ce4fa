"""Steps taken as asked need not be taken again, and give the same numbers."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from bench.equivalence.evidence import Evidence
from bench.equivalence.quantities import ALL, Computed, Known, computed, course, first_change
from tests.equivalence.planted_departures import ADAM, DENSE, STEPS, Change, asked, with_flags, without_short_batches

LATE: dict[str, tuple[Change, int]] = {
    "nothing": (lambda e: e, STEPS),
    "other rows": (lambda e: replace(e, order=[*e.order[:5], e.order[0], *e.order[6:]]), 5),
    "another rate": (lambda e: replace(e, rates=np.append(e.rates[:6], 2 * e.rates[6:])), 6),
    "short batches dropped": (without_short_batches, 3),
    "a state that starts again": (lambda e: replace(e, starts_again=frozenset({4})), 4),
    "weights multiplied": (lambda e: replace(e, factor=1.5, multiplied=frozenset({3, 7})), 3),
    "a formula": (with_flags(corrected_steps=5), 0),
    "a scale": (lambda e: replace(e, scale=255.0), 0),
}


@pytest.mark.parametrize("name", LATE)
def test_the_first_step_that_is_another_is_known(name: str) -> None:
    evidence = asked(DENSE, ADAM)
    change, step = LATE[name]
    assert first_change(evidence, change(evidence)) == step


def numbers(found: Computed) -> list[float]:
    value = found.value
    parts = [np.ravel(value[name]) for name in sorted(value)] if isinstance(value, Mapping) else [np.ravel(value)]
    return [float(number) for number in np.concatenate(parts)]


@pytest.mark.parametrize("step", [0, 1, 3, 4])
@pytest.mark.parametrize("name", LATE)
def test_from_a_course_on_all_is_as_from_the_start(name: str, step: int) -> None:
    evidence = asked(DENSE, ADAM)
    other: Evidence = LATE[name][0](evidence)
    whole = list(computed(other, ALL))
    spared = list(computed(other, ALL, Known(course=course(evidence, step))))
    assert len(spared) > 1
    for found, expected in zip(reversed(spared), reversed(whole), strict=False):
        assert (found.quantity, found.updates, found.number) == (expected.quantity, expected.updates, expected.number)
        assert numbers(found) == numbers(expected)


def test_a_course_is_not_moved_by_what_goes_on_from_it() -> None:
    evidence = asked(DENSE, ADAM)
    known = Known(course=course(evidence, 4))
    first, second = ([numbers(one) for one in computed(evidence, ALL, known)] for _ in range(2))
    assert first == second
