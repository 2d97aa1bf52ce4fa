"""The interface between the harness and a framework.

An adapter trains, predicts, and says when the device is idle. It never times, never scores, never shuffles in the
matched track, and never sees test labels: the clock, the order, the schedule and the seeds are the harness's.
Importing an adapter's module imports no framework; only a worker process calls ``prepare``, ``probe`` and ``build``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, ClassVar

from bench.case import Case, Execution, Input, Optimizer, Precision
from bench.models.model import Estimator, Model, NativeModel, Network
from bench.record import ScoreKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.datasets.dataset import Split


@dataclass(frozen=True)
class Installed:
    """A framework's installed and missing packages, by package metadata."""

    versions: Mapping[str, str]
    missing: tuple[str, ...] = ()
    extra: str = ""
    """The extra of this package that brings it: ``pytorch``."""

    @property
    def command(self) -> str:
        """The command that installs what is missing."""
        return f"pip install 'bench-mnist[{self.extra}]'" if self.extra else f"pip install {' '.join(self.missing)}"

    def __bool__(self) -> bool:
        return not self.missing


@dataclass(frozen=True)
class Probe:
    """Facts a framework reports inside a worker."""

    devices: tuple[str, ...]
    versions: Mapping[str, str]
    threads: Mapping[str, int]
    accelerators: tuple[str, ...] = ()
    """Names of the accelerators behind the devices."""


@dataclass(frozen=True, eq=False)
class Scores:
    """A predictor's output for ``n`` samples and ``k`` classes."""

    labels: NDArray[np.int64]
    """``(n,)``: the model's own decision, which is not always the largest value (an SVC's)."""
    values: NDArray[np.float32] | None
    """``(n, k)``, or None where the model gives decisions alone."""
    kind: ScoreKind | None


@dataclass(frozen=True)
class DeviceMemory:
    """Device memory in bytes: the framework's allocator, and the driver's view where it can be read."""

    allocated_peak: int | None
    """None where the framework keeps none."""
    allocated: int
    driver: int | None = None


@dataclass(frozen=True, eq=False)
class TrainingPlan:
    """Harness settings, fixed before the adapter sees the model."""

    seed: int
    """Seeds the framework itself: dropout masks, ``random_state``."""
    threads: int
    batch_size: int = 0
    """0 for an estimator."""
    learning_rates: NDArray[np.float64] | None = None
    """``(total_steps,)``, one per optimiser step, so that a schedule is data."""
    optimizer: Optimizer | None = None
    initial_weights: Mapping[str, NDArray[np.float32]] | None = None
    """Drawn by the harness, in the neutral layout; None for an estimator, a native model, and the idiomatic track."""
    label_smoothing: float = 0.0
    class_weights: NDArray[np.float64] | None = None
    """``(k,)``: factors for the losses of each class's samples; the mean is still over the samples."""
    mean: NDArray[np.float64] | None = None
    std: NDArray[np.float64] | None = None
    """``(channels,)``: scaled pixels become ``(x - mean) / std``; None leaves them as they are."""


Predictor = Callable[["NDArray[np.uint8] | NDArray[np.float32]"], Scores]


@dataclass(frozen=True, eq=False)
class Epoch:
    """One pass over training rows, and where the learner pauses in it."""

    order: NDArray[np.int64] | None
    """The rows in order, taken batch by batch; the last batch may be short. None: all rows, in the framework's own
    shuffle."""
    pauses: tuple[int, ...]
    """Batch counts of this epoch after which the learner pauses, ascending; the last is all of them."""


@dataclass(frozen=True)
class Progress:
    """The framework's own counts since the last pause, read in a pause; None for a count it does not keep."""

    loss: float | None = None
    """Mean over the rows."""
    rows: int | None = None
    """Rows the loss was computed on."""
    steps: int | None = None
    """Updates of the optimiser."""


class AdapterFault(Exception):
    """An adapter did not do the work it was given, or did it off the clock; the message is one sentence."""


