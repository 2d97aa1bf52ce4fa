"""The display of a run while it goes, and its cost to the machine that is being measured."""

import re
import sys
import time
from pathlib import Path
from statistics import median

import pytest

from tests.end_to_end.command import LIMIT_S, Bench
from tests.end_to_end.terminal import Terminal

pytestmark = pytest.mark.slow

EPOCHS = """
import time
from pathlib import Path

from torch import nn

HERE = Path(__file__).parent


class Sleepy(nn.Module):
    '''A training step of half a second that computes next to nothing; says in a file how many there were.'''

    def __init__(self, shape, classes):
        super().__init__()
        self.linear = nn.Linear(64, classes)
        self.steps = 0

    def forward(self, images):
        if self.training:
            self.steps += 1
            (HERE / "steps.tmp").write_text(str(self.steps))
            (HERE / "steps.tmp").rename(HERE / "steps")
            time.sleep(0.5)
        return self.linear(images.flatten(1))
"""

SUITE = """
name = "sleepy"
seeds = 1
[training]
epochs = 5
batch_size = 720
[measuring]
predict_s = 0.1
latency_s = 0.1
[[matrix]]
datasets = ["digits"]
models = ["sleepy.py:Sleepy"]
"""


def wakes(process: int) -> int:
    """Number of times the threads of a process have begun to wait, from the kernel: the same as their wake-ups."""
    statuses = [(task / "status").read_text() for task in Path(f"/proc/{process}/task").iterdir()]
    return sum(int(re.findall(r"^voluntary_ctxt_switches:\s*(\d+)$", text, re.MULTILINE)[0]) for text in statuses)


@pytest.mark.skipif(sys.platform != "linux", reason="wakes of a process are read from Linux's /proc")
def test_the_parent_sleeps_while_a_worker_trains(bench: Bench) -> None:
    (bench.folder / "sleepy.py").write_text(EPOCHS)
    (bench.folder / "sleepy.toml").write_text(SUITE)
    terminal = Terminal.start(bench, "run", "--suite", "sleepy.toml")  # live, the display that costs most
    steps = bench.folder / "steps"
    deadline = time.monotonic() + LIMIT_S
    woken = []
    for step in range(1, 11):  # two batches in each of five epochs
        while not steps.exists() or int(steps.read_text()) < step:
            assert time.monotonic() < deadline, f"step {step} was not trained"
            time.sleep(0.02)
        time.sleep(0.1)  # what the worker says comes at the begin of an epoch
        before = wakes(terminal.process.pid)
        time.sleep(0.3)
        woken.append(wakes(terminal.process.pid) - before)
    assert terminal.end() == 0, terminal.text
    assert "epoch 5/5" in terminal.text  # it was drawn meanwhile
    assert median(woken) == 0, woken


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is POSIX's")
def test_on_a_terminal_a_live_line_shows_what_runs_and_how_much_is_left(bench: Bench) -> None:
    terminal = Terminal.start(bench, "run", "--suite", "smoke", "--model", "majority", "--model", "gaussian-nb")
    assert terminal.end() == 0, terminal.text
    drawn = [line for line in re.split(r"\r|\n|\x1b\[[0-9;?]*[A-Za-z]", terminal.text) if "╌" in line]
    assert re.fullmatch(r"╌{10} 1/2 · \d+ s left · [a-z]+ · digits/majority/scikit-learn/cpu .*", drawn[0])
    assert re.fullmatch(r"━{5}╌{5} 2/2 · \d+ s left · [a-z]+ · digits/gaussian-nb/scikit-learn/cpu .*", drawn[-1])
    assert max(map(len, drawn)) <= 80
    assert "digits/gaussian-nb/scikit-learn/cpu seed 0:" in terminal.text  # the line that stays


def test_in_a_pipe_a_run_writes_plain_lines_and_the_table_apart(bench: Bench) -> None:
    ended = bench("run", "--suite", "smoke", "--model", "majority", "--model", "gaussian-nb")
    assert ended.returncode == 0, ended.stderr
    assert "\x1b" not in ended.stderr + ended.stdout
    assert re.search(r"^\[1/2\] digits/majority/scikit-learn/cpu seed 0: 10\.28 %", ended.stderr, re.MULTILINE)
    assert re.search(r"^\[2/2\] digits/gaussian-nb/scikit-learn/cpu seed 0: \d\d\.\d\d %", ended.stderr, re.MULTILINE)
    assert max(map(len, ended.stdout.splitlines())) <= 80
    written = re.findall(r"^written: (\S+)$", ended.stderr, re.MULTILINE)
    assert sorted(Path(file).suffix for file in written) == [".csv", ".md"]
    for file in written:
        assert "gaussian-nb" in (bench.folder / file).read_text()


def test_a_quiet_run_shows_its_table_alone(bench: Bench) -> None:
    ended = bench("run", "--suite", "smoke", "--model", "majority", "--quiet")
    assert ended.returncode == 0
    assert "majority" in ended.stdout
    assert "[1/1]" not in ended.stderr
    assert "about" not in ended.stderr
