"""Markdown that GitHub renders as meant, and that reads well raw."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.report import markdown
from bench.report.document import Block, Cell, Column, Command, Facts, Heading, Paragraph, Row, Table
from tests.report.builder import realistic

TABLE = Table(
    "accuracy %",
    (Column(("model",), "left", label=True), Column(("pytorch", "95 % int."))),
    (
        Row((Cell("cnn", word=True), Cell("99.02", "±0.08")), group=Cell("mnist", word=True)),
        Row((Cell("majority", word=True), Cell("11.35", notes=("deterministic",))), group=Cell("mnist", word=True)),
    ),
    group_head="data set",
)


def test_a_table_is_padded_and_its_groups_are_a_column() -> None:
    assert markdown.text([TABLE]) == (
        "**accuracy %**\n"
        "\n"
        "| data set | model    | pytorch<br>95 % int. |\n"
        "|:---------|:---------|---------------------:|\n"
        "| mnist    | cnn      |          99.02 ±0.08 |\n"
        "| mnist    | majority |               11.35¹ |\n"
        "\n"
        "- ¹ deterministic\n"
    )


def test_the_floor_is_named() -> None:
    floor = Table("t", (Column(("model",), "left", label=True),), (Row((Cell("majority", word=True),), floor=True),))
    assert "| *majority*, the floor |" in markdown.text([floor])


def test_headings_facts_and_commands_are_markdown() -> None:
    blocks: list[Block] = [Heading("mnist", 1), Facts((("noise", ("one", "two")),)), Command("bench run --suite quick")]
    assert markdown.text(blocks) == ("## mnist\n\n- **noise**: one\n  - two\n\n```sh\nbench run --suite quick\n```\n")


def test_what_has_a_meaning_in_markdown_is_escaped() -> None:
    assert markdown.escape("a|b *c* <d> `e` [f] _g_ h_i") == r"a\|b \*c\* \<d> \`e\` \[f] \_g\_ h_i"
    assert markdown.text([Paragraph("# not a heading")]) == "\\# not a heading\n"
    assert markdown.text([Paragraph("1. not a list")]) == "1\\. not a list\n"


def table_lines(text: str) -> list[list[str]]:
    """Blocks of lines that are tables."""
    return [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]


@settings(max_examples=100)
@given(st.lists(st.text(st.characters(exclude_categories=["C"]), max_size=20), min_size=1, max_size=5))
def test_no_text_breaks_a_table_into_other_columns(texts: list[str]) -> None:
    rows = tuple(Row((Cell(text, word=True), Cell("1"))) for text in texts)
    table = Table("t", (Column(("a",), "left", label=True), Column(("b",))), rows)
    (lines,) = table_lines(markdown.text([table]))
    assert all(len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 3 for line in lines)


def test_every_table_of_a_report_has_as_many_cells_in_every_row() -> None:
    tables = table_lines(markdown.render(realistic().results(), view="all"))
    assert len(tables) > 8
    for lines in tables:
        assert len({line.count("|") for line in lines}) == 1
        assert len({len(line) for line in lines}) == 1
        assert re.fullmatch(r"\|((:-+|-+:)\|)+", lines[1])


def test_rows_per_trial_are_refused() -> None:
    with pytest.raises(BenchError, match="csv and json"):
        markdown.render(realistic().results(), per_trial=True)
