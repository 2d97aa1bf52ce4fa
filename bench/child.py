"""Running a module of this package in another process."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The folder that this package is imported from."""


def module_command(module: str, *arguments: str) -> list[str]:
    """``python -m module`` with this interpreter, which imports nothing from the working folder (a ``torch.py``)."""
    return [sys.executable, "-P", "-m", module, *arguments]


def with_this_package(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which a child imports this very package, even if another one is installed."""
    paths = [str(ROOT), *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(paths)}
