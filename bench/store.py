"""Run folders: the manifest of a run and its records, appended one by one and read back.

    <results>/<run>/run.json                          the manifest
                    records.jsonl                     one record per line
                    predictions/<case>-<seed>.npz     labels and scores of one trial
                    environments/<hash>.json          the machine and software of the records
                    certificates/<id>.json            proofs that their frameworks compute the same
                    floors/<data>-<rows>.json         scores of methods without training on the same rows

A record is written by one write that ends in a newline, then flushed to the disk. Text after the last newline
was torn by a crash: readers ignore it and the next append cuts it away. Reading needs no lock and changes nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from bench.durable import append_line, write_text_whole, write_whole
from bench.errors import BenchError
from bench.manifest import Floors, RunManifest
from bench.record import SCHEMA_VERSION, Environment, Record

if TYPE_CHECKING:
    import numpy as np
    from filelock import BaseFileLock
    from numpy.typing import NDArray

MANIFEST = "run.json"
RECORDS = "records.jsonl"
PREDICTIONS = "predictions"
ENVIRONMENTS = "environments"
CERTIFICATES = "certificates"
FLOORS = "floors"
LOCK = ".lock"

FINISHED: frozenset[str] = frozenset({"ok", "diverged", "unsupported"})
"""Statuses a resumed run does not try again.

