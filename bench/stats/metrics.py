"""Every figure a table, a file or a comparison may show: one entry each, read from one record.

A new metric is one entry here; the CSV, JSON and frame columns follow from it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from bench.record import Memory, Phases, PipelineFigures, Record, Scores
from bench.stats.interval import Figure, mean_figure, median_figure
from bench.stats.steady import latency_ms, predict_throughput, steady_throughput

Statistic = Literal["mean", "median"]


@dataclass(frozen=True)
class Metric:
    """One measured figure. ``name`` carries its unit (``train_samples_per_s``); none means a share of one."""

    name: str
    statistic: Statistic
    """Quality is a mean over seeds, speed and memory a median over trials."""
    higher_is_better: bool
    read: Callable[[Record], float | None]
    """The figure of one trial; None where the trial does not give it."""
    absent: str = "not measured"
    """Why a case may have no such figure."""
    is_share: bool = False
    """True if the figure lies between 0 and 1."""

    def summarise(self, records: Sequence[Record], *, deterministic: bool = False) -> Figure | None:
        """The figure over the trials that give it; None where none does."""
        values = [value for record in records if (value := self.read(record)) is not None]
        if not values:
            return None
        if self.statistic == "median":
            return median_figure(values)
        return mean_figure(values, deterministic=deterministic, is_share=self.is_share)


def _score(read: Callable[[Scores], float | None], record: Record) -> float | None:
    return read(record.scores) if record.scores else None


def _phase(read: Callable[[Phases], float | None], record: Record) -> float | None:
    return read(record.phases) if record.phases else None


def _memory(read: Callable[[Memory], float | None], record: Record) -> float | None:
    return read(record.memory) if record.memory else None


def _time_to_accuracy_s(record: Record) -> float | None:
    """Training seconds, first steps included, until validation accuracy first reaches the target."""
    target = record.case.training.target_accuracy if record.case.training else None
    if target is None or record.phases is None:
        return None
    checkpoints = (checkpoint for epoch in record.phases.epochs for checkpoint in epoch.checkpoints)
    return next((one.seconds for one in checkpoints if one.validation_accuracy >= target), None)


def _pipeline(read: Callable[[PipelineFigures], float | None], phases: Phases) -> float | None:
    return read(phases.pipeline) if phases.pipeline else None


def _first_step_s(phases: Phases) -> float | None:
    return sum(step.seconds for step in phases.first_steps) if phases.first_steps else None


def _pipeline_rate(found: PipelineFigures) -> float | None:
    return found.samples / found.seconds if found.seconds > 0 else None


_RESIDENT = "the data are resident: no pipeline gives them"
_NO_DEVICE_PEAK = "the device is the host, or nothing keeps its peak"
_NO_PROBABILITIES = "the model gives no probabilities"
_SINGLE_FIT = "no second epoch to take a steady figure from"


def _share(name: str, read: Callable[[Scores], float | None]) -> Metric:
    return Metric(name, "mean", True, partial(_score, read), "not scored", is_share=True)


def _seconds(name: str, read: Callable[[Phases], float | None], absent: str = "not measured") -> Metric:
    return Metric(name, "median", False, partial(_phase, read), absent)


def _latency(p: float) -> Metric:
    return Metric(
        f"latency_p{p * 100:.0f}_ms",
        "median",
        False,
        partial(latency_ms, p=p),
        f"too few calls for a p{p * 100:.0f}",
    )


def _mib(name: str, read: Callable[[Memory], float | None], absent: str = "not measured") -> Metric:
    return Metric(name, "median", False, partial(_memory, read), absent)


_ALL = (
    _share("accuracy", lambda scores: scores.accuracy),
    _share("balanced_accuracy", lambda scores: scores.balanced_accuracy),
    _share("macro_f1", lambda scores: scores.macro_f1),
    Metric("log_loss", "mean", False, partial(_score, lambda scores: scores.log_loss), _NO_PROBABILITIES),
    _seconds("train_s", lambda phases: phases.train_s if phases.epochs else None),
    Metric("time_to_accuracy_s", "median", False, _time_to_accuracy_s, "no target was set, or it was not reached"),
    Metric("steps", "median", True, partial(_phase, lambda phases: phases.steps), "the framework counts none"),
    Metric("train_samples_per_s", "median", True, steady_throughput, _SINGLE_FIT),
    Metric("predict_samples_per_s", "median", True, predict_throughput),
    _latency(0.50),
    _latency(0.95),
    _latency(0.99),
    _seconds("import_s", lambda phases: phases.import_s),
    _seconds("load_s", lambda phases: phases.load_s),
    _seconds("build_s", lambda phases: phases.build_s),
    _seconds("first_step_s", _first_step_s, "no step apart from the fit"),
    _seconds("first_batch_s", partial(_pipeline, lambda found: found.first_batch_s), _RESIDENT),
    Metric("pipeline_samples_per_s", "median", True, partial(_phase, partial(_pipeline, _pipeline_rate)), _RESIDENT),
    _seconds("evaluate_s", lambda phases: phases.evaluate_s),
    Metric("wall_s", "median", False, lambda record: record.wall_s or None),
    _mib("peak_rss_mib", lambda memory: memory.peak_rss_mib),
    _mib("runtime_mib", lambda memory: memory.runtime_mib),
    _mib("model_mib", lambda memory: memory.model_mib),
    _mib("device_allocated_peak_mib", lambda memory: memory.device_allocated_peak_mib, _NO_DEVICE_PEAK),
    _mib("device_driver_peak_mib", lambda memory: memory.device_driver_peak_mib, _NO_DEVICE_PEAK),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
"""By name, in the order of the columns."""
