"""The user's request: a suite, and what the command line narrows or adds."""

from dataclasses import dataclass, field
from pathlib import Path

from bench.case import ClassWeights, Execution, Input, Precision


@dataclass(frozen=True)
class Request:
    """The arguments of ``bench run``.

    ``datasets``, ``models``, ``frameworks`` and ``devices`` are names, globs or (the first two) files. Those the suite
    has are selected; others the harness knows are added. Empty means all the suite has.
    """

    suite: str = "quick"
    datasets: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    seeds: int | None = None
    only_seeds: tuple[int, ...] = ()
    """Seed indices to run alone, to run one trial again."""
    executions: tuple[Execution, ...] = ()
    precisions: tuple[Precision, ...] = ()
    inputs: tuple[Input, ...] = ()
    steps_per_execution: tuple[int, ...] = ()
    batch_sizes: tuple[int, ...] = ()
    channels_last: tuple[bool, ...] = ()
    """These six axes too select what the suite has; values it has nowhere are added to all of it."""
    case: str = ""
    """The id of the one case to run, or its beginning."""
    threads: int | None = None
    epochs: int | None = None
    class_weights: ClassWeights | None = None
    """For every model, whatever the suite says."""
    timeout_s: float | None = None
    data_dir: Path | None = None
    offline: bool = False
    results: Path = field(default_factory=lambda: Path("results"))
    resume: bool = False
    command: str = ""
    """The command line, for the record."""
