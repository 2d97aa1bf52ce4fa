"""Number of workers proving in parallel."""

import pytest

from bench.adapters.catalog import find_adapter
from bench.certificate import Conditions
from bench.equivalence import verify
from bench.equivalence.asked import Subject
from bench.equivalence.verdict import Verdict


def subjects(threads: int) -> list[Subject]:
    """Two frameworks with ``threads`` each."""
    return [
        Subject(find_adapter(name), Verdict(Conditions(framework=name, threads=threads), {}))
        for name in ("pytorch", "keras-torch")
    ]


@pytest.mark.parametrize(
    ("cores", "threads", "expected"),
    [(2, 2, 1), (2, 1, 2), (16, 16, 1), (16, 4, 2), (1, 2, 1)],
    ids=lambda value: str(value),
)
def test_as_many_workers_run_at_a_time_as_have_a_core_for_each_thread_and_never_more_than_two(
    monkeypatch: pytest.MonkeyPatch, cores: int, threads: int, expected: int
) -> None:
    monkeypatch.setattr(verify, "usable_cores", lambda: cores)
    assert verify._at_once(subjects(threads)) == expected
