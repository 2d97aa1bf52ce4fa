"""Read hostile files in separate processes: ``python -m tests.datasets.hostile --mutations 10000 [FORMAT…]``.

Prints a table: how many mutations of a format were read as data and refused in words, which share reached the
last stage of its parser (of all, and of those of the decoded content), and the most memory one took. ``--only NUMBER``
shows a single mutation.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MUTATIONS = int(os.environ.get("BENCH_MUTATIONS", "300"))
"""Per format."""
CAN_RUN = Path("/proc/self/clear_refs").exists()
NEEDS = "the most memory that one file takes is measured by Linux's /proc/self/clear_refs, which is not here"
ROOT = Path(__file__).parents[2]
HEADS = ("format", "files", "data", "words", "crashed", "last stage", "of content", "honest MiB", "most MiB", "CPU s")


@dataclass
class Outcome:
    """Results of the mutations of a format."""

    format: str
    data: int = 0
    words: int = 0
    crashed: int = 0
    last: int = 0
    content: int = 0
    """Mutations of the decoded content; the others are of raw bytes."""
    content_last: int = 0
    honest_kib: int = 0
    most_kib: int = 0
    cpu_s: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """All mutations."""
        return self.data + self.words + self.crashed

    def row(self) -> tuple[str, ...]:
        """Its line of the table."""
        shares = (_share(self.last, self.count), _share(self.content_last, self.content))
        sizes = (f"{self.honest_kib / 1024:.1f}", f"{self.most_kib / 1024:.1f}", f"{self.cpu_s:.1f}")
        return (
            self.format,
            *(f"{held:,}" for held in (self.count, self.data, self.words, self.crashed)),
            *shares,
            *sizes,
        )

    def add(self, answer: dict[str, Any]) -> None:
        """Count a reply."""
        self.data += answer["outcome"] == "data"
        self.words += answer["outcome"] in ("words", "exception")
        self.last += answer["last"]
        self.content += answer["number"] % 2
        self.content_last += answer["last"] and answer["number"] % 2
        self.most_kib = max(self.most_kib, answer["peak"])
        self.faults += [f"{self.format} {answer['number']} ({answer['how']}): {fault}" for fault in answer["faults"]]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "–"


def read_hostile(
    name: str, may_crash: bool, mutations: int = MUTATIONS, first: int = 0, *, show: bool = False
) -> Outcome:
    """Read mutations of a format; a process that dies of one is restarted after it."""
    outcome = Outcome(name)
    number, before = first, _children_cpu_s()
    while number < first + mutations:
        with tempfile.TemporaryDirectory(prefix="bench-hostile-") as folder:
            done, answers = _process(name, number, first + mutations, Path(folder))
        outcome.honest_kib = max([outcome.honest_kib, *(answer["honest"] for answer in answers if "honest" in answer)])
        tried = [answer for answer in answers if "number" in answer]
        for answer in tried:
            outcome.add(answer)
            if show:
                print(json.dumps(answer, ensure_ascii=False))
        number += len(tried)
        if number < first + mutations:
            if done.returncode >= 0 or not answers:
                outcome.faults.append(f"{name} {number}: {done.stderr.decode('utf-8', 'replace')[-2000:]}")
                break
            outcome.crashed += 1
            if not may_crash:
                outcome.faults.append(f"{name} {number}: ended its process with signal {-done.returncode}")
            number += 1
    outcome.cpu_s = _children_cpu_s() - before
    return outcome


def _process(name: str, first: int, end: int, folder: Path) -> "tuple[subprocess.CompletedProcess[bytes], list[Any]]":
    (folder / "temporary").mkdir()
    # Freed memory leaves the process at once, so that one file is not charged for another's
    allocator = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "OMP_NUM_THREADS": "1"}
    places = {
        "HOME": str(folder / "home"),
        "BENCH_CACHE_DIR": str(folder / "cache"),
        "TMPDIR": str(folder / "temporary"),
    }
    done = subprocess.run(
        [sys.executable, "-B", "-m", "tests.datasets.hostile_trial", name, str(first), str(end), str(folder)],
        cwd=folder,
        env={**os.environ, **allocator, **places, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        check=False,
    )
    return done, [json.loads(line) for line in done.stdout.splitlines()]


def _children_cpu_s() -> float:
    import resource  # of POSIX systems

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(outcomes: Sequence[Outcome]) -> str:
    """One line per format."""
    rows = [HEADS, *(outcome.row() for outcome in outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def main() -> int:
    """Read all; print the table and every fault."""
    from tests.datasets.hostile_formats import FORMATS

    parser = argparse.ArgumentParser(prog="python -m tests.datasets.hostile")
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help="part of a format's name; all without one")
    parser.add_argument("--mutations", type=int, default=MUTATIONS)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="show a single mutation")
    asked = parser.parse_args()
    if not CAN_RUN:
        parser.exit(2, f"{NEEDS}\n")
    outcomes = []
    for format in FORMATS:
        if not asked.formats or any(part.lower() in format.name.lower() for part in asked.formats):
            first, count = (0, asked.mutations) if asked.only is None else (asked.only, 1)
            outcomes.append(read_hostile(format.name, format.may_crash, count, first, show=asked.only is not None))
            print(table(outcomes[-1:]).splitlines()[-1], *outcomes[-1].faults[:40], sep="\n  ", flush=True)
    print(table(outcomes))
    return int(any(outcome.faults for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
