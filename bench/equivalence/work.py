"""Whether equal numbers are equal work: what is trained on, what is held, what else runs on the training clock."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters import counting
from bench.adapters.base import Adapter, Epoch, Learner, Progress, TrainingPlan
from bench.case import Case, Optimizer, Training
from bench.datasets.dataset import Split
from bench.equivalence.holdings import findings
from bench.models.model import NativeModel

if TYPE_CHECKING:
    from bench.certificate import Conditions

ROWS = 1000
TRAINED = 300
"""Rows of the order: two full batches and a short one."""
BATCH = 128
SHAPE = (12, 12, 1)
CLASSES = 10

COUNTING = NativeModel(
    "counting",
    frozenset(kind for kind in ("pytorch", "keras") if hasattr(counting, kind)),
    "counting",
    module="bench.adapters.counting",
)


def work_findings(adapter: Adapter, conditions: Conditions) -> list[str]:
    """What is wrong with the work of ``adapter`` on its training clock, a clause each; nothing where all is well.

    An adapter for which no model counts (scikit-learn's own classes) is held to the rest.
    """
    from bench.equivalence.proof import network_of

    case = _case(conditions)
    plain = _build(adapter, case, network_of("mlp-plain"))
    found = [*_holdings(plain), *_settings(plain, conditions)]
    found += _after_the_pause(plain)
    found += [line for line in _holdings(plain) if line not in found]
    if adapter.builder in COUNTING.builders:
        found += _counted(_build(adapter, case, COUNTING))
    return found


def counts(adapter: Adapter) -> bool:
    """Whether rows and calls can be counted in this framework."""
    return adapter.builder in COUNTING.builders


def _case(conditions: Conditions) -> Case:
    training = Training(batch_size=BATCH, optimizer=Optimizer(name="sgd", learning_rate=0.01), epochs=2)
    return Case.model_validate(
        {**conditions.model_dump(), "dataset": "mnist", "model": "mlp-plain", "training": training}
    )


def _build(adapter: Adapter, case: Case, model: Any) -> Learner:
    from bench.models.model import Network
    from bench.models.network import initial_weights, place

    assert case.training is not None
    generator = np.random.Generator(np.random.PCG64(7))
    images = generator.integers(0, 256, (ROWS, *SHAPE)).astype(np.uint8)
    train = Split(images, generator.integers(0, CLASSES, ROWS), 255.0, CLASSES)
    weights = initial_weights(place(model, SHAPE, CLASSES), 0) if isinstance(model, Network) else None
    steps = math.ceil(ROWS / BATCH) * 2
    plan = TrainingPlan(7, case.threads, BATCH, np.full(steps, 0.01), case.training.optimizer, weights)
    return adapter.build(case, model, train, plan)


def _order() -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.random.Generator(np.random.PCG64(8)).permutation(ROWS)[:TRAINED].astype(np.int64)


def _holdings(learner: Learner) -> list[str]:
    return findings(learner, ROWS, math.prod(SHAPE), "uint8")


def _after_the_pause(learner: Learner) -> list[str]:
    """Whether training is over when the learner pauses: nothing that is read then may change the weights."""
    changed: list[str] = []

    def look() -> None:
        before = learner.weights()
        for words, read in (
            ("is asked for what it has counted", learner.progress),
            ("predicts", lambda: learner.predictor(BATCH)(np.zeros((2, *SHAPE), np.uint8))),
        ):
            read()
            after = learner.weights()
            if any(not np.array_equal(before[name], after[name]) for name in before):
                changed.append(f"trains off the clock: its weights change when it {words} in a pause")
                before = after

    learner.train([_epoch()], look)
    return list(dict.fromkeys(changed))


def _epoch() -> Epoch:
    return Epoch(_order(), (math.ceil(TRAINED / BATCH),))


def _counted(learner: Learner) -> list[str]:
    before, told = _counters(learner), counting.told()
    own: list[Progress] = []
    learner.train([_epoch()], lambda: own.append(learner.progress()))
    learner.synchronize()
    after = _counters(learner)
    rows, calls, evaluated = (after[name] - before[name] for name in counting.COUNTERS)
    evaluated += counting.told() - told
    found = []
    if rows != TRAINED:
        found.append(f"trains on {rows} rows where {TRAINED} were given: {_skipped(rows)}")
    batches = math.ceil(TRAINED / BATCH)
    if calls != batches:
        found.append(f"trains in {calls} batches where {batches} were asked for")
    if evaluated:
        found.append(f"evaluates inside the training clock: {evaluated} rows")
    for counted, true, words in ((own[0].rows, rows, "rows"), (own[0].steps, calls, "steps")):
        if counted is not None and counted != true:
            found.append(f"says that it trained {counted} {words}: the model saw {true}")
    return found


def _skipped(rows: int) -> str:
    full = TRAINED // BATCH
    if rows == full * BATCH:
        return "the short last batch is dropped"
    if rows == TRAINED - math.ceil(TRAINED / BATCH):
        return "a sample of each batch is skipped"
    return "rows are left out" if rows < TRAINED else "rows are taken more than once"


def _counters(learner: Learner) -> dict[str, int]:
    """What a counting model has counted, by the end of its weights' names. Raises ValueError where none tells."""
    found = {}
    weights = learner.weights()
    for counter in counting.COUNTERS:
        values = [int(value) for name, value in weights.items() if name.endswith(counter)]
        if len(values) != 1:
            raise ValueError(f"the weights of a counting model show {len(values)} of {counter}: {sorted(weights)}")
        found[counter] = values[0]
    return found


def _settings(learner: Learner, conditions: Conditions) -> list[str]:
    """Where what is in force, read back, is not what was asked for."""
    settings = learner.settings()
    found = []
    metrics = settings.get("metrics")
    if metrics:
        names = ", ".join(map(str, metrics)) if isinstance(metrics, list | tuple) else str(metrics)
        found.append(f"computes metrics in each step besides the loss: {names}")
    for name in ("execution", "input", "steps_per_execution"):
        asked = getattr(conditions, name)
        if name in settings and settings[name] != asked:
            found.append(f"{name} is {settings[name]} where {asked} was asked for")
    threads = settings.get("threads")
    if isinstance(threads, int) and threads != conditions.threads:
        found.append(f"threads are {threads} where {conditions.threads} were asked for")
    if "precision" in settings and conditions.precision not in str(settings["precision"]):
        found.append(f"precision is {settings['precision']} where {conditions.precision} was asked for")
    return found
