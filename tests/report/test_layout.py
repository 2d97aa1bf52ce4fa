"""Tables fit their width: labels wrap first, then figures move into a second table, and nothing is lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.report.document import Cell, Column, Row, Table, plain, width
from bench.report.layout import fit, wrap
from bench.report.terminal import text


def table(labels: list[str], figures: list[list[str]], heads: list[str]) -> Table:
    """One label column and a column a head."""
    columns = (Column(("model",), "left", label=True), *(Column((head,)) for head in heads))
    rows = tuple(
        Row((Cell(label, word=True), *(Cell(figure) for figure in line)))
        for label, line in zip(labels, figures, strict=True)
    )
    return Table("a table", columns, rows)


def test_what_fits_is_one_table_with_nothing_wrapped() -> None:
    narrow = table(["cnn", "mlp"], [["1", "2"], ["3", "4"]], ["a", "b"])
    assert [part for part, _ in fit(narrow, 80, ())] == [narrow]


def test_figures_that_do_not_fit_go_into_a_second_table_with_the_labels_again() -> None:
    wide = table(["cnn"], [["1" * 30, "2" * 30, "3" * 30]], ["a", "b", "c"])
    parts = [[column.head[0] for column in part.columns] for part, _ in fit(wide, 80, ())]
    assert parts == [["model", "a", "b"], ["model", "c"]]


def test_the_parts_of_a_table_are_evened_out() -> None:
    wide = table(["cnn"], [["1" * 25, "2" * 20, "3" * 20]], ["a", "b", "c"])
    parts = [[column.head[0] for column in part.columns] for part, _ in fit(wide, 60, ())]
    assert parts == [["model", "a"], ["model", "b", "c"]]


def test_the_label_that_is_broken_is_the_one_that_costs_fewer_lines() -> None:
    labels = (Column(("model",), "left", label=True), Column(("framework",), "left", label=True))
    named = [("logistic-regression", "scikit-learn"), ("mlp", "keras-tensorflow"), ("cnn", "keras-tensorflow")]
    rows = tuple(Row((Cell(model, word=True), Cell(system, word=True), Cell("1" * 45))) for model, system in named)
    lines = text([Table("t", (*labels, Column(("a",))), rows)]).splitlines()
    assert [line.split()[:2] for line in lines[2:]] == [
        ["logistic-", "scikit-learn"],
        ["regression"],
        ["mlp", "keras-tensorflow"],
        ["cnn", "keras-tensorflow"],
    ]


def test_a_long_label_is_wrapped_and_its_cap_stays_together() -> None:
    long = table(["hist-gradient-boosting (10,000 rows)"], [["1" * 50]], ["a"])
    assert text([long]).splitlines() == [
        "a table",
        f"model                   {'a':>50}",
        f"hist-gradient-boosting  {'1' * 50}",
        "(10,000 rows)",
    ]


names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=50)
shapes = st.tuples(st.integers(1, 6), st.integers(1, 8))


@settings(max_examples=150, deadline=None)
@given(
    shapes.flatmap(
        lambda shape: st.tuples(
            st.lists(names, min_size=shape[0], max_size=shape[0]),
            st.lists(
                st.lists(st.integers(0, 10**12).map(str), min_size=shape[1], max_size=shape[1]),
                min_size=shape[0],
                max_size=shape[0],
            ),
            st.lists(
                st.sampled_from(["s", "samples/s", "× pytorch", "accuracy %"]), min_size=shape[1], max_size=shape[1]
            ),
        )
    )
)
def test_no_line_is_wider_than_80_and_no_figure_is_lost(parts: tuple[list[str], list[list[str]], list[str]]) -> None:
    labels, figures, heads = parts
    lines = text([table([plain(label) for label in labels], figures, heads)]).splitlines()
    assert all(width(line) <= 80 for line in lines)
    shown = " ".join(lines).split()
    assert all(shown.count(figure) >= 1 for line in figures for figure in line)


@settings(max_examples=200)
@given(st.text(), st.integers(2, 80))
def test_wrapping_keeps_every_character_and_the_width(raw: str, limit: int) -> None:
    given_text = plain(raw)
    lines = wrap(given_text, limit)
    assert all(width(line) <= limit for line in lines)
    assert "".join(lines).replace(" ", "") == given_text.replace(" ", "")


def test_a_sign_stays_with_what_it_belongs_to() -> None:
    assert wrap("training speed × pytorch", 18) == ["training speed", "× pytorch"]
