"""The head of a report: what is the same for every row, stated once."""

import statistics
from collections import Counter
from collections.abc import Iterable
from statistics import median

from bench.case import Case, Schedule, Training
from bench.record import NOT_RUN, Environment
from bench.report import numbers
from bench.report.document import Block, Facts, Heading, plain
from bench.report.labels import BY_SCORES, DIFFERS_WORDS, is_by_scores, label_words
from bench.report.naming import setting_words
from bench.stats.agreement import NOT_COMPARED
from bench.stats.results import Results

Entry = tuple[str, tuple[str, ...]]


def head(results: Results) -> list[Block]:
    """Title, machine, versions, settings and how much of the run succeeded."""
    manifest = results.manifest
    entries: list[Entry] = []
    if manifest.description:
        entries.append(("suite", (plain(manifest.description),)))
    entries += [("run", (_run_line(results),)), ("track", (_track_line(results),))]
    entries += _machines(results)
    entries += _settings([one.case for one in results.summaries if one.ok])
    entries += [*_runtimes(results), *_outcome(results), *_load(results)]
    return [Heading(f"bench: suite {plain(manifest.suite)}", 1), Facts(tuple(entries))]


def training_line(training: Training) -> str:
    """``3 epochs, batch 128, adam 0.001``."""
    optimizer = training.optimizer
    least = f" and at least {training.min_steps:,} steps" if training.min_steps else ""
    parts = [numbers.count(training.epochs, "epoch") + least, f"batch {training.batch_size}"]
    parts.append(f"{optimizer.name} {optimizer.learning_rate:g}")
    if optimizer.name == "sgd" and optimizer.momentum:
        parts.append(f"{'Nesterov ' if optimizer.nesterov else ''}momentum {optimizer.momentum:g}")
    if optimizer.weight_decay:
        parts.append(f"weight decay {optimizer.weight_decay:g}")
    return ", ".join([*parts, *_schedule(training.schedule), *_recipe(training)])


def _schedule(schedule: Schedule) -> list[str]:
    if schedule.name == "step":
        each = "each epoch" if schedule.every_epochs == 1 else f"each {schedule.every_epochs} epochs"
        return [f"rate × {schedule.factor:g} {each}"]
    return [] if schedule.name == "constant" else [f"{schedule.name} rates"]


def _recipe(training: Training) -> list[str]:
    """Settings few recipes have: smoothing, class weights, normalisation, a validation part, a target."""
    parts: list[str] = []
    if training.label_smoothing:
        parts.append(f"label smoothing {training.label_smoothing:g}")
    if training.class_weights:
        parts.append(f"{training.class_weights} class weights")
    if training.normalize == "train":
        parts.append("normalised by the training rows")
    elif training.normalize is not None:
        parts.append(f"normalised by {training.normalize.mean:g} and {training.normalize.std:g}")
    if training.validation_rows:
        last = "the last " if training.validation_part == "last" else ""
        parts.append(f"{last}{training.validation_rows:,} rows for validation")
    elif training.validation_share:
        parts.append(f"{numbers.percent(training.validation_share)} % of the rows for validation")
    if training.target_accuracy is not None:
        parts.append(f"target {numbers.percent(training.target_accuracy)} %")
    return parts


def _run_line(results: Results) -> str:
    manifest = results.manifest
    # The name usually begins with the time.
    told = manifest.created_at[:19].replace(":", "-") in manifest.name
    started = [] if told else [f"started {manifest.created_at}"]
    return plain(" · ".join([manifest.name, *started, f"bench {manifest.bench_version}"]))


def _track_line(results: Results) -> str:
    tracks = dict.fromkeys([one.case.track for one in results.summaries] or [results.manifest.track])
    parts = [" and ".join(tracks), _seeds(results)]
    labels = _labels(results)
    for label, models in labels.items():
        which = f" ({', '.join(models)})" if len(labels) > 1 or label == DIFFERS_WORDS else ""
        parts.append(label + which)
    parts += [BY_SCORES] * any(is_by_scores(results.agreement(one)) for one in results.summaries)
    return plain(" · ".join(parts))


def _seeds(results: Results) -> str:
    """``3 seeds``, or ``1 to 3 seeds`` where cases differ."""
    found = sorted({results.seeds(one.case) for one in results.summaries} or {results.manifest.seeds})
    fewest = f"{found[0]} to " if len(found) > 1 else ""
    return fewest + numbers.count(found[-1], "seed")


def _labels(results: Results) -> dict[str, list[str]]:
    """Models by label, with the framework if a model's frameworks have several labels.

    Leaves out models of a single framework that are compared with nothing.
    """
    frameworks: dict[str, set[str]] = {}
    labels_of: dict[str, set[str]] = {}
    found = [(label_words(results, one), one.case) for one in results.summaries if one.ok]
    for one in results.summaries:
        frameworks.setdefault(one.case.model, set()).add(one.case.framework)
    for label, case in found:
        labels_of.setdefault(case.model, set()).update({label} - {DIFFERS_WORDS})
    labels: dict[str, list[str]] = {}
    for label, case in found:
        if label == NOT_COMPARED and len(frameworks[case.model]) == 1:
            continue
        is_told_apart = label == DIFFERS_WORDS or len(labels_of[case.model]) > 1
        model = f"{case.model} in {case.framework}" if is_told_apart else case.model
        models = labels.setdefault(label, [])
        models += [model] if model not in models else []
    return labels


