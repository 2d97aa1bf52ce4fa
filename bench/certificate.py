"""Certificates: the results of ``bench equivalence`` for one framework, with their conditions and code.

A certificate is found by a key over all that could change what a framework computes: the adapter's source, the
versions of its packages, device, execution, precision, input, steps per execution, layout, threads, and the protocol.
Editing an adapter invalidates its certificates.

A certificate holds claims: each lists the facts that one proof showed together. A case is covered if every two of its
facts (network, parts of the recipe, batch size, classes, shape of the images) are together in a claim, and if its facts
as a whole were not found wrong. Pairs, because most faults of software need no more than two settings to show (Kuhn,
Wallace and Gallo, IEEE Transactions on Software Engineering 30(6), 2004); a fault that needs three at once may be
missed, and all triples of facts would take hours.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationError

from bench.case import PROTOCOL_VERSION, Case, Execution, Frozen, Input, Precision, Training, digest
from bench.datasets.cache import cache_root
from bench.datasets.dataset import DatasetInfo
from bench.durable import write_text_whole
from bench.errors import BenchError

PROVED = "proved"
NOT_PROVED = "not proved"

FORMAT = 2
"""Raised when the meaning of a certificate changes; older ones are then not found."""


class Conditions(Frozen):
    """Settings of running a case that may change what a framework computes."""

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
        """The conditions of a case."""
        return cls.model_validate({name: getattr(case, name) for name in cls.model_fields})


class DataKind(Frozen):
    """A data set as a framework sees it, whatever its images show."""

    shape: tuple[int, ...]
    """One image: ``(*spatial, channels)``."""
    classes: int
    floats: bool = False
    """True for values from 0 to 1; others are bytes that are scaled first."""

    @classmethod
    def of(cls, info: DatasetInfo) -> DataKind:
        """The kind of a cached data set."""
        return cls(shape=info.shape, classes=len(info.class_names), floats=info.scale == 1)


class Claim(Frozen):
    """Facts proved together, or those a case asks for."""

    model: str
    """The network's name: for the reader."""
    network: str
    """``Network.digest``: of what it computes, with its dropout as it ships."""
    optimizer: str
    momentum: bool = False
    nesterov: bool = False
    weight_decay: bool = False
    schedule: str = "constant"
    label_smoothing: bool = False
    class_weights: bool = False
    normalize: Literal["none", "given", "train"] = "none"
    batch_size: int
    shape: tuple[int, ...]
    classes: int
    floats: bool = False

    @classmethod
    def of(cls, model: str, network: str, training: Training, data: DataKind) -> Claim:
        """The facts of a network with this name and digest, trained so on such data.

        Constants are not facts: a rate or an epsilon is a number that a framework is given, and uses or does not.
        """
        optimizer = training.optimizer
        moving = optimizer.name in ("sgd", "rmsprop") and optimizer.momentum > 0
        given: Literal["none", "given", "train"] = "none"
        if training.normalize is not None:
            given = "train" if training.normalize == "train" else "given"
        return cls(
            model=model,
            network=network,
            optimizer=optimizer.name,
            momentum=moving,
            nesterov=optimizer.name == "sgd" and optimizer.nesterov,
            weight_decay=optimizer.weight_decay > 0,
            schedule=training.schedule.name,
            label_smoothing=training.label_smoothing > 0,
            class_weights=training.class_weights is not None,
            normalize=given,
            batch_size=training.batch_size,
            **data.model_dump(),
        )

    @property
    def facts(self) -> tuple[tuple[str, Any], ...]:
        """Name and value of each field but ``model``."""
        return tuple((name, getattr(self, name)) for name in type(self).model_fields if name != "model")

    @property
    def pairs(self) -> frozenset[tuple[Any, ...]]:
        """Every pair of facts."""
        return frozenset(combinations(self.facts, 2))


class Certificate(Frozen):
    """Results of proofs, and their date."""

    kind: ClassVar[Literal["certificate"]] = "certificate"
    format: int = FORMAT
    conditions: Conditions
    versions: dict[str, str]
    source: str
    """SHA-256 over the adapter's modules: see ``source_digest``."""
    protocol: int = PROTOCOL_VERSION
    claims: tuple[Claim, ...] = ()
    """One claim for each proof that held."""
    refuted: tuple[Claim, ...] = ()
    """Claims found wrong."""
    compared_with: tuple[str, ...] = ()
    """The other frameworks it was compared with; the definition always is."""
    largest: dict[str, float] = Field(default_factory=dict)
    """The largest relative difference of each quantity to the definition, by precision and quantity."""
    limits: dict[str, float] = Field(default_factory=dict)
    date: str = ""
    """UTC, ISO 8601."""

    @property
    def id(self) -> str:
        """16 hexadecimal digits: the name of its file."""
        return key(self.conditions, self.versions, self.source)

    def covers(self, case: Case, data: DataKind) -> bool:
        """True if every two facts of the case, on such data, were proved together under its conditions."""
        if case.training is None or case.track != "matched" or Conditions.of(case) != self.conditions:
            return False
        return self.holds(Claim.of(case.model, str(case.model_digest), case.training, data))

    def holds(self, asked: Claim) -> bool:
        """True if every two facts of ``asked`` were proved together, and they were not found wrong as a whole."""
        if any(one.facts == asked.facts for one in self.refuted):
            return False
        return asked.pairs <= {pair for claim in self.claims for pair in claim.pairs}


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


def find(case: Case, data: DataKind, adapter: object, versions: Mapping[str, str]) -> Certificate | None:
    """The certificate that covers ``case`` run by ``adapter`` with packages of ``versions``; None if there is none.

    Only files are read: no framework is imported and no process started.
    """
    found = read(key(Conditions.of(case), versions, _digest_of(adapter)))
    return found if found is not None and found.covers(case, data) else None


def read(identity: str) -> Certificate | None:
    """The certificate stored under an id; None if it is missing or cannot be read."""
    try:
        found = Certificate.model_validate_json((folder() / f"{identity}.json").read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.id == identity and found.format == FORMAT else None


def store(certificate: Certificate) -> Path:
    """Write it in whole or not at all, replacing one of the same key. Raises BenchError if the disk refuses."""
    path = folder() / f"{certificate.id}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_whole(path, certificate.model_dump_json(indent=1) + "\n")
    except OSError as error:
        raise BenchError(
            f"the certificate cannot be written: {error.strerror or type(error).__name__}.",
            "Free space, or set BENCH_CACHE_DIR to a folder that can be written.",
        ) from error
    return path


def withdraw(identity: str) -> None:
    """Delete the certificate of an id, if there is one: its claims do not hold."""
    (folder() / f"{identity}.json").unlink(missing_ok=True)


def folder() -> Path:
    """Folder of certificates, beside the cached data sets."""
    return cache_root() / "certificates"


def _digest_of(adapter: object) -> str:
    kind: Any = type(adapter)
    return source_digest(kind)


@cache
def source_digest(adapter: type) -> str:
    """SHA-256 over the source of an adapter: the modules of its class and base classes, and all they import.

    A module's imports from its own top-level package are followed, wherever in the file they are.
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
        except SyntaxError:  # its bytes still count
            continue
        inside = name if path.name == "__init__.py" else name.rpartition(".")[0]
        pending += [found for found in _imported(tree, inside) if found.partition(".")[0] == package]


def _imported(tree: ast.AST, inside: str) -> Iterable[str]:
    """Dotted names that may be modules: ``from a import b`` gives ``a`` and ``a.b``."""
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
    """The source file of a module, found without importing it; None if the name is not a source module."""
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
