"""The kept run of the suite ``all``: every data set in every library, and every cell that is not ok with its reason."""

from pathlib import Path

import pytest

from bench.report import markdown
from bench.runner.expand import Expansion
from bench.runner.request import Request
from bench.stats.results import Results
from bench.store import RunFolder
from bench.suite import read_suite

FOLDER = Path(__file__).parents[1] / "results" / "reference" / "all"
LIBRARIES = {"pytorch": "PyTorch", "keras-tensorflow": "Keras", "scikit-learn": "scikit-learn"}
DATA_SETS = {
    "mnist": {"mnist"},
    "fashion-mnist": {"fashion-mnist"},
    "emnist": {"emnist-letters", "emnist-balanced"},
    "3d-mnist": {"3d-mnist"},
    "sign-language-mnist": {"sign-language-mnist"},
    "colorectal-histology-mnist": {"colorectal-histology-mnist"},
    "skin-cancer-mnist": {"skin-cancer-mnist"},
}
LIMIT_S = 3 * 3600


@pytest.fixture(scope="module")
def results() -> Results:
    return Results.of(RunFolder.open(FOLDER))


@pytest.mark.parametrize("framework", LIBRARIES)
@pytest.mark.parametrize("names", DATA_SETS.values(), ids=DATA_SETS)
def test_every_data_set_has_networks_that_went_well_in_every_library(
    results: Results, names: set[str], framework: str
) -> None:
    well = {one.case.dataset for one in results.summaries if one.case.framework == framework and one.status == "ok"}
    assert names <= well


def test_the_kept_list_of_cells_that_are_not_ok_is_what_the_records_say(results: Results) -> None:
    assert (FOLDER / "gaps.md").read_text("utf-8") == markdown.render(results, view="gaps")


def test_nothing_failed_of_what_could_be_run(results: Results) -> None:
    assert {one.status for one in results.summaries} <= {"ok", "unsupported"}


def test_the_kept_run_has_every_case_of_the_suite_and_no_other(results: Results) -> None:
    suite = read_suite("all")
    planned = Expansion(suite, Request(offline=True), where="suite 'all'").cases()
    asked = {(one.case.dataset, one.case.model, one.case.framework) for one in planned}
    assert {(one.case.dataset, one.case.model, one.case.framework) for one in results.summaries} == asked


def test_it_took_less_than_three_hours(results: Results) -> None:
    assert sum(record.wall_s or 0 for record in results.records) < LIMIT_S