class Learner(ABC):
    """One model on one device, with its training data."""

    by_steps: bool = True
    """False for a model that is fitted to all rows at once."""

    @abstractmethod
    def train(self, epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        """Run the whole training in one call, epoch after epoch, as the framework's own users do.

        All epochs have as many batches as the first. The next epoch is requested only after the last pause of the
        one before it, because that pause may decide whether there is another. A pause is off the clock: the harness
        may call the learner's other methods in it. A learner does no work for a batch until the pause before it is
        over, as far as the framework's own pipeline allows. A model that is fitted to all rows at once takes one epoch.
        """

    @abstractmethod
    def progress(self) -> Progress:
        """Counts since the last pause; called once in each pause. It may wait for the device."""

    def batches(self, order: NDArray[np.int64]) -> Iterator[object] | None:
        """The batches of ``order`` from the input pipeline, without training; None without a pipeline."""
        return None

    @abstractmethod
    def predictor(self, batch_size: int, *, decisions_only: bool = False) -> Predictor:
        """A function from host images (any number of rows, as stored) to scores on the host, in evaluation mode.

        Rows are taken ``batch_size`` at a time, all at once where it is 0. It is compiled or traced by its first
        call of each size. ``decisions_only`` leaves out values that would cost a second pass.
        """

    @abstractmethod
    def synchronize(self) -> None:
        """Return when the device is idle."""

    def reset_device_peak(self) -> None:
        """Start a new peak of device memory; does nothing where the device's memory is the host's."""

    def device_memory(self) -> DeviceMemory | None:
        """Device memory, or None where the device's memory is the host's."""
        return None

    @abstractmethod
    def weights(self) -> dict[str, NDArray[np.float32]]:
        """All weights by neutral name and layout (see ``bench.models.network``); empty if it has none."""

    @abstractmethod
    def set_weights(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """Load weights in the neutral layout. Raises ValueError on a name or shape that is not the model's."""

    @abstractmethod
    def parameter_count(self) -> int | None:
        """Trained parameters as the framework counts them; None where it has no meaning."""

    @abstractmethod
    def settings(self) -> dict[str, object]:
        """Settings really in force, read back; values fit in JSON.

        A learner that trains by steps gives at least ``optimizer`` (its name and constants), ``loss``, ``execution``,
        ``precision``, ``input``, and ``metrics``: the names of what each step computes in addition to the loss.
        """


class Adapter(ABC):
    """One framework behind the common interface."""

    name: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]
    """Distributions that must be installed."""
    extra: ClassVar[str] = ""
    """The extra of this package that brings them; empty for an adapter of another package."""
    builder: ClassVar[str]
    """Which of a native model's builders is this framework's: ``pytorch``, ``keras`` or ``scikit_learn``."""
    execution: ClassVar[Execution]
    """Default execution mode."""
    executions: ClassVar[tuple[Execution, ...]] = ("eager",)
    precisions: ClassVar[tuple[Precision, ...]] = ("float32",)
    inputs: ClassVar[tuple[Input, ...]] = ("resident",)
    multi_step: ClassVar[bool] = False
    """True if one call of its compiled function can take several steps."""
    layouts: ClassVar[bool] = False
    """True if it offers both channels-first and channels-last images in memory."""
    idiomatic: ClassVar[bool] = False
    """True if it can train as its own tutorials do."""
    reasons: ClassVar[Mapping[str, str]] = {}
    """Why a value of an axis is not among the above, one clause each: ``{"graph": "JAX traces only to compile"}``."""
    kinds: ClassVar[tuple[str, ...]] = ("cpu",)
    """Kinds of device this adapter is written for: the part before the colon of ``cuda:0``."""
    run_on: ClassVar[tuple[str, ...]] = ("cpu",)
    """Kinds of device this adapter has been run on for real; others are listed as *not yet run*."""

    start_s: ClassVar[float] = 4.0
    """Rough seconds to import it and to train the first batch: only to estimate a run that has no history."""

    def installed(self) -> Installed:
        """Read package metadata only, without imports."""
        versions: dict[str, str] = {}
        missing: list[str] = []
        for package in self.packages:
            try:
                versions[package] = version(package)
            except PackageNotFoundError:
                missing.append(package)
        return Installed(versions, tuple(missing), self.extra)

    def natural(self, model: Model) -> bool:
        """True if running ``model`` here makes sense; a forest in PyTorch, for one, is not a case."""
        return isinstance(model, Network) or (isinstance(model, NativeModel) and self.builder in model.builders)

    def lacks(self, model: Model) -> str | None:
        """One sentence on what the framework lacks for the model; None if it can be built."""
        return None

    def trained_by_steps(self, model: Model) -> bool:
        """True if the suite's recipe (epochs, batch size, optimiser) applies to ``model`` here."""
        return not isinstance(model, Estimator)

    def out_of_memory(self, error: BaseException) -> bool:
        """True if ``error`` says that the host or the device is out of memory."""
        return isinstance(error, MemoryError)

    def unsupported(self, case: Case, model: Model, shape: tuple[int, ...], classes: int) -> str | None:
        """Why this case cannot be run, in one sentence; None where it can. Called in the parent."""
        if case.track == "idiomatic" and not self.idiomatic:
            return f"{self.name} has no recipe of its own tutorials: only the matched track runs."
        asked = (
            (case.execution in self.executions, case.execution, f"{case.execution} execution"),
            (case.precision in self.precisions, case.precision, case.precision),
            (case.input in self.inputs, case.input, f"input {case.input!r}"),
            (case.steps_per_execution == 1 or self.multi_step, "steps_per_execution", "steps_per_execution above 1"),
            (not case.channels_last or self.layouts, "channels_last", "channels_last layout"),
        )
        for possible, value, words in asked:
            if not possible:
                reason = self.reasons.get(value)
                return f"{self.name} has no {words}{f': {reason}' if reason else ''}."
        if case.precision == "float16" and case.device == "cpu":
            return "float16 is for a GPU: on the CPU it has no fast arithmetic."
        return None

    def environment(self, case: Case) -> dict[str, str]:
        """Environment variables the worker must start with."""
        return {}

    def compile_cache(self, folder: str) -> dict[str, str]:
        """Environment variables that make it cache compiled code in ``folder``.

        Only for proofs, where the same steps are compiled many times and nothing is timed.
        """
        return {}

    @abstractmethod
    def prepare(self, case: Case) -> None:
        """In the worker, on the ``import`` clock: import the framework and fix its threads and precision."""

    @abstractmethod
    def probe(self) -> Probe:
        """In the worker, after ``prepare``: devices, versions, and the thread settings in force."""

    @abstractmethod
    def build(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Learner:
        """In the worker: the model with its weights loaded and its training data in place."""
