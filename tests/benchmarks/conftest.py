"""The processes of the benchmarks, and the one table they end with."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.adapters.catalog import find_adapter
from bench.case import Case
from bench.datasets.catalog import CachedDataset, DatasetUnavailable, resolve
from bench.measure.cores import usable_cores
from bench.measure.threads import clean_environment
from tests.benchmarks import reading_figures
from tests.benchmarks.by_hand.base import Way
from tests.benchmarks.figures import PAIRS, Figures, table

FIGURES = pytest.StashKey[list[Figures]]()
READINGS = pytest.StashKey[list[reading_figures.Reading]]()
OPENINGS = pytest.StashKey[list[reading_figures.Opening]]()


class Worker:
    """A process for one framework, one model and one way (``tests.benchmarks.worker``)."""

    def __init__(self, framework: str, model: str, way: Way, folder: Path, root: Path) -> None:
        adapter, threads = find_adapter(framework), usable_cores()
        case = Case(dataset="mnist", model=model, framework=framework, threads=threads)
        self.framework, self.model, self.way = framework, model, way
        arguments = [framework, model, way, str(threads), str(PAIRS), str(folder)]
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.worker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=clean_environment(threads, adapter.environment(case)),
            cwd=root,
            text=True,
        )

    def ask(self, **request: object) -> Any:
        """The answer to one request; fails the test with the last that the process printed, if it has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._stderr.seek(0)
            pytest.fail(f"its process ended\n\n{self._stderr.read().decode(errors='replace')[-4000:]}", pytrace=False)
        return json.loads(line)

    def close(self) -> None:
        """Let the process end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()
        self._stderr.close()


@pytest.fixture(scope="session")
def mnist() -> CachedDataset:
    """Real MNIST: from the folder BENCH_DATA_DIR names, where it commonly lies, or from the network."""
    try:
        return resolve("mnist")
    except DatasetUnavailable as error:
        if os.environ.get("BENCH_DATA_DIR"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def worker(request: pytest.FixtureRequest, mnist: CachedDataset) -> Iterator[Worker]:
    """A process for the framework, the model and the way that the test is given."""
    framework, model, way = request.param
    installed = find_adapter(framework).installed()
    if not installed:
        pytest.skip(f"{', '.join(installed.missing)} not installed")
    process = Worker(framework, model, way, mnist.folder, request.config.rootpath)
    try:
        assert process.ask(ask="agreement") > 0.999, "from the same weights the two sides give other answers"
        yield process
    finally:
        process.close()


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> list[Figures]:
    """Rows of the table at the end."""
    return pytestconfig.stash.setdefault(FIGURES, [])


@pytest.fixture(scope="session")
def readings(pytestconfig: pytest.Config) -> list[reading_figures.Reading]:
    """Rows of the table of readers at the end."""
    return pytestconfig.stash.setdefault(READINGS, [])


@pytest.fixture(scope="session")
def openings(pytestconfig: pytest.Config) -> list[reading_figures.Opening]:
    """Rows of the table of openings at the end."""
    return pytestconfig.stash.setdefault(OPENINGS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the tables."""
    if rows := config.stash.get(FIGURES, []):
        terminalreporter.section("honest clocks")
        terminalreporter.write_line(table(rows, usable_cores()))
    readings, openings = config.stash.get(READINGS, []), config.stash.get(OPENINGS, [])
    if readings or openings:
        terminalreporter.section("reading")
        terminalreporter.write_line(reading_figures.table(readings, openings))
