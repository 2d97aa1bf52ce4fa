"""The worker of the proofs: one framework in one precision in a process of its own.

Run as ``python -P -m bench.equivalence.worker``: an assignment on standard input, one line of JSON; phases and the
answer on standard output; traces as ``.npz`` in the assignment's folder. What a framework prints goes to standard
error.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from pydantic import JsonValue

from bench.adapters.base import Adapter
from bench.case import Case, Frozen, Precision, Training
from bench.certificate import Conditions
from bench.equivalence.proof import Proof
from bench.runner.job import Message
from bench.runner.pipes import end_with_parent, first_line, open_messages, send_line


class Assignment(Frozen):
    """Proofs and checks for one worker."""

    conditions: Conditions
    precision: Precision
    """Precision of the proofs: that of the conditions, or float64."""
    proofs: tuple[Proof, ...]
    folder: str
    checks: bool = False
    """True to check the work and the properties of dropout too."""
    dropout_rates: tuple[float, ...] = ()


def examine(
    adapter: Adapter, assignment: Assignment, announce: Callable[[str], None] = lambda _: None
) -> dict[str, JsonValue]:
    """Compute every trace of an assignment. An adapter that raises fails that proof, not the others.

    Returns ``errors`` (by the number of the proof) and ``findings`` (about work and dropout).
    """
    from bench.equivalence.trace import make_trace

    errors: dict[str, JsonValue] = {}
    for number, proof in enumerate(assignment.proofs):
        announce(f"{number + 1}/{len(assignment.proofs)} {proof.label}")
        try:
            trace = make_trace(adapter, proof, assignment.conditions, assignment.precision)
            trace.save(trace_file(assignment.folder, number))
        except Exception as error:  # the worker's boundary: whatever an adapter raises is its answer
            traceback.print_exc()
            errors[str(number)] = _words(error)
    findings: list[JsonValue] = []
    if assignment.checks:
        announce("work")
        findings += _checked(adapter, assignment)
    return {"errors": errors, "findings": findings}


def trace_file(folder: str, number: int) -> Path:
    """Path of the trace of an assignment's proof."""
    return Path(folder) / f"{number}.npz"


def _checked(adapter: Adapter, assignment: Assignment) -> list[str]:
    from bench.equivalence.dropout import dropout_findings
    from bench.equivalence.work import work_findings

    found: list[str] = []
    try:
        found += work_findings(adapter, assignment.conditions)
        for rate in assignment.dropout_rates:
            found += dropout_findings(adapter, assignment.conditions, rate)
    except Exception as error:  # as above
        traceback.print_exc()
        found.append(f"could not be checked: {_words(error)}")
    return found


def _words(error: BaseException) -> str:
    from bench.runner.local import scrub

    return scrub(f"{type(error).__name__}: {first_line(error)}".rstrip(": "))


def prepared_case(conditions: Conditions, precision: Precision) -> Case:
    """The case a worker's adapter is prepared for: it looks like any other."""
    named = {"dataset": "mnist", "model": "mlp-plain", "training": Training()}
    return Case.model_validate({**conditions.model_dump(), **named, "precision": precision})


def main() -> None:
    """Run the assignment on standard input."""
    from bench.adapters.catalog import find_adapter

    messages = open_messages()

    def send(message: Message) -> None:
        send_line(messages, message.model_dump_json(exclude_none=True))

    assignment = Assignment.model_validate_json(sys.stdin.readline())
    end_with_parent()
    send(Message(phase="import"))
    adapter = find_adapter(assignment.conditions.framework)
    adapter.prepare(prepared_case(assignment.conditions, assignment.precision))
    send(Message(answer=examine(adapter, assignment, lambda phase: send(Message(phase=phase)))))


if __name__ == "__main__":
    main()
