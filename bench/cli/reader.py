"""Whoever reads what a command prints may leave before its end (``bench report | head``): that is no error.

A disk that takes no more is one.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def may_leave() -> Iterator[None]:
    """Print to standard output and flush it in this block; once nobody reads, the rest goes nowhere."""
    try:
        yield
    except BrokenPipeError:
        _leave()


def refusal() -> str:
    """Why standard output does not take what waits to be written, which is then given up; empty where it takes it."""
    try:
        with may_leave():
            sys.stdout.flush()
    except OSError as error:
        _leave()
        return error.strerror or type(error).__name__
    return ""


def _leave() -> None:
    # Python would complain once more at its own last flush.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
