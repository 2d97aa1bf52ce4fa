"""Tests see nothing of the user's: neither data nor caches nor settings, on whatever machine they run.

One list of what is taken away, for a test in this process (``isolate``) and for a command in its own (``environment``).
"""

import os
from pathlib import Path

import pytest

from bench.datasets import places

_FINDING = ("BENCH_", "KAGGLE", "KERAS_", "SCIKIT_LEARN_", "XDG_")
"""How variables begin that lead to data, caches and certificates."""

_DOING = ("OMP_", "PYTHON")
"""How variables begin that change what a command of its own process does."""

_PROXIES = {"all_proxy", "http_proxy", "https_proxy"}


def _leads_to_data(name: str) -> bool:
    return name.startswith(_FINDING) or name.lower() in _PROXIES


def environment(home: Path, cache: Path) -> dict[str, str]:
    """What a command of its own process starts with: this one's variables less the user's, and no network."""
    kept = {name: value for name, value in os.environ.items() if not (_leads_to_data(name) or name.startswith(_DOING))}
    return {**kept, **_own(home, cache), "BENCH_OFFLINE": "1", "COLUMNS": "80"}


def isolate(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let this process find its home, its cache and the places where data commonly lie below ``folder`` alone."""
    for name in filter(_leads_to_data, list(os.environ)):
        patch.delenv(name)
    for name, value in _own(folder / "home", folder / "cache").items():
        patch.setenv(name, value)
    patch.setattr(places, "DEBIAN", folder / "debian")
    patch.setattr(places, "KAGGLE", folder / "kaggle")


def _own(home: Path, cache: Path) -> dict[str, str]:
    return {"HOME": str(home), "BENCH_CACHE_DIR": str(cache)}
