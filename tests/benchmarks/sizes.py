"""Trainings taken side by side, as a request and as figures: models, rows and epochs."""

from __future__ import annotations

from bench.adapters.catalog import find_adapter
from bench.case import Case, Frozen, Training
from bench.datasets.catalog import resolve
from tests.benchmarks.as_a_user.script import BATCH_SIZE

FRAMEWORKS = ("scikit-learn", "pytorch", "keras-tensorflow", "keras-torch", "keras-jax")


class Size(Frozen):
    """Training rows of a data set, and epochs of one training: enough for the clock, few enough for many rounds."""

    dataset: str
    rows: int
    epochs: int
    judged: bool = True
    """True if the harness must reach its floor here; else the size is for the line of epoch time over steps."""

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-self.rows // BATCH_SIZE)


SIZES = {
    "mlp-plain": (
        Size(dataset="digits", rows=1_437, epochs=41),
        Size(dataset="mnist", rows=1_437, epochs=21, judged=False),
        Size(dataset="mnist", rows=3_600, epochs=11, judged=False),
        Size(dataset="mnist", rows=10_000, epochs=6),
        Size(dataset="mnist", rows=60_000, epochs=3),
    ),
    "cnn": (Size(dataset="mnist", rows=10_000, epochs=3),),
}


class Both(Frozen):
    """Seconds of the same work on both sides."""

    harness: float
    script: float


class Trained(Frozen):
    """A round's figures at one size: seconds of an epoch, the first of each training left out."""

    size: Size
    epoch_s: Both
    conversion_s: float
    """Seconds of converting an epoch's batches as the script does it, once, before its clock starts."""


class Round(Frozen):
    """A round's figures; prediction is timed in one process alone."""

    trained: tuple[Trained, ...]
    predict_s: Both | None = None
    """Seconds for the test part, 1,000 rows at a time."""
    latency_s: Both | None = None
    """Seconds for one sample."""


class Request(Frozen):
    """Work of one worker: one framework and model, on the data sets in ``folders``, by name."""

    framework: str
    model: str
    sizes: tuple[Size, ...]
    folders: dict[str, str]
    fingerprints: dict[str, str]
    threads: int
    seconds: float
    """Rounds begin until so much time has passed, but at least ``least`` and at most ``most`` are taken."""
    least: int
    most: int

    def case(self, size: Size, epochs: int) -> Case:
        """The harness's case."""
        return Case(
            dataset=size.dataset,
            data_fingerprint=self.fingerprints[size.dataset],
            model=self.model,
            framework=self.framework,
            training=Training(epochs=epochs, batch_size=BATCH_SIZE),
            train_rows=size.rows,
            threads=self.threads,
            execution=find_adapter(self.framework).execution,
        )


def request(
    framework: str, model: str, threads: int, seconds: float, least: int, most: int, *, judged_alone: bool = False
) -> Request:
    """The request for the sizes of a model, or for those that are judged. Raises DatasetUnavailable."""
    sizes = tuple(size for size in SIZES[model] if size.judged or not judged_alone)
    found = {name: resolve(name) for name in {size.dataset for size in sizes}}
    return Request(
        framework=framework,
        model=model,
        sizes=sizes,
        folders={name: str(data.folder) for name, data in found.items()},
        fingerprints={name: data.info.fingerprint for name, data in found.items()},
        threads=threads,
        seconds=seconds,
        least=least,
        most=most,
    )


def script_module(framework: str) -> str:
    """The module of the script for a framework."""
    name = "keras" if framework.startswith("keras") else framework.replace("-", "_")
    return f"tests.benchmarks.as_a_user.{name}_script"
