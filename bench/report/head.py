"""The head of a report: what is the same for every row stands here, once."""

import re
from collections import Counter
from collections.abc import Iterable

from bench.case import Case, Training
from bench.record import NOT_RUN, Environment
from bench.report import numbers
from bench.report.document import Block, Facts, Heading, plain
from bench.stats.results import Results

Entry = tuple[str, tuple[str, ...]]


def head(results: Results) -> list[Block]:
    """Title, machine, versions, settings and how much of the run succeeded."""
    manifest = results.manifest
    entries: list[Entry] = []
    if manifest.description:
        entries.append(("suite", (f"{plain(manifest.suite)}: {plain(manifest.description)}",)))
    entries += [("run", (_run_line(results),)), ("track", (_track_line(results),))]
    entries += _machines(results)
    entries += _settings([one.case for one in results.summaries if one.ok])
    entries += [*_outcome(results), *_noise(results)]
    return [Heading(f"bench: suite {plain(manifest.suite)}", 1), Facts(tuple(entries))]


def training_line(training: Training) -> str:
    """``3 epochs, batch 128, adam 0.001``."""
    optimizer = training.optimizer
    parts = [numbers.count(training.epochs, "epoch"), f"batch {training.batch_size}"]
    parts.append(f"{optimizer.name} {optimizer.learning_rate:g}")
    if optimizer.name == "sgd" and optimizer.momentum:
        parts.append(f"{'Nesterov ' if optimizer.nesterov else ''}momentum {optimizer.momentum:g}")
    return ", ".join(parts)


def _run_line(results: Results) -> str:
    manifest = results.manifest
    parts = [manifest.name, f"started {manifest.created_at}" if manifest.created_at else ""]
    return plain(" · ".join(part for part in [*parts, f"bench {manifest.bench_version}"] if part))


def _track_line(results: Results) -> str:
    tracks = dict.fromkeys([one.case.track for one in results.summaries] or [results.manifest.track])
    labels: dict[str, dict[str, None]] = {}
    for one in results.summaries:
        for record in one.ok:
            labels.setdefault(record.equivalence, {})[one.case.model] = None
    parts = [" and ".join(tracks), numbers.count(results.manifest.seeds, "seed")]
    if len(labels) == 1:
        parts.append(f"equivalence {next(iter(labels))}")
    elif labels:
        parts.append("equivalence " + "; ".join(f"{label}: {', '.join(models)}" for label, models in labels.items()))
    return plain(" · ".join(parts))


def _machines(results: Results) -> list[Entry]:
    """One machine, as a rule; several where a run was resumed elsewhere or after an update."""
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
    if trained:
        entries.append(("execution", (_execution_line(trained),)))
    return entries


def _execution_line(cases: list[Case]) -> str:
    """``eager: pytorch; graph: keras-tensorflow · float32 · input resident``."""
    ways: dict[str, dict[str, None]] = {}
    for case in cases:
        ways.setdefault(case.execution, {})[case.framework] = None
    parts = ["; ".join(f"{way}: {', '.join(frameworks)}" for way, frameworks in ways.items())]
    parts.append(_distinct(case.precision for case in cases))
    return plain(" · ".join([*parts, f"input {_distinct(case.input for case in cases)}"]))


def _outcome(results: Results) -> list[Entry]:
    """How many cases and trials ended how."""
    shown = results.summaries
    cases = ", ".join(f"{number:,} {status}" for status, number in Counter(one.status for one in shown).items())
    some = f"{len(shown):,} of the run's {len(results.everything):,} shown: " if results.shown is not None else ""
    trials = Counter(record.status for one in shown for record in one.records if record.status not in NOT_RUN)
    line = ", ".join(f"{number:,} {status}" for status, number in trials.items())
    return [("cases", (f"{some}{cases or 'none'}",)), ("trials", (line or "none",))]


def _noise(results: Results) -> list[Entry]:
    """How many trials the machine disturbed, and by what; nothing where it was quiet."""
    ok = [record for one in results.summaries for record in one.ok]
    marked = [record.noise.marks for record in ok if record.noise and record.noise.marks]
    if not marked:
        return []
    # Marks say how much, and differ from trial to trial: counted by kind, without their numbers.
    why = Counter(plain(re.sub(r"\d[\d.,]*", "…", mark)) for marks in marked for mark in marks)
    reasons = "; ".join(f"{mark} ({number})" for mark, number in why.most_common())
    every = "every trial was" if len(marked) == len(ok) else f"{len(marked):,} of {len(ok):,} trials were"
    return [("noise", (f"{every} disturbed, and kept: {reasons}",))]


def _distinct(values: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(values)) or numbers.DASH
