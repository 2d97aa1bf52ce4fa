"""The command line as a whole: exit codes, and errors in words."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import __version__
from bench.cli.app import Commands, main
from bench.cli.lazy import Entry
from bench.report.formats import REPORTS

FAULTS = '''
"""A command that ends in the ways a command can end."""
from bench.errors import BenchError

class Regressed(BenchError):
    exit_code = 1

def fault(kind: str, times: int = 1) -> None:
    """End as told."""
    if kind == "user":
        raise BenchError("mnist: the file is cut short.", "Delete it and run: bench data fetch mnist")
    if kind == "no":
        raise Regressed("cnn is slower than it was.")
    if kind == "interrupt":
        raise KeyboardInterrupt
    if kind == "exit":
        raise SystemExit(1)
    if kind == "defect":
        {}["missing"]
    print("fine", times)
'''


@pytest.fixture
def _faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "faults.py").write_text(FAULTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(Commands.table, "fault", Entry("faults:fault", "Fail in every way."))


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The real command, in a process of its own."""
    command = [sys.executable, "-m", "bench", *arguments]
    environment = {**os.environ, "COLUMNS": "80"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_the_version_is_printed() -> None:
    ended = run("--version")
    assert (ended.returncode, ended.stdout) == (0, f"bench {__version__}\n")


@pytest.mark.parametrize("arguments", [["--version"], ["data", "list"], ["schema"], ["data", "show", "digits"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_disk_that_is_full_is_one_line_and_exit_code_one(
    arguments: list[str], unbuffered: str, tmp_path: Path
) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("/dev/full, a device that is always full, is Linux's")
    environment = {**os.environ, "BENCH_CACHE_DIR": str(tmp_path), "BENCH_OFFLINE": "1", "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "bench", *arguments]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "the output could not be written: No space left on device."
    assert "defect" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_help_names_every_command_with_its_line_uncut() -> None:
    ended = run("--help")
    assert ended.returncode == 0
    for name, entry in Commands.table.items():
        assert f"  {name}" in ended.stdout
        assert entry.help in ended.stdout


@pytest.mark.parametrize("name", Commands.table)
def test_every_command_has_help_of_its_own(name: str) -> None:
    ended = run(name, "--help")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"Usage: bench {name} ")


def test_the_line_of_the_report_names_every_format() -> None:
    said = Commands.table["report"].help.lower()
    assert [name for name in REPORTS if name not in said] == []


def test_no_arguments_show_the_help_and_exit_with_two() -> None:
    ended = run()
    assert ended.returncode == 2
    assert "Commands:" in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lst"], "No such command 'lst'. Did you mean 'list'?"),
        (["list", "modles"], "No such command 'modles'. Did you mean 'models'?"),
        (["schema", "--off"], "No such option"),
        (["schema", "--of", "recrd"], "Invalid value for '--of': 'recrd' is not one of"),
        (["run", "--execution", "compield"], "Invalid value for '--execution': 'compield' is not one of 'eager'"),
    ],
)
def test_a_wrong_question_exits_with_two_and_says_what_is_wrong(arguments: list[str], message: str) -> None:
    ended = run(*arguments)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


@pytest.mark.usefixtures("_faults")
@pytest.mark.parametrize(
    ("kind", "code", "printed"),
    [
        ("user", 2, "mnist: the file is cut short.\n    Delete it and run: bench data fetch mnist\n"),
        ("no", 1, "cnn is slower than it was.\n"),
        ("interrupt", 130, ""),
        ("exit", 1, ""),
        ("none", 0, ""),
    ],
)
def test_each_end_of_a_command_has_its_exit_code_and_its_words(
    kind: str, code: int, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fault", kind]) == code
    assert capsys.readouterr().err == printed


@pytest.mark.usefixtures("_faults")
def test_a_defect_is_owned_up_to_in_two_lines_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fault", "defect"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "unexpected KeyError: 'missing'",
        "    This is a bug in bench. For the traceback, add: --debug",
    ]


@pytest.mark.usefixtures("_faults")
@pytest.mark.parametrize("arguments", [["--debug", "fault", "user"], ["fault", "user", "--debug"]])
def test_debug_shows_the_traceback_wherever_it_stands(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "faults.py" in said
    assert said.endswith("Delete it and run: bench data fetch mnist\n")


@pytest.mark.usefixtures("_faults")
def test_what_follows_two_dashes_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fault", "--", "--debug"]) == 0
    assert capsys.readouterr().out == "fine 1\n"


@pytest.mark.usefixtures("_faults")
def test_a_command_takes_the_options_of_its_function(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fault", "none", "--times", "3"]) == 0
    assert capsys.readouterr().out == "fine 3\n"


def test_a_reader_that_goes_away_is_no_error_of_ours() -> None:
    command = f"{sys.executable} -m bench schema | head -1"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert ended.stdout == "{\n"
    assert ended.stderr == ""
