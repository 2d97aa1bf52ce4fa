"""From a suite and a request to cases, each with what this machine needs to run it or the reason why it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

from pydantic import JsonValue

from bench.adapters.base import Adapter
from bench.adapters.catalog import ADAPTERS, ALIASES, find_adapter
from bench.case import Case
from bench.datasets.catalog import DATASETS, CachedDataset, DatasetUnavailable, is_own, resolve
from bench.datasets.source import BrokenDataset
from bench.datasets.transfer import Watch
from bench.errors import BenchError
from bench.models.catalog import MODELS, find_model
from bench.models.model import Estimator, Model, Network
from bench.models.native import is_reference
from bench.runner.axes import Axes, Way
from bench.runner.probe import probe
from bench.runner.request import Request
from bench.runner.select import Selection, expand_globs, select
from bench.suite import Matrix, ModelSettings, Suite

ALL_DEVICES = "all"
"""Stands for every device that a framework sees."""


@dataclass(frozen=True)
class PlannedCase:
    """A case with its model, its data and its adapter, or with the reason why it cannot run here."""

    case: Case
    model: Model
    model_reference: str
    adapter: Adapter
    data: CachedDataset | None
    data_reference: str
    """The data set's name, or the path it was given by."""
    blocked: Literal["unsupported", "unavailable"] | None = None
    reason: str = ""
    seeds: int | None = None
    """Number of seeds its part of the suite sets; None if the suite's number applies."""

    @property
    def deterministic(self) -> bool:
        """True if every seed gives the same model: an estimator without a random state."""
        return isinstance(self.model, Estimator) and not self.model.seeded


