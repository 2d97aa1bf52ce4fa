"""The real ``bench`` command in a process of its own, and what it leaves behind, read without bench's own code."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LIMIT_S = 240
"""Seconds after which a command that ought to have ended is taken to hang."""

Ended = subprocess.CompletedProcess[str]
Json = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """The command as a user in ``folder`` has it: an own home, no network, and nothing else of this machine's."""

    folder: Path
    environment: dict[str, str]
    program: tuple[str, ...] = (str(Path(sys.executable).with_name("bench")),)

    def __call__(self, *arguments: str) -> Ended:
        """Run it to its end."""
        return subprocess.run(
            [*self.program, *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            timeout=LIMIT_S,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start it and go on."""
        return subprocess.Popen(
            [*self.program, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment,
        )

    def inside(self, folder: Path, **variables: str) -> Bench:
        """The same command in another folder, with more variables set."""
        return replace(self, folder=folder, environment={**self.environment, **variables})

    def runs(self) -> list[Path]:
        """The run folders, oldest first by the time of their making."""
        return sorted((self.folder / "results").glob("*/"), key=lambda run: (run / "run.json").stat().st_mtime_ns)

    def records(self) -> list[Json]:
        """Every line of the newest run's records."""
        return read_records(self.runs()[-1])


def read_records(run: Path) -> list[Json]:
    return [json.loads(line) for line in (run / "records.jsonl").read_text().splitlines()]


def read_predictions(run: Path, record: Json) -> dict[str, NDArray[Any]]:
    with np.load(run / record["predictions"], allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def cells(records: list[Json]) -> list[str]:
    """``mnist/cnn/pytorch`` of each record, in their order."""
    return ["/".join(record["case"][axis] for axis in ("dataset", "model", "framework")) for record in records]


def assert_refused(ended: Ended, *said: str, code: int = 2) -> None:
    """The command ended with ``code`` and one clear message: one to three lines that say all of ``said``."""
    assert ended.returncode == code, ended.stderr
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("decoding ")]
    assert 1 <= len(lines) <= 3, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "bug in bench" not in ended.stderr
    assert ended.stdout == ""
    for words in said:
        assert words in ended.stderr
