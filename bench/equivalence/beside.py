"""Work in daemon threads: an interrupted command does not wait for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def beside(tasks: Sequence[Callable[[], T]], threads: int) -> list[Future[T]]:
    """Start ``tasks`` in order on that many daemon threads, which do not block exit."""
    futures: list[Future[T]] = [Future() for _ in tasks]
    left = deque(zip(futures, tasks, strict=True))

    def work() -> None:
        while left:
            try:
                future, task = left.popleft()
            except IndexError:  # another thread was quicker
                return
            try:
                future.set_result(task())
            except BaseException as error:  # raised by ``Future.result``
                future.set_exception(error)

    for _ in range(threads):
        Thread(target=work, daemon=True).start()
    return futures
