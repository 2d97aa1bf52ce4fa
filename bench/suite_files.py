"""The suites that ship with the harness: their files, names and descriptions.

All else in a suite file is left to ``bench.suite``.
"""

import tomllib
from pathlib import Path

from bench.errors import BenchError

_PACKAGE = Path(__file__).parent


def suite_folder() -> Path:
    """The folder of the shipped suites: inside the installed package, or beside it in a checkout."""
    inside = _PACKAGE / "suites"
    return inside if inside.is_dir() else _PACKAGE.parent / "suites"


def shipped_suites() -> dict[str, Path]:
    """Path of each shipped suite by its name, the file's name without ``.toml``; sorted, nothing is read."""
    return {path.stem: path for path in sorted(suite_folder().glob("*.toml"))}


def suite_description(path: Path) -> str:
    """The ``description`` of a suite file; empty if it has none.

    Raises BenchError if the file is not TOML, with the line.
    """
    try:
        with path.open("rb") as file:
            described = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BenchError(f"suites/{path.name} is not valid TOML: {error}") from error
    return str(described.get("description", ""))
