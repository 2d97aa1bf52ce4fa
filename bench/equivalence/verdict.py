"""Results of the proofs: for each framework its largest differences, what missed its limit, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.certificate import Certificate, Conditions
from bench.equivalence.compare import Comparison
from bench.equivalence.definition import DEFINITION
from bench.equivalence.limits import Kind


@dataclass(frozen=True)
class Miss:
    """The first quantity of a proof that misses its limit, and its explanations."""

    comparison: Comparison
    explanations: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """``cnn · adam, float64: loss at step 3 differs by 2e-6 (limit 1e-12)``."""
        one = self.comparison
        by = "" if one.kind is None else f" differs by {one.difference:.1e} (limit {one.limit:.0e})"
        values = f": {one.words}" if one.words else ""
        against = "" if one.between[0] == DEFINITION else f", against {one.between[0]}"
        return f"{one.proof.label}, {one.precision}{against}: {one.quantity}{by}{values}"


@dataclass
class Verdict:
    """Verdict on one framework under its conditions."""

    conditions: Conditions
    versions: dict[str, str]
    way: str = ""
    """Way of running, if a framework runs in several: ``compiled, bfloat16``."""
    comparisons: list[Comparison] = field(default_factory=list)
    """Those with the definition, and of every pair in which it is second."""
    misses: list[Miss] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    """About work and dropout."""
    errors: list[str] = field(default_factory=list)
    unsupported: dict[str, list[str]] = field(default_factory=dict)
    """Labels of the proofs it cannot run, by reason."""
    uncounted: bool = False
    """True if no model can count its rows."""
    certificate: Certificate | None = None

    @property
    def framework(self) -> str:
        """Name of the framework."""
        return self.conditions.framework

    @property
    def name(self) -> str:
        """The framework, with its way if it has several: ``pytorch (compiled)``."""
        return f"{self.framework} ({self.way})" if self.way else self.framework

    @property
    def holds(self) -> bool:
        """True if everything requested was proved."""
        return bool(self.comparisons) and not (self.misses or self.findings or self.errors)

    @property
    def proofs(self) -> int:
        """Number of proofs compared, over all precisions."""
        return len({(one.proof, one.precision) for one in self.comparisons})


@dataclass
class Verification:
    """Verdicts on all frameworks."""

    verdicts: list[Verdict]
    absent: dict[str, str] = field(default_factory=dict)
    """Frameworks that could not run, and why."""
    blocked: dict[str, list[str]] = field(default_factory=dict)
    """Cases of a suite that cannot run here, by reason."""
    seeds: int = 1

    @property
    def holds(self) -> bool:
        """True if there are verdicts and all of them hold."""
        return bool(self.verdicts) and all(verdict.holds for verdict in self.verdicts)


def first_misses(comparisons: Iterable[Comparison]) -> list[Comparison]:
    """The first quantity that misses its limit, for each proof and pair."""
    found: dict[tuple[object, ...], Comparison] = {}
    for one in comparisons:
        if not one.holds:
            found.setdefault((one.proof, one.precision, one.between), one)
    return list(found.values())


def largest(comparisons: Sequence[Comparison], kinds: Iterable[Kind], *, precision: str) -> Comparison | None:
    """The comparison of ``kinds`` with the largest difference."""
    found = [one for one in comparisons if one.kind in tuple(kinds) and one.precision == precision]
    return max(found, key=lambda one: one.difference, default=None)
