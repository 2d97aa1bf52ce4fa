"""Keep the user's data, caches and settings out of the tests, on any machine.

One list of removed variables serves tests in this process (``isolate``) and separate commands (``environment``).
"""

import os
from pathlib import Path

import pytest

from bench.datasets import places

_FINDING = ("BENCH_", "KAGGLE", "KERAS_", "SCIKIT_LEARN_", "XDG_")
"""Prefixes of variables leading to data, caches and certificates."""

_DOING = ("OMP_", "PYTHON")
"""Prefixes of variables that change what a separate command does."""

_PROXIES = {"all_proxy", "http_proxy", "https_proxy"}


def _leads_to_data(name: str) -> bool:
    return name.startswith(_FINDING) or name.lower() in _PROXIES


def environment(home: Path, cache: Path) -> dict[str, str]:
    """The environment of a separate command: this process's variables less the user's, and no network."""
    kept = {name: value for name, value in os.environ.items() if not (_leads_to_data(name) or name.startswith(_DOING))}
    return {**kept, **_own(home, cache), "BENCH_OFFLINE": "1", "COLUMNS": "80"}


def isolate(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Move this process's home, cache and common data places below ``folder``."""
    for name in filter(_leads_to_data, list(os.environ)):
        patch.delenv(name)
    for name, value in _own(folder / "home", folder / "cache").items():
        patch.setenv(name, value)
    patch.setattr(places, "DEBIAN", folder / "debian")
    patch.setattr(places, "KAGGLE", folder / "kaggle")


def _own(home: Path, cache: Path) -> dict[str, str]:
    return {"HOME": str(home), "BENCH_CACHE_DIR": str(cache)}
