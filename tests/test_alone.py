"""Tests hide everything on the user's machine that leads bench to the user's data."""

import os
import re
from pathlib import Path

import pytest

from tests.alone import environment, isolate

PACKAGE = Path(__file__).parents[1] / "bench"
READ = re.compile(r"""environ(?:\.get\(|\[)["']([A-Za-z_]+)["']""")


def read_by(part: str) -> set[str]:
    """Variables that the modules of a part ask for by name."""
    return {name for path in (PACKAGE / part).rglob("*.py") for name in READ.findall(path.read_text())}


def test_no_variable_that_leads_to_data_reaches_a_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leading = read_by("datasets")
    assert {"BENCH_DATA_DIR", "BENCH_CACHE_DIR", "KERAS_HOME", "SCIKIT_LEARN_DATA"} <= leading
    for name in (*leading, "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "the user's")
    child = environment(tmp_path, tmp_path / "cache")
    assert [name for name, value in child.items() if value == "the user's"] == []
    isolate(monkeypatch, tmp_path)
    assert [name for name, value in os.environ.items() if value == "the user's"] == []


def test_a_command_of_its_own_process_has_no_network_and_what_everybody_has(tmp_path: Path) -> None:
    child = environment(tmp_path, tmp_path / "cache")
    assert (child["HOME"], child["BENCH_OFFLINE"], child["PATH"]) == (str(tmp_path), "1", os.environ["PATH"])
