"""Whoever reads what a command prints may leave before its end (``bench report | head``): that is no error."""

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
        # Python would complain once more at its own last flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