def _machines(results: Results) -> list[Entry]:
    """Usually one machine; several if a run was resumed elsewhere or after an update."""
    trials = Counter(record.environment for one in results.summaries for record in one.records if record.environment)
    known = [(key, results.environments[key]) for key in trials if key in results.environments]
    known = known or list(results.environments.items())
    threads = _distinct(str(one.case.threads) for one in results.summaries)
    entries: list[Entry] = []
    for key, environment in known:
        suffix = f" ({numbers.count(trials[key], 'trial')})" if len(known) > 1 else ""
        entries.append(("machine", (_machine_line(environment, threads) + suffix,)))
        entries.append(("system", (_system_line(environment),)))
        entries.append(("versions", (_versions_line(environment),)))
    return entries


def _machine_line(environment: Environment, threads: str) -> str:
    parts = [environment.cpu, numbers.count(environment.cores, "core")]
    parts.append("1 thread" if threads == "1" else f"{threads} threads")
    parts.append(f"{environment.memory_gib:g} GiB")
    return plain(" · ".join([*parts, *environment.accelerators]))


def _system_line(environment: Environment) -> str:
    governor = [f"governor {environment.governor}"] if environment.governor else []
    return plain(" · ".join([environment.system, environment.machine, *governor]))


def _versions_line(environment: Environment) -> str:
    packages = [f"{name} {version}" for name, version in sorted(environment.packages.items())]
    return plain(" · ".join([f"Python {environment.python}", *packages]))


def _settings(cases: list[Case]) -> list[Entry]:
    entries: list[Entry] = []
    trained = [case for case in cases if case.training is not None]
    lines: dict[str, list[str]] = {}
    for case in trained:
        if case.training is not None:
            models = lines.setdefault(training_line(case.training), [])
            models += [case.model] if case.model not in models else []
    if lines:
        several = len(lines) > 1
        text = tuple(plain(f"{line} ({', '.join(models)})" if several else line) for line, models in lines.items())
        entries.append(("networks", text))
    if given := _parameters([case for case in cases if case.training is None]):
        entries.append(("estimators", given))
    if trained:
        entries.append(("execution", (_execution_line(trained),)))
    return entries


def _parameters(fitted: list[Case]) -> tuple[str, ...]:
    """The suite's parameters for estimators; if cases of one model differ in them, their labels say so."""
    by_model: dict[str, set[str]] = {}
    for case in fitted:
        words = ", ".join(setting_words(f"parameters.{key}", value) for key, value in case.parameters.items())
        by_model.setdefault(case.model, set()).add(words)
    lines: dict[str, list[str]] = {}
    for model, found in by_model.items():
        if len(found) == 1 and (words := found.pop()):
            lines.setdefault(words, []).append(model)
    return tuple(plain(f"{words} ({', '.join(models)})") for words, models in lines.items())


def _execution_line(cases: list[Case]) -> str:
    """``graph: keras-tensorflow, eager otherwise · float32 · input resident``."""
    ways: dict[str, dict[str, None]] = {}
    for case in cases:
        ways.setdefault(case.execution, {})[case.framework] = None
    # Eager is the only mode of some frameworks, not a choice, so they are not named for it.
    others = [f"{way}: {', '.join(frameworks)}" for way, frameworks in ways.items() if way != "eager"]
    execution = _distinct(ways) if len(ways) == 1 else ", ".join([*others, *(["eager otherwise"] * ("eager" in ways))])
    parts = [execution, _distinct(case.precision for case in cases)]
    parts.append(f"input {_distinct(case.input for case in cases)}")
    steps = dict.fromkeys(case.steps_per_execution for case in cases)
    if any(count > 1 for count in steps):
        parts.append(f"{' or '.join(str(count) for count in steps)} steps a call")
    if any(case.channels_last for case in cases):
        parts.append("channels last" if all(case.channels_last for case in cases) else "channels first or last")
    return plain(" · ".join(parts))


def _runtimes(results: Results) -> list[Entry]:
    """Memory of each framework's runtime at its first use, above its import and apart from the model's."""
    figures: dict[str, list[float]] = {}
    for one in results.summaries:
        if (figure := one.figures["runtime_mib"]) is not None:
            figures.setdefault(one.case.framework, []).append(figure.value)
    if not figures:
        return []
    parts = [f"{name} {numbers.mebibytes(median(found))}" for name, found in figures.items()]
    return [("runtimes", (plain(f"MiB at the first use, apart from the model's: {', '.join(parts)}"),))]


def _outcome(results: Results) -> list[Entry]:
    """Counts of cases and trials by outcome."""
    shown = results.summaries
    cases = ", ".join(f"{number:,} {status}" for status, number in Counter(one.status for one in shown).items())
    some = f"{len(shown):,} of the run's {len(results.everything):,} shown: " if results.shown is not None else ""
    trials = Counter(record.status for one in shown for record in one.records if record.status not in NOT_RUN)
    line = ", ".join(f"{number:,} {status}" for status, number in trials.items())
    return [("cases", (f"{some}{cases or 'none'}",)), ("trials", (line or "none",))]


def _load(results: Results) -> list[Entry]:
    """Other load on the machine during the trials; nothing if the system does not count it."""
    noises = [record.noise for one in results.summaries for record in one.ok if record.noise]
    others = [noise.other_cpu_percent for noise in noises if noise.other_cpu_percent is not None]
    if not others:
        return []
    words = f"other processes used {statistics.median(others):.0f} % of a core in the median trial"
    words += f", {max(others):.0f} % at most" if len(others) > 1 else ""
    steal = max((noise.steal_percent or 0.0 for noise in noises), default=0.0)
    hypervisor = f" · hypervisor up to {steal:.0f} % of the CPU time" if steal >= 1 else ""
    return [("load", (words + hypervisor,))]


def _distinct(values: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(values)) or numbers.DASH
