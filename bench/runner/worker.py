"""The worker process: one job on standard input, messages on standard output, one framework in memory.

Run as ``python -P -m bench.runner.worker``. What a framework prints goes to standard error, so that nothing disturbs
the messages.
"""

import sys
import traceback
from typing import IO

from bench.runner.job import Job, Message
from bench.runner.pipes import end_with_parent, first_line, open_messages, send_line


def main() -> None:
    """Do the job on standard input, or, with ``--probe NAME``, say what a framework sees."""
    messages = open_messages()
    if sys.argv[1:2] == ["--probe"]:
        _probe(sys.argv[2], messages)
        return
    job = Job.model_validate_json(sys.stdin.readline())
    end_with_parent()
    _work(job, messages)


def _work(job: Job, messages: IO[str]) -> None:
    from bench.adapters.catalog import find_adapter
    from bench.models.catalog import find_model
    from bench.runner.trial import Trial

    def announce(phase: str) -> None:
        _send(messages, Message(phase=phase))

    adapter = find_adapter(job.case.framework)
    model = find_model(job.model_reference)
    try:
        _send(messages, Message(measured=Trial(job, adapter, model, announce).run()))
    except BaseException as error:  # the worker's boundary: whatever ends a trial becomes its record
        traceback.print_exc()
        _send(messages, _failure(error, adapter, model))


def _failure(error: BaseException, adapter: object, model: object) -> Message:
    from bench.adapters.base import Adapter, AdapterFault
    from bench.models.model import NativeModel
    from bench.models.native import ModelFault, describe
    from bench.score import Diverged

    assert isinstance(adapter, Adapter)
    if isinstance(error, Diverged):
        return Message(status="diverged", reason=str(error))
    if adapter.out_of_memory(error):
        return Message(status="out-of-memory", reason=f"{type(error).__name__}: {first_line(error)}".rstrip(": "))
    if isinstance(error, AdapterFault):
        return Message(status="error", reason=f"{adapter.name}: {first_line(error)}")
    if isinstance(error, ModelFault):
        return Message(status="error", reason=first_line(error))
    if isinstance(model, NativeModel):
        return Message(status="error", reason=f"{model.name}: {describe(error, model).splitlines()[0]}")
    return Message(status="error", reason=f"{type(error).__name__}: {first_line(error)}")


def _probe(name: str, messages: IO[str]) -> None:
    from bench.adapters.catalog import find_adapter
    from bench.case import Case

    adapter = find_adapter(name)
    adapter.prepare(Case(dataset="", model="", framework=name, device="any"))
    found = adapter.probe()
    _send(
        messages,
        Message(
            probe={
                "devices": list(found.devices),
                "versions": dict(found.versions),
                "threads": dict(found.threads),
                "accelerators": list(found.accelerators),
            }
        ),
    )


def _send(messages: IO[str], message: Message) -> None:
    send_line(messages, message.model_dump_json(exclude_none=True))


if __name__ == "__main__":
    main()
