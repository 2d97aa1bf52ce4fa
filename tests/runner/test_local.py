"""Worker processes: however a trial ends, the parent says so and nothing of it survives."""

import getpass
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from textwrap import dedent

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.runner.job import Job, Message
from bench.runner.local import TAIL_LINES, Outcome, ask_worker, run_job, scrub
from tests.runner.small import job, own_file

ROOT = Path(__file__).parents[2]

MODELS = '''
import os, signal, stat, subprocess, sys, time
from sklearn.dummy import DummyClassifier

class Faulty(DummyClassifier):
    """Says where it runs, then does what it is told to."""
    def fit(self, vectors, labels):
        open(os.path.join(os.path.dirname(__file__), "pids"), "a").write(f"{os.getpid()} ")
        self.misbehave()
        return super().fit(vectors, labels)

class Sleeper(Faulty):
    def misbehave(self): time.sleep(600)

class Parent(Faulty):
    def misbehave(self):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open(os.path.join(os.path.dirname(__file__), "pids"), "a").write(f"{child.pid} ")
        time.sleep(600)

class Abandoner(Faulty):
    """Ends by itself, and leaves a child behind."""
    def misbehave(self):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open(os.path.join(os.path.dirname(__file__), "pids"), "a").write(f"{child.pid} ")
        os._exit(3)

class Torn(Faulty):
    """Is killed while it writes its answer to the pipe of its messages."""
    def misbehave(self):
        for number in range(3, 100):
            try:
                if stat.S_ISFIFO(os.fstat(number).st_mode):
                    os.write(number, b'{"measured": {"phases": {"import')
            except OSError:
                pass
        os.kill(os.getpid(), signal.SIGKILL)

class Crasher(Faulty):
    def misbehave(self):
        print("about to crash in " + __file__, file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)

class Leaver(Faulty):
    def misbehave(self): os._exit(3)

class Talker(Faulty):
    def misbehave(self):
        print('{"phase": "nonsense"}', flush=True)
        os.write(1, b"not even JSON\\n" * 5000)
        subprocess.run(["echo", "from a child"])

class Raiser(Faulty):
    def misbehave(self):
        for number in range(40): print("line", number, file=sys.stderr)
        raise FileNotFoundError(2, "no such thing", __file__)

class Hungry(Faulty):
    def misbehave(self): raise MemoryError("cannot hold this")

class NotANumber(Faulty):
    def predict_proba(self, vectors): return super().predict_proba(vectors) * float("nan")
    def misbehave(self): pass

class Interrupted(Faulty):
    def misbehave(self): raise KeyboardInterrupt
'''


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Outcome]:
    """Runs one of the models above on digits, and returns how it ended."""
    own_file(tmp_path, MODELS)

    def run(name: str, timeout_s: float = 60.0, announce: Callable[[str], None] = lambda _: None) -> Outcome:
        return run_job(_job(tmp_path, name), {}, timeout_s, announce)

    return run


def _job(folder: Path, name: str) -> Job:
    return job(folder, f"{folder / 'net.py'}:{name}", model=name, framework="scikit-learn", training=None)


def wait_until(what: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.05)
    return what()


def noted(folder: Path) -> bool:
    """True if a process has noted itself: the file exists before its content."""
    return (folder / "pids").exists() and bool((folder / "pids").read_text())


