"""A user's model that fails costs its own trial: its record says why and where, and the rest runs."""

import pytest

from tests.end_to_end.command import Bench, Ended, Json

pytestmark = pytest.mark.slow

SCIKIT = """
import os
import signal

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Base(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


class Raises(Base):
    def fit(self, X, y):
        raise ValueError("no such kernel")  # the line that is named


class WrongShape(Base):
    def predict(self, X):
        return np.zeros((len(X), 2), int)


class WrongLabel(Base):
    def predict(self, X):
        return np.full(len(X), 77)


class NaN(Base):
    def predict_proba(self, X):
        return np.full((len(X), 10), np.nan)


class Exits(Base):
    def fit(self, X, y):
        raise SystemExit(0)


class Dies(Base):
    def fit(self, X, y):
        os.kill(os.getpid(), signal.SIGSEGV)


class Sleeps(Base):
    def fit(self, X, y):
        import time
        time.sleep(60)


class Greedy(Base):
    def fit(self, X, y):
        raise MemoryError("40 GiB asked for")


class Talks(Base):
    def fit(self, X, y):
        print("printed by the user's model")
        os.write(1, b"{}\\n")
        return self
"""

TORCH = """
from torch import nn


class Raises(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.linear = nn.Linear(64, classes)

    def forward(self, images):
        raise RuntimeError("cannot go on")  # the line that is named


def wrong_shape(shape, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, classes - 3))


class NaN(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.linear = nn.Linear(64, classes)

    def forward(self, images):
        values = self.linear(images.flatten(1))
        return values / 0 * 0 if self.training else values
"""

KERAS = """
import keras


class Odd(keras.layers.Layer):
    def call(self, images):
        raise RuntimeError("cannot go on")  # the line that is named


def raises(shape, classes):
    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), Odd()])
"""

FILES = {"scikit.py": SCIKIT, "torch_net.py": TORCH, "keras_net.py": KERAS}
MODELS = (
    *(f"scikit.py:{name}" for name in ("Raises", "WrongShape", "WrongLabel", "NaN", "Exits", "Dies", "Greedy")),
    *(f"torch_net.py:{name}" for name in ("Raises", "wrong_shape", "NaN")),
    "keras_net.py:raises",
)


def marked(file: str) -> str:
    """Location of the marked line of ``file``, as a record names it."""
    lines = FILES[file].splitlines()
    number = next(number for number, line in enumerate(lines, start=1) if "the line that is named" in line)
    return f"{file}, line {number}"


@pytest.fixture(scope="module")
def run(installed: Bench, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, Ended]:
    """One run of every failing model and a shipped one."""
    bench = installed.inside(tmp_path_factory.mktemp("failing"))
    for file, source in FILES.items():
        (bench.folder / file).write_text(source)
    models = [word for model in (*MODELS, "majority", "scikit.py:Talks") for word in ("--model", model)]
    return bench, bench("run", "--suite", "smoke", "--dataset", "digits", *models)


@pytest.fixture(scope="module")
def records(run: tuple[Bench, Ended]) -> dict[str, Json]:
    """The run's records by framework and model."""
    return {f"{record['case']['framework']}/{record['case']['model']}": record for record in run[0].records()}


@pytest.mark.parametrize(
    ("case", "status", "reason"),
    [
        ("scikit-learn/Raises", "error", f"ValueError: no such kernel ({marked('scikit.py')})"),
        ("pytorch/Raises", "error", f"RuntimeError: cannot go on ({marked('torch_net.py')})"),
        ("keras-tensorflow/raises", "error", f"RuntimeError: cannot go on ({marked('keras_net.py')})"),
        ("scikit-learn/WrongShape", "error", "labels of shape (360, 2), expected (360,)"),
        ("pytorch/wrong_shape", "error", "shape (2, 7) for 2 images of shape (8, 8, 1); (2, 10) expected"),
        ("scikit-learn/WrongLabel", "error", "label 77, but the classes are 0 to 9"),
        ("scikit-learn/NaN", "diverged", "probabilities with NaN for 360 of 360 samples"),
        ("pytorch/NaN", "diverged", "loss of the first step is nan"),
        ("scikit-learn/Exits", "error", "SystemExit"),
        ("scikit-learn/Dies", "crashed", "SIGSEGV in phase 'fit'"),
        ("scikit-learn/Greedy", "out-of-memory", "40 GiB asked for"),
    ],
)
def test_a_model_that_fails_leaves_a_record_that_says_how(
    case: str, status: str, reason: str, records: dict[str, Json]
) -> None:
    record = records[case]
    assert record["status"] == status
    assert reason in record["reason"]
    assert record["scores"] is None
    assert "\n" not in record["reason"]


def test_a_failing_model_makes_the_run_exit_with_one_and_shows_no_traceback(run: tuple[Bench, Ended]) -> None:
    _, ended = run
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr + ended.stdout
    for status in ("error", "diverged", "crashed", "out-of-memory"):
        assert f": {status}: " in ended.stderr
        assert status in ended.stdout


def test_the_tail_of_what_a_failing_model_wrote_is_kept_without_paths(
    run: tuple[Bench, Ended], records: dict[str, Json]
) -> None:
    tail = "\n".join(records["scikit-learn/Raises"]["stderr_tail"])
    assert marked("scikit.py").replace(".py,", '.py",') in tail
    assert tail.endswith("\nValueError: no such kernel")
    assert str(run[0].folder) not in tail


def test_a_failing_model_spoils_no_other(records: dict[str, Json]) -> None:
    assert records["scikit-learn/majority"]["status"] == "ok"


def test_what_a_model_prints_does_not_disturb_its_trial(run: tuple[Bench, Ended], records: dict[str, Json]) -> None:
    assert records["scikit-learn/Talks"]["status"] == "ok"
    assert "printed by the user's model" not in run[1].stdout + run[1].stderr


def test_a_trial_that_takes_too_long_is_ended_and_says_in_which_phase(bench: Bench) -> None:
    (bench.folder / "scikit.py").write_text(SCIKIT)
    ended = bench("run", "--suite", "smoke", "--model", "scikit.py:Sleeps", "--timeout", "3")
    assert ended.returncode == 1
    (record,) = bench.records()
    assert (record["status"], record["reason"]) == ("timeout", "did not end within 3 s; it was in phase 'fit'.")
    assert 3 <= record["wall_s"] < 30
