"""``bench run`` in the calling process: what it shows, and what it leaves on the terminal, however it ends."""

from pathlib import Path

import pytest

import bench.api
from bench.cli.app import main
from bench.errors import BenchError
from bench.report.progress import LiveDisplay
from bench.report.terminal import render
from bench.runner.events import Silent
from bench.runner.plan import Plan
from bench.stats.results import Results
from bench.store import RunFolder
from tests.report.builder import RunBuilder, case, environment


class Watching(Silent):
    """Counts how often it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class Prepared:
    """A prepared run that returns or raises ``end``."""

    def __init__(self, end: BaseException | RunFolder) -> None:
        self._end = end

    def start(self, observer: object) -> RunFolder:
        if isinstance(self._end, BaseException):
            raise self._end
        return self._end


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run that has ended."""
    run = RunBuilder(seeds=1).ok(case("digits", "mlp", "pytorch"))
    stored = RunFolder.create(tmp_path / "results", run.manifest())
    stored.add_environment(environment())
    for record in run.records:
        stored.append(record)
    return stored


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> Watching:
    """An observer in place of the display."""
    found = Watching()
    monkeypatch.setattr("bench.report.progress.progress", lambda quiet: found)
    return found


def ending(monkeypatch: pytest.MonkeyPatch, end: BaseException | RunFolder) -> None:
    monkeypatch.setattr("bench.runner.run.prepare", lambda request, observer, watch=None: Prepared(end))


def test_the_table_is_shown_although_a_report_cannot_be_written(
    folder: RunFolder, watching: Watching, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder.path / "report.md").mkdir()
    (folder.path / "report.md" / "mine").touch()
    ending(monkeypatch, folder)
    assert main(["run"]) == 2
    out, error = capsys.readouterr()
    assert out == render(Results.of(folder))
    assert error.startswith(f"report.md of run {folder.path.name!r} cannot be written: ")
    assert "bench report" in error
    assert "bug in bench" not in error
    assert not list(folder.path.glob(".report.md*"))


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "continue with: bench run --resume"),
        (BenchError("the disk is full."), 2, "the disk is full."),
        (ZeroDivisionError(), 2, "bug in bench"),
    ],
)
def test_the_display_is_taken_away_however_a_run_of_the_command_ends(
    end: BaseException,
    code: int,
    said: str,
    watching: Watching,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ending(monkeypatch, end)
    assert main(["run"]) == code
    assert said in capsys.readouterr().err
    assert watching.closed


@pytest.mark.parametrize("end", [KeyboardInterrupt(), BenchError("the disk is full.")])
def test_the_display_is_taken_away_however_a_run_from_python_ends(
    end: BaseException, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending(monkeypatch, end)
    with pytest.raises(type(end)):
        bench.api.run("smoke")
    assert watching.closed


def test_the_display_is_taken_away_where_a_resumed_run_has_nothing_left_to_do(
    folder: RunFolder, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending(monkeypatch, folder)
    bench.api.run("smoke")
    assert watching.closed


def test_a_closed_live_line_is_gone_and_may_be_closed_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    display = LiveDisplay()
    display.planned(Plan((), (), 0), tmp_path)
    assert display._live is not None
    for _ in range(2):
        display.close()
        assert display._live is None
    assert capsys.readouterr().err