def gone(folder: Path) -> bool:
    """True if all processes that noted themselves have ended; a zombie has."""
    pids = [int(pid) for pid in (folder / "pids").read_text().split()]
    assert pids
    return all(not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie" for pid in pids)


def test_a_trial_that_does_not_end_is_ended_with_its_children_and_its_phase_is_named(
    run: Callable[..., Outcome], tmp_path: Path
) -> None:
    outcome = run("Parent", timeout_s=10.0)
    assert (outcome.status, outcome.measured) == ("timeout", None)
    assert outcome.reason == "did not end within 10 s; it was in phase 'fit'."
    assert 10 <= outcome.wall_s < 20
    assert len((tmp_path / "pids").read_text().split()) == 2
    assert wait_until(lambda: gone(tmp_path))


def test_a_crash_is_named_by_its_signal_with_the_last_words(run: Callable[..., Outcome], tmp_path: Path) -> None:
    outcome = run("Crasher")
    assert (outcome.status, outcome.reason) == ("crashed", "the worker was ended by SIGSEGV in phase 'fit'.")
    assert outcome.stderr_tail[-1] == "about to crash in net.py"
    assert str(tmp_path) not in "".join(outcome.stderr_tail)


def test_a_worker_that_leaves_without_a_word_has_crashed(run: Callable[..., Outcome]) -> None:
    outcome = run("Leaver")
    assert (outcome.status, outcome.reason) == ("crashed", "the worker ended with exit code 3 in phase 'fit'.")


def test_a_child_of_a_worker_that_has_ended_by_itself_is_ended_too(run: Callable[..., Outcome], tmp_path: Path) -> None:
    outcome = run("Abandoner")
    assert (outcome.status, outcome.reason) == ("crashed", "the worker ended with exit code 3 in phase 'fit'.")
    assert len((tmp_path / "pids").read_text().split()) == 2
    assert wait_until(lambda: gone(tmp_path), 5)


def test_an_answer_that_is_torn_is_none(run: Callable[..., Outcome]) -> None:
    outcome = run("Torn")
    assert (outcome.status, outcome.reason) == ("crashed", "the worker was ended by SIGKILL in phase 'fit'.")


def test_what_a_worker_prints_disturbs_nothing(run: Callable[..., Outcome]) -> None:
    phases: list[str] = []
    outcome = run("Talker", announce=phases.append)
    assert outcome.status == "ok", outcome
    assert outcome.stderr_tail == ()
    assert phases == ["import", "load", "build", "fit", "evaluate", "predict", "latency"]
    assert outcome.measured is not None
    assert outcome.measured.scores.rows == 360


def test_an_error_of_the_users_is_one_sentence_with_their_line_and_no_path(
    run: Callable[..., Outcome], tmp_path: Path
) -> None:
    outcome = run("Raiser")
    line = 1 + MODELS.splitlines().index('        raise FileNotFoundError(2, "no such thing", __file__)')
    assert outcome.status == "error"
    assert outcome.reason == f"Raiser: FileNotFoundError: [Errno 2] no such thing: 'net.py' (net.py, line {line})"
    assert len(outcome.stderr_tail) == TAIL_LINES
    assert "FileNotFoundError" in outcome.stderr_tail[-1]
    assert str(tmp_path) not in "\n".join(outcome.stderr_tail)
    assert str(ROOT) not in "\n".join(outcome.stderr_tail)


def test_no_memory_left_is_a_status_of_its_own(run: Callable[..., Outcome]) -> None:
    outcome = run("Hungry")
    assert (outcome.status, outcome.reason) == ("out-of-memory", "MemoryError: cannot hold this")


def test_an_answer_that_is_no_number_has_diverged(run: Callable[..., Outcome]) -> None:
    outcome = run("NotANumber")
    assert outcome.status == "diverged"
    assert "NaN" in str(outcome.reason)


def test_ctrl_c_ends_the_worker_and_is_raised_again(run: Callable[..., Outcome], tmp_path: Path) -> None:
    """A real SIGINT to this process, while the worker sleeps in its fit."""

    def interrupt(phase: str) -> None:
        if phase == "fit":
            assert wait_until(lambda: noted(tmp_path))
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run("Sleeper", announce=interrupt)
    assert gone(tmp_path)


def test_a_worker_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    own_file(tmp_path, MODELS)
    (tmp_path / "job.json").write_text(_job(tmp_path, "Sleeper").model_dump_json())
    code = f"""
        from pathlib import Path
        from bench.runner.job import Job
        from bench.runner.local import run_job
        run_job(Job.model_validate_json(Path({str(tmp_path / "job.json")!r}).read_text()), {{}}, 600, print)
    """
    parent = subprocess.Popen([sys.executable, "-c", dedent(code)], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: noted(tmp_path), 30)
        assert not gone(tmp_path)
    finally:
        parent.kill()
        parent.wait()
    assert wait_until(lambda: gone(tmp_path))


def test_a_worker_that_prints_nothing_is_asked_in_vain() -> None:
    with pytest.raises(BenchError, match=r"a worker \(--probe nonsense\) did not answer: \S"):
        ask_worker(["--probe", "nonsense"], {})


def test_a_probe_is_answered_with_one_message() -> None:
    answer = ask_worker(["--probe", "scikit-learn"], {})
    assert isinstance(answer, Message)
    assert answer.probe is not None
    assert answer.probe["devices"] == ["cpu"]


PLAIN = st.text(st.characters(categories=["Ll", "Lu", "Nd"]), min_size=3, max_size=8).map(lambda word: f"q{word}")
SPACED = st.lists(PLAIN, min_size=1, max_size=3).map(" ".join)
FORMS = ["{}", "at {}, line 3", "'{}'", '"{}"', 'File "{}", line 7, in fit', "({})", "path={}", "{}:12: Warning"]


@settings(max_examples=200, deadline=None)
@given(st.lists(PLAIN, min_size=2, max_size=6), st.sampled_from([*FORMS, "file://{}", "[{}]", "<{}>", "x {} y {} z"]))
def test_an_absolute_path_is_cut_to_its_last_part(parts: list[str], form: str) -> None:
    path = "/" + "/".join(parts)
    found = scrub(form.replace("{}", path))
    assert path not in found
    assert parts[-1] in found
    assert not any(part in found for part in parts[:-1] if part not in parts[-1] and part not in form)


@settings(max_examples=200, deadline=None)
@given(st.lists(SPACED, min_size=2, max_size=5), st.sampled_from(["'{}'", '"{}"', 'File "{}", line 7, in fit']))
def test_a_quoted_path_with_spaces_is_cut_to_its_last_part(parts: list[str], form: str) -> None:
    found = scrub(form.replace("{}", "/" + "/".join(parts)))
    assert parts[-1] in found
    assert not any(part in found for part in parts[:-1] if part not in parts[-1])


@settings(max_examples=100, deadline=None)
@given(st.lists(PLAIN, min_size=2, max_size=6), st.sampled_from(["C", "z"]), st.sampled_from(["\\", "/"]))
def test_a_path_of_windows_is_cut_to_its_last_part(parts: list[str], drive: str, slash: str) -> None:
    found = scrub(f"cannot open {drive}:{slash}{slash.join(parts)} now")
    assert parts[-1] in found
    assert not any(part in found for part in parts[:-1] if part not in parts[-1])


@pytest.mark.parametrize(
    "text",
    [
        "loss is 1.5/2.5 of it",
        "mnist/cnn/pytorch/cpu",
        "a/b and 3 / 4",
        "torch/nn/modules/linear.py",
        "ValueError: x",
        "https: yes/no",
        "",
    ],
)
def test_what_is_no_absolute_path_stays_as_it_is(text: str) -> None:
    assert scrub(text) == text


def test_the_users_home_is_named_by_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/qalice")
    for text in ("No such file: '/home/qalice'", "in /home/qalice/", "/home/qalice/net.py", "at /home/qalice now"):
        assert "qalice" not in scrub(text)
    assert scrub("/home/qalice/net.py") == "net.py"


def test_a_real_traceback_holds_no_folder_of_this_machine() -> None:
    code = "import json\njson.loads('{')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    scrubbed = [scrub(line) for line in ended.stderr.splitlines()]
    assert any('File "decoder.py"' in line for line in scrubbed)
    folders = {part for part in PurePosixPath(sys.prefix).parts[1:] if len(part) > 3}
    assert not any(f"/{folder}/" in line for line in scrubbed for folder in folders)
    assert not any(f"{getpass.getuser()}/" in line for line in scrubbed)
    assert os.sep not in "".join(scrubbed)


def test_a_worker_imports_the_package_of_its_parent_where_another_one_is_installed(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "bench", tmp_path / "bench", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "bench" / "whereabouts.py").write_text("print(__file__)")
    asking = (
        "from bench.runner.local import worker_process\n"
        "with worker_process([], 1, {}, 'bench.whereabouts') as (process, _): print(process.stdout.read())"
    )
    asked = subprocess.run([sys.executable, "-c", asking], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(asked.stdout.strip()) == tmp_path / "bench" / "whereabouts.py"
