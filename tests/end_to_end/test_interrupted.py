"""A run that is interrupted keeps what it has, can be reported, and goes on where it stopped."""

import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.command import LIMIT_S, Bench, Ended, Json, cells, read_records
from tests.end_to_end.terminal import Terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="SIGINT and pseudo-terminals are POSIX's"),
]

SLOW = '''
import os
import time
from pathlib import Path

from sklearn.dummy import DummyClassifier

HERE = Path(__file__).parent


class Slow(DummyClassifier):
    """Sleeps in its fit until it may go on, and leaves its process's id."""

    def fit(self, X, y):
        if not (HERE / "go_on").exists():
            (HERE / "fitting.tmp").write_text(str(os.getpid()))
            (HERE / "fitting.tmp").rename(HERE / "fitting")
            time.sleep(120)
        return super().fit(X, y)
'''
OPTIONS = ("run", "--suite", "smoke", "--model", "majority", "--model", "gaussian-nb", "--model", "slow.py:Slow")


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not file.exists():
        assert time.monotonic() < deadline, f"{file.name} did not come"
        time.sleep(0.05)


def is_running(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def interrupted(installed: Bench, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, Ended, list[Json]]:
    """A run that was interrupted while its third trial measured, and its records."""
    bench = installed.inside(tmp_path_factory.mktemp("interrupted"))
    (bench.folder / "slow.py").write_text(SLOW)
    process = bench.start(*OPTIONS)
    wait_for(bench.folder / "fitting")
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    out, err = process.communicate(timeout=LIMIT_S)
    assert time.monotonic() - began < 20, "an interrupted run ends at once, not when the trial does"
    return bench, Ended(OPTIONS, process.returncode, out, err), bench.records()


def test_an_interrupted_run_exits_with_130_and_says_how_to_go_on(interrupted: tuple[Bench, Ended, list[Json]]) -> None:
    _, ended, _ = interrupted
    assert ended.returncode == 130
    assert ended.stderr.splitlines()[-1].startswith("interrupted: all finished records are kept")
    assert "bench run --resume" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_interrupted_run_keeps_its_finished_records_and_one_of_what_was_interrupted(
    interrupted: tuple[Bench, Ended, list[Json]],
) -> None:
    _, _, records = interrupted
    assert {cell: record["status"] for cell, record in zip(cells(records), records, strict=True)} == {
        "digits/majority/scikit-learn": "ok",
        "digits/gaussian-nb/scikit-learn": "ok",
        "digits/Slow/scikit-learn": "interrupted",
    }


def test_the_worker_of_an_interrupted_run_is_ended_with_it(interrupted: tuple[Bench, Ended, list[Json]]) -> None:
    bench, _, _ = interrupted
    assert not is_running(int((bench.folder / "fitting").read_text()))


def test_an_interrupted_run_can_be_reported(interrupted: tuple[Bench, Ended, list[Json]]) -> None:
    bench, _, _ = interrupted
    ended = bench("report")
    assert ended.returncode == 0, ended.stderr
    assert "10.28" in ended.stdout  # 37 of 360 test images are of the most frequent class
    assert "interrupted" in ended.stdout


def test_a_resumed_run_does_what_is_left_and_repeats_nothing(interrupted: tuple[Bench, Ended, list[Json]]) -> None:
    bench, _, before = interrupted
    (bench.folder / "go_on").touch()
    ended = bench(*OPTIONS, "--resume")
    assert ended.returncode == 0, ended.stderr
    (run,) = bench.runs()
    after = read_records(run)
    assert after[: len(before)] == before
    assert [(*cells([record]), record["status"]) for record in after[len(before) :]] == [
        ("digits/Slow/scikit-learn", "ok")
    ]
    assert "1 trial of 1 case" in ended.stderr
    assert "interrupted" not in ended.stdout


def test_control_c_on_a_terminal_ends_the_run_as_a_signal_does(bench: Bench) -> None:
    (bench.folder / "slow.py").write_text(SLOW)
    terminal = Terminal.start(bench, *OPTIONS)
    wait_for(bench.folder / "fitting")
    terminal.press_control_c()
    assert terminal.end() == 130
    assert "interrupted: all finished records are kept" in terminal.text
    assert "Traceback" not in terminal.text
    assert [record["status"] for record in bench.records()] == ["ok", "ok", "interrupted"]
    assert not is_running(int((bench.folder / "fitting").read_text()))


def test_a_run_that_is_told_to_end_keeps_what_it_has_as_after_control_c(bench: Bench) -> None:
    (bench.folder / "slow.py").write_text(SLOW)
    process = bench.start(*OPTIONS)
    wait_for(bench.folder / "fitting")
    process.terminate()
    _, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130
    assert err.splitlines()[-1].startswith("interrupted: all finished records are kept")
    assert [record["status"] for record in bench.records()] == ["ok", "ok", "interrupted"]
    assert not is_running(int((bench.folder / "fitting").read_text()))


def test_a_worker_does_not_outlive_a_run_that_is_killed(bench: Bench) -> None:
    (bench.folder / "slow.py").write_text(SLOW)
    process = bench.start(*OPTIONS)
    wait_for(bench.folder / "fitting")
    worker = int((bench.folder / "fitting").read_text())
    process.kill()
    process.communicate(timeout=LIMIT_S)
    deadline = time.monotonic() + 20
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_running(worker)
    assert [record["status"] for record in bench.records()] == ["ok", "ok"]
