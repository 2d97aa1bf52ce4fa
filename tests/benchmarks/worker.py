"""The process in which one framework's sides alternate: requests on standard input, answers on standard output.

One process for each framework, because torch and TensorFlow abort when they meet; it ends with its input.
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from tests.benchmarks.alternation import Alternation, case_of
from tests.benchmarks.by_hand.base import Way


def main() -> None:
    """Answer one line of JSON for each line of JSON; what a framework prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    framework, model, way, threads, pairs, folder = sys.argv[1:]
    alternation = Alternation(case_of(framework, model, int(threads), cast(Way, way)), Path(folder), int(pairs))
    for line in sys.stdin:
        answers.write(json.dumps(_answer(alternation, json.loads(line))) + "\n")
        answers.flush()


def _answer(alternation: Alternation, request: dict[str, Any]) -> Any:
    match request:
        case {"prepare": work}:
            return asdict(alternation.prepare(work))
        case {"pair": number}:
            return alternation.pair(number)
        case {"ask": "agreement"}:
            return alternation.agreement()
        case {"ask": "accuracies"}:
            return alternation.accuracies()
    raise ValueError(f"no such request: {request}")


if __name__ == "__main__":
    main()
