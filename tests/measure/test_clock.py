"""The clock: what it covers, and what it adds."""

import time

import pytest

from bench.measure.clock import Stopwatch


def nothing() -> None:
    """An idle device."""


def test_work_still_on_the_device_when_the_block_ends_is_on_the_clock() -> None:
    pending = [0.0]

    def synchronize() -> None:
        time.sleep(pending.pop() if pending else 0.0)

    watch = Stopwatch(synchronize)
    with watch:
        pending.append(0.05)  # the block itself returns at once, as a launch on an accelerator does
    assert watch.seconds >= 0.05


def test_work_left_over_from_before_is_not_on_the_clock() -> None:
    pending = [0.2]

    def synchronize() -> None:
        time.sleep(pending.pop() if pending else 0.0)

    watch = Stopwatch(synchronize)
    began = time.perf_counter()
    with watch:
        pass
    assert time.perf_counter() - began >= 0.2
    assert watch.seconds < 0.2


def test_the_device_is_waited_for_before_the_start_and_before_the_stop_and_at_no_other_time() -> None:
    events: list[str] = []
    with Stopwatch(lambda: events.append("synchronize")):
        events.append("work")
    assert events == ["synchronize", "work", "synchronize"]


def test_the_clock_adds_less_than_a_microsecond() -> None:
    watch = Stopwatch(nothing)
    figures = []
    for _ in range(20_000):
        with watch:
            pass
        figures.append(watch.nanoseconds)
    assert min(figures) < 1000  # the least, because whatever else runs here can only add


def test_seconds_and_microseconds_are_of_the_same_block() -> None:
    watch = Stopwatch(nothing)
    with watch:
        time.sleep(0.01)
    assert 0.01 <= watch.seconds < 5
    assert watch.microseconds == pytest.approx(watch.seconds * 1e6)


def test_a_block_that_raises_has_no_figure_and_does_not_wait_for_the_device() -> None:
    waits: list[int] = []
    watch = Stopwatch(lambda: waits.append(1))
    with watch:
        time.sleep(0.001)
    with pytest.raises(RuntimeError, match="device lost"), watch:
        raise RuntimeError("device lost")
    assert watch.nanoseconds == 0
    assert len(waits) == 3
