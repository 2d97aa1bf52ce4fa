"""A worker's end of the pipes to its parent: messages on standard output, and an end once standard input closes."""

import os
import sys
import threading
from typing import IO


def open_messages() -> IO[str]:
    """Standard output, for messages alone: all other output goes to standard error from here on.

    This redirects file descriptors, because C libraries write to those.
    """
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return messages


def send_line(messages: IO[str], message: str) -> None:
    """Send the parent one message, which holds no newline, at once."""
    messages.write(message + "\n")
    messages.flush()


def end_with_parent() -> None:
    """From here on, end this process when standard input closes: the parent is gone, its result not needed."""
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    sys.stdin.read()  # waits without using the CPU
    os._exit(1)


def first_line(error: BaseException) -> str:
    """First line of an error's message; empty if none."""
    return next(iter(str(error).splitlines()), "")
