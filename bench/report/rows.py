"""A run as tidy rows: one per case, or per record. Column names are stable and carry their units.

The basis of CSV, JSON and the pandas frame. A metric ``m`` gives ``m_mean`` or ``m_median``, ``m_low``, ``m_high``,
``m_spread`` (``interval``, ``range``, ``single``, ``deterministic``) and ``m_trials``; shares of one are not percent.
"""

from bench.case import Case
from bench.datasets.inspection import class_ratio
from bench.manifest import DatasetNote, FloorMethod
from bench.record import ModelFigures, Record
from bench.stats.floors import shortfalls
from bench.stats.interval import Figure
from bench.stats.metrics import METRICS
from bench.stats.results import Results
from bench.stats.steady import drift
from bench.stats.summary import CaseSummary

FLOOR_COLUMNS: dict[FloorMethod, str] = {
    "majority": "floor_majority",
    "nearest centroid": "floor_nearest_centroid",
    "1-NN": "floor_1nn",
}

Value = str | int | float | bool | None
TidyRow = dict[str, Value]


def case_rows(results: Results) -> list[TidyRow]:
    """One row per case, in the order of the manifest; every row has the same columns."""
    return [_case_row(results, summary) for summary in results.summaries]


def trial_rows(results: Results) -> list[TidyRow]:
    """One row per record, in the order of the cases; every row has the same columns."""
    return [_trial_row(results, summary, record) for summary in results.summaries for record in summary.records]


def columns(per_trial: bool) -> tuple[str, ...]:
    """The names of the columns: the same for every run, an empty one included."""
    from bench.manifest import RunManifest

    case = Case(dataset="", model="", framework="")
    empty = Results(RunManifest(bench_version="", name="", suite="", cases=(case,)), (), {})
    if not per_trial:
        return tuple(case_rows(empty)[0])
    return tuple(_trial_row(empty, empty.summaries[0], Record(case_id="", case=case, status="ok")))


def _case_row(results: Results, summary: CaseSummary) -> TidyRow:
    low, high = summary.test_part_interval() or (None, None)
    reasons = dict.fromkeys(record.reason for record in summary.failed if record.reason)
    first = summary.records[0] if summary.records else None
    row: TidyRow = {
        **_asked(results, summary.case_id, summary.case),
        "status": summary.status,
        "reason": "; ".join(reasons) or None,
        "trials": len(summary.records),
        "ok_trials": len(summary.ok),
        "deterministic": summary.deterministic,
        "steady": summary.steady,
        "drift": summary.drift,
        "equivalence": summary.equivalence or None,
        "still_learning": summary.still_learning,
        "agreement": results.agreement(summary).label,
        "agreement_from": results.agreement(summary).since,
        "train_rows": first.train_rows if first else None,
        "test_rows": first.test_rows if first else None,
        **_model(summary.model),
    }
    for name, metric in METRICS.items():
        row |= _figure(name, metric.statistic, summary.figures[name])
        if name == "accuracy":
            row |= {"accuracy_test_part_low": low, "accuracy_test_part_high": high}
            row |= {"published_accuracy": _published(results, summary.case)}
            row |= _floors(results, summary)
    base = results.reference_of(summary)
    row["reference"] = base.case.framework if base else None
    return row | _figure("train_speed_ratio", "median", results.ratio(summary, "train_samples_per_s"))


def _trial_row(results: Results, summary: CaseSummary, record: Record) -> TidyRow:
    noise, agreement = record.noise, results.agreement(summary).of(record.seed_index)
    return {
        **_asked(results, record.case_id, record.case),
        "status": record.status,
        "reason": record.reason,
        "seed_index": record.seed_index,
        "round": record.round,
        "started_at": record.started_at or None,
        "environment": record.environment or None,
        "deterministic": record.deterministic,
        "drift": drift(record) if record.status == "ok" else None,
        "equivalence": record.equivalence,
        "agreement": agreement.label,
        "agreement_from": agreement.since,
        "train_rows": record.train_rows,
        "test_rows": record.test_rows,
        **_model(record.model or ModelFigures()),
        **{name: metric.read(record) for name, metric in METRICS.items()},
        "steal_percent": noise.steal_percent if noise else None,
        "other_cpu_percent": noise.other_cpu_percent if noise else None,
        "calibration_before_ms": noise.calibration_before_ms if noise else None,
        "calibration_after_ms": noise.calibration_after_ms if noise else None,
        "command": record.command or None,
    }


def _asked(results: Results, case_id: str, case: Case) -> TidyRow:
    """The request: run, data, model, system, settings."""
    manifest = results.manifest
    note: DatasetNote | None = results.dataset(case.dataset)
    training = case.training
    return {
        "run": manifest.name,
        "suite": manifest.suite,
        "track": case.track,
        "dataset": case.dataset,
        "data_verified": note.verified if note else None,
        "data_generated": note.generated if note else None,
        "data_title": note.title if note else None,
        "data_split": note.split if note else None,
        "model": case.model,
        "train_rows_cap": case.train_rows,
        "framework": case.framework,
        "device": case.device,
        "execution": case.execution,
        "precision": case.precision,
        "input": case.input,
        "steps_per_execution": case.steps_per_execution,
        "channels_last": case.channels_last,
        "threads": case.threads,
        "epochs": training.epochs if training else None,
        "batch_size": training.batch_size if training else None,
        "optimizer": training.optimizer.name if training else None,
        "learning_rate": training.optimizer.learning_rate if training else None,
        "case_id": case_id,
    }


def _published(results: Results, case: Case) -> float | None:
    return next((figure.value for figure in results.published(case)), None)


def _floors(results: Results, summary: CaseSummary) -> TidyRow:
    """The floors of the same training rows, which of them the accuracy is below, and how unequal the classes are.

    ``class_ratio``: the training rows of the largest class over those of the smallest.
    """
    floors = results.floors_of(summary.case)
    known = {floor.method: floor for floor in floors.floors} if floors else {}
    row: TidyRow = {}
    for method, name in FLOOR_COLUMNS.items():
        floor = known.get(method)
        row[f"{name}_accuracy"] = floor.accuracy if floor else None
        row[f"{name}_balanced_accuracy"] = floor.balanced_accuracy if floor else None
    short = shortfalls(summary, floors, "accuracy") if floors else {}
    row["below_floors"] = "; ".join(method for method, word in short.items() if word == "below") or None
    row["beats_majority"] = "majority" not in short if floors and summary.accuracy is not None else None
    row["class_ratio"] = class_ratio(floors.class_counts) if floors else None
    return row


def _model(model: ModelFigures) -> TidyRow:
    return {"parameters": model.parameters, "flops_per_sample": model.flops_per_sample}


def _figure(name: str, statistic: str, figure: Figure | None) -> TidyRow:
    return {
        f"{name}_{statistic}": figure.value if figure else None,
        f"{name}_low": figure.low if figure else None,
        f"{name}_high": figure.high if figure else None,
        f"{name}_spread": figure.kind if figure else None,
        f"{name}_trials": figure.n if figure else 0,
    }
