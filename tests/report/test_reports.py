"""Properties of every report of every run: nothing hidden, nothing too wide, nothing left to chance."""

import csv
import io
import itertools
import json
import random
import re

import pytest
from hypothesis import HealthCheck, assume, given, settings

from bench.report import markdown, terminal
from bench.report.document import width
from bench.report.formats import REPORTS
from bench.report.naming import Names
from bench.report.views import View
from bench.stats.results import Results
from tests.report.builder import RunBuilder, case, realistic
from tests.report.runs import runs

quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)

TABLES: list[View] = ["overview", "datasets", "case", "all", "default"]


def expanded(text: str) -> set[str]:
    """Every name of a case in ``text``, braces expanded as a shell would; line breaks do not matter."""
    joined = re.sub(r"\s+", " ", text)
    lists = re.findall(
        r"(?:\{[^}]*\}|[\w.:-]+)/(?:\{[^}]*\}|[\w.:-]+)/[\w.-]+/[\w:]+(?: (?:matched|idiomatic))?", joined
    )
    return {"".join(parts) for line in lists for parts in itertools.product(*_alternatives(line))}


def _alternatives(line: str) -> list[list[str]]:
    return [part[1:-1].split(", ") if part.startswith("{") else [part] for part in re.split(r"(\{[^}]*\})", line)]


@quick
@given(runs())
@pytest.mark.parametrize("view", TABLES)
def test_no_line_in_the_terminal_is_wider_than_80(view: View, run: RunBuilder) -> None:
    text = terminal.render(run.results(), view=view)
    # A single word of a command is left whole, or it could not be copied.
    words = [line for line in text.splitlines() if line.startswith("    ") and " " not in line.strip(" \\")]
    assert [line for line in text.splitlines() if width(line) > 80 and line not in words] == []
    assert not [line for line in text.splitlines() if line != line.rstrip()]


@quick
@given(runs())
@pytest.mark.parametrize("format", [terminal, markdown])
def test_every_case_is_in_the_table_of_its_data_set_or_in_the_list_of_what_failed(
    format: object, run: RunBuilder
) -> None:
    results = run.results()
    names = Names(one.case for one in results.summaries)
    text = format.render(results, view="datasets").replace("\\", "")  # type: ignore[attr-defined]
    listed = expanded(text.partition("Sorted by")[0])
    for one in results.summaries:
        if one.ok:
            # Every case that gave figures has a row that holds its accuracy, before any wrapping of names.
            assert f"{100 * (one.accuracy or 0):.2f}" in text
        if one.failed or not one.records:
            assert names.cell(one.case) in listed


@quick
@given(runs())
def test_every_case_has_a_cell_in_the_overview(run: RunBuilder) -> None:
    results = run.results()
    text = markdown.render(results, view="overview")
    accuracy = [part for part in text.split("**")[1:] if part.startswith("\n\n| data set")]
    cells = [cell.strip() for table in accuracy for line in table.splitlines() for cell in line.split("|")[3:-1]]
    for one in results.summaries:
        shown = f"{100 * one.accuracy:.2f}" if one.accuracy is not None else one.status
        assert any(cell.startswith(shown) for cell in cells), (one.case.cell, shown)


UNMEASURED = {"data set", "model", "framework"}


@quick
@given(runs())
@pytest.mark.parametrize("view", ["overview", "datasets"])
def test_no_figure_stands_without_its_spread(view: View, run: RunBuilder) -> None:
    results = run.results()
    # If the reference has one trial, a ratio has no spread either; another test checks that.
    assume(all(len(one.ok) in (0, run.seeds) or one.deterministic for one in results.summaries))
    names = Names(one.case for one in results.summaries)
    repeated = {(names.model(one.case), names.system(one.case)) for one in results.summaries if len(one.ok) > 1}
    for head, *lines in figures_of_tables(markdown.render(results, view=view)):
        for line in lines:
            for column, figure in zip(head, line, strict=True):
                system = line[head.index("framework")] if view == "datasets" else column.partition("<br>")[0]
                model = line[head.index("model")].replace("*", "").removesuffix(", the floor")
                # A figure over itself is 1.00 by definition; a dash or a status is not a figure.
                if column in UNMEASURED or (model, system) not in repeated or not figure[:1].isdigit():
                    continue
                if not (figure == "1.00" and column.startswith("×")):
                    assert re.fullmatch(r"[\d.,]+[⁰¹²³⁴⁵⁶⁷⁸⁹˒]* (±[\d.]+|[\d.,]+–[\d.,]+)", figure), (column, figure)
                    assert re.search(r"95 % int\.|range", column), column


def figures_of_tables(text: str) -> list[list[list[str]]]:
    """Every Markdown table as lines of cells, its head first, its rule left out."""
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    return [
        [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])] for lines in blocks
    ]


@quick
@given(runs())
@pytest.mark.parametrize("format", ["csv", "json"])
def test_every_case_has_a_row_in_the_files_and_every_record_one_per_trial(format: str, run: RunBuilder) -> None:
    results = run.results()
    render = REPORTS.get(format)
    ids = [row["case_id"] for row in rows(format, render(results), "cases")]
    assert ids == [one.id for one in run.cases]
    trials = rows(format, render(results, per_trial=True), "trials")
    assert sorted((row["case_id"], int(row["seed_index"])) for row in trials) == sorted(
        (record.case_id, record.seed_index) for record in run.records
    )


def rows(format: str, text: str, key: str) -> list[dict[str, str]]:
    """Rows as another program would read them."""
    found: list[dict[str, str]] = list(csv.DictReader(io.StringIO(text))) if format == "csv" else json.loads(text)[key]
    return found


@pytest.mark.parametrize("format", ["terminal", "markdown", "csv", "json"])
def test_the_order_in_which_trials_ended_changes_no_byte(format: str) -> None:
    run = realistic()
    render = REPORTS.get(format)
    before = render(run.results())
    shuffled = list(run.records)
    random.Random(3).shuffle(shuffled)
    after = render(Results(run.manifest(), shuffled, run.results().environments))
    assert after == before
    assert render(run.results()) == before


@pytest.mark.parametrize("format", ["terminal", "markdown", "csv", "json"])
def test_a_run_without_cases_can_be_reported(format: str) -> None:
    text = REPORTS.get(format)(RunBuilder().results())
    assert text.endswith("\n")
    assert text.count("\n") >= 1


def test_a_run_of_which_nothing_was_started_lists_every_case() -> None:
    run = RunBuilder().pending(case("mnist", "cnn", "pytorch")).pending(case("mnist", "mlp", "pytorch"))
    views: tuple[View, ...] = ("overview", "datasets", "case")
    for view in views:
        assert "mnist/{cnn, mlp}/pytorch/cpu" in terminal.render(run.results(), view=view)
