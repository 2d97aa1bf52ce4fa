"""The harness side by side with users' own scripts: take rounds, print the tables.

    python -m tests.benchmarks.side_by_side --keep side-by-side.jsonl
    python -m tests.benchmarks.side_by_side --keep side-by-side.jsonl --framework pytorch --model cnn

Exit code 1 where something is not shown to hold. What ``--keep`` holds already is not taken again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from bench.adapters.catalog import find_adapter
from bench.measure.cores import usable_cores
from bench.runner.local import last_lines, worker_process, write_line
from tests.benchmarks.apart import Apart
from tests.benchmarks.figures import Series, misses, table
from tests.benchmarks.sizes import FRAMEWORKS, SIZES, Request, Round, request


def main() -> int:
    """Take what is asked for and not kept yet; show everything."""
    asked = _arguments()
    kept = _read(asked.keep)
    for framework in asked.framework:
        for model in asked.model:
            if framework == "scikit-learn" and model == "cnn":  # it has no convolution
                continue
            if any((one.framework, one.model, one.apart) == (framework, model, asked.apart) for one in kept):
                continue
            series = take(framework, model, asked)
            kept.append(series)
            if asked.keep:
                with asked.keep.open("a", encoding="utf-8") as file:
                    file.write(series.model_dump_json() + "\n")
    shown = [one for one in kept if one.framework in asked.framework and one.model in asked.model]
    print(table(shown))
    found = [line for series in shown for line in misses(series)]
    print("\n".join(["", "Not shown to hold:", *found] if found else ["", "Everything is shown to hold."]))
    return 1 if found else 0


def take(framework: str, model: str, asked: argparse.Namespace) -> Series:
    """All rounds of one framework and model."""
    made = request(framework, model, asked.threads, asked.seconds, asked.least, asked.most, judged_alone=asked.apart)
    began = monotonic()
    rounds = []
    for one in _apart(made) if asked.apart else _in_one_process(made):
        rounds.append(one)
        print(f"{framework} {model}: {len(rounds)} rounds, {monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return Series(framework=framework, model=model, apart=asked.apart, threads=asked.threads, rounds=tuple(rounds))


def _in_one_process(made: Request) -> Iterator[Round]:
    environment = find_adapter(made.framework).environment(made.case(made.sizes[0], 1))
    with worker_process([], made.threads, environment, "tests.benchmarks.rounds") as (process, stderr):
        write_line(process, made.model_dump_json())
        assert process.stdout is not None
        for line in process.stdout:
            yield Round.model_validate_json(line)
        if process.wait():
            raise RuntimeError("\n".join(last_lines(stderr)))


def _apart(made: Request) -> Iterator[Round]:
    with tempfile.TemporaryDirectory() as folder:
        sides = Apart(made, Path(folder))
        began = monotonic()
        for number in range(made.most):
            if number >= made.least and monotonic() - began > made.seconds:
                return
            yield sides.round(number)


def _read(keep: Path | None) -> list[Series]:
    if keep is None or not keep.exists():
        return []
    return [Series.model_validate_json(line) for line in keep.read_text(encoding="utf-8").splitlines()]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.side_by_side")
    parser.add_argument("--framework", action="append", choices=FRAMEWORKS, help="default: all five")
    parser.add_argument("--model", action="append", choices=sorted(SIZES), help="default: both")
    parser.add_argument("--apart", action="store_true", help="a process for each training, instead of one for all")
    parser.add_argument("--seconds", type=float, default=100.0, help="rounds begin for so long (default 100)")
    parser.add_argument("--least", type=int, default=6, help="rounds taken however long they last (default 6)")
    parser.add_argument("--most", type=int, default=40, help="rounds at most (default 40)")
    parser.add_argument("--threads", type=int, default=usable_cores(), help="default: the usable cores")
    parser.add_argument("--keep", type=Path, help="a file that rounds are added to and read from")
    found = parser.parse_args()
    found.framework = found.framework or list(FRAMEWORKS)
    found.model = found.model or list(SIZES)
    return found


if __name__ == "__main__":
    sys.exit(main())
