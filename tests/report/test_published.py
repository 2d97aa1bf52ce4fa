"""Published figures stand beside ours, with the difference and whether it is small enough."""

from csv import DictReader
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.manifest import PublishedFigure
from bench.report import csv, terminal
from bench.report.document import width
from bench.report.published import within
from bench.report.views import View
from bench.stats.results import Results
from tests.report.builder import RunBuilder, case, realistic, scores

CNN = case("mnist", "cnn", "pytorch")


def published(value: float = 0.9922, **changes: object) -> PublishedFigure:
    settings: dict[str, object] = {
        "dataset": "mnist",
        "model": "cnn",
        "value": value,
        "tolerance": 0.002,
        "source": "the authors' page",
    }
    return PublishedFigure.model_validate(settings | changes)


def results(run: RunBuilder, *figures: PublishedFigure) -> Results:
    found = run.results()
    return replace(found, manifest=found.manifest.model_copy(update={"published": figures}))


def text(accuracy: float, *figures: PublishedFigure, view: View = "datasets") -> str:
    return terminal.render(results(RunBuilder().ok(CNN, scores=scores("mnist", accuracy)), *figures), view=view)


@pytest.mark.parametrize(
    ("accuracy", "line"),
    [
        (0.9912, "99.12 99.12–99.12     99.22¹       -0.10  ±0.20: yes"),
        (0.9942, "99.42 99.42–99.42     99.22¹       +0.20  ±0.20: yes"),
        (0.9943, "99.43 99.43–99.43     99.22¹       +0.21  ±0.20: NO"),
    ],
)
@pytest.mark.parametrize("view", ["overview", "datasets"])
def test_a_published_figure_stands_beside_ours_with_its_source(accuracy: float, line: str, view: View) -> None:
    shown = text(accuracy, published(), view=view)
    assert line in shown
    assert "¹ the authors' page" in shown


def test_the_default_view_says_it_once() -> None:
    assert text(0.99, published(), view="default").count("published figures") == 1


@pytest.mark.parametrize(
    "other",
    [{"model": "mlp"}, {"dataset": "digits"}, {"framework": "keras-tensorflow"}],
    ids=lambda other: ",".join(other),
)
def test_a_figure_of_something_else_stands_beside_nothing(other: dict[str, Any]) -> None:
    assert "published" not in text(0.99, published(**other))


def test_a_figure_of_no_framework_stands_beside_every_one() -> None:
    shown = terminal.render(results(realistic(("mnist",)), published()), view="overview")
    section = shown.split("accuracy and published figures")[1].split("\n\n")[0]
    # two frameworks ran it, the third was not to be had
    assert section.count("99.22¹") == 3
    assert section.count("unavailable") == 1
    assert max(map(width, shown.splitlines())) <= 80


def test_the_csv_has_a_column_for_it() -> None:
    text = csv.render(results(realistic(("mnist",)), published(framework="pytorch")))
    rows = DictReader(text.splitlines())
    given_ = {f"{row['model']} {row['framework']}": row["published_accuracy"] for row in rows}
    assert given_["cnn pytorch"] == "0.9922"
    assert given_["cnn keras-tensorflow"] == ""


@given(st.integers(0, 10_000), st.integers(1, 500))
def test_the_edge_of_the_tolerance_is_inside_whatever_floats_make_of_it(value: int, tolerance: int) -> None:
    figure = published(value / 10_000, tolerance=tolerance / 10_000)
    for side in (-1, 1):
        assert within((value + side * tolerance) / 10_000, figure)
        assert not within((value + side * (tolerance + 1)) / 10_000, figure)
