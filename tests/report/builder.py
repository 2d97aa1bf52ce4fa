"""Realistic runs for the report tests, made of records without running anything.

Figures are drawn around given centres from a fixed seed, so that a run is the same every time.
"""

import random
from collections.abc import Iterable, Mapping, Sequence

from bench.case import Case, Training
from bench.manifest import DatasetNote, RunManifest
from bench.record import (
    Environment,
    EpochFigures,
    FirstStep,
    Memory,
    ModelFigures,
    Noise,
    Phases,
    PredictPass,
    Record,
    Scores,
    Status,
)
from bench.stats.results import Results

NETWORKS = {"mlp": (0.975, 95_000.0), "cnn": (0.989, 3_300.0), "mlp-plain": (0.974, 98_000.0)}
ESTIMATORS = {
    "logistic-regression": (0.926, 10.8),
    "random-forest": (0.970, 14.4),
    "knn": (0.9688, 0.1),
    "hist-gradient-boosting": (0.962, 68.0),
    "gaussian-nb": (0.5558, 0.9),
    "majority": (0.1135, 0.01),
}
DETERMINISTIC = {"knn", "gaussian-nb", "majority", "logistic-regression"}
SPEED = {"pytorch": 1.0, "keras-tensorflow": 1.9, "keras-jax": 3.1, "scikit-learn": 1.05}
IMPORT = {"pytorch": (2.3, 529.0), "keras-tensorflow": (4.4, 744.0), "scikit-learn": (1.2, 141.0)}

ROWS = {"mnist": (60_000, 10_000), "fashion-mnist": (60_000, 10_000), "digits": (1_437, 360)}


def environment(**changes: object) -> Environment:
    """A small machine."""
    settings: dict[str, object] = {
        "cpu": "AMD EPYC 9V74",
        "cores": 2,
        "memory_gib": 23.4,
        "system": "Debian GNU/Linux 13, Linux 6.12.3",
        "machine": "x86_64",
        "python": "3.11.9",
        "packages": {"torch": "2.15.0", "keras": "3.15.1", "tensorflow": "2.21.0", "scikit-learn": "1.9.1"},
    }
    return Environment.model_validate(settings | changes)


def note(name: str, **changes: object) -> DatasetNote:
    """The manifest's note on a data set."""
    train, test = ROWS.get(name, (1_000, 200))
    settings: dict[str, object] = {
        "name": name,
        "title": f"{name} images",
        "verified": name in ROWS,
        "fingerprint": "0" * 64,
        "shape": (28, 28, 1),
        "classes": tuple("0123456789"),
        "train_rows": train,
        "test_rows": test,
    }
    return DatasetNote.model_validate(settings | changes)


def case(dataset: str, model: str, framework: str, **changes: object) -> Case:
    """A case as a suite makes it: networks trained for 3 epochs, estimators with their defaults."""
    settings: dict[str, object] = {
        "dataset": dataset,
        "model": model,
        "framework": framework,
        "threads": 2,
        "training": Training(epochs=3) if model in NETWORKS else None,
        "execution": "graph" if framework.startswith("keras") else "eager",
        "train_rows": 10_000 if model == "hist-gradient-boosting" else None,
    }
    return Case.model_validate(settings | changes)


def trial(asked: Case, seed: int, **changes: object) -> Record:
    """One successful trial."""
    draw = random.Random(f"{asked.id} {seed}")
    speed = draw.gauss(1.0, 0.02)
    accuracy = _accuracy(asked, draw)
    settings: dict[str, object] = {
        "case_id": asked.id,
        "case": asked,
        "status": "ok",
        "seed_index": seed,
        "round": seed,
        "deterministic": asked.model in DETERMINISTIC,
        "started_at": f"2026-11-22T10:{seed:02}:00Z",
        "wall_s": 20.0 * speed,
        "environment": environment().hash,
        "train_rows": asked.train_rows or ROWS.get(asked.dataset, (1_000, 200))[0],
        "test_rows": ROWS.get(asked.dataset, (1_000, 200))[1],
        "phases": phases(asked, speed, draw),
        "scores": scores(asked.dataset, accuracy),
        "memory": memory(asked.framework, draw),
        "noise": Noise(steal_percent=0.1, other_cpu_percent=3.0, calibration_before_ms=20.0, calibration_after_ms=20.1),
        "model": ModelFigures(
            parameters=34_826 if asked.training else None,
            flops_per_sample=1_200_000 if asked.training else None,
            final_weights_sha256=f"{draw.getrandbits(256):064x}",
        ),
        "settings": {"optimizer.epsilon": 1e-7, "threads": asked.threads},
        "command": f"bench run --case {asked.cell} --seed {seed}",
    }
    return Record.model_validate(settings | changes)


def failure(asked: Case, seed: int, status: Status, reason: str, **changes: object) -> Record:
    """One trial, or one case, that gave no figures."""
    settings: dict[str, object] = {
        "case_id": asked.id,
        "case": asked,
        "status": status,
        "reason": reason,
        "seed_index": seed,
        "round": seed,
        "environment": environment().hash,
    }
    return Record.model_validate(settings | changes)


def _accuracy(asked: Case, draw: random.Random) -> float:
    centre = {**NETWORKS, **ESTIMATORS}.get(asked.model, (0.9, 0.0))[0]
    spread = 0.0 if asked.model in DETERMINISTIC else 0.0007
    return round(min(1.0, centre - (0.09 if asked.dataset.startswith("fashion") else 0.0) + draw.gauss(0, spread)), 4)


