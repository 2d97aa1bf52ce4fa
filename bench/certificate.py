"""Certificates: what ``bench equivalence`` has shown of one framework, under which conditions, with which code.

A certificate is found by a key over all that could change what a framework computes: the adapter's source, the
versions of its packages, device, execution, precision, input, steps per execution, layout, threads, and the protocol.
An adapter that is edited has no certificate any more.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationError

from bench.case import PROTOCOL_VERSION, Case, Execution, Frozen, Input, Precision, Training, digest
from bench.datasets.cache import cache_root
from bench.durable import write_text_whole
from bench.errors import BenchError

PROVED = "proved"
NOT_PROVED = "not proved"

FORMAT = 1
"""Raised when a certificate says something else than before; older ones are then not found."""


class Conditions(Frozen):
    """How a framework runs a case, as far as it may change what is computed."""

    framework: str
    device: str = "cpu"
    execution: Execution = "eager"
    precision: Precision = "float32"
    input: Input = "resident"
    steps_per_execution: int = 1
    channels_last: bool = False
    threads: int = 1

    @classmethod
    def of(cls, case: Case) -> Conditions:
        """Those of a case."""
        return cls.model_validate({name: getattr(case, name) for name in cls.model_fields})


class Network(Frozen):
    """A network that was verified."""

    name: str
    digest: str
    """``Network.digest``: of what it computes, with its dropout as it ships."""


class Certificate(Frozen):
    """What was shown, and when."""

    kind: ClassVar[Literal["certificate"]] = "certificate"
    format: int = FORMAT
    conditions: Conditions
    versions: dict[str, str]
    source: str
    """SHA-256 over the adapter's modules: see ``source_digest``."""
    protocol: int = PROTOCOL_VERSION
    networks: tuple[Network, ...] = ()
    features: tuple[str, ...] = ()
    """What of a recipe was verified: see ``features``."""
    compared_with: tuple[str, ...] = ()
    """The other frameworks it was compared with; the definition always is."""
    largest: dict[str, float] = Field(default_factory=dict)
    """The largest relative difference of each quantity to the definition, by precision and quantity."""
    limits: dict[str, float] = Field(default_factory=dict)
    causes: tuple[str, ...] = ()
    """Why some quantities were held to wider limits."""
    date: str = ""
    """UTC, ISO 8601."""

    @property
    def id(self) -> str:
        """16 hexadecimal digits: the name of its file."""
        return key(self.conditions, self.versions, self.source)

    def covers(self, case: Case) -> bool:
        """Whether the case's network and all of its recipe were verified under the case's conditions."""
        if case.training is None or case.track != "matched" or Conditions.of(case) != self.conditions:
            return False
        known = {network.digest for network in self.networks}
        return case.model_digest in known and features(case.training) <= set(self.features)


def features(training: Training) -> frozenset[str]:
    """The parts of a recipe that a framework may compute in its own way."""
    optimizer = training.optimizer
    found = {
        optimizer.name: True,
        f"{optimizer.name} momentum": optimizer.momentum > 0,
        f"{optimizer.name} nesterov": optimizer.nesterov,
        "weight decay": optimizer.weight_decay > 0,
        "schedule": training.schedule.name != "constant",
        "label smoothing": training.label_smoothing > 0,
        "class weights": training.class_weights is not None,
        "normalisation": training.normalize is not None,
    }
    return frozenset(name for name, present in found.items() if present)


def key(conditions: Conditions, versions: Mapping[str, str], source: str) -> str:
    """16 hexadecimal digits over all that could change what is computed."""
    return digest(
        {
            "format": FORMAT,
            "protocol": PROTOCOL_VERSION,
            "conditions": conditions.model_dump(mode="json"),
            "versions": dict(versions),
            "source": source,
        }
    )[:16]


def find(case: Case, adapter: object, versions: Mapping[str, str]) -> Certificate | None:
    """The certificate that covers ``case`` run by ``adapter`` with packages of ``versions``; None where there is none.

    Only files are read: no framework is imported and no process started.
    """
    return _read_covering(case, key(Conditions.of(case), versions, _digest_of(adapter)))


def read(identity: str) -> Certificate | None:
    """The certificate stored under an id; None where it is not there or cannot be read."""
    try:
        found = Certificate.model_validate_json((folder() / f"{identity}.json").read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.id == identity and found.format == FORMAT else None


def store(certificate: Certificate) -> Path:
    """Write it in whole or not at all; one of the same key is replaced. Raises BenchError where the disk refuses."""
    path = folder() / f"{certificate.id}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_whole(path, certificate.model_dump_json(indent=1) + "\n")
    except OSError as error:
        raise BenchError(
            f"the certificate cannot be written: {error.strerror or type(error).__name__}.",
            "Make room, or set BENCH_CACHE_DIR to a folder that can be written.",
        ) from error
    return path


def withdraw(identity: str) -> None:
    """Delete the certificate of an id, if there is one: what it says does not hold."""
    (folder() / f"{identity}.json").unlink(missing_ok=True)


def folder() -> Path:
    """Where certificates lie: beside the cached data sets."""
    return cache_root() / "certificates"


def _read_covering(case: Case, identity: str) -> Certificate | None:
    found = read(identity)
    return found if found is not None and found.covers(case) else None


def _digest_of(adapter: object) -> str:
    kind: Any = type(adapter)
    return source_digest(kind)


@cache
def source_digest(adapter: type) -> str:
    """SHA-256 over the source of an adapter: the modules of its class and base classes, and all they import.

    Of a module's imports those of its own top-level package are followed, wherever in the file they stand.
    """
    files: dict[str, bytes] = {}
    for base in adapter.__mro__:
        module = sys.modules.get(base.__module__)
        if module is not None and _is_source(getattr(module, "__file__", None)) and base.__module__ != "abc":
            _collect(base.__module__, files)
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    return total.hexdigest()


def _collect(module: str, files: dict[str, bytes]) -> None:
    pending = [module]
    while pending:
        name = pending.pop()
        path = None if name in files else _file_of(name)
        if path is None:
            continue
        files[name] = path.read_bytes()
        package = name.partition(".")[0]
        try:
            tree = ast.parse(files[name])
        except SyntaxError:  # its bytes count even so
            continue
        inside = name if path.name == "__init__.py" else name.rpartition(".")[0]
        pending += [found for found in _imported(tree, inside) if found.partition(".")[0] == package]


def _imported(tree: ast.AST, inside: str) -> Iterable[str]:
    """Dotted names that may be modules: of ``from a import b`` both ``a`` and ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = inside.split(".")
            above = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@cache
def _file_of(name: str) -> Path | None:
    """The source file of a module, found without importing it; None where the name is no module of source."""
    loaded = sys.modules.get(name)
    origin = getattr(loaded, "__file__", None)
    if loaded is None:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError, AttributeError):
            return None
        origin = spec.origin if spec is not None else None
    return Path(str(origin)) if _is_source(origin) else None


def _is_source(origin: object) -> bool:
    return isinstance(origin, str) and origin.endswith(".py") and os.path.isfile(origin)
