"""A worker's end of the pipes to its parent: messages on standard output, and an end once standard input closes."""

import os
import sys
import threading
from typing import IO


def open_messages() -> IO[str]:
    """Standard output, for messages alone: what anything else prints goes to standard error from here on.

    It is done at the level of file descriptors, which libraries in C write to.
    """
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return messages


def send_line(messages: IO[str], message: str) -> None:
    """Let the parent have one message, which holds no newline, at once."""
    messages.write(message + "\n")
    messages.flush()


def end_with_parent() -> None:
    """From here on, end this process when standard input closes: the parent is gone and nobody wants the result."""
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    sys.stdin.read()  # waits without using the CPU
    os._exit(1)


def first_line(error: BaseException) -> str:
    """Of what an error says; empty where it says nothing."""
    return next(iter(str(error).splitlines()), "")
