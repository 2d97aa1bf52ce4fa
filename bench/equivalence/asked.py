"""The request of ``bench equivalence``, and its frameworks by their ways of running, each with its proofs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path

from bench.adapters.base import Adapter
from bench.adapters.catalog import ADAPTERS, ALIASES, find_adapter
from bench.case import Execution, Input, Precision
from bench.certificate import Conditions
from bench.equivalence.proof import Proof, as_shipped, case_of, network_of
from bench.equivalence.questions import questions, rounded_questions
from bench.equivalence.verdict import Verdict, Verification
from bench.errors import BenchError, UnknownName
from bench.runner.request import Request

Announce = Callable[[str, str], None]
"""Receives a framework and its phase."""


@dataclass(frozen=True)
class Asked:
    """The request of ``bench equivalence``; empty means all, or each framework's own."""

    frameworks: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    devices: tuple[str, ...] = ("cpu",)
    executions: tuple[Execution, ...] = ()
    precisions: tuple[Precision, ...] = ("float32",)
    inputs: tuple[Input, ...] = ("resident",)
    steps_per_execution: tuple[int, ...] = (1,)
    channels_last: tuple[bool, ...] = (False,)
    threads: int = 1
    seeds: int = 1
    first_seed: int = 0
    quick: bool = False
    suite: Request | None = None
    """Prove what this request of a suite would run, and nothing else."""


@dataclass
class Subject:
    """One framework in one way of running, its proofs, and their traces."""

    adapter: Adapter
    verdict: Verdict
    exact: list[Proof] = field(default_factory=list)
    """Proofs in float64."""
    rounded: list[Proof] = field(default_factory=list)
    """Proofs in the timed precision."""
    traces: dict[tuple[Precision, Proof], Path] = field(default_factory=dict)

    @property
    def conditions(self) -> Conditions:
        """Its way of running."""
        return self.verdict.conditions


def subjects_of(asked: Asked, result: Verification, announce: Announce) -> list[Subject]:
    """Every framework and way with the proofs it can run; what cannot run is noted in ``result``.

    Raises BenchError for a wrong request: an unknown name, a framework that is not installed, nothing to prove.
    """
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    if asked.suite is not None:
        from bench.equivalence.suite_questions import suite_questions

        of_suite = suite_questions(asked.suite, seeds, result.blocked, lambda text: announce("data", text))
        found = [_subject(find_adapter(one.framework), one, proofs, result) for one, proofs in of_suite.items()]
    else:
        proofs = questions(asked.models, asked.recipes, seeds=seeds, quick=asked.quick)
        adapters = _installed(asked, result)
        found = [_subject(adapter, way, proofs, result) for adapter in adapters for way in _ways(asked, adapter)]
    subjects = [one for one in found if one is not None]
    if not subjects:
        reasons = "; ".join(dict.fromkeys([*result.absent.values(), *result.blocked]))
        raise BenchError(f"nothing to prove: {reasons}", "What each framework can do: bench list frameworks")
    _name_ways(subjects)
    return subjects


def _installed(asked: Asked, result: Verification) -> Iterator[Adapter]:
    for name in _frameworks(asked.frameworks):
        adapter = find_adapter(name)
        installed = adapter.installed()
        if installed:
            yield adapter
        elif name in asked.frameworks:
            raise BenchError(f"{name} is not installed.", f"Install it: {installed.command}")
        else:
            result.absent[name] = f"not installed: {installed.command}"


def _frameworks(names: Sequence[str]) -> list[str]:
    """Adapter names for names, aliases and globs; all adapters for none. Raises UnknownName."""
    found: list[str] = []
    for name in names:
        pattern = ALIASES.get(name, name)
        matching = [known for known in ADAPTERS if fnmatchcase(known, pattern)]
        if not matching:
            raise UnknownName("framework", name, [*ADAPTERS, *ALIASES], listing="bench list frameworks")
        found += matching
    return list(dict.fromkeys(found)) if names else list(ADAPTERS)


def _ways(asked: Asked, adapter: Adapter) -> Iterator[Conditions]:
    """The product of the requested options, without repeats."""
    ways = product(
        asked.devices,
        asked.executions or (adapter.execution,),
        asked.precisions,
        asked.inputs,
        asked.steps_per_execution,
        asked.channels_last,
    )
    for device, execution, precision, source, steps, last in dict.fromkeys(ways):
        yield Conditions(
            framework=adapter.name,
            device=device,
            execution=execution,
            precision=precision,
            input=source,
            steps_per_execution=steps,
            channels_last=last,
            threads=asked.threads,
        )


def _subject(adapter: Adapter, conditions: Conditions, proofs: Iterable[Proof], result: Verification) -> Subject | None:
    """The framework with the proofs it can run; None, with the reason noted, if none is in float64."""
    subject = Subject(adapter, Verdict(conditions, dict(adapter.installed().versions)))
    proofs = list(proofs)
    subject.exact = _possible(subject, "float64", proofs)
    subject.rounded = _possible(subject, conditions.precision, rounded_questions(proofs, conditions.precision))
    if subject.exact:
        return subject
    result.absent[adapter.name] = next(iter(subject.verdict.unsupported), "it runs none of these networks.")
    return None


def _possible(subject: Subject, precision: Precision, proofs: Iterable[Proof]) -> list[Proof]:
    """The proofs the framework can run; its adapter's reasons against others are noted."""
    possible = []
    unsupported, adapter = subject.verdict.unsupported, subject.adapter
    for proof in proofs:
        network = network_of(proof.model)
        known = as_shipped(proof.model) or network
        if not (adapter.natural(known) and adapter.trained_by_steps(known)):
            continue
        case = case_of(proof, subject.conditions, precision)
        reason = adapter.unsupported(case, network, proof.shape, proof.classes)
        if reason is None:
            possible.append(proof)
        elif proof.label not in unsupported.setdefault(reason, []):
            unsupported[reason].append(proof.label)
    return possible


def _name_ways(subjects: Sequence[Subject]) -> None:
    """Name each way of a framework by what differs from its others."""
    for subject in subjects:
        own = subject.conditions.model_dump()
        others = [one.conditions.model_dump() for one in subjects if one.adapter.name == subject.adapter.name]
        differing = [name for name in own if any(other[name] != own[name] for other in others)]
        subject.verdict.way = ", ".join(_words(name, own[name]) for name in differing)


def _words(name: str, value: object) -> str:
    words = {"steps_per_execution": f"{value} a call", "threads": f"{value} threads"}
    layout = "channels last" if value else "channels first"
    return layout if name == "channels_last" else words.get(name, str(value))
