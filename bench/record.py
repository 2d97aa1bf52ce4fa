"""The immutable result of one trial, and the machine and software it was measured on.

Raw figures are kept as measured, seconds and bytes-based units in the names; summaries are computed when read.
"""

from typing import Literal

from pydantic import Field, JsonValue

from bench.case import Case, Frozen, digest

SCHEMA_VERSION = 1

Status = Literal[
    "ok",
    "error",
    "diverged",
    "timeout",
    "out-of-memory",
    "crashed",
    "interrupted",
    "unsupported",
    "unavailable",
]

ScoreKind = Literal["logits", "probabilities", "margins"]
"""Kind of the values behind a model's decisions."""

FAILED: frozenset[str] = frozenset({"error", "diverged", "timeout", "out-of-memory", "crashed"})
"""Statuses that make a run exit with 1."""

NOT_RUN: frozenset[str] = frozenset({"unsupported", "unavailable"})
"""Statuses of cases that could not be started; they leave one record, of seed index 0."""


class Checkpoint(Frozen):
    """An evaluation of the validation part during training, off the clock."""

    samples: int
    """Trained so far, first steps and earlier epochs included."""
    seconds: float
    """On the training clock so far, first steps and earlier epochs included."""
    validation_accuracy: float
    validation_loss: float | None = None
    """Mean log loss, in nats; None where the model gives no probabilities."""


class EpochFigures(Frozen):
    """One epoch (or one ``fit``) on the training clock, and its mean loss, which is read off the clock."""

    seconds: float
    samples: int
    """Samples on this clock: those of the first steps are not included, so that the first epoch may have none."""
    loss: float | None = None
    validation_accuracy: float | None = None
    """At the end of the epoch."""
    checkpoints: tuple[Checkpoint, ...] = ()
    """Every evaluation of the validation part, the one at the end of the epoch included."""


class FirstStep(Frozen):
    """The first step at one batch size, including tracing, compiling and kernel selection.

    The framework's work before a training's first step is part of the step of the first batch.
    """

    samples: int
    seconds: float
    loss: float | None = None
    """Mean over its samples, before the step."""


class PredictPass(Frozen):
    """One timed pass of prediction."""

    samples: int
    seconds: float


class PipelineFigures(Frozen):
    """The input pipeline timed alone, without training."""

    first_batch_s: float
    """From asking for the rows of an epoch to holding the first batch."""
    samples: int
    """Samples after the first batch; 0 if there was only one."""
    seconds: float


class Phases(Frozen):
    """A figure for every phase, in seconds; phases do not overlap."""

    import_s: float
    load_s: float
    build_s: float
    first_steps: tuple[FirstStep, ...] = ()
    epochs: tuple[EpochFigures, ...] = ()
    """For an estimator one entry, its ``fit``."""
    end_s: float = 0.0
    """From the end of the last epoch until the framework's own call of the training has returned."""
    steps: int | None = None
    """Updates of the optimiser in all of the training, as the framework counted them."""
    evaluate_s: float = 0.0
    """Scoring the test part: off every clock."""
    predict: tuple[PredictPass, ...] = ()
    """The first pass is a warm-up: kept, not counted, unless it is the only one."""
    predict_batch_size: int = 0
    latency_us: tuple[float, ...] = ()
    """Microseconds of each call on one sample, host array to host array, after the warm-up calls."""
    pipeline: PipelineFigures | None = None
    """None if the data are resident: no pipeline gives them."""

    @property
    def train_s(self) -> float:
        """All training seconds: first steps, every epoch, and the end."""
        steps = sum(step.seconds for step in self.first_steps)
        return steps + sum(epoch.seconds for epoch in self.epochs) + self.end_s


class Scores(Frozen):
    """Quality on the test part, scored once. ``log_loss`` is None where the model gives no probabilities."""

    rows: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    log_loss: float | None = None
    confusion: tuple[tuple[int, ...], ...] = ()
    """Rows: true class; columns: predicted class."""


BEFORE_THE_BUILD = ("import", "load")
"""Phases of a trial before there is a model."""


