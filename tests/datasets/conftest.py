"""Every test of data sets has a cache, a home and a working folder of its own, and no network but this machine."""

from pathlib import Path

import pytest

from bench.datasets import network, places


@pytest.fixture(scope="session")
def data_dir(data_dir: Path) -> Path:
    """The folder of real data as an absolute path, for the working folder changes."""
    return data_dir.absolute()


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "cache"))
    for name in (
        "BENCH_DATA_DIR",
        "BENCH_OFFLINE",
        "KERAS_HOME",
        "SCIKIT_LEARN_DATA",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(places, "DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(places, "KAGGLE", tmp_path / "kaggle")
    monkeypatch.setattr(network, "_probed", {})