A trial that diverged would diverge again: its seeds and its data are the same, and another model is another case.
Other failures (``error``, ``timeout``, ``out-of-memory``, ``crashed``, ``interrupted``) may be due to the machine's
state, and what was ``unavailable`` may have been installed or downloaded since.
"""

M = TypeVar("M", bound=BaseModel)


class RunFolder:
    """One run on the disk. One process writes, under ``lock``; any number read.

    Methods that write raise BenchError if the disk refuses.
    """

    def __init__(self, path: Path, manifest: RunManifest) -> None:
        self.path = path
        self.manifest = manifest
        self._lock: BaseFileLock | None = None
        self._decisions: dict[str, NDArray[np.int64]] = {}

    @classmethod
    def create(cls, results: Path, manifest: RunManifest) -> RunFolder:
        """A new folder ``results/<manifest.name>``; a name already taken gets ``-2``, ``-3``, … in folder and manifest.

        Raises BenchError if the folder cannot be made or written.
        """
        if manifest.name in ("", ".", "..") or Path(manifest.name).name != manifest.name:
            raise BenchError(f"{manifest.name!r} cannot be the name of a run.", "Leave out slashes and dots.")
        try:
            path = _new_folder(results, manifest.name)
            manifest = manifest.model_copy(update={"name": path.name})
            write_text_whole(path / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
        except OSError as error:
            raise BenchError(
                f"results cannot be written to {str(results)!r}: {_obstacle(results) or _sentence(error)}.",
                "Name another folder: --results DIR",
            ) from error
        return cls(path, manifest)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """The run in the folder ``path``. Raises BenchError if there is none or its manifest cannot be read."""
        try:
            data = (path / MANIFEST).read_bytes()
        except OSError as error:
            raise BenchError(
                f"{str(path)!r} is not a run: its {MANIFEST} cannot be read ({_sentence(error)}).",
                "Name a folder that `bench run` made.",
            ) from error
        return cls(path, _parse(RunManifest, data, str(path / MANIFEST)))

    def append(self, record: Record, predictions: Mapping[str, NDArray[Any]] | None = None) -> Record:
        """Store one record, after the predictions it refers to, and return it as a reader will see it.

        Takes the lock unless this object holds it already. Raises BenchError if the disk refuses.
        """
        with self.lock():
            try:
                if predictions is not None:
                    name = f"{PREDICTIONS}/{record.case_id}-{record.seed_index}.npz"
                    self._store_arrays(name, predictions)
                    record = record.model_copy(update={"predictions": name})
                line = record.model_dump_json().encode()
                # JSON has no NaN (pydantic writes null): what could not be read back must not get into the file.
                stored = Record.model_validate_json(line)
                append_line(self.path / RECORDS, line + b"\n")
            except OSError as error:
                raise self._refused("a record", error) from error
        return stored

    def history(self) -> list[Record]:
        """Every record in the order written, repeated attempts included.

        Raises BenchError for a line that is not a record, or is from a newer version of the harness.
        """
        try:
            data = (self.path / RECORDS).read_bytes()
        except FileNotFoundError:
            return []
        lines = data[: data.rfind(b"\n") + 1].splitlines()
        return [
            _parse(Record, line, f"{self.path / RECORDS}, line {number}")
            for number, line in enumerate(lines, start=1)
            if line.strip()
        ]

    def records(self) -> list[Record]:
        """The newest record of every (case, seed index), in the order written. Raises as ``history`` does."""
        newest: dict[tuple[str, int], Record] = {}
        for record in self.history():
            key = (record.case_id, record.seed_index)
            newest.pop(key, None)  # so that the later record also takes the later place
            newest[key] = record
        return list(newest.values())

    def finished(self) -> set[tuple[str, int]]:
        """(case id, seed index) of trials a resumed run does not repeat: see ``FINISHED``."""
        return {(record.case_id, record.seed_index) for record in self.records() if record.status in FINISHED}

    def add_environment(self, environment: Environment) -> str:
        """Store an environment once and return the hash that records refer to it by."""
        self._store_once(self.path / ENVIRONMENTS / f"{environment.hash}.json", environment)
        return environment.hash

    def environments(self) -> dict[str, Environment]:
        """Every stored environment by its hash."""
        paths = sorted((self.path / ENVIRONMENTS).glob("*.json"))
        return {path.stem: _parse(Environment, path.read_bytes(), str(path)) for path in paths}

    def add_certificate(self, identity: str, content: BaseModel) -> None:
        """Store an equivalence certificate, once."""
        self._store_once(self.path / CERTIFICATES / f"{identity}.json", content)

    def add_floors(self, floors: Floors) -> None:
        """Store once the floors of a data set for a number of training rows."""
        self._store_once(self.path / FLOORS / f"{floors.fingerprint[:16]}-{floors.train_rows}.json", floors)

    def floors(self) -> tuple[Floors, ...]:
        """All floors stored, those of one data set together; none in a run that has not ended."""
        paths = sorted((self.path / FLOORS).glob("*.json"))
        return tuple(_parse(Floors, path.read_bytes(), str(path)) for path in paths)

    def predictions(self, record: Record) -> dict[str, NDArray[Any]] | None:
        """The arrays stored with ``record``; None if it has none.

        Raises BenchError if the file is missing, damaged, or not in this run's folder. Nothing is unpickled.
        """
        return None if record.predictions is None else self._arrays(record)

    def decisions(self, record: Record) -> NDArray[np.int64] | None:
        """The labels ``(rows,)`` that a trial gave the test part; None if the run folder does not have them.

        They are read once and kept. Raises BenchError if the file is damaged.
        """
        name = record.predictions
        if name is None or not (self.path / name).is_file():  # a run may be handed on without its predictions
            return None
        if name not in self._decisions:
            self._decisions[name] = self._arrays(record, ("labels",))["labels"].astype("int64")
        return self._decisions[name]

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run for writing; may be nested. Raises BenchError if another writer holds it."""
        from filelock import FileLock, Timeout  # imports asyncio: 50 ms that reading a run should not cost

        if self._lock is None:
            self._lock = FileLock(self.path / LOCK, timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout as error:
            raise BenchError(
                f"run {self.manifest.name!r} is being written by another process.",
                "Wait until it has ended, or start a run of its own.",
            ) from error
        try:
            yield
        finally:
            self._lock.release()

    def _arrays(self, record: Record, names: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
        """The arrays of these names stored with ``record``, or all; only these are read. Raises as ``predictions``."""
        import zipfile
        import zlib
        from tokenize import TokenError

        import numpy as np

        # All that numpy, zipfile and zlib raised for some thousand damaged files.
        damage = (OSError, ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error, TokenError)

        path = self.path / PREDICTIONS / Path(str(record.predictions)).name
        if record.predictions != f"{PREDICTIONS}/{path.name}":
            raise BenchError(f"{record.predictions!r} is not a file of predictions of run {self.manifest.name!r}.")
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in names or arrays.files}
        except damage as error:
            raise BenchError(
                f"predictions of {record.case.cell}, seed {record.seed_index}, cannot be read from {str(path)!r}: "
                f"{type(error).__name__}.",
                "Delete the run and repeat it, or copy its folder again in full.",
            ) from error

    def _store_once(self, path: Path, content: BaseModel) -> None:
        try:
            if not path.exists():
                path.parent.mkdir(exist_ok=True)
                write_text_whole(path, content.model_dump_json(indent=1) + "\n")
        except OSError as error:
            raise self._refused(f"{path.parent.name}/{path.name}", error) from error

    def _refused(self, what: str, error: OSError) -> BenchError:
        return BenchError(
            f"{what} of run {self.manifest.name!r} cannot be written: {_sentence(error)}.",
            "Finished trials are kept; free space or fix the folder, then continue with --resume.",
        )

    def _store_arrays(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        import numpy as np

        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        write_whole(path, lambda file: np.savez_compressed(file, allow_pickle=False, **arrays))


def _new_folder(results: Path, name: str) -> Path:
    results.mkdir(parents=True, exist_ok=True)
    path, count = results / name, 1
    while True:
        try:
            path.mkdir()
            return path
        except FileExistsError:
            count += 1
            path = results / f"{name}-{count}"


def _obstacle(results: Path) -> str:
    """The file that stands where a folder was wanted, in words; empty if there is none."""
    for path in (results, *results.parents):
        if os.path.isfile(path):  # unlike Path.is_file, never raises
            return f"{str(path)!r} is a file"
    return ""


def _sentence(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _parse(model: type[M], data: bytes, where: str) -> M:
    """``data`` as ``model``; refuses data of a newer version before reporting its unknown keys as errors."""
    try:
        content = json.loads(data)
    except ValueError as error:
        raise BenchError(f"{where}: not JSON, so the file was damaged or edited: {error}.") from error
    version = content.get("schema_version", 0) if isinstance(content, dict) else 0
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise BenchError(
            f"{where}: written by a newer bench (schema version {version}; this one reads up to {SCHEMA_VERSION}).",
            "Update bench to read it.",
        )
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise BenchError(
            f"{where}: not a {model.__name__}: {key + ': ' if key else ''}{first['msg']}.",
            "The file was damaged or edited.",
        ) from error
