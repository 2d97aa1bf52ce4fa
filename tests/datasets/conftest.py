"""Every test of data sets has a cache, a home and a working folder of its own, and no network but this machine."""

from pathlib import Path

import pytest

from bench.datasets import network
from tests.alone import isolate


@pytest.fixture(scope="session")
def data_dir(data_dir: Path) -> Path:
    """The folder of real data as an absolute path, for the working folder changes."""
    return data_dir.absolute()


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    isolate(monkeypatch, tmp_path)
    monkeypatch.setattr(network, "_probed", {})
