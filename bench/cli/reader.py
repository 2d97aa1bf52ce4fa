"""The reader of a pipe may close it early (``bench report | head``); that is not an error.

A full disk is one.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def may_leave() -> Iterator[None]:
    """Print to standard output and flush it in this block; after a closed pipe, drop the rest."""
    try:
        yield
    except BrokenPipeError:
        _leave()


def refusal() -> str:
    """Flush standard output. Return why it cannot be written, and drop the rest; empty if it can."""
    try:
        with may_leave():
            sys.stdout.flush()
    except OSError as error:
        _leave()
        return error.strerror or type(error).__name__
    return ""


def _leave() -> None:
    # Otherwise Python fails again at its own last flush.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
