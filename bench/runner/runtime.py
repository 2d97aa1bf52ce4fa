"""Memory of a framework's runtime and compiler at their first use: not a model's, but a figure of its own.

A framework loads and compiles at its first use; the import shows none of it. A tiny model, a softmax on 40 rows of
8x8, is trained and predicts in a process of its own: its memory above the import is the runtime's. Trials do not do
this, because their clocks would then miss it.
"""

from __future__ import annotations

import json
import math
import sys
from contextlib import suppress
from pathlib import Path
from typing import cast

from bench.adapters.base import Adapter, Epoch, Learner, TrainingPlan
from bench.case import Case, Optimizer, Training
from bench.datasets.cache import cache_root
from bench.durable import write_text_whole
from bench.errors import BenchError
from bench.measure.memory import PhaseMemory
from bench.models.networks import SOFTMAX
from bench.runner.job import Message
from bench.runner.local import ask_module
from bench.runner.pipes import end_with_parent, open_messages, send_line

ROWS, SHAPE, CLASSES, BATCH = 40, (8, 8, 1), 10, 32
EPOCHS = 2
TIMEOUT_S = 300.0


class Runtimes:
    """The memory of each framework's runtime under the conditions of a case, measured once on a machine.

    Figures are kept in the user's cache folder, keyed by all that could change them.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or cache_root() / "runtimes.json"
        self._known: dict[str, float] = _read(self._path)
        self._failed: set[str] = set()

    def of(self, adapter: Adapter, case: Case, environment: str) -> float | None:
        """MiB above the import; None if the framework does not train a softmax, or could not.

        ``environment`` is the hash of the machine and its packages.
        """
        asked = runtime_case(case)
        key = f"{asked.id} {environment}"
        if key not in self._known and key not in self._failed:
            found = _measured(adapter, asked)
            if found is None:
                self._failed.add(key)
            else:
                self._keep(key, round(found, 2))
        return self._known.get(key)

    def _keep(self, key: str, found: float) -> None:
        self._known = {**_read(self._path), **self._known, key: found}
        with suppress(OSError):  # then it is measured again
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_text_whole(self._path, json.dumps(self._known))


def _read(path: Path) -> dict[str, float]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {key: float(value) for key, value in pairs if isinstance(value, int | float) and math.isfinite(value)}


def runtime_case(case: Case) -> Case:
    """The case of the softmax that stands for the runtime of ``case``."""
    return Case(
        dataset="digits",
        model=SOFTMAX.name,
        framework=case.framework,
        device=case.device,
        training=Training(epochs=EPOCHS, batch_size=BATCH),
        execution=case.execution,
        precision=case.precision,
        threads=case.threads,
    )


def _measured(adapter: Adapter, case: Case) -> float | None:
    if not adapter.natural(SOFTMAX) or adapter.unsupported(case, SOFTMAX, SHAPE, CLASSES):
        return None
    try:
        message = ask_module(
            "bench.runner.runtime",
            case.model_dump_json(),
            case.threads,
            adapter.environment(case),
            TIMEOUT_S,
            lambda _: None,
        )
    except BenchError:
        return None
    return cast(float, (message.answer or {}).get("runtime_mib"))


def runtime_mib(adapter: Adapter, case: Case) -> float:
    """Train and run the softmax in this process, whose adapter is not prepared yet; MiB above the import."""
    memory = PhaseMemory()
    adapter.prepare(case)
    adapter.probe()
    memory.mark_import()
    with memory.phase("runtime"):
        _use(_built(adapter, case))
    return memory.result().above_import_mib


def _built(adapter: Adapter, case: Case) -> Learner:
    import numpy as np

    from bench.datasets.dataset import Split
    from bench.models.network import initial_weights, place

    generator = np.random.Generator(np.random.PCG64(0))
    images = generator.integers(0, 256, (ROWS, *SHAPE)).astype(np.uint8)
    train = Split(images, np.arange(ROWS) % CLASSES, 255.0, CLASSES)
    weights = initial_weights(place(SOFTMAX, SHAPE, CLASSES), 0)
    rates = np.full(-(-ROWS // BATCH) * EPOCHS, 0.001)
    return adapter.build(case, SOFTMAX, train, TrainingPlan(0, case.threads, BATCH, rates, Optimizer(), weights))


def _use(learner: Learner) -> None:
    import numpy as np

    def pause() -> None:
        learner.synchronize()
        learner.progress()

    learner.train([Epoch(np.arange(ROWS), (1, 2)) for _ in range(EPOCHS)], pause)
    images = np.zeros((ROWS, *SHAPE), np.uint8)
    for size in (BATCH, 1):
        learner.predictor(size)(images[:size])


def main() -> None:
    """Measure the runtime of the case on standard input."""
    from bench.adapters.catalog import find_adapter

    messages = open_messages()
    case = Case.model_validate_json(sys.stdin.readline())
    end_with_parent()
    found = runtime_mib(find_adapter(case.framework), case)
    send_line(messages, Message(answer={"runtime_mib": found}).model_dump_json(exclude_none=True))


if __name__ == "__main__":
    main()
