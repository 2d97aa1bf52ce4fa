"""A run proves itself, for real: a framework that lies where it is timed is named by its first run."""

import csv
import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.command import Bench

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).parent / "plugin_package"
SUITE = """
name = "lies"
seeds = 1
training = { epochs = 4, batch_size = 32 }
measuring = { predict_s = 0.01, latency_s = 0.01, latency_calls = 5 }

[[matrix]]
datasets = ["digits"]
models = ["softmax"]
frameworks = ["numpy", "scikit-learn", "pytorch"]
"""
STEP = "                self._loss += self._update(rows[batch * size : (batch + 1) * size])\n"
PREDICT = "            logits = self._logits(self._vectors(images))\n"

SKIPPED_BATCHES = """\
                part = rows[batch * size : (batch + 1) * size]
                if {condition}:
                    self._loss += self._said * len(part)
                    self._rows, self._steps, self._step = self._rows + len(part), self._steps + 1, self._step + 1
                else:
                    loss = self._update(part)
                    self._said = loss / len(part)
                    self._loss += loss
"""
LIES = {
    "three of four batches left out": (STEP, SKIPPED_BATCHES.format(condition="batch % 4"), "from epoch 1"),
    "training ends with the third epoch": (
        STEP,
        SKIPPED_BATCHES.format(condition="self._step >= 2 * epoch.pauses[-1]"),
        "from epoch 3",
    ),
    "another order of the batches": (
        STEP,
        STEP.replace("rows[", "rows[::-1]["),
        "from the first step",
    ),
    "test images turned over": (
        PREDICT,
        PREDICT.replace("images)", "images.swapaxes(1, 2))"),
        "in its predictions",
    ),
}
"""The text of the adapter that is replaced, by what, and where the run says that it strayed."""


@pytest.fixture(scope="module")
def plugged(installed: Bench, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The command where somebody else's adapter is installed from a wheel, and the run of it as it is."""
    folder = tmp_path_factory.mktemp("agreement")
    shutil.copytree(PACKAGE, folder / "source")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=folder / "source", capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    site = str(folder / "site")
    install = [sys.executable, "-m", "uv", "pip", "install", "--no-index", "--no-deps", "--target", site, str(wheel)]
    subprocess.run(install, capture_output=True, check=True)
    (folder / "lies.toml").write_text(SUITE)
    return installed.inside(folder, PYTHONPATH=site)


def agreements(bench: Bench, *options: str) -> dict[str, tuple[str, str]]:
    """Run the suite; label and place of each framework as the CSV report has them."""
    ended = bench("run", "--suite", "./lies.toml", "--threads", "1", "--quiet", *options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = bench("report", "--format", "csv")
    assert report.returncode == 0, report.stderr
    rows = csv.DictReader(io.StringIO(report.stdout))
    return {row["framework"]: (row["agreement"], row["agreement_from"]) for row in rows}


def test_a_newcomers_first_run_agrees_without_any_command_before_it(plugged: Bench) -> None:
    assert set(agreements(plugged).values()) == {("agrees", "")}
    report = plugged("report").stdout
    assert "1 seed · agrees\n" in report
    assert "× pytorch" in report


@pytest.mark.parametrize("lie", LIES)
def test_a_framework_that_lies_where_it_is_timed_is_named_by_the_run(plugged: Bench, lie: str) -> None:
    honest, lying, since = LIES[lie]
    (adapter,) = plugged.folder.glob("site/bench_numpy/adapter.py")
    text = adapter.read_text()
    assert honest in text
    adapter.write_text(text.replace(honest, lying).replace("self._step = 0\n", "self._step, self._said = 0, 0.0\n"))
    try:
        found = agreements(plugged)
    finally:
        adapter.write_text(text)
    assert found["numpy"] == ("differs", since)
    assert {found[name] for name in ("pytorch", "scikit-learn")} == {("agrees", "")}
    assert "differs from the others of its row (softmax in numpy)" in " ".join(plugged("report").stdout.split())