class Memory(Frozen):
    """Peaks in MiB. ``peak_rss_mib`` includes the import, and what the framework's runtime takes at its first use."""

    method: str
    """The counter read, e.g. ``VmHWM, reset by clear_refs``."""
    after_import_mib: float
    """Resident size once the framework was imported, before any data were touched."""
    peak_rss_mib: float
    runtime_mib: float | None = None
    """Memory of the framework's runtime and compiler at their first use, above the import, measured on a tiny model in
    a process of its own; None if not measured."""
    phase_peak_mib: dict[str, float] = Field(default_factory=dict)
    """Peak of each phase, keyed by its name (``load``, ``build``, ``train``, ``evaluate``, ``predict``)."""
    device_allocated_peak_mib: float | None = None
    device_driver_peak_mib: float | None = None

    @property
    def above_import_mib(self) -> float:
        """The peak less what the import alone holds."""
        return self.peak_rss_mib - self.after_import_mib

    @property
    def model_mib(self) -> float:
        """Memory of the model and its data: the peak from the build on, less the import and the runtime.

        Loading is left out: it holds rows that the trial does not get, which is the harness's own use.
        """
        own = [peak for phase, peak in self.phase_peak_mib.items() if phase not in BEFORE_THE_BUILD]
        return max(0.0, max(own, default=self.peak_rss_mib) - self.after_import_mib - (self.runtime_mib or 0.0))


class Noise(Frozen):
    """Other load on the machine during the trial."""

    steal_percent: float | None = None
    """CPU time taken by the hypervisor, percent of all CPU time."""
    other_cpu_percent: float | None = None
    """CPU time of other processes, percent of one core."""
    calibration_before_ms: float | None = None
    calibration_after_ms: float | None = None
    """A fixed single-threaded kernel, timed before and after the trial, never beside it."""
    marks: tuple[str, ...] = ()
    """Why the trial counts as noisy; empty if it does not."""


class ModelFigures(Frozen):
    """Figures of the model, counted on the built object; None if without meaning."""

    parameters: int | None = None
    flops_per_sample: int | None = None
    """Floating-point operations of one forward pass, a multiply-add as two."""
    final_weights_sha256: str | None = None
    predictions_sha256: str | None = None


class Record(Frozen):
    """The result of one trial, or of a case that could not run: one line of ``records.jsonl``."""

    schema_version: int = SCHEMA_VERSION
    case_id: str
    case: Case
    status: Status
    reason: str | None = None
    """One sentence, where the status is not ``ok``."""
    stderr_tail: tuple[str, ...] = ()
    """The last lines the worker wrote to standard error, free of paths; kept where the trial failed."""
    seed_index: int = Field(default=0, ge=0)
    round: int = Field(default=0, ge=0)
    deterministic: bool = False
    """True if a second seed would give the same model, so that the case runs once."""
    started_at: str = ""
    """UTC, ISO 8601, seconds."""
    wall_s: float = 0.0
    """The whole trial as the parent saw it, from the start of the process to its end."""
    environment: str = ""
    """Hash of the environment the trial ran in; the run folder holds it."""
    train_rows: int = 0
    test_rows: int = 0
    generated: bool = False
    """True if the data were made by the harness from others, not read from published files."""
    phases: Phases | None = None
    scores: Scores | None = None
    memory: Memory | None = None
    noise: Noise | None = None
    model: ModelFigures | None = None
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    """Read back from the framework inside the worker, not as asked."""
    equivalence: str = "not yet verified"
    """Verdict on whether the framework computes the same as the others of its row."""
    certificate: str | None = None
    """The id of the proof; the run folder holds it."""
    predictions: str | None = None
    """File of the stored predictions, relative to the run folder."""
    command: str = ""
    """The command that runs this trial again."""


class Environment(Frozen):
    """Hardware, system, versions and thread settings: no host name, no user name, no path."""

    cpu: str
    cores: int
    """Cores this process may use."""
    memory_gib: float
    accelerators: tuple[str, ...] = ()
    system: str
    """Name and release of the operating system."""
    machine: str
    """The instruction set: ``x86_64``, ``arm64``."""
    python: str
    packages: dict[str, str] = Field(default_factory=dict)
    threads: dict[str, JsonValue] = Field(default_factory=dict)
    """Thread variables as set for the workers."""
    governor: str | None = None

    @property
    def hash(self) -> str:
        """12 hexadecimal digits over everything: the name of its file in a run folder."""
        return digest(self.model_dump(mode="json"))[:12]
