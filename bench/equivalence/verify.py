"""Ask every framework the same proofs, each in processes of its own, compare what they computed, and certify it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from bench import certificate
from bench.adapters.base import Adapter
from bench.adapters.catalog import ADAPTERS, ALIASES, find_adapter
from bench.case import Execution, Input, Precision
from bench.certificate import Certificate, Conditions
from bench.equivalence.beside import beside
from bench.equivalence.proof import CLASS_COUNT, Proof, as_shipped, case_of, network_of
from bench.equivalence.questions import dropout_rates, gradient_questions, questions
from bench.equivalence.verdict import Miss, Verdict, Verification, first_misses
from bench.equivalence.worker import Assignment, prepared_case, trace_file
from bench.errors import BenchError, UnknownName
from bench.measure.cores import usable_cores
from bench.models.model import Network
from bench.runner.local import ask_module

if TYPE_CHECKING:
    from bench.equivalence.trace import Trace

AT_ONCE = 2
"""Workers that run at the same time, at most: each holds a framework, a gigabyte or more."""
TIMEOUT_S = 3600.0
EXPLAINED = 2
"""So many misses of one framework are explained; the others share their cause more often than not."""

Announce = Callable[[str, str], None]
"""Told a framework and what it is at."""


@dataclass(frozen=True)
class Asked:
    """What ``bench equivalence`` is asked; empty means all."""

    frameworks: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    device: str = "cpu"
    execution: Execution | None = None
    """None: each framework's own."""
    precision: Precision = "float32"
    input: Input = "resident"
    steps_per_execution: int = 1
    channels_last: bool = False
    threads: int = 1
    seeds: int = 1
    first_seed: int = 0
    quick: bool = False


@dataclass
class Subject:
    """One framework, what it is asked, and what it has computed."""

    adapter: Adapter
    verdict: Verdict
    asked: dict[Precision, list[Proof]] = field(default_factory=dict)
    traces: dict[tuple[Precision, Proof], Path] = field(default_factory=dict)


def verify(asked: Asked, announce: Announce = lambda framework, phase: None) -> Verification:
    """Ask, compare, explain, and store a certificate for each framework that holds.

    Raises BenchError where the question is wrong: an unknown name, a framework that is not installed, nothing to ask.
    """
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    exact = questions(asked.models, asked.recipes, seeds=seeds, quick=asked.quick)
    rounded = gradient_questions(asked.models, seeds=seeds, quick=asked.quick)
    result = Verification([], seeds=asked.seeds)
    subjects = _subjects(asked, exact, rounded, result)
    if not subjects:
        reasons = "; ".join(dict.fromkeys(result.absent.values()))
        raise BenchError(f"nothing to verify: {reasons}", "What each framework can do: bench list frameworks")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        _ask(subjects, Path(folder), announce)
        for subject in subjects:
            result.verdicts.append(subject.verdict)
    for subject in subjects:
        _certify(subject, [one.adapter.name for one in subjects])
    return result


def _subjects(asked: Asked, exact: list[Proof], rounded: list[Proof], result: Verification) -> list[Subject]:
    subjects = []
    for name in _frameworks(asked.frameworks):
        adapter = find_adapter(name)
        installed = adapter.installed()
        if not installed:
            if name in asked.frameworks:
                raise BenchError(f"{name} is not installed.", f"Install it: {installed.command}")
            result.absent[name] = f"not installed: {installed.command}"
            continue
        conditions = _conditions(asked, adapter)
        subject = Subject(adapter, Verdict(conditions, dict(installed.versions)))
        for precision, proofs in (("float64", exact), (asked.precision, rounded)):
            _choose(subject, cast(Precision, precision), proofs)
        if subject.asked.get("float64"):
            subjects.append(subject)
        else:
            reasons = [reason for reason in subject.verdict.unsupported if reason] or [
                "it runs none of these networks."
            ]
            result.absent[name] = reasons[0]
    return subjects


def _frameworks(names: Sequence[str]) -> list[str]:
    """Names of adapters for names, aliases and globs; all of them for none. Raises UnknownName."""
    found: list[str] = []
    for name in names:
        pattern = ALIASES.get(name, name)
        matching = [known for known in ADAPTERS if fnmatchcase(known, pattern)]
        if not matching:
            raise UnknownName("framework", name, [*ADAPTERS, *ALIASES], listing="bench list frameworks")
        found += matching
    return list(dict.fromkeys(found)) if names else list(ADAPTERS)


def _conditions(asked: Asked, adapter: Adapter) -> Conditions:
    return Conditions(
        framework=adapter.name,
        device=asked.device,
        execution=asked.execution or adapter.execution,
        precision=asked.precision,
        input=asked.input,
        steps_per_execution=asked.steps_per_execution,
        channels_last=asked.channels_last,
        threads=asked.threads,
    )


def _choose(subject: Subject, precision: Precision, proofs: Sequence[Proof]) -> None:
    """Keep the proofs that the framework can be asked; of the others note the reason."""
    verdict = subject.verdict
    for proof in proofs:
        network = network_of(proof.model)
        known = as_shipped(proof.model) or network
        if not (subject.adapter.natural(known) and subject.adapter.trained_by_steps(known)):
            continue
        case = case_of(proof, verdict.conditions, precision)
        reason = subject.adapter.unsupported(case, network, proof.shape, CLASS_COUNT)
        if reason is None:
            subject.asked.setdefault(precision, []).append(proof)
        elif proof.label not in verdict.unsupported.setdefault(reason, []):
            verdict.unsupported[reason].append(proof.label)


