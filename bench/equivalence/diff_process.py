"""The parent's side of a worker of ``bench diff``: a process that answers one request after the other."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from bench.adapters.catalog import find_adapter
from bench.case import Frozen
from bench.equivalence.diff_worker import Opening, Reply, case_of
from bench.errors import BenchError
from bench.runner.local import last_lines, worker_process, write_line

LIMIT_S = 600.0


class Conversation:
    """Requests to a worker, and its replies."""

    def __init__(self, process: subprocess.Popen[str], stderr: IO[bytes], label: str) -> None:
        self._process = process
        self._stderr = stderr
        self._label = label

    def ask(self, request: Frozen) -> None:
        """Send a request; the next one waits for its reply."""
        write_line(self._process, request.model_dump_json())

    def reply(self) -> Reply:
        """The reply to the last request. Raises BenchError if the model could not be built or run."""
        assert self._process.stdout is not None
        timer = threading.Timer(LIMIT_S, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            raise BenchError(f"{self._label}: its process ended without an answer: {self._last_words()}")
        reply = Reply.model_validate_json(line)
        if reply.error is not None:
            raise BenchError(f"{self._label} cannot be compared: {reply.error}")
        return reply

    def _last_words(self) -> str:
        lines = last_lines(self._stderr)
        return lines[-1].strip() if lines else "it printed nothing"


@contextmanager
def conversation(opening: Opening, label: str) -> Iterator[Conversation]:
    """Start a worker and ask it to open its model; the worker ends with the block."""
    environment = find_adapter(opening.framework).environment(case_of(opening))
    module = "bench.equivalence.diff_worker"
    with worker_process([], opening.threads, environment, module) as (process, stderr):
        talk = Conversation(process, stderr, label)
        talk.ask(opening)
        yield talk
