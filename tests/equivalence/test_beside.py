"""Tasks run beside the main thread, so many at a time, in their order."""

import threading

import pytest

from bench.equivalence.beside import beside


def test_results_come_in_the_order_of_the_tasks_and_an_error_where_it_is_asked_for() -> None:
    def fail() -> int:
        raise ValueError("seven")

    first, second, third = beside([lambda: 1, fail, lambda: 3], 2)
    assert first.result(10) == 1
    with pytest.raises(ValueError, match="seven"):
        second.result(10)
    assert third.result(10) == 3


def test_no_more_run_at_a_time_than_there_are_threads() -> None:
    running, most, lock, together = 0, 0, threading.Lock(), threading.Barrier(2)

    def task() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(10)
        with lock:
            running -= 1

    for future in beside([task] * 4, 2):
        future.result(10)
    assert most == 2


def test_the_threads_do_not_keep_the_program_from_ending() -> None:
    never = threading.Event()
    before = set(threading.enumerate())
    beside([never.wait], 1)
    started = set(threading.enumerate()) - before
    assert started
    assert all(thread.daemon for thread in started)
    never.set()