def scores(dataset: str, accuracy: float) -> Scores:
    """Scores consistent with ``accuracy``."""
    rows = ROWS.get(dataset, (1_000, 200))[1]
    return Scores(rows=rows, accuracy=accuracy, balanced_accuracy=accuracy, macro_f1=accuracy, log_loss=1 - accuracy)


def phases(asked: Case, speed: float, draw: random.Random) -> Phases:
    """Every phase of one trial; ``speed`` multiplies its rates."""
    rows = asked.train_rows or ROWS.get(asked.dataset, (1_000, 200))[0]
    latency = tuple(draw.lognormvariate(4.7, 0.15) for _ in range(200))
    if asked.training is None:
        seconds = ESTIMATORS.get(asked.model, (0.9, 1.0))[1] / speed
        epochs: tuple[EpochFigures, ...] = (EpochFigures(seconds=seconds, samples=rows),)
        first: tuple[FirstStep, ...] = ()
    else:
        rate = NETWORKS[asked.model][1] * SPEED[asked.framework] * speed
        epochs = tuple(
            EpochFigures(seconds=rows / rate * draw.gauss(1, 0.005), samples=rows, loss=0.3 / (epoch + 1))
            for epoch in range(asked.training.epochs)
        )
        first = (FirstStep(samples=128, seconds=0.8), FirstStep(samples=96, seconds=0.3))
    return Phases(
        import_s=IMPORT.get(asked.framework, (1.0, 200.0))[0],
        load_s=0.03,
        build_s=0.1,
        first_steps=first,
        epochs=epochs,
        evaluate_s=0.6,
        predict=(PredictPass(samples=10_000, seconds=1.2), PredictPass(samples=10_000, seconds=1.0 / speed)),
        predict_batch_size=1000,
        latency_us=latency,
    )


def memory(framework: str, draw: random.Random) -> Memory:
    """Peaks of one trial."""
    start = IMPORT.get(framework, (1.0, 200.0))[1]
    peak = start + draw.gauss(150, 2)
    return Memory(
        method="VmHWM, reset by clear_refs",
        after_import_mib=start,
        peak_rss_mib=peak,
        phase_peak_mib={"load": start + 50, "build": start + 60, "train": peak, "predict": peak - 20},
    )


class RunBuilder:
    """Collects cases and records, and makes a run of them."""

    def __init__(
        self,
        seeds: int = 3,
        track: str = "matched",
        suite: str = "quick",
        notes: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        """``notes``: changes to the notes of data sets, by name."""
        self.seeds = seeds
        self.track = track
        self.suite = suite
        self.notes = notes or {}
        self.cases: list[Case] = []
        self.records: list[Record] = []

    def __repr__(self) -> str:
        """Short, so that a failing example can be read."""
        outcomes = [f"{record.case.cell} {record.seed_index} {record.status}" for record in self.records]
        return f"RunBuilder({self.seeds} seeds, {[one.cell for one in self.cases]}, {outcomes})"

    def ok(self, asked: Case, **changes: object) -> "RunBuilder":
        """Add a case of successful trials; a deterministic one runs once."""
        self.cases.append(asked)
        times = 1 if asked.model in DETERMINISTIC else self.seeds
        self.records += [trial(asked, seed, **changes) for seed in range(times)]
        return self

    def failed(self, asked: Case, status: Status, reason: str, seeds: Sequence[int] = (0,)) -> "RunBuilder":
        """Add a case that gave only these failures."""
        self.cases.append(asked)
        self.records += [failure(asked, seed, status, reason) for seed in seeds]
        return self

    def pending(self, asked: Case) -> "RunBuilder":
        """Add a case that was not run."""
        self.cases.append(asked)
        return self

    def manifest(self) -> RunManifest:
        """The run's manifest, with a note on every data set."""
        return RunManifest.model_validate(
            {
                "bench_version": "0.1.0",
                "name": f"2026-11-22T10-15-00-{self.suite}",
                "suite": self.suite,
                "description": "A first look, within five minutes on two cores",
                "track": self.track,
                "seeds": self.seeds,
                "created_at": "2026-11-22T10:15:00Z",
                "command": f"bench run --suite {self.suite}",
                "cases": tuple(self.cases),
                "datasets": tuple(
                    note(name, **self.notes.get(name, {})) for name in dict.fromkeys(one.dataset for one in self.cases)
                ),
            }
        )

    def results(self, environments: Mapping[str, Environment] | None = None) -> Results:
        """The run as its readers see it."""
        machine = environment()
        return Results(self.manifest(), tuple(self.records), environments or {machine.hash: machine})


def realistic(datasets: Iterable[str] = ("digits", "mnist"), seeds: int = 3) -> RunBuilder:
    """A run like one of the quick suite: three frameworks, networks and estimators, and some failures."""
    run = RunBuilder(seeds=seeds)
    for dataset in datasets:
        for model in ("mlp", "cnn"):
            run.ok(case(dataset, model, "pytorch")).ok(case(dataset, model, "keras-tensorflow"))
            run.failed(
                case(dataset, model, "keras-jax"), "unavailable", "keras-jax is not installed. Run: pip install jax"
            )
        run.ok(case(dataset, "mlp-plain", "scikit-learn")).ok(case(dataset, "mlp-plain", "pytorch"))
        for model in ("logistic-regression", "random-forest", "knn", "hist-gradient-boosting", "majority"):
            run.ok(case(dataset, model, "scikit-learn"))
        run.failed(case(dataset, "svc-rbf", "scikit-learn"), "timeout", "no end after 300 s", range(seeds))
    return run
