"""A suite file as data: read, checked, and narrowed or widened by what the command line names.

Expansion into cases is the runner's: it needs the adapters.
"""

import difflib
import fnmatch
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, JsonValue, PrivateAttr, ValidationError, field_validator

from bench.case import Frozen, Input, Measuring, Precision, Track, Training
from bench.errors import BenchError, UnknownName
from bench.manifest import PublishedFigure
from bench.suite_files import shipped_suites


class Matrix(Frozen):
    """Axes whose product is a part of the suite. Names may be globs (``emnist-*``)."""

    datasets: tuple[str, ...] = Field(min_length=1)
    models: tuple[str, ...] = Field(min_length=1)
    frameworks: tuple[str, ...] = ("*",)
    devices: tuple[str, ...] = ("cpu",)
    executions: tuple[Literal["default", "eager", "graph", "compiled"], ...] = Field(default=("default",), min_length=1)
    """``default``: each framework's own."""
    precisions: tuple[Precision, ...] = Field(default=("float32",), min_length=1)
    inputs: tuple[Input, ...] = Field(default=("resident",), min_length=1)
    steps_per_execution: tuple[int, ...] = Field(default=(1,), min_length=1)
    channels_last: tuple[bool, ...] = Field(default=(False,), min_length=1)
    batch_sizes: tuple[int, ...] = ()
    """Empty: that of the training."""
    threads: tuple[int, ...] = ()
    """Empty: those of the suite."""
    track: Track | None = None
    """None: that of the suite."""
    training: Training = Training()
    """The keys set here differ from those of the suite's ``[training]``."""
    train_rows: int | None = Field(default=None, ge=1)
    """A cap for this part of the suite; a model's own cap holds where it is lower."""
    seeds: int | None = Field(default=None, ge=1)
    """None: those of the suite."""


class ModelSettings(Frozen):
    """A suite's settings for one model: ``[models.random-forest]``."""

    train_rows: int | None = Field(default=None, ge=1)
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    """For an estimator."""
    training: Training = Training()
    """For a network: the keys set here differ from those of the suite's ``[training]``."""


class Suite(Frozen):
    """A suite file, checked: the cases to run."""

    name: str
    description: str = ""
    track: Track = "matched"
    seeds: int = Field(default=3, ge=1)
    timeout_s: float = Field(default=600.0, gt=0)
    threads: int | None = Field(default=None, ge=1)
    """None: as many as this process may use."""
    training: Training = Training()
    measuring: Measuring = Measuring()
    matrix: tuple[Matrix, ...] = Field(min_length=1)
    models: dict[str, ModelSettings] = Field(default_factory=dict)
    published: tuple[PublishedFigure, ...] = ()
    """Figures of others, shown beside ours."""
    _file: str = PrivateAttr("")
    _text: str = PrivateAttr("")

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
            raise ValueError("lower-case letters, digits, '.', '_' and '-' only: it names folders")
        return name

    def axis(self, name: str) -> tuple[str, ...]:
        """All values of an axis (``datasets``, ``models``, ``frameworks``, ``devices``), each once, in order."""
        return tuple(dict.fromkeys(value for matrix in self.matrix for value in getattr(matrix, name)))

    def place_of(self, name: str) -> str:
        """Place of ``name`` in the suite file, as a value or a model's table: ``suites/quick.toml, line 7``."""
        word = re.escape(name)
        written = re.compile(rf"""[^#]*["']{word}["']|\s*\[models\.{word}[.\]]""")
        lines = enumerate(self._text.splitlines(), start=1)
        found = next((f", line {number}" for number, line in lines if written.match(line)), "")
        return f"{self._file or f'suite {self.name!r}'}{found}"


def read_suite(name_or_path: str) -> Suite:
    """The suite shipped under a name, or the suite file at a path (``.toml``).

    Raises UnknownName for a misspelt name; BenchError, naming file and key, for a file that is not a suite.
    """
    if name_or_path.endswith(".toml") or "/" in name_or_path:
        path = Path(name_or_path)
        if not path.is_file():
            raise BenchError(f"no suite file {name_or_path!r}", "Shipped ones go by name: bench list suites")
        return _parse(path.read_bytes(), name_or_path)
    shipped = shipped_suites()
    if name_or_path not in shipped:
        raise UnknownName("suite", name_or_path, shipped, listing="bench list suites")
    return _parse(shipped[name_or_path].read_bytes(), f"suites/{name_or_path}.toml")


def _parse(content: bytes, file: str) -> Suite:
    try:
        text = content.decode()
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise BenchError(f"{file}: not UTF-8 text (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise BenchError(f"{file}: not valid TOML: {error}") from error
    table.setdefault("name", Path(file).stem)
    try:
        suite = Suite.model_validate(table)
    except ValidationError as error:
        raise _explain(error, text, file) from error
    suite._file, suite._text = file, text
    return suite


def _explain(error: ValidationError, text: str, file: str) -> BenchError:
    """The first fault of a suite file: its key, its line, and the nearest key for an unknown one."""
    fault = error.errors()[0]
    key = ".".join(str(part) for part in fault["loc"])
    where = f"{file}{_line_of(text, fault['loc'])}"
    if fault["type"] == "extra_forbidden":
        known = _known_keys(fault["loc"][:-1])
        near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1)
        hint = f": did you mean {near[0]!r}?" if near else ""
        return BenchError(f"{where}: unknown key {key!r}{hint}", f"known here: {', '.join(known)}")
    message = fault["msg"].removeprefix("Value error, ")
    given = fault["input"]
    shown = "" if isinstance(given, Mapping) or fault["type"] == "missing" else f" (given: {given!r})"
    known = _known_keys(fault["loc"][:-1])
    return BenchError(f"{where}: {key}: {message}{shown}", f"known here: {', '.join(known)}" if known else "")


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    model: Any = Suite
    for part in location:
        fields = getattr(model, "model_fields", {})
        if part in fields:
            annotation = fields[part].annotation
            inner = [item for item in getattr(annotation, "__args__", ()) if hasattr(item, "model_fields")]
            model = annotation if hasattr(annotation, "model_fields") else (inner[0] if inner else None)
    return sorted(getattr(model, "model_fields", {}))


def _line_of(text: str, location: tuple[int | str, ...]) -> str:
    """``, line 7``: the line of the key of ``location``; empty if it cannot be found."""
    names = [part for part in location if isinstance(part, str)]
    numbers = [part for part in location if isinstance(part, int)]
    lines = text.splitlines()
    start = 0
    if names and names[0] in ("matrix", "published") and numbers:
        heads = [index for index, line in enumerate(lines) if line.strip() == f"[[{names[0]}]]"]
        start = heads[numbers[0]] if numbers[0] < len(heads) else 0
    elif len(names) > 1:
        table = re.compile(rf"\s*\[{re.escape('.'.join(names[:-1]))}\]")
        start = next((index for index, line in enumerate(lines) if table.match(line)), 0)
    for name in reversed(names):
        key = re.compile(rf"\s*(\[+.*\b)?{re.escape(name)}\b[\]\s]*(=|$)|.*[{{,]\s*{re.escape(name)}\s*=")
        for index in range(start, len(lines)):
            if key.match(lines[index]):
                return f", line {index + 1}"
    return ""


def matches(value: str, patterns: Iterable[str]) -> bool:
    """True if ``value`` is one of ``patterns`` or matches one as a glob."""
    return any(value == pattern or fnmatch.fnmatchcase(value, pattern) for pattern in patterns)
