"""The process that reads hostile files: ``python -m tests.datasets.hostile_trial FORMAT FIRST END FOLDER``.

For each number from FIRST to END it makes one mutation of the honest files, reads it, and prints the outcome as a line
of JSON. Even numbers are mutations of the raw bytes, odd ones of the decoded content. It may die of one;
``tests.datasets.hostile`` continues after it.

An audit hook watches each read. Outside the folder for temporary files it is a fault to open a file for writing, make
a folder, start a process or a connection, or look up a pickle's name; so is any change below FOLDER afterwards.
"""

import json
import os
import random
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.datasets.dataset import Dataset
from bench.errors import BenchError
from tests.datasets.hostile_format import Format, arrays_of, differs, flaw, lay
from tests.datasets.hostile_formats import FORMATS

SLOWEST_S = 20
"""A read that takes longer ends the process."""
ROOM = 3 << 30
"""Bytes of address space; requested but unused memory counts here."""
LONGEST = 700
"""Characters of a message."""
SLACK = 12 << 10
"""KiB that a read may take beyond twice what the honest file takes."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
FORBIDDEN = (
    *("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.truncate"),
    *("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn", "pickle.find_class"),
    *("socket.connect", "socket.getaddrinfo", "ctypes.dlopen", "os.putenv"),
)


class Watch:
    """Notes what reading a file must not do."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        self.temporary = os.path.realpath(tempfile.gettempdir())
        sys.addaudithook(self)

    def __call__(self, event: str, values: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            path, mode, flags = values
            if (isinstance(flags, int) and flags & WRITING) or (isinstance(mode, str) and set(mode) & set("wax+")):
                self._note(event, path)
        elif event in FORBIDDEN:
            self._note(event, values[0] if values else "", values[-1] if len(values) > 1 else -1)

    def _note(self, event: str, about: object, folder: object = -1) -> None:
        """Note what is outside the temporary folder; ``folder`` may be an open one that the name is relative to."""
        if isinstance(about, str) and isinstance(folder, int) and folder > 2:
            about = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), about)
        if not (isinstance(about, str | os.PathLike) and os.path.realpath(about).startswith(self.temporary)):
            self.seen.append(f"{event} {about!r}"[:200])


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Watch; end the process if it takes too long."""
    signal.alarm(SLOWEST_S)
    watch.on = True
    try:
        yield
    finally:
        watch.on = False
        signal.alarm(0)


def peak_kib() -> int:
    """Peak memory since the last reset of the peak."""
    return _status("VmHWM")


def begin_peak() -> int:
    """Reset the peak; returns KiB held."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise AssertionError(f"no {name} in /proc/self/status")


class Bench:
    """One format, its honest files laid out, and the mutations of them."""

    def __init__(self, format: Format, folder: Path) -> None:
        self.format, self.folder, self.data = format, folder, folder / "data"
        self.files = format.honest()
        self.watch = Watch()
        self.allowed = self._honest_peak()
        self.before: dict[str, tuple[int, int]] = {}

    def _honest_peak(self) -> int:
        """KiB that a mutation may take: twice what the honest files take, read a second time."""
        lay(self.data, self.format.large())
        for _ in range(2):
            held = begin_peak()
            data = self.format.read(self.data)
            self.peak = max(0, peak_kib() - held)
            del data
        for file in sorted(self.data.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
        lay(self.data, self.files)
        wrong = flaw(self.format.read(self.data))
        assert not wrong, wrong
        whole = held if self.format.may_crash else 0  # a separate process's peak is all it takes
        return whole + 2 * self.peak + SLACK

    def trial(self, number: int) -> dict[str, Any]:
        """Make the mutation of this number, read it, and return the outcome."""
        chance = random.Random(f"{self.format.name} {number}")
        how, changed = (self.format.payload if number % 2 else self.format.raw)(self.files, chance)
        lay(self.data, changed)
        self.before = self._tree()
        held = begin_peak()
        result = self._read()
        result |= {"number": number, "how": how, "peak": max(0, peak_kib() - held)}
        result["faults"] += self._traces()
        if result["peak"] > self.allowed:
            result["faults"].append(f"{result['peak']} KiB of memory, {self.allowed} allowed")
        for name in changed:
            (self.data / name).unlink()
        lay(self.data, {name: self.files[name] for name in changed if name in self.files})
        return result

    def _read(self) -> dict[str, Any]:
        """The outcome: ``data`` or ``words``, and what is wrong with it."""
        try:
            with watched(self.watch):
                data = self.format.read(self.data)
        except BenchError as error:
            return {"outcome": "words", "said": str(error), "last": self.format.reached_last(error)} | {
                "faults": self._faults_of(error)
            }
        except Exception as error:
            said = f"{type(error).__module__}.{type(error).__name__}: {error}"[:300]
            return {"outcome": "exception", "said": said, "last": False, "faults": [said]}
        faults = [wrong] if (wrong := flaw(data)) else []
        return {"outcome": "data", "said": "", "last": True, "faults": faults or self._untrue(data)}

    def _untrue(self, data: Dataset) -> list[str]:
        """Disagreement with other code."""
        try:
            truth = self.format.truth(self.data)
        except Exception as error:
            return [f"accepted, though other code cannot read it: {type(error).__name__}: {error}"[:300]]
        different = truth is not None and differs(arrays_of(data), truth)
        return ["the data are not those in the file"] if different else []

    def _faults_of(self, error: BenchError) -> list[str]:
        """Faults of the error message."""
        said = str(error)
        faults = []
        if len(said.splitlines()) > 2 or len(said) > LONGEST:
            faults.append(f"words of {len(said.splitlines())} lines and {len(said)} characters: {said[:200]!r}")
        if not said.replace("\n", "").isprintable():
            faults.append(f"words with control characters: {said[:300]!r}")
        if str(self.folder) in said:
            faults.append(f"words with a path: {said[:300]!r}")
        parts = {part for name in self.files for part in Path(name).parts}
        if not any(part in said for part in (*parts, self.data.name)):
            faults.append(f"words that name no file: {said[:300]!r}")
        return faults

    def _traces(self) -> list[str]:
        """Side effects of reading."""
        seen, self.watch.seen = self.watch.seen, []
        after = self._tree()
        changed = [path for path in {*self.before, *after} if self.before.get(path) != after.get(path)]
        return [f"did: {note}" for note in seen] + [f"changed: {path}" for path in changed]

    def _tree(self) -> dict[str, tuple[int, int]]:
        """Size and time of everything below the folder."""
        found = {}
        for place, folders, files in os.walk(self.folder):
            for name in (*folders, *files):
                status = os.lstat(os.path.join(place, name))
                found[os.path.join(place, name)] = (status.st_size, status.st_mtime_ns) if name in files else (0, 0)
        return found


def main(name: str, first: str, end: str, folder: str) -> None:
    format = next(format for format in FORMATS if format.name == name)
    place = Path(folder).absolute()
    for part in ("data", "home", "cache", "temporary"):
        (place / part).mkdir(exist_ok=True)
    os.chdir(place / "home")
    bench = Bench(format, place)
    if not format.may_crash:  # else the decoder sets its own limits
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, used + ROOM))
    print(json.dumps({"honest": bench.peak, "allowed": bench.allowed}), flush=True)
    for number in range(int(first), int(end)):
        print(json.dumps(bench.trial(number)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
