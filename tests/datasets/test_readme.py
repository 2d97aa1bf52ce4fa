"""The table of the data sets says what the catalog does."""

import re
from pathlib import Path

import pytest

from bench.datasets.catalog import BUILTIN, definition_of
from bench.datasets.download import host_of

README = (Path(__file__).parents[2] / "bench" / "datasets" / "README.md").read_text("utf-8")


def rows_of(head: str) -> dict[str, list[str]]:
    """The cells of every line of the table that begins with ``head``, by each data set its first cell names."""
    lines = README[README.index(head) :].split("\n\n")[0].splitlines()[2:]
    found: dict[str, list[str]] = {}
    for line in lines:
        first, *cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        for name in re.findall(r"`([^`]+)`", first):
            assert name not in found, f"{name} has two rows"
            found[name] = cells
    return found


HOLD = rows_of("| name | what it is |")
SOURCES = rows_of("| name | files read |")


def test_both_tables_name_every_catalogued_data_set_and_no_other() -> None:
    assert set(HOLD) == set(SOURCES) == set(BUILTIN)


@pytest.mark.parametrize("name", BUILTIN)
def test_rows_and_classes_are_those_of_the_definition(name: str) -> None:
    definition = definition_of(name)
    _, rows, _, classes, split = HOLD[name]
    if definition.rows:
        assert rows == f"{definition.rows[0]:,} / {definition.rows[1]:,}"
    assert int(classes) == len(definition.class_names)
    assert split in ("official", "own", "MNIST's")


@pytest.mark.parametrize("name", BUILTIN)
def test_licence_citation_and_mirrors_are_those_of_the_definition(name: str) -> None:
    definition = definition_of(name)
    _, fetched, licence, citation = SOURCES[name]
    assert (licence, citation) == (definition.licence, definition.citation)
    mirrors = {host_of(url) for bundle in definition.downloads for url in bundle.urls}
    assert [mirror for mirror in mirrors if mirror not in fetched] == []
    assert bool(mirrors) == (fetched != "nowhere: bundled")


@pytest.mark.parametrize("name", BUILTIN)
def test_what_is_called_non_commercial_is_fetched_only_once_that_was_acknowledged(name: str) -> None:
    definition = definition_of(name)
    assert definition.restricted == ("non-commercial" in definition.licence)
