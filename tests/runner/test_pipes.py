"""A worker's standard output holds messages alone, and a worker whose parent is gone ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.runner.pipes import first_line

ROOT = Path(__file__).parents[2]


def started(code: str) -> "subprocess.Popen[str]":
    begin = "import os, time\nfrom bench.runner.pipes import end_with_parent, open_messages, send_line\n"
    return subprocess.Popen(
        [sys.executable, "-c", begin + code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_whatever_else_is_printed_goes_to_standard_error() -> None:
    code = (
        "messages = open_messages()\n"
        "print('from Python', flush=True)\n"
        "os.write(1, b'from a library\\n')\n"
        "send_line(messages, 'größer')\n"
    )
    with started(code) as process:
        said, noise = process.communicate(timeout=30)
    assert said == "größer\n"
    assert noise == "from Python\nfrom a library\n"


def test_a_worker_ends_when_its_parent_is_gone_and_not_before() -> None:
    code = "messages = open_messages()\nend_with_parent()\nsend_line(messages, 'ready')\ntime.sleep(60)\n"
    with started(code) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(timeout=30) == 1


@pytest.mark.parametrize(("said", "first"), [("one\ntwo", "one"), ("", ""), ("\n", "")])
def test_the_first_line_of_an_error_is_told(said: str, first: str) -> None:
    assert first_line(ValueError(said)) == first
