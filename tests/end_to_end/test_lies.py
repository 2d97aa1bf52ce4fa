"""An adapter that is proved honestly and then lies where it is timed: no lie keeps its label."""

import csv
import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.command import Bench, Json

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).parent / "lying_package"
SUITE = """
name = "lies"
seeds = 1
training = { epochs = 4, batch_size = 32 }
measuring = { predict_s = 0.01, latency_s = 0.01, latency_calls = 5 }

[[matrix]]
datasets = ["digits"]
models = ["softmax"]
frameworks = ["lying", "scikit-learn", "pytorch"]
"""


@pytest.fixture(scope="module")
def plugged(installed: Bench, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The command where the adapter is installed from a wheel, and proved while it is honest."""
    folder = tmp_path_factory.mktemp("lies")
    shutil.copytree(PACKAGE, folder / "source")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=folder / "source", capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    site = str(folder / "site")
    install = [sys.executable, "-m", "uv", "pip", "install", "--no-index", "--no-deps", "--target", site, str(wheel)]
    subprocess.run(install, capture_output=True, check=True)
    (folder / "lies.toml").write_text(SUITE)
    bench = installed.inside(folder, PYTHONPATH=site)
    ended = bench("equivalence", "--suite", "./lies.toml", "--threads", "1", "--framework", "lying")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return bench


def run(bench: Bench, lie: str) -> tuple[int, Json, dict[str, str]]:
    """The exit code of a run, the record of the adapter, and its row in the CSV report (empty where it has none)."""
    lying = bench.inside(bench.folder, BENCH_LIE=lie)
    ended = lying("run", "--suite", "./lies.toml", "--threads", "1", "--quiet")
    (record,) = [one for one in lying.records() if one["case"]["framework"] == "lying"]
    rows = csv.DictReader(io.StringIO(lying("report", "--format", "csv").stdout))
    return ended.returncode, record, next((row for row in rows if row["framework"] == "lying"), {})


def test_the_adapter_is_proved_and_agrees_while_it_is_honest(plugged: Bench) -> None:
    code, record, row = run(plugged, "")
    assert (code, record["status"], record["equivalence"]) == (0, "ok", "proved"), record["reason"]
    assert row["agreement"] == "agrees"


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        ("deferred", "its weights change when it is asked for what it has counted: it trains off the clock."),
        ("gathered", "holds its images converted to float32: conversion is off the clock."),
        ("cached", "its answers do not follow its weights: it keeps them, or answers by other weights"),
    ],
)
def test_a_lie_about_when_the_work_is_done_ends_as_an_error_that_names_it(plugged: Bench, lie: str, words: str) -> None:
    code, record, _ = run(plugged, lie)
    assert (code, record["status"]) == (1, "error")
    assert words in record["reason"]


def test_three_of_four_batches_skipped_and_counted_all_the_same_differ_from_the_others(plugged: Bench) -> None:
    _, record, row = run(plugged, "skipped")
    assert record["status"] == "ok", record["reason"]
    assert (row["agreement"], row["agreement_from"]) == ("differs", "from epoch 1")
    assert "differs from the others of its row (softmax in lying)" in " ".join(plugged("report").stdout.split())
