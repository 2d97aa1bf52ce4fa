"""A format under test with hostile files: an honest data set, ways to harm it, and its reader."""

import random
import traceback
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import bench
from bench.datasets.dataset import Dataset
from bench.datasets.definition import DatasetDefinition
from bench.errors import BenchError
from tests.datasets.hostile_bytes import mutated_bytes

Files = dict[str, bytes]
"""Content by path below a folder."""
Arrays = list[NDArray[Any]]
"""Training images and labels, then those of the test part."""
PACKAGE = str(Path(bench.__file__).parent)


class Format(ABC):
    """A data set in one format."""

    name: ClassVar[str]
    last: ClassVar[frozenset[str]]
    """Functions that run only once the content is unpacked and decoded: a refusal by one of them comes from the last
    stage of the parser. Each subclass defines that stage."""
    may_crash: ClassVar[bool] = False
    """True if the format is decoded in its own process, which may crash."""

    @abstractmethod
    def honest(self) -> Files:
        """The whole data set."""

    @abstractmethod
    def payload(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        """The name of a harm to the decoded content, and the changed files, correctly wrapped."""

    @abstractmethod
    def read(self, folder: Path) -> Dataset:
        """The data set in the folder. Raises BenchError."""

    def raw(self, files: Files, chance: random.Random) -> tuple[str, Files]:
        """The same for the raw bytes of a file."""
        name = chance.choice(sorted(files))
        return "raw bytes", {name: mutated_bytes(files[name], chance)}

    def large(self) -> Files:
        """A data set of the published size, for formats whose memory does not follow from the file's size."""
        return self.honest()

    def truth(self, folder: Path) -> Arrays | None:
        """Accepted files as other code reads them; None without such code, or if it cannot tell."""
        return None

    def reached_last(self, error: BenchError) -> bool:
        """True if a refusal came from the last stage."""
        return _raised_by(error.__traceback__) in self.last


def _raised_by(trace: TracebackType | None) -> str:
    """The innermost function of the package under test."""
    inside = [frame.name for frame in traceback.extract_tb(trace) if frame.filename.startswith(PACKAGE)]
    return inside[-1] if inside else ""


def found(definition: DatasetDefinition, folder: Path) -> Dataset:
    """The first source in the folder, read as a search does."""
    for source in definition.find(folder):
        return definition.read(source)
    raise BenchError(f"{folder.name}: no files of {definition.name}.")


def arrays_of(data: Dataset) -> Arrays:
    """The four arrays."""
    return [data.train.images, data.train.labels, data.test.images, data.test.labels]


def flaw(data: Dataset) -> str:
    """The fault of a data set that was read; empty if there is none."""
    if problem := data.problem():
        return problem
    for part in (data.train, data.test):
        if part.scale not in (1.0, 16.0, 255.0):
            return f"scale {part.scale}"
        if float(part.images.min()) < 0 or float(part.images.max()) > part.scale:
            return f"values from {part.images.min()} to {part.images.max()} where {part.scale} means 1"
        if part.images.dtype == np.float32 and part.scale != 1:
            return "floats on another scale than 1"
    return ""


def differs(one: Arrays, other: Arrays) -> bool:
    """True if any arrays differ."""
    return len(one) != len(other) or any(
        a.shape != b.shape or not np.array_equal(a, b) for a, b in zip(one, other, strict=True)
    )


def lay(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files below the folder."""
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
