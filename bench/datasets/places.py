"""Where data sets commonly lie: in a folder the user names, and where other software puts them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DEBIAN = Path("/usr/share/datasets")
KAGGLE = Path("/kaggle/input")
TORCHVISION_ROOTS = ("data", "datasets")
"""Below the working folder and the home folder: what torchvision's own examples give as ``root``."""

OPENML = Path("openml/openml.org/data/v1/download")
"""Below scikit-learn's folder: where ``fetch_openml`` keeps the files of OpenML, by their number there."""

NAMED = "the user's folder"
"""The label of places in the folder that the user names."""


@dataclass(frozen=True)
class Place:
    """A folder to look in, and what to call it where its path must not be told."""

    folder: Path
    label: str


def named_folder(data_dir: Path | None) -> Path | None:
    """The folder the user names, by option or by ``BENCH_DATA_DIR``; None where none is named."""
    if data_dir is not None:
        return data_dir.expanduser()
    named = os.environ.get("BENCH_DATA_DIR")
    return Path(named).expanduser() if named else None


def named_places(data_dir: Path, folders: tuple[str, ...]) -> Iterator[Place]:
    """The data set's own folders below the one the user named, then that folder itself."""
    for place in (*_below(data_dir, folders), data_dir):
        yield Place(place, NAMED)


def common_places(folders: tuple[str, ...]) -> Iterator[Place]:
    """Folders of Debian's packages, Keras, torchvision, scikit-learn and Kaggle that may hold the data set."""
    yield from (Place(folder, "Debian package") for folder in _below(DEBIAN, folders))
    home = Path(os.path.expanduser("~"))  # Path.home() raises for a user without one
    keras = Path(os.environ.get("KERAS_HOME") or home / ".keras") / "datasets"
    yield from (Place(folder, "Keras' folder") for folder in (*_below(keras, folders), keras))
    for root in (Path.cwd(), home):
        for name in TORCHVISION_ROOTS:
            yield from (Place(folder, "torchvision's folder") for folder in _below(root / name, folders))
    # Kept as NUMBER/NAME.gz by scikit-learn 1.7, as NUMBER.gz by those before it
    learn = Path(os.environ.get("SCIKIT_LEARN_DATA") or home / "scikit_learn_data").expanduser() / OPENML
    yield from (Place(folder, "scikit-learn's folder") for folder in (*_below(learn, folders), learn))
    for slug in _folders_in(KAGGLE):
        yield from (Place(folder, "Kaggle input") for folder in (*_below(slug, folders), slug))


def _below(folder: Path, names: tuple[str, ...]) -> list[Path]:
    # os.path.isdir: False, too, where a folder may not be read
    return [folder / name for name in names if os.path.isdir(folder / name)]


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if os.path.isdir(entry))
    except OSError:  # not there, or not to be read
        return []
