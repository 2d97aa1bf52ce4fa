"""Tests that need a process of their own are run in one, and reported as they went."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

RunPytest = Callable[..., tuple[int, str]]
ROOT = Path(__file__).parent.parent
CONFTEST = f"import sys; sys.path.insert(0, {str(ROOT)!r})\npytest_plugins = ['tests.own_process']\n"
SETTINGS = "[pytest]\nmarkers =\n    own_process(name)\n    slow\n    alone\n"


@pytest.fixture
def run_pytest(tmp_path: Path) -> RunPytest:
    """Runs a test module of the given source by itself, and returns the exit code and what was printed."""

    def run(source: str, *options: str) -> tuple[int, str]:
        (tmp_path / "pytest.ini").write_text(SETTINGS)
        (tmp_path / "conftest.py").write_text(CONFTEST)
        (tmp_path / "test_it.py").write_text(f"import os, sys, pytest\n\n{source}")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", *options]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return ended.returncode, ended.stdout + ended.stderr

    return run


MIXED = """
@pytest.mark.own_process("a")
class TestApart:
    def test_passes(self): assert os.getpid() != HERE
    def test_fails(self): assert 1 + 1 == 3
    def test_skips(self): pytest.skip("not on this machine")

def test_here(): assert os.getpid() == HERE

HERE = int(os.environ.setdefault("HERE", str(os.getpid())))
"""


def test_each_test_of_another_process_is_reported_with_its_own_outcome(run_pytest: RunPytest) -> None:
    code, printed = run_pytest(MIXED)
    assert code == 1
    assert "2 passed" in printed
    assert "1 failed" in printed
    assert "assert (1 + 1) == 3" in printed
    assert "not on this machine" in printed


def test_an_abort_fails_the_test_that_was_running_and_keeps_those_that_had_finished(run_pytest: RunPytest) -> None:
    code, printed = run_pytest("""
@pytest.mark.own_process("a")
class TestApart:
    def test_before(self): pass
    def test_aborts(self): os.abort()
    def test_after(self): pass
""")
    assert code == 1
    assert "1 passed" in printed
    assert "2 failed" in printed
    assert "its process ended with SIGABRT before this test did" in printed


def test_tests_of_one_name_share_a_process_and_those_of_two_do_not(run_pytest: RunPytest, tmp_path: Path) -> None:
    code, printed = run_pytest("""
def say(name): open("processes", "a").write(f"{name}-{os.getpid()} ")
@pytest.mark.own_process("a")
def test_1(): say("a")
@pytest.mark.own_process("b")
def test_2(): say("b")
@pytest.mark.own_process("a")
def test_3(): say("a")
""")
    assert code == 0, printed
    processes = (tmp_path / "processes").read_text().split()
    assert len(processes) == 3
    assert len(set(processes)) == 2


def test_a_framework_in_the_process_of_all_tests_fails_the_test_that_let_it_in(run_pytest: RunPytest) -> None:
    code, printed = run_pytest("""
def test_innocent(): pass
def test_imports(): sys.modules["torch"] = sys
def test_later(): pass
""")
    assert code == 1
    assert "3 passed, 1 error" in printed
    assert "ERROR test_it.py::test_imports" in printed
    assert "imports torch: mark it own_process" in printed


def test_a_framework_imported_at_the_head_of_a_test_module_is_refused(run_pytest: RunPytest) -> None:
    code, printed = run_pytest("sys.modules['torch'] = sys\ndef test_it(): pass\n")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert "a test module imports torch when it is read" in printed


def test_two_processes_worth_of_tests_are_refused_in_one(run_pytest: RunPytest) -> None:
    source = "@pytest.mark.own_process('a')\ndef test_a(): pass\n@pytest.mark.own_process('b')\ndef test_b(): pass\n"
    code, printed = run_pytest(source, "--in-process")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert "these tests need a process each: a, b" in printed


def test_other_processes_run_beside_the_tests_of_this_one_and_not_beside_those_that_run_alone(
    run_pytest: RunPytest,
) -> None:
    code, printed = run_pytest("""
import pathlib, time

def wait_for(name):
    end = time.monotonic() + 20
    while not pathlib.Path(name).exists():
        assert time.monotonic() < end
        time.sleep(0.01)

@pytest.mark.alone
def test_alone(): assert pathlib.Path("apart ended").exists()

@pytest.mark.own_process("a")
def test_apart():
    pathlib.Path("apart began").touch()
    wait_for("here")
    pathlib.Path("apart ended").touch()

def test_here():
    wait_for("apart began")
    pathlib.Path("here").touch()
""")
    assert code == 0, printed