def _ask(subjects: list[Subject], folder: Path, announce: Announce) -> None:
    """Run the workers; nothing is timed, so a few at a time where there are cores for the threads of each.

    The definition is computed meanwhile.
    """
    from bench.equivalence.definition import define

    wanted = dict.fromkeys(proof for subject in subjects for proofs in subject.asked.values() for proof in proofs)
    found = beside([partial(define, proof) for proof in wanted], 1)
    workers = beside([partial(_run_all, subject, folder, announce) for subject in subjects], _at_once(subjects))
    for worker in workers:
        worker.result()
    announce("definition", "compared with every framework")
    _compare(subjects, dict(zip(wanted, found, strict=True)))


def _at_once(subjects: Sequence[Subject]) -> int:
    """So many workers at a time that their threads have a core each.

    Threads that wait for each other at every operation take many times as long where they share cores.
    """
    threads = max(subject.verdict.conditions.threads for subject in subjects)
    return max(1, min(AT_ONCE, usable_cores() // threads))


def _run_all(subject: Subject, folder: Path, announce: Announce) -> None:
    for number, precision in enumerate(subject.asked):
        below = folder / f"{subject.adapter.name}-{number}"
        below.mkdir()
        _run(subject, precision, below, announce)


def _run(subject: Subject, precision: Precision, folder: Path, announce: Announce) -> None:
    from bench.equivalence.work import counts

    verdict, proofs = subject.verdict, subject.asked[precision]
    verdict.uncounted = not counts(subject.adapter)
    last = precision == list(subject.asked)[-1]
    networks = [network_of(proof.model) for proof in proofs]
    assignment = Assignment(
        conditions=verdict.conditions,
        precision=precision,
        proofs=tuple(proofs),
        folder=str(folder),
        checks=last,
        dropout_rates=dropout_rates() if any(_drops(network) for network in networks) else (),
    )
    environment = subject.adapter.environment(prepared_case(verdict.conditions, precision))
    name = subject.adapter.name
    try:
        message = ask_module(
            "bench.equivalence.worker",
            assignment.model_dump_json(),
            verdict.conditions.threads,
            environment,
            TIMEOUT_S,
            lambda phase: announce(name, f"{precision} {phase}"),
        )
    except BenchError as error:
        verdict.errors.append(f"{precision}: {error.message}")
        return
    answer = cast("dict[str, Any]", message.answer)
    verdict.findings += answer["findings"]
    for number, words in answer["errors"].items():
        verdict.errors.append(f"{proofs[int(number)].label}, {precision}: {words}")
    for number, proof in enumerate(proofs):
        file = trace_file(str(folder), number)
        if file.is_file():
            subject.traces[precision, proof] = file


def _drops(network: Network) -> bool:
    from bench.models.model import Dropout

    return any(isinstance(layer, Dropout) for layer in network.layers)


def _compare(subjects: list[Subject], definitions: dict[Proof, Future[Trace]]) -> None:
    from bench.equivalence.compare import compare_all
    from bench.equivalence.judge import explanations
    from bench.equivalence.trace import Trace

    by_name = {subject.adapter.name: subject for subject in subjects}
    asked = dict.fromkeys(key for subject in subjects for key in subject.traces)
    explained: dict[str, int] = {}
    for precision, proof in asked:
        traces = {
            name: Trace.load(subject.traces[precision, proof])
            for name, subject in by_name.items()
            if (precision, proof) in subject.traces
        }
        found = compare_all(proof, precision, definitions[proof].result(), traces)
        for comparison in found:
            by_name[comparison.between[1]].verdict.comparisons.append(comparison)
        for miss in first_misses(found):
            name = miss.between[1]
            against_definition = miss.between[0] not in by_name
            words: tuple[str, ...] = ()
            if against_definition and precision == "float64" and explained.get(name, 0) < EXPLAINED:
                explained[name] = explained.get(name, 0) + 1
                words = explanations(proof, traces[name])
            elif not against_definition and _has_missed(by_name, miss.between, proof):
                continue  # one of the two differs from the definition already
            by_name[name].verdict.misses.append(Miss(miss, words))


def _has_missed(by_name: dict[str, Subject], between: tuple[str, str], proof: Proof) -> bool:
    return any(miss.comparison.proof == proof for name in between for miss in by_name[name].verdict.misses)


def _certify(subject: Subject, frameworks: list[str]) -> None:
    """Store what was shown; what an earlier certificate of the same key says and was now found wrong is withdrawn."""
    from bench.equivalence.certify import certified

    verdict = subject.verdict
    source = certificate.source_digest(type(subject.adapter))
    identity = certificate.key(verdict.conditions, verdict.versions, source)
    if verdict.findings or verdict.errors:
        certificate.withdraw(identity)
        return
    made: Certificate | None = certified(
        verdict, source, frameworks, certificate.read(identity), datetime.now(UTC).isoformat(timespec="seconds")
    )
    if made is None:
        certificate.withdraw(identity)
        return
    certificate.store(made)
    verdict.certificate = made
