"""The worker process of ``bench diff``: one model, in its own framework; one request at a time on standard input.

Run as ``python -P -m bench.equivalence.diff_worker``. It builds and describes the model, then waits for the paths of
the inputs and of its trace. Output of the framework goes to standard error.
"""

from __future__ import annotations

import sys
import traceback

from bench.adapters.layer_facts import Described, Subject
from bench.case import Case, Frozen, Optimizer
from bench.runner.pipes import first_line, open_messages, send_line


class Opening(Frozen):
    """The first request: which model, in which framework."""

    reference: str
    """``/path/net.py:NAME``."""
    framework: str
    builder: str
    shape: tuple[int, ...]
    """Shape of an image, channels last."""
    classes: int
    seed: int
    threads: int


class Proving(Frozen):
    """The second request."""

    inputs: str
    """An ``.npz`` file."""
    trace: str
    """Path to write the trace to."""
    optimizer: Optimizer


class Reply(Frozen):
    """Reply of the worker: the model described, a trace written (neither), or an error."""

    described: Described | None = None
    error: str | None = None


def main() -> None:
    """Answer the two requests."""
    messages = open_messages()

    def send(reply: Reply) -> None:
        send_line(messages, reply.model_dump_json())

    subject = None
    for request in sys.stdin:
        try:
            if subject is None:
                subject = _open(Opening.model_validate_json(request))
                send(Reply(described=subject.described))
            else:
                _prove(subject, Proving.model_validate_json(request))
                send(Reply())
        except Exception as error:  # the worker's boundary: an error of the user's model is its reply
            traceback.print_exc()
            send(Reply(error=_told(error)))


def case_of(opening: Opening) -> Case:
    """The case with the settings to prepare the framework."""
    return Case(dataset="", model="", framework=opening.framework, precision="float64", threads=opening.threads)


def _open(opening: Opening) -> Subject:
    from bench.adapters.catalog import find_adapter
    from bench.adapters.layer_facts import open_model
    from bench.models.native import from_file

    find_adapter(opening.framework).prepare(case_of(opening))
    return open_model(from_file(opening.reference), opening.builder, opening.shape, opening.classes, opening.seed)


def _prove(subject: Subject, proving: Proving) -> None:
    from pathlib import Path

    import numpy as np

    from bench.equivalence.diff_trace import Inputs, save, trace

    with np.load(proving.inputs, allow_pickle=False) as stored:
        weights = {name: stored[name] for name in stored.files if name not in ("images", "labels")}
        inputs = Inputs(stored["images"], stored["labels"], weights)
    save(Path(proving.trace), trace(subject, inputs, proving.optimizer))


def _told(error: Exception) -> str:
    from bench.models.native import ModelFault

    first = first_line(error)
    return first if isinstance(error, ModelFault) else f"{type(error).__name__}: {first}".rstrip(": ")


if __name__ == "__main__":
    main()
