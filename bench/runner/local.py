"""Worker processes on this machine: start one, wait without spinning, and report its outcome."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from bench.child import module_command, with_this_package
from bench.errors import BenchError
from bench.measure.threads import clean_environment
from bench.record import Status
from bench.runner.job import Job, Measured, Message

TAIL_LINES = 12
"""Lines of a failed worker's standard error that its record keeps."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of a trial, with its measurements if successful."""

    status: Status
    reason: str | None
    measured: Measured | None
    stderr_tail: tuple[str, ...]
    wall_s: float


def run_job(job: Job, environment: dict[str, str], timeout_s: float, announce: Callable[[str], None]) -> Outcome:
    """Run ``job`` in a fresh process and wait for it, sleeping between its messages.

    ``announce`` is called with each phase as it begins. KeyboardInterrupt ends the worker and is raised again.
    """
    began = time.monotonic()
    kills = _oom_kills()
    with worker_process([], job.case.threads, environment) as (process, stderr):
        write_line(process, job.model_dump_json())
        phase, answer = _follow(process, began + timeout_s, announce)
        if answer == _NOTHING:
            _wait_unreaped(process)
        tail = last_lines(stderr)
    wall_s, code = time.monotonic() - began, process.returncode
    if answer is None:
        reason = f"did not end within {timeout_s:g} s; it was in phase {phase!r}."
        return Outcome("timeout", reason, None, tail, wall_s)
    if answer.measured is not None:
        return Outcome("ok", None, answer.measured, (), wall_s)
    if answer.status is not None:
        return Outcome(answer.status, scrub(answer.reason or ""), None, tail, wall_s)
    if _oom_kills() > kills and code == -signal.SIGKILL:
        reason = f"killed by the system for lack of memory in phase {phase!r}."
        return Outcome("out-of-memory", reason, None, tail, wall_s)
    return Outcome("crashed", f"{_ending(code)} in phase {phase!r}.", None, tail, wall_s)


_NOTHING = Message()
"""Stands for the missing answer of a worker that ended."""


def _follow(
    process: subprocess.Popen[str], deadline: float, announce: Callable[[str], None]
) -> tuple[str, Message | None]:
    """The last phase the worker announced, and its answer: ``_NOTHING`` if it ended without one, None if it is late."""
    lines = _lines(process)
    phase = "start"
    while True:
        try:
            line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return phase, None
        if line is None:
            return phase, _NOTHING
        message = _message(line)
        if message.phase is not None:
            phase = message.phase
            announce(phase)
        elif message != _NOTHING:
            return phase, message


def _message(line: str) -> Message:
    """Parse a line of a worker; ``_NOTHING`` if it was cut off by the end of the worker."""
    try:
        return Message.model_validate_json(line)
    except ValidationError:
        return _NOTHING


def ask_worker(arguments: Sequence[str], environment: dict[str, str], timeout_s: float = 120.0) -> Message:
    """The one message a worker started with ``arguments`` prints. Raises BenchError if it prints none."""
    with worker_process(arguments, os.cpu_count() or 1, environment) as (process, stderr):
        try:
            output, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            output = ""
        answer = _message(output.strip().rpartition("\n")[2])
        if answer == _NOTHING:
            last = last_lines(stderr)[-1:] or ("it printed nothing",)
            raise BenchError(f"a worker ({' '.join(arguments)}) did not answer: {last[0].strip()}")
    return answer


def ask_module(
    module: str,
    request: str,
    threads: int,
    environment: dict[str, str],
    timeout_s: float,
    announce: Callable[[str], None],
) -> Message:
    """The answer of ``python -m module`` to ``request``, one line; ``announce`` gets each phase as it begins.

    Raises BenchError if it ends without an answer or takes longer than ``timeout_s``.
    """
    began = time.monotonic()
    with worker_process([], threads, environment, module) as (process, stderr):
        write_line(process, request)
        phase, answer = _follow(process, began + timeout_s, announce)
        if answer == _NOTHING:
            _wait_unreaped(process)
        last = ": ".join(last_lines(stderr)[-1:])
    if answer is None:
        raise BenchError(f"a worker did not end within {timeout_s:g} s; it was in phase {phase!r}.")
    if answer == _NOTHING:
        raise BenchError(f"{_ending(process.returncode)} in phase {phase!r}{': ' if last else '.'}{last}")
    return answer


@contextmanager
def worker_process(
    arguments: Sequence[str], threads: int, environment: dict[str, str], module: str = "bench.runner.worker"
) -> Iterator[tuple[subprocess.Popen[str], IO[bytes]]]:
    """A worker process in its own group, killed with all its children at the end of the block.

    It imports this very package, even if ``python -m bench`` was called beside another one that is installed.
    """
    with tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(
            module_command(module, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=with_this_package(clean_environment(threads, environment)),
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        try:
            yield process, stderr
        finally:
            _end(process)


def _wait_unreaped(process: subprocess.Popen[str]) -> None:
    """Wait until the worker has ended; if the system allows, keep its id, which is that of its group."""
    if hasattr(os, "waitid"):
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    else:
        process.wait()


def _end(process: subprocess.Popen[str]) -> None:
    """Kill the worker and its children, which outlive a worker that ended by itself, and wait for it."""
    if hasattr(os, "killpg"):
        # Before waiting for the worker, which frees its id, and with it the group's, for other processes.
        with suppress(ProcessLookupError, PermissionError):  # the group is empty (the latter on macOS)
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def _lines(process: subprocess.Popen[str]) -> queue.SimpleQueue[str | None]:
    """Lines of the worker's standard output as they come, then None. A blocked thread costs nothing."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        assert process.stdout is not None
        with suppress(ValueError, OSError):
            for line in process.stdout:
                lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def write_line(process: subprocess.Popen[str], line: str) -> None:
    """Write a request and leave the pipe open: its end tells the worker that this process is gone."""
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.write(line + "\n")
        process.stdin.flush()


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"the worker was ended by {name}"
    return f"the worker ended with exit code {code}"


def _oom_kills() -> int:
    """Number of processes the kernel has killed for lack of memory since it started; 0 if unknown."""
    try:
        text = Path("/proc/vmstat").read_text()
    except OSError:
        return 0
    found = re.search(r"^oom_kill (\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else 0


def last_lines(stderr: IO[bytes]) -> tuple[str, ...]:
    """The last ``TAIL_LINES`` lines of a worker's standard error that are not blank, as a record may keep them."""
    size = stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, size - 20_000))
    lines = stderr.read().decode(errors="replace").splitlines()
    return tuple(scrub(line)[:300] for line in lines if line.strip())[-TAIL_LINES:]


_QUOTED_PATH = re.compile(r"""(['"])(?:[A-Za-z]:[\\/]|~/|/)(?:[^'"\n]*[\\/])?([^'"\\/\n]+)[\\/]?\1""")
_WINDOWS_PATH = re.compile(r"""\b[A-Za-z]:[\\/](?:[^\s\\/:'"]+[\\/])*([^\s\\/:'"]+)""")
_PATH = re.compile(r"""(?<![\w.])(?:~|/[^\s/:'"]+)(?:/[^\s/:'"]+)*/([^\s/:'"]+)""")


def scrub(text: str) -> str:
    """``text`` with every absolute path cut to its last part, and the user's home to ``~``.

    Results hold no path of the user's machine. A path with spaces is recognised only between quotes.
    """
    home = os.path.expanduser("~").rstrip("/\\")
    if home not in ("", "~"):
        text = re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text)
    text = _QUOTED_PATH.sub(r"\1\2\1", text)
    return _PATH.sub(r"\1", _WINDOWS_PATH.sub(r"\1", text))
