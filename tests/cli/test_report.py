"""``bench report`` finds a run, writes it in any format, and refuses a wrong request with one message."""

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cli.app import main
from bench.report import markdown, terminal
from bench.stats.results import Results
from bench.store import RunFolder
from tests.report.builder import RunBuilder, case, environment, realistic


def store(results: Path, run: RunBuilder, **changes: object) -> RunFolder:
    """Store the run below ``results``."""
    folder = RunFolder.create(results, run.manifest().model_copy(update=changes))
    folder.add_environment(environment())
    for record in run.records:
        folder.append(record)
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two runs below ``results``: ``old`` and, made later, ``new``."""
    monkeypatch.chdir(tmp_path)
    store(
        Path("results"),
        RunBuilder().ok(case("digits", "mlp", "pytorch")),
        name="old",
        created_at="2026-01-01T00:00:00Z",
    )
    store(Path("results"), realistic(), name="new", created_at="2026-02-01T00:00:00Z")
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Output of ``bench report`` when it succeeds."""
    assert main(["report", *arguments]) == 0
    out, error = capsys.readouterr()
    assert error == ""
    return out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Error message for a refused request."""
    assert main(["report", *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in error
    return error


def test_without_a_name_the_newest_run_is_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = terminal.render(Results.of(RunFolder.open(home / "results" / "new")))
    assert printed(capsys) == expected


@pytest.mark.parametrize("name", ["old", "results/old"])
def test_a_run_is_found_by_name_or_folder(home: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert home.is_dir()
    assert "run        old ·" in printed(capsys, name)


def test_runs_may_lie_elsewhere(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.move(home / "results", home / "elsewhere")
    assert "run        old ·" in printed(capsys, "old", "--results", "elsewhere")


def test_a_view_is_one_part_of_the_report(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert home.is_dir()
    assert "accuracy and training" not in printed(capsys, "--view", "overview")
    assert "learning curve" in printed(capsys, "--view", "case", "--model", "cnn")
    whole = printed(capsys, "--view", "all")
    assert all(part in whole for part in ("overview", "accuracy and training", "learning curve"))


def test_names_and_globs_choose_the_cases(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert home.is_dir()
    chosen = ("--dataset", "mn*", "--model", "cnn", "--model", "knn")
    rows = list(csv.DictReader(io.StringIO(printed(capsys, "--format", "csv", *chosen))))
    assert {(row["dataset"], row["model"]) for row in rows} == {("mnist", "cnn"), ("mnist", "knn")}


@pytest.mark.parametrize(
    ("alias", "framework"), [("torch", "pytorch"), ("keras", "keras-*"), ("tf", "keras-tensorflow")]
)
def test_a_framework_may_go_by_its_other_names(
    home: Path, capsys: pytest.CaptureFixture[str], alias: str, framework: str
) -> None:
    assert home.is_dir()
    assert printed(capsys, "--framework", alias) == printed(capsys, "--framework", framework)


def test_per_trial_gives_one_row_a_record(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert home.is_dir()
    trials = json.loads(printed(capsys, "--format", "json", "--per-trial"))["trials"]
    assert len(trials) == len(realistic().records)


def test_the_report_goes_to_the_file_named_in_utf_8(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "--format", "markdown", "--output", "report.md") == ""
    expected = markdown.render(Results.of(RunFolder.open(home / "results" / "new")))
    assert (home / "report.md").read_bytes() == expected.encode()


def test_the_command_itself_writes_utf_8_whatever_the_locale(home: Path) -> None:
    command = [sys.executable, "-m", "bench", "report", "--format", "markdown"]
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(
        command, cwd=home, env={"PATH": "", "LC_ALL": "C", "PYTHONPATH": str(root), "PYTHONIOENCODING": "ascii"},
        capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout == markdown.render(Results.of(RunFolder.open(home / "results" / "new"))).encode()


def test_a_reader_that_has_enough_is_no_defect(home: Path) -> None:
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen(
        [sys.executable, "-m", "bench", "report", "--view", "all"],
        cwd=home, env={"PATH": "", "PYTHONPATH": str(root)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nwe"], "unknown run 'nwe' in results: did you mean 'new'?"),
        (["--format", "cvs"], "unknown report format 'cvs': did you mean 'csv'?"),
        (["--dataset", "mnits"], "unknown data set 'mnits' in run new: did you mean 'mnist'?"),
        (["--model", "x*"], "unknown model 'x*' in run new"),
        (["--per-trial"], "rows per trial are for csv and json."),
        (["--output", "results"], "the report cannot be written to 'results': Is a directory."),
        (["--output", "results/new/run.json/report.md"], "the report cannot be written to"),
        (["--results", "nowhere"], "no run in 'nowhere'."),
        (["--view", "table"], "table"),
    ],
)
def test_a_wrong_question_gets_one_message_and_exit_code_2(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert home.is_dir()
    assert message in refused(capsys, *arguments)
