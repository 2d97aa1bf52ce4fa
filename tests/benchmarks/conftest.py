"""Fixtures and the final table of the reading benchmarks."""

import os

import pytest

from bench.datasets.catalog import CachedDataset, DatasetUnavailable, resolve
from tests.benchmarks import reading_figures

READINGS = pytest.StashKey[list[reading_figures.Reading]]()
OPENINGS = pytest.StashKey[list[reading_figures.Opening]]()


@pytest.fixture(scope="session")
def mnist() -> CachedDataset:
    """Real MNIST, from BENCH_DATA_DIR, a common place or the network."""
    try:
        return resolve("mnist")
    except DatasetUnavailable as error:
        if os.environ.get("BENCH_DATA_DIR"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def readings(pytestconfig: pytest.Config) -> list[reading_figures.Reading]:
    """Rows of the table of readers at the end."""
    return pytestconfig.stash.setdefault(READINGS, [])


@pytest.fixture(scope="session")
def openings(pytestconfig: pytest.Config) -> list[reading_figures.Opening]:
    """Rows of the table of openings at the end."""
    return pytestconfig.stash.setdefault(OPENINGS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    readings, openings = config.stash.get(READINGS, []), config.stash.get(OPENINGS, [])
    if readings or openings:
        terminalreporter.section("reading")
        terminalreporter.write_line(reading_figures.table(readings, openings))
