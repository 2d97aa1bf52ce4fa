"""Every test here runs the real command, in an empty folder, with an empty home and no network."""

from pathlib import Path

import pytest

from tests.alone import environment
from tests.end_to_end.command import Bench


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The command with a home and a cache that last for all tests; each gives it a folder of its own."""
    home = tmp_path_factory.mktemp("home")
    bench = Bench(home, environment(home, tmp_path_factory.mktemp("cache")))
    ended = bench("data", "fetch", "digits")
    assert ended.returncode == 0, ended.stderr
    return bench


@pytest.fixture
def bench(installed: Bench, tmp_path: Path) -> Bench:
    """The command in an empty folder."""
    return installed.inside(tmp_path)
