"""Shared by all tests: real data, a separate cache, and a total as the last line."""

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

pytest_plugins = ["tests.own_process"]

DATA_DIR = os.environ.get("BENCH_DATA_DIR", "")
CACHE = pytest.StashKey[str]()
TOTAL = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data. Skips the test if none is set; fails it if that is missing."""
    if not DATA_DIR:
        pytest.skip("real data are needed: set BENCH_DATA_DIR to their folder")
    folder = Path(DATA_DIR)
    assert folder.is_dir(), "BENCH_DATA_DIR names no folder"
    return folder


def pytest_configure(config: pytest.Config) -> None:
    """Give the tests their own cache of data sets, unless BENCH_CACHE_DIR names one."""
    if "BENCH_CACHE_DIR" not in os.environ:
        config.stash[CACHE] = os.environ["BENCH_CACHE_DIR"] = tempfile.mkdtemp(prefix="bench-test-cache-")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a skipped test of real data if BENCH_DATA_DIR is set."""
    report = yield
    about_data = item.get_closest_marker("data") or "data_dir" in getattr(item, "fixturenames", ())
    if report.skipped and DATA_DIR and about_data and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"skipped although BENCH_DATA_DIR is set: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Count the outcomes; an error before or after a test is a failure."""
    count = {kind: len(reports) for kind, reports in terminalreporter.stats.items()}
    passed, failed = count.get("passed", 0), count.get("failed", 0) + count.get("error", 0)
    config.stash[TOTAL] = f"{passed} passed, {failed} failed, {count.get('skipped', 0)} skipped"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the session's cache and print the total."""
    if CACHE in config.stash:
        shutil.rmtree(config.stash[CACHE], ignore_errors=True)
        del os.environ["BENCH_CACHE_DIR"]
    if TOTAL in config.stash and not config.option.collectonly:
        print(config.stash[TOTAL])
