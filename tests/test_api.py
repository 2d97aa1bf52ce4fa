"""Runs from Python: opened by name, folder or as the newest; a frame, Markdown, a notebook's table."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bench
from bench.api import Run, open_run
from bench.errors import BenchError
from bench.report.rows import columns
from bench.runner.request import Request
from bench.store import RunFolder
from tests.report.builder import environment, realistic

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run below ``./results``."""
    monkeypatch.chdir(tmp_path)
    run = realistic(["mnist"])
    stored = RunFolder.create(Path("results"), run.manifest())
    stored.add_environment(environment())
    for record in run.records:
        stored.append(record)
    return stored


def test_the_newest_run_is_opened_where_none_is_named(folder: RunFolder) -> None:
    run = bench.open_run()
    assert isinstance(run, Run)
    assert run.path == folder.path
    assert run.manifest.suite == "quick"


def test_a_run_is_opened_by_name_and_by_folder(folder: RunFolder) -> None:
    assert open_run(folder.path.name).path == open_run(folder.path).path == folder.path


def test_where_there_is_no_run_the_error_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BenchError, match="bench run"):
        open_run()


def test_its_records_are_those_of_the_folder(folder: RunFolder) -> None:
    assert list(open_run().records) == folder.records()


def test_a_run_becomes_a_frame(folder: RunFolder) -> None:
    pytest.importorskip("pandas", reason="the frame is pandas'")
    frame = open_run().to_frame()
    assert tuple(frame.columns) == columns(per_trial=False)
    cnn = frame[(frame["model"] == "cnn") & (frame["framework"] == "pytorch")]
    assert cnn["accuracy_mean"].item() == pytest.approx(0.989, abs=0.003)
    assert len(open_run().to_frame(per_trial=True)) == len(folder.records())


def test_a_frame_without_pandas_says_what_to_install(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert folder.path.is_dir()
    with pytest.raises(BenchError, match=r"pip install 'bench-mnist\[frame\]'"):
        open_run().to_frame()


def test_a_run_is_markdown_a_table_in_a_notebook_and_text_when_printed(folder: RunFolder) -> None:
    run = open_run(folder.path)
    assert run.to_markdown("overview").startswith("## bench: suite quick\n")
    assert "<table>" in run._repr_html_()
    assert str(run).startswith("bench: suite quick\n")
    assert repr(run) == "Run('2026-11-22T10-15-00-quick': 14 cases, 32 records)"


def test_pandas_is_imported_by_nothing_but_a_frame(folder: RunFolder) -> None:
    code = (
        "import sys, bench; run = bench.open_run(); run.to_markdown(); run._repr_html_(); str(run)\n"
        "print([name for name in ('pandas', 'numpy', 'scipy', 'rich') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder.path.parent.parent, env={"PATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("axis", "value", "message"),
    [
        ("executions", "compield", "unknown execution 'compield': did you mean 'compiled'?"),
        ("precisions", "bfloat", "unknown precision 'bfloat': did you mean 'bfloat16'?"),
        ("inputs", "loaders", "unknown input 'loaders': did you mean 'loader'?"),
    ],
)
def test_a_misspelt_value_of_an_axis_is_named_with_the_nearest(axis: str, value: str, message: str) -> None:
    with pytest.raises(BenchError) as error:
        bench.run("smoke", **{axis: [value]})  # type: ignore[arg-type]
    assert message in str(error.value)


def test_every_argument_of_the_command_is_one_of_python_and_reaches_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {
        "suite": "smoke",
        "datasets": ["digits"],
        "models": ["mlp"],
        "frameworks": ["pytorch"],
        "devices": ["cpu"],
        "executions": ["eager"],
        "precisions": ["float32"],
        "inputs": ["loader"],
        "batch_sizes": [32],
        "steps_per_execution": [8],
        "channels_last": True,
        "case": "4f2a",
        "seeds": 3,
        "only_seeds": [2],
        "threads": 1,
        "epochs": 5,
        "class_weights": "balanced",
        "timeout_s": 60.0,
        "data_dir": Path("data"),
        "offline": True,
        "results": Path("elsewhere"),
        "resume": True,
    }
    prepared: list[Request] = []

    def prepare(request: Request, observer: object) -> None:
        prepared.append(request)
        raise BenchError("enough")

    monkeypatch.setattr("bench.runner.run.prepare", prepare)
    with pytest.raises(BenchError, match="enough"):
        bench.run(**asked, quiet=True)
    several = {name: tuple(value) for name, value in asked.items() if isinstance(value, list)}
    expected = {**asked, **several, "channels_last": (True,), "command": "bench.run('smoke')"}
    assert dataclasses.asdict(prepared[0]) == expected
