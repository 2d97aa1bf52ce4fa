"""Requests of the parent to a worker process, and its replies: lines of JSON."""

from pydantic import JsonValue

from bench.case import Case, Frozen
from bench.record import Memory, ModelFigures, Phases, Scores, Status


class Job(Frozen):
    """One trial. Paths are here and not in the case, so that no record holds one."""

    case: Case
    seed_index: int
    dataset_folder: str
    """The cached arrays."""
    model_reference: str
    """A model's name, or ``/path/net.py:NAME``."""
    predictions_path: str
    """File for the worker's predictions (``.npz``)."""


class Measured(Frozen):
    """Measurements of a successful trial."""

    phases: Phases
    scores: Scores
    memory: Memory
    model: ModelFigures
    settings: dict[str, JsonValue]
    train_rows: int
    test_rows: int
    accelerators: tuple[str, ...] = ()


class Message(Frozen):
    """One line from a worker: the phase it has begun, what it measured or answers, or why it failed."""

    phase: str | None = None
    measured: Measured | None = None
    status: Status | None = None
    reason: str | None = None
    probe: dict[str, JsonValue] | None = None
    answer: dict[str, JsonValue] | None = None
    """Reply to a request that is not a trial."""