@dataclass
class Expansion:
    """Expands one suite for one request; models, data sets and devices are looked up once each."""

    suite: Suite
    request: Request
    where: str = ""
    progress: Callable[[str], None] = lambda _: None
    watch: Watch | None = None
    """Shows download progress."""
    _data: dict[str, CachedDataset | DatasetUnavailable] = field(default_factory=dict)
    _models: dict[str, Model] = field(default_factory=dict)
    _selections: dict[str, Selection] = field(default_factory=dict)

    def cases(self) -> list[PlannedCase]:
        """All cases, each once, frameworks of one row side by side.

        Raises BenchError if a name is unknown, if something named in the request is unavailable, or if nothing is
        left to run.
        """
        self._select()
        found: dict[str, PlannedCase] = {}
        for planned in self._products():
            if planned.case.id.startswith(self.request.case):
                found.setdefault(planned.case.id, planned)
        if not found:
            raise BenchError(
                f"nothing to run: {self.where} has no case that {self._asked()}",
                f"See its cases: bench run --suite {self.request.suite} --dry-run",
            )
        return list(found.values())

    def narrowed(self, request: Request) -> Expansion:
        """The same suite for another request; models and data already found are reused."""
        return Expansion(self.suite, request, self.where, self.progress, self.watch, self._data, self._models)

    def _asked(self) -> str:
        request = self.request
        asked: dict[str, tuple[object, ...]] = {
            "--dataset": request.datasets,
            "--model": request.models,
            "--framework": request.frameworks,
            "--device": request.devices,
            "--execution": request.executions,
            "--precision": request.precisions,
            "--input": request.inputs,
            "--steps-per-execution": request.steps_per_execution,
            "--batch-size": request.batch_sizes,
            "--case": (request.case,) if request.case else (),
        }
        options = [f"{option} {name}" for option, names in asked.items() for name in names]
        return f"matches {' '.join(options)}" if options else "has a meaning: no framework can run any of its models"

    def _select(self) -> None:
        request = self.request
        frameworks = [ALIASES.get(name, name) for name in request.frameworks]
        asked = {"datasets": request.datasets, "models": request.models, "frameworks": frameworks}
        for axis, names in asked.items():
            kind, known, listing, is_file = _AXES[axis]
            in_suite = self._expand(axis, self.suite.axis(axis))
            self._selections[axis] = select(kind, names, in_suite, known(), listing=listing, is_file=is_file)
        self._expand("models", self.suite.models)  # settings for a model that does not exist

    def _products(self) -> Iterator[PlannedCase]:
        chosen = self._selections
        for matrix in self.suite.matrix:
            models = chosen["models"].of(self._expand("models", matrix.models))
            yield from self._product(self._datasets(matrix), models, self._frameworks(matrix), matrix)
        for added in chosen["models"].added:
            matrix = self._matrix_of(added)
            yield from self._product(self._datasets(matrix), (added,), self._frameworks(matrix), matrix)

    def _matrix_of(self, added: str) -> Matrix:
        """Matrix of a model that the suite lacks: the suite's frameworks, or all if none of those can build it."""
        model, frameworks = self._model(added), self._expand("frameworks", self.suite.axis("frameworks"))
        if not any(_can_build(find_adapter(name), model) for name in frameworks):
            frameworks = ("*",)
        datasets, devices = self.suite.axis("datasets"), self.suite.axis("devices")
        return Matrix(datasets=datasets, models=(added,), frameworks=frameworks, devices=devices)

    def _expand(self, axis: str, names: Iterable[str]) -> tuple[str, ...]:
        kind, known, listing, is_file = _AXES[axis]
        return expand_globs(kind, names, known(), where=self.suite.place_of, listing=listing, is_file=is_file)

    def _datasets(self, matrix: Matrix) -> tuple[str, ...]:
        chosen = self._selections["datasets"]
        return (*chosen.of(self._expand("datasets", matrix.datasets)), *chosen.added)

    def _frameworks(self, matrix: Matrix) -> tuple[str, ...]:
        chosen = self._selections["frameworks"]
        return (*chosen.of(self._expand("frameworks", matrix.frameworks)), *chosen.added)

    def _product(
        self, datasets: tuple[str, ...], models: tuple[str, ...], frameworks: tuple[str, ...], matrix: Matrix
    ) -> Iterator[PlannedCase]:
        axes = Axes(self.suite, matrix, self.request)
        for dataset, reference, framework in product(datasets, models, frameworks):
            adapter = find_adapter(framework, where=self.where)
            model = self._model(reference)
            if not adapter.natural(model):
                continue
            by_steps = adapter.trained_by_steps(model)
            for device in self._devices(adapter, matrix):
                for way in axes.ways(adapter, self._settings(reference), by_steps=by_steps):
                    yield self._planned(dataset, reference, adapter, device, axes, way)

    def _devices(self, adapter: Adapter, matrix: Matrix) -> tuple[str, ...]:
        """The devices named, with ``all`` replaced by every device the framework sees."""
        named = self.request.devices or matrix.devices
        if ALL_DEVICES not in named:
            return named
        seen = probe(adapter.name).devices if adapter.installed() else ("cpu",)
        found = [device for name in named for device in (seen if name == ALL_DEVICES else (name,))]
        return tuple(dict.fromkeys(found))

    def _settings(self, reference: str) -> ModelSettings:
        return self.suite.models.get(reference, ModelSettings())

    def _planned(
        self, dataset: str, reference: str, adapter: Adapter, device: str, axes: Axes, way: Way
    ) -> PlannedCase:
        model, settings, matrix = self._model(reference), self._settings(reference), axes.matrix
        data = self._dataset(dataset)
        info = data.info if isinstance(data, CachedDataset) else None
        case = Case(
            dataset=info.name if info else dataset,
            model=model.name,
            framework=adapter.name,
            device=device,
            track=matrix.track or self.suite.track,
            data_fingerprint=info.fingerprint if info else None,
            model_digest=model.digest,
            training=axes.training(settings, way) if adapter.trained_by_steps(model) else None,
            parameters=_parameters(model, adapter, settings, axes),
            train_rows=_cap(model, settings, matrix, info.train_rows if info else None),
            measuring=self.suite.measuring,
            **way.settings(),
        )
        blocked, reason = self._obstacle(case, model, adapter, data)
        cached = data if isinstance(data, CachedDataset) else None
        model_reference = self._reference(reference, model)
        return PlannedCase(case, model, model_reference, adapter, cached, dataset, blocked, reason, matrix.seeds)

    def _reference(self, reference: str, model: Model) -> str:
        path = getattr(model, "path", None)
        if path is None:
            return reference
        attribute = getattr(model, "attribute", "")
        return f"{path}:{attribute}" if attribute else str(path)

    def _model(self, reference: str) -> Model:
        if reference not in self._models:
            self._models[reference] = find_model(reference, where=self.where)
        return self._models[reference]

    def _dataset(self, name: str) -> CachedDataset | DatasetUnavailable:
        if name not in self._data:
            try:
                self._data[name] = resolve(
                    name,
                    data_dir=self.request.data_dir,
                    offline=self.request.offline,
                    say=self.progress,
                    watch=self.watch,
                )
            except DatasetUnavailable as missing:
                if self._selections["datasets"].names(name):
                    raise
                self._data[name] = missing
        return self._data[name]

    def _obstacle(
        self, case: Case, model: Model, adapter: Adapter, data: CachedDataset | DatasetUnavailable
    ) -> tuple[Literal["unsupported", "unavailable"] | None, str]:
        """Reason why the case cannot run here. Raises BenchError if the request named what is missing."""
        if isinstance(data, DatasetUnavailable):
            # Advice on broken files may name the user's folder, which has no place in a record.
            advice = "" if isinstance(data, BrokenDataset) else data.advice
            return "unavailable", f"{data.message} {advice}".strip()
        installed = adapter.installed()
        if not installed:
            missing = f"{adapter.name} needs {' and '.join(installed.missing)}, not installed here."
            if self._selections["frameworks"].names(case.framework):
                raise BenchError(missing, installed.command)
            return "unavailable", f"{missing} {installed.command}"
        unsupported = adapter.unsupported(case, model, data.info.shape, len(data.info.class_names))
        if unsupported:
            return "unsupported", unsupported
        if case.device != "cpu" and case.device not in probe(case.framework).devices:
            devices = ", ".join(probe(case.framework).devices)
            message = f"case {case.cell!r} cannot run here: {adapter.name} sees no device {case.device!r}."
            advice = f"Devices here: {devices}   (bench list devices)"
            if case.device in self.request.devices:
                raise BenchError(message, advice)
            return "unavailable", f"{adapter.name} sees no device {case.device!r}."
        return None, ""


