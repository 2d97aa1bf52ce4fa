"""Names of rows and columns: no two cases of a run share one, and none is longer than necessary."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property

from pydantic import JsonValue

from bench.case import Case, Training
from bench.report.document import plain

SYSTEM_AXES = ("execution", "precision", "input", "steps_per_execution", "channels_last", "threads")
"""Settings that belong to the system that runs a model rather than to the model."""

SPOKEN = ("training.epochs", "training.batch_size", "training.optimizer.name", "training.optimizer.learning_rate")
"""Training settings named wherever they differ, even at their default; others are named only off their default."""

SELF_NAMED = ("training.optimizer.name", "training.schedule.name")
"""Settings whose values need no key beside them."""

WORDS = {
    "training.batch_size": "batch {}",
    "training.class_weights": "{} class weights",
    "parameters.class_weight": "{} class weights",
    "steps_per_execution": "{} steps a call",
    "channels_last": "channels last",
}
"""Wording of settings for which neither key nor value alone is enough."""

DIGESTS = ("data_fingerprint", "model_digest")


class Names:
    """Names of the cases of one run: settings appear only where two cases differ in nothing else."""

    def __init__(self, cases: Iterable[Case]) -> None:
        self._cases = tuple(cases)
        self._flat = {case.id: _flatten(case) for case in self._cases}

    def has(self, case: Case) -> bool:
        """True if the case is named here."""
        return case.id in self._flat

    @cached_property
    def _several_devices(self) -> bool:
        return len({case.device for case in self._cases}) > 1

    @cached_property
    def _varying(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        """For cases that share track, data set, model label, framework and device: the settings they differ in."""
        alike: dict[tuple[str, ...], list[Mapping[str, JsonValue]]] = defaultdict(list)
        for case in self._cases:
            alike[_place(case)].append(self._flat[case.id])
        return {place: _differing(settings) for place, settings in alike.items()}

    def system(self, case: Case) -> str:
        """The framework, with the device and its settings where they tell cases apart: ``pytorch cuda:0``."""
        return " ".join(part for part in self.system_lines(case) if part)

    def system_lines(self, case: Case) -> tuple[str, str]:
        """The name of the system in two parts for the head of a column: the framework, and the rest, often empty."""
        rest = [case.device] if self._several_devices else []
        return plain(case.framework), plain(", ".join(rest + self._settings(case, of_system=True)))

    def model(self, case: Case) -> str:
        """The model with its row cap, and its settings where they tell cases apart: ``cnn, batch size 256``."""
        return plain(", ".join([case.model_label, *self._settings(case, of_system=False)]))

    def cell(self, case: Case) -> str:
        """The whole readable name, unique in the run: ``mnist/cnn/pytorch/cpu``."""
        return f"{plain(case.dataset)}/{plain(case.model)}/{self._tail(case)}"

    def line(self, case: Case) -> str:
        """As ``cell``, with the row cap of the model wherever it has one: ``mnist/svc-rbf (20,000 rows)/…``."""
        return f"{plain(case.dataset)}/{plain(case.model_label)}/{self._tail(case, rows=False)}"

    def listed(self, cases: Iterable[Case]) -> tuple[str, ...]:
        """Several cases in few words: ``{digits, mnist}/{mlp, cnn}/pytorch/cpu``; together exactly ``cases``."""
        models: dict[tuple[str, str], list[str]] = defaultdict(list)
        for case in cases:
            models[plain(case.dataset), self._tail(case)].append(plain(case.model))
        datasets: dict[tuple[tuple[str, ...], str], list[str]] = defaultdict(list)
        for (dataset, tail), found in models.items():
            datasets[tuple(found), tail].append(dataset)
        return tuple(f"{_braced(names)}/{_braced(found)}/{tail}" for (found, tail), names in datasets.items())

    def _tail(self, case: Case, *, rows: bool = True) -> str:
        """The name after data set and model: ``pytorch/cpu``, and what else tells cases apart."""
        parts = [f"{case.framework}/{case.device}"]
        if len({other.track for other in self._cases}) > 1:
            parts.append(case.track)
        if rows and len({other.train_rows for other in self._cases if other.cell == case.cell}) > 1:
            parts.append("all rows" if case.train_rows is None else f"{case.train_rows} rows")
        parts += self._settings(case, of_system=True) + self._settings(case, of_system=False)
        return plain(" ".join(parts))

    def _settings(self, case: Case, *, of_system: bool) -> list[str]:
        varying = self._varying.get(_place(case), ())
        flat = self._flat[case.id]
        return [
            setting_words(key, flat[key])
            for key in varying
            if (key in SYSTEM_AXES) == of_system and flat.get(key) is not None and flat[key] != _silent().get(key)
        ]


def _place(case: Case) -> tuple[str, ...]:
    return case.track, case.dataset, case.model_label, case.framework, case.device


def _flatten(case: Case) -> dict[str, JsonValue]:
    """Every setting by its dotted name."""
    flat: dict[str, JsonValue] = {}

    def add(prefix: str, value: JsonValue) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                add(f"{prefix}.{key}" if prefix else key, inner)
        else:
            flat[prefix] = value

    add("", case.model_dump(mode="json"))
    return flat


@cache
def _silent() -> Mapping[str, JsonValue]:
    """Defaults that stay unnamed even if another case differs: that case names its value."""
    usual = _flatten(Case(dataset="", model="", framework="", training=Training()))
    ways = ("precision", "input", "steps_per_execution", "channels_last")
    return {
        key: value for key, value in usual.items() if key in ways or (key.startswith("training.") and key not in SPOKEN)
    }


def _differing(settings: Sequence[Mapping[str, JsonValue]]) -> tuple[str, ...]:
    keys = dict.fromkeys(key for flat in settings for key in flat)
    return tuple(key for key in keys if len({repr(flat.get(key)) for flat in settings}) > 1)


def setting_words(key: str, value: JsonValue) -> str:
    """``training.epochs`` 9 as ``epochs 9``; a value that names itself has no key."""
    if key in DIGESTS:
        return f"{key.partition('_')[0]} {str(value)[:8]}"
    if key in WORDS:
        return WORDS[key].format(value)
    if isinstance(value, str) and ("." not in key or key in SELF_NAMED):
        return value
    return f"{key.rpartition('.')[2].replace('_', ' ')} {value}"


def _braced(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else "{" + ", ".join(names) + "}"
