"""The runs in a results folder, and finding one of them."""

import json
from pathlib import Path

from bench.errors import BenchError, UnknownName
from bench.store import MANIFEST, RunFolder


def run_names(results: Path) -> list[str]:
    """Names of the runs directly below ``results``, oldest first; empty if the folder is missing."""
    if not results.is_dir():
        return []
    paths = [path for path in results.iterdir() if (path / MANIFEST).is_file()]
    return [path.name for path in sorted(paths, key=_age)]


def newest(results: Path) -> RunFolder:
    """The newest run. Raises BenchError if there is none."""
    names = run_names(results)
    if not names:
        raise BenchError(f"no run in {str(results)!r}.", "Make one: bench run --suite quick")
    return RunFolder.open(results / names[-1])


def find(results: Path, name: str) -> RunFolder:
    """The run called ``name`` below ``results``, or in the folder ``name``. Raises UnknownName with the nearest."""
    for path in (results / name, Path(name)):
        if (path / MANIFEST).is_file():
            return RunFolder.open(path)
    raise UnknownName("run", name, run_names(results), where=str(results))


def _age(path: Path) -> tuple[str, str]:
    """Sort key of a run: the time in the manifest, then the name. ``open`` refuses a damaged manifest."""
    try:
        created = json.loads((path / MANIFEST).read_bytes()).get("created_at", "")
    except (OSError, ValueError, AttributeError):
        created = ""
    return str(created), path.name
