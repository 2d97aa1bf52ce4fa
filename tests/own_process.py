"""Runs tests marked ``own_process`` in processes of their own, and reports each as if it had run here.

torch and TensorFlow abort when they meet in one process, so no test of a framework may run in the process of all
others. The modules of ``tests/adapters`` are marked by their place, each with a process of its own; any other test
that needs a framework carries ``@pytest.mark.own_process("some name")``, and tests of one name share a process. For a
debugger: ``pytest --in-process tests/adapters/test_pytorch.py``.

It works as pytest-xdist does: the other process writes pytest's own reports to a file, and they are read back here.
The other processes run one after another beside the tests of this one, for which they leave a core free; tests marked
``alone``, which look at time, come last, when nothing runs beside them.
"""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

APART = frozenset({"jax", "keras", "tensorflow", "torch"})
"""Packages that may not be imported in the process of all tests."""

Reports = dict[str, list[pytest.TestReport]]
"""By test."""

PROCESSES = pytest.StashKey[dict[str, "Future[Reports]"]]()
"""By name: the processes that run, have run, or wait for the one before."""

BLAMED = pytest.StashKey[set[str]]()
"""Packages whose import some test has already failed for."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--in-process", action="store_true", help="run tests marked own_process here, of one name only")
    parser.addoption("--reports-to", metavar="FILE", help="write each report to FILE, as one line of JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[PROCESSES] = {}
    config.stash[BLAMED] = set()
    if config.option.reports_to:
        config.pluginmanager.register(ReportWriter(config))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put slow tests behind the quick ones, then those with processes of their own, then those that run alone."""
    items.sort(key=_turn)
    if config.option.in_process:
        names = {name for item in items if (name := process_name(item))}
        if len(names) > 1:
            raise pytest.UsageError(f"--in-process: these tests need a process each: {', '.join(sorted(names))}")
    elif imported := APART.intersection(sys.modules):
        raise pytest.UsageError(f"a test module imports {', '.join(imported)} when it is read: import it in the test")


def _turn(item: pytest.Item) -> tuple[bool, bool, bool]:
    alone, slow = (item.get_closest_marker(name) is not None for name in ("alone", "slow"))
    return alone, process_name(item) is not None, slow


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Start the first of the other processes; each starts the next."""
    if session.config.option.in_process or session.config.option.collectonly:
        return (yield)
    named: dict[str, list[pytest.Item]] = {}
    for item in session.items:
        if name := process_name(item):
            named.setdefault(name, []).append(item)
    with ThreadPoolExecutor(max_workers=1) as one_after_another:
        for name, items in named.items():
            session.config.stash[PROCESSES][name] = one_after_another.submit(run_apart, session.config, items)
        try:
            return (yield)
        finally:
            one_after_another.shutdown(wait=False, cancel_futures=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Report what the test did in its own process."""
    name = process_name(item)
    if name is None or item.config.option.in_process:
        return None
    reports = item.config.stash[PROCESSES][name].result()
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in reports[item.nodeid]:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Fail the test that lets a framework into the process of all tests."""
    blamed: set[str] = item.config.stash[BLAMED]
    imported = APART.intersection(sys.modules) - blamed
    if imported and not item.config.option.in_process:
        blamed.update(imported)
        pytest.fail(
            f"imports {', '.join(imported)}: mark it own_process (tests/own_process.py says why)", pytrace=False
        )


def process_name(item: pytest.Item) -> str | None:
    """The process ``item`` must run in; None for that of all tests."""
    marker = item.get_closest_marker("own_process")
    if marker:
        return str(marker.args[0])
    return item.path.stem if item.path.parent.name == "adapters" else None


def run_apart(config: pytest.Config, items: Sequence[pytest.Item]) -> Reports:
    """Run ``items`` in a new process; their reports, which are failures where it ended before the test did."""
    with tempfile.TemporaryDirectory() as folder:
        chosen, written = Path(folder, "tests"), Path(folder, "reports")
        chosen.write_text("\n".join(item.nodeid for item in items))
        written.touch()
        options = ["--in-process", f"--reports-to={written}", f"--tb={config.option.tbstyle}", f"@{chosen}"]
        process = subprocess.run(
            [sys.executable, "-m", "pytest", *options],
            cwd=config.rootpath,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        lines = written.read_text().splitlines()
    found: Reports = {item.nodeid: [] for item in items}
    for line in lines:
        report = config.hook.pytest_report_from_serializable(config=config, data=json.loads(line))
        if isinstance(report.longrepr, list):
            report.longrepr = tuple(report.longrepr)  # where and why it was skipped: JSON knows no tuples
        found[report.nodeid].append(report)
    for item in items:
        if not any(report.when == "teardown" for report in found[item.nodeid]):
            found[item.nodeid].append(_unfinished(item, process))
    return found


def _unfinished(item: pytest.Item, process: "subprocess.CompletedProcess[str]") -> pytest.TestReport:
    """The failure of a test that was running, or still to run, when its process ended."""
    code = process.returncode
    end = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    message = f"its process ended with {end} before this test did\n\n{process.stdout[-4000:]}"
    return pytest.TestReport(
        item.nodeid, item.location, keywords={}, outcome="failed", longrepr=message, when="call", sections=[]
    )


class ReportWriter:
    """In the other process: writes each report down at once, so that it outlives an abort."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._file = Path(config.option.reports_to)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        with self._file.open("a") as lines:
            lines.write(json.dumps(data, default=str) + "\n")
