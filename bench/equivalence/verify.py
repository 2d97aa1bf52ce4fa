"""Run the same proofs on every framework, each in its own processes, compare the results, and certify them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from bench import certificate
from bench.case import Precision
from bench.certificate import Conditions
from bench.equivalence.asked import Announce, Asked, Subject, subjects_of
from bench.equivalence.beside import beside
from bench.equivalence.proof import Proof
from bench.equivalence.questions import dropout_rates
from bench.equivalence.verdict import Miss, Verification, first_misses
from bench.equivalence.worker import Assignment, prepared_case, trace_file
from bench.errors import BenchError
from bench.measure.cores import usable_cores
from bench.runner.local import ask_module

if TYPE_CHECKING:
    from bench.equivalence.trace import Trace

AT_ONCE = 2
"""Most workers at the same time: each holds a framework, a gigabyte or more."""
TIMEOUT_S = 3600.0
EXPLAINED = 2
"""Misses explained per framework; the others share their cause more often than not."""


def verify(asked: Asked, announce: Announce = lambda framework, phase: None) -> Verification:
    """Run, compare, explain, and store a certificate for each framework and way with something proved.

    Raises BenchError for a wrong request: an unknown name, a framework that is not installed, nothing to prove.
    """
    result = Verification([], seeds=asked.seeds)
    subjects = subjects_of(asked, result, announce)
    result.verdicts += [subject.verdict for subject in subjects]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        _ask(subjects, Path(folder), announce)
    for subject in subjects:
        _certify(subject, list(dict.fromkeys(one.adapter.name for one in subjects)))
    return result


def _ask(subjects: list[Subject], folder: Path, announce: Announce) -> None:
    """Run the workers; nothing is timed, so a few run at a time if the threads of each have cores.

    The definition is computed meanwhile.
    """
    from bench.equivalence.definition import define

    wanted = dict.fromkeys(proof for subject in subjects for proof in (*subject.exact, *subject.rounded))
    found = beside([partial(define, proof) for proof in wanted], 1)
    same: dict[Conditions, list[Subject]] = {}
    for subject in subjects:
        same.setdefault(_in_float64(subject.conditions), []).append(subject)
    tasks = [partial(_run_all, alike, folder, announce) for alike in same.values()]
    for worker in beside(tasks, _at_once(subjects)):
        worker.result()
    announce("definition", "compared with every framework")
    _compare(subjects, dict(zip(wanted, found, strict=True)))


def _in_float64(conditions: Conditions) -> Conditions:
    return conditions.model_copy(update={"precision": "float64"})


def _at_once(subjects: Sequence[Subject]) -> int:
    """Number of workers at a time whose threads have a core each.

    Threads that wait for each other at every operation take many times as long if they share cores.
    """
    threads = max(subject.conditions.threads for subject in subjects)
    return max(1, min(AT_ONCE, usable_cores() // threads))


def _run_all(alike: list[Subject], folder: Path, announce: Announce) -> None:
    """Run subjects that differ in precision alone: once in float64 for all, then each in its own precision."""
    exact = dict.fromkeys(proof for subject in alike for proof in subject.exact)
    _run(alike, "float64", list(exact), folder, announce)
    for subject in alike:
        _run([subject], subject.conditions.precision, subject.rounded, folder, announce, checks=True)


def _run(
    alike: list[Subject],
    precision: Precision,
    proofs: list[Proof],
    folder: Path,
    announce: Announce,
    *,
    checks: bool = False,
) -> None:
    """Give ``proofs`` to a worker, and its answer to all of ``alike``."""
    from bench.equivalence.work import counts

    adapter, conditions = alike[0].adapter, alike[0].conditions
    below = Path(tempfile.mkdtemp(dir=folder))
    assignment = Assignment(
        conditions=conditions,
        precision=precision,
        proofs=tuple(proofs),
        folder=str(below),
        checks=checks,
        dropout_rates=dropout_rates({proof.model for proof in proofs}) if checks else (),
    )
    environment = adapter.environment(prepared_case(conditions, precision)) | adapter.compile_cache(str(folder))
    name = alike[0].verdict.name
    try:
        message = ask_module(
            "bench.equivalence.worker",
            assignment.model_dump_json(),
            conditions.threads,
            environment,
            TIMEOUT_S,
            lambda phase: announce(name, f"{precision} {phase}"),
        )
    except BenchError as error:
        for subject in alike:
            subject.verdict.errors.append(f"{precision}: {error.message}")
        return
    answer = cast("dict[str, Any]", message.answer)
    for subject in alike:
        subject.verdict.uncounted = not counts(adapter)
        subject.verdict.findings += answer["findings"]
        for number, words in answer["errors"].items():
            subject.verdict.errors.append(f"{proofs[int(number)].label}, {precision}: {words}")
        for number, proof in enumerate(proofs):
            file = trace_file(str(below), number)
            if file.is_file():
                subject.traces[precision, proof] = file


def _compare(subjects: list[Subject], definitions: dict[Proof, Future[Trace]]) -> None:
    """Compare every trace with the definition, and those whose ways differ at most in execution with each other."""
    explained: dict[str, int] = {}
    peers: dict[Conditions, list[Subject]] = {}
    for subject in subjects:
        way = subject.conditions.model_copy(update={"framework": "", "execution": "eager"})
        peers.setdefault(way, []).append(subject)
    for together in peers.values():
        for precision, proof in dict.fromkeys(key for subject in together for key in subject.traces):
            asked = {one.verdict.name: one for one in together if (precision, proof) in one.traces}
            _compare_one(precision, proof, asked, definitions[proof].result(), explained)


def _compare_one(
    precision: Precision, proof: Proof, asked: dict[str, Subject], definition: Trace, explained: dict[str, int]
) -> None:
    from bench.equivalence.compare import compare_all
    from bench.equivalence.judge import explanations
    from bench.equivalence.trace import Trace

    traces = {name: Trace.load(subject.traces[precision, proof]) for name, subject in asked.items()}
    found = compare_all(proof, precision, definition, traces)
    for comparison in found:
        asked[comparison.between[1]].verdict.comparisons.append(comparison)
    for miss in first_misses(found):
        name = miss.between[1]
        against_definition = miss.between[0] not in asked
        words: tuple[str, ...] = ()
        if against_definition and explained.get(name, 0) < EXPLAINED:
            explained[name] = explained.get(name, 0) + 1
            words = explanations(proof, traces[name], precision)
        elif not against_definition and _has_missed(asked, miss.between, proof):
            continue  # one of the two differs from the definition already
        asked[name].verdict.misses.append(Miss(miss, words))


def _has_missed(asked: dict[str, Subject], between: tuple[str, str], proof: Proof) -> bool:
    return any(miss.comparison.proof == proof for name in between for miss in asked[name].verdict.misses)


def _certify(subject: Subject, frameworks: list[str]) -> None:
    """Store what was proved, without earlier claims now refuted; on findings or errors, withdraw the certificate."""
    from bench.equivalence.certify import certified

    verdict = subject.verdict
    source = certificate.source_digest(type(subject.adapter))
    identity = certificate.key(verdict.conditions, verdict.versions, source)
    made = None
    if not (verdict.findings or verdict.errors):
        date = datetime.now(UTC).isoformat(timespec="seconds")
        made = certified(verdict, source, frameworks, certificate.read(identity), date)
    if made is None:
        certificate.withdraw(identity)
    else:
        certificate.store(made)
    verdict.certificate = made
