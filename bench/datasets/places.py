"""Common places of data sets: folders the user names, and folders of other software."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

DEBIAN = Path("/usr/share/datasets")
KAGGLE = Path("/kaggle/input")
TORCHVISION_ROOTS = ("data", "datasets")
"""Below the working folder and the home folder: ``root`` in torchvision's own examples."""

OPENML = Path("openml/openml.org/data/v1/download")
"""Below scikit-learn's folder: ``fetch_openml`` keeps OpenML's files there, by their number."""

NAMED = "the user's folder"
"""The label of places in a folder the user names."""


@dataclass(frozen=True)
class Place:
    """A folder to look in, and a label for use where its path must not appear."""

    folder: Path
    label: str


def named_folders(data_dir: Path | None) -> tuple[Path, ...]:
    """The folders the user names, by option or by ``BENCH_DATA_DIR``: one, or several separated by ``os.pathsep``.

    An existing path is one folder, even if it contains a separator.
    """
    named = os.environ.get("BENCH_DATA_DIR", "") if data_dir is None else str(data_dir)
    names = [named] if os.path.exists(os.path.expanduser(named)) else named.split(os.pathsep)
    return tuple(Path(os.path.expanduser(name)) for name in names if name)


def check_named(folders: Iterable[Path]) -> None:
    """Raises BenchError if any is not a folder."""
    for folder in folders:
        if not os.path.isdir(folder):  # also False if a folder above may not be searched
            problem = "is not a folder" if os.path.exists(folder) else "is not there"
            raise BenchError(
                f"the data folder {str(folder)!r} {problem}.", "Correct --data-dir or BENCH_DATA_DIR, or omit it."
            )


def named_places(named: Iterable[Path], folders: tuple[str, ...]) -> Iterator[Place]:
    """For each folder the user named, the data set's own folders below it, then that folder itself."""
    for folder in named:
        for place in (*_below(folder, folders), folder):
            yield Place(place, NAMED)


def common_places(folders: tuple[str, ...]) -> Iterator[Place]:
    """Folders of Debian's packages, Keras, torchvision, scikit-learn and Kaggle that may hold the data set."""
    yield from (Place(folder, "Debian package") for folder in _below(DEBIAN, folders))
    home = Path(os.path.expanduser("~"))  # Path.home() raises for a user without one
    keras = Path(os.environ.get("KERAS_HOME") or home / ".keras") / "datasets"
    yield from (Place(folder, "Keras' folder") for folder in (*_below(keras, folders), keras))
    for root in dict.fromkeys((Path.cwd(), home)):
        for name in TORCHVISION_ROOTS:
            yield from (Place(folder, "torchvision's folder") for folder in _below(root / name, folders))
    # Kept as NUMBER/NAME.gz by scikit-learn 1.7, as NUMBER.gz by earlier ones
    learn = Path(os.path.expanduser(os.environ.get("SCIKIT_LEARN_DATA") or home / "scikit_learn_data")) / OPENML
    yield from (Place(folder, "scikit-learn's folder") for folder in (*_below(learn, folders), learn))
    for slug in _folders_in(KAGGLE):
        yield from (Place(folder, "Kaggle input") for folder in (*_below(slug, folders), slug))


def _below(folder: Path, names: tuple[str, ...]) -> list[Path]:
    # os.path.isdir: also False if a folder may not be read
    return [folder / name for name in names if os.path.isdir(folder / name)]


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if os.path.isdir(entry))
    except OSError:  # missing, or unreadable
        return []