def _can_build(adapter: Adapter, model: Model) -> bool:
    return adapter.natural(model) and adapter.lacks(model) is None


def _never(name: str) -> bool:
    return False


_AXES: dict[str, tuple[str, Callable[[], tuple[str, ...]], str, Callable[[str], bool]]] = {
    "datasets": ("data set", lambda: tuple(DATASETS), DATASETS.listing, is_own),
    "models": ("model", lambda: tuple(MODELS), MODELS.listing, is_reference),
    "frameworks": ("framework", lambda: tuple(ADAPTERS), ADAPTERS.listing, _never),
}
"""For each axis: its kind in words, the known names, the command that lists them, and whether a name is a file."""


def _parameters(model: Model, adapter: Adapter, settings: ModelSettings, axes: Axes) -> dict[str, JsonValue]:
    """An estimator's parameters: those of the suite, and the class weights that a network has in its training.

    Precedence: options, then the suite's table for this model, then the suite's training.
    """
    if isinstance(model, Network) or adapter.trained_by_steps(model):
        return {}
    given = dict(settings.parameters) if isinstance(model, Estimator) else {}
    weights = axes.class_weights(settings)
    parameters = given if weights is None else {"class_weight": weights, **given}
    return {**parameters, "class_weight": weights} if axes.request.class_weights else parameters


def _cap(model: Model, settings: ModelSettings, matrix: Matrix, rows: int | None) -> int | None:
    """The lowest cap on training rows that applies; None if there is none or the data have no more rows."""
    caps = [settings.train_rows or getattr(model, "train_rows", None), matrix.train_rows]
    lowest = min((cap for cap in caps if cap is not None), default=None)
    return None if lowest is None or (rows is not None and lowest >= rows) else lowest
