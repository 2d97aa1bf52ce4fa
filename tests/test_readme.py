"""The README shows what the harness does."""

import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import typer

import bench.runner.expand
from bench.adapters.catalog import ADAPTERS, find_adapter
from bench.cli.app import app, main
from bench.datasets.catalog import resolve
from tests.alone import environment, isolate

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "tests" / "benchmarks" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BENCH = [sys.executable, "-m", "bench"]


def test_the_table_is_the_report_on_the_committed_reference_run() -> None:
    found = re.search(r"<!-- begin: bench report (.*?) -->\n(.*?)<!-- end -->", README, re.DOTALL)
    assert found is not None
    arguments, table = found.groups()
    printed = subprocess.run([*BENCH, "report", *arguments.split()], cwd=ROOT, capture_output=True, check=True).stdout
    assert table.encode() == printed


def test_the_reference_run_shows_all_three_frameworks_on_real_data() -> None:
    from bench.store import RunFolder

    records = RunFolder.open(ROOT / "results" / "reference" / "quick").records()
    seen = {(record.case.dataset, record.case.framework) for record in records if record.status == "ok"}
    expected = {
        (data, framework)
        for data in ("mnist", "fashion-mnist")
        for framework in ("pytorch", "keras-tensorflow", "scikit-learn")
    }
    assert expected <= seen


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_file_a_page_points_to_is_there(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).is_file(), link


def test_the_picture_of_the_data_sets_is_small_and_shows_only_what_may_be_shown() -> None:
    from PIL import Image

    from bench.datasets.catalog import definition_of

    shown = re.search(r"^bench data show (.*) --png datasets.png$", README, re.MULTILINE)
    assert shown is not None
    assert [name for name in shown[1].split() if definition_of(name).restricted] == []
    picture = ROOT / "results" / "reference" / "datasets.png"
    assert picture.stat().st_size < 150_000
    strips = len(shown[1].split())
    with Image.open(picture) as image:  # ten pictures of 84 pixels in a row, one row for each data set
        assert image.width == 8 + 10 * (84 + 8)
        assert strips * 110 < image.height < strips * 180


LINES = [line for page in PAGES for line in page.read_text(encoding="utf-8").splitlines()]
SHOWN = [
    words
    for line in dict.fromkeys(LINES)
    if re.match(r"bench [a-z]", line)
    for words in [shlex.split(line, comments=True)[1:]]
]
WHOLE = [words for words in SHOWN if "|" not in "".join(words)]
NAMES = [words for shown in SHOWN if shown not in WHOLE for words in product(*(word.split("|") for word in shown))]
"""``bench list suites|models`` stands for several commands, which are only named."""


def test_the_commands_of_the_readme_are_found() -> None:
    assert {"run", "report", "data", "equivalence", "diff"} <= {words[0] for words in WHOLE}
    assert ("list", "models") in NAMES


@pytest.mark.parametrize("words", NAMES, ids=" ".join)
def test_a_command_that_the_readme_names_is_one(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: bench {' '.join(words)} ")


def parse(arguments: list[str]) -> None:
    """Parse a command line as ``bench`` does, and run nothing. Raises typer's error if it is not valid."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("bench", arguments)
    while hasattr(command, "resolve_command"):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("words", WHOLE, ids=" ".join)
def test_a_command_of_the_readme_takes_the_options_it_is_shown_with(words: list[str]) -> None:
    parse(words)


@pytest.mark.parametrize("words", [["run", "--execution", "compield"], ["report", "--veiw", "gaps"], ["data", "shwo"]])
def test_a_command_that_bench_does_not_take_is_found(words: list[str]) -> None:
    with pytest.raises(Exception, match=r"is not one of|No such") as found:
        parse(words)
    assert type(found.value).__module__.startswith("typer")


def source_of_the_readmes_model() -> str:
    blocks: list[str] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    return next(block for block in blocks if block.startswith("# net.py"))


def suite_of_the_docs() -> str:
    page = (ROOT / "docs" / "suites.md").read_text(encoding="utf-8")
    (suite,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    return str(suite)


@pytest.mark.parametrize("words", [words for words in WHOLE if words[0] == "run"], ids=" ".join)
def test_a_run_of_the_readme_has_a_plan(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its names are known and go together; digits stand for every data set, so that none need be present."""
    missing = [name for name in ADAPTERS if not find_adapter(name).installed()]
    if missing:
        pytest.skip(f"{' and '.join(missing)} cannot run here")
    digits = resolve("digits", offline=True)  # of the session's cache
    isolate(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bench.runner.expand, "resolve", lambda name, **_: digits)
    Path("net.py").write_text(source_of_the_readmes_model())
    Path("mine.toml").write_text(suite_of_the_docs())
    code = main([*words, *([] if "--dry-run" in words else ["--dry-run"])])
    out, error = capsys.readouterr()
    if "--resume" in words:
        assert error.startswith("no run of suite 'quick' in 'results' to resume")
    else:
        assert code == 0, error
        assert " trials of " in out


def test_the_model_of_ones_own_runs_as_printed(tmp_path: Path) -> None:
    if find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    code = source_of_the_readmes_model()
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    (tmp_path / "net.py").write_text(code)
    command = "run --model ./net.py:Wide --framework torch --dataset digits --seeds 1 --epochs 1"
    done = subprocess.run(
        [*BENCH, *command.split()],
        cwd=tmp_path,
        env=environment(tmp_path, tmp_path / "cache"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Wide" in done.stdout
