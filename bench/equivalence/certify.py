"""From a verdict to a certificate: each proof that held is a claim, and nothing unproved is claimed."""

from __future__ import annotations

from collections.abc import Sequence

from bench.certificate import Certificate, Claim
from bench.equivalence.definition import DEFINITION
from bench.equivalence.limits import Kind
from bench.equivalence.proof import Proof
from bench.equivalence.verdict import Verdict, largest

KINDS: tuple[Kind, ...] = ("logits", "update", "loss", "weights", "whole", "after", "moved", "statistics")


def certified(
    verdict: Verdict, source: str, frameworks: Sequence[str], before: Certificate | None, date: str
) -> Certificate | None:
    """A certificate with a claim for each proof in float64 that held; None without claims.

    A proof counts if its network and optimiser held in the timed precision too. The claims of ``before``, a
    certificate of the same key, are kept except those now refuted; its refuted claims are kept except those now
    proved.
    """
    proved, refuted = _claims(verdict)
    if before is not None:
        missed = {miss.comparison.proof for miss in verdict.misses}
        kept = [one for one in before.claims if one not in refuted and not any(_concerns(two, one) for two in missed)]
        proved = list(dict.fromkeys([*kept, *proved]))
        refuted = list(dict.fromkeys([*(one for one in before.refuted if one not in proved), *refuted]))
    if not proved:
        return None
    return Certificate(
        conditions=verdict.conditions,
        versions=verdict.versions,
        source=source,
        claims=tuple(proved),
        refuted=tuple(refuted),
        compared_with=tuple(name for name in frameworks if name != verdict.framework),
        largest=_largest(verdict),
        limits=_limits(verdict),
        date=date,
    )


def _claims(verdict: Verdict) -> tuple[list[Claim], list[Claim]]:
    """Proved and refuted claims, each once. A claim that one seed proves and another refutes is refuted."""
    missed = {(miss.comparison.proof, miss.comparison.precision) for miss in verdict.misses}
    asked = {(one.proof, one.precision) for one in verdict.comparisons}
    rounded = {proof for proof, precision in asked if precision == verdict.conditions.precision and proof.rounded}
    proved: dict[Claim, None] = {}
    refuted: dict[Claim, None] = {}
    for one in dict.fromkeys(one.proof for one in verdict.comparisons if not one.proof.rounded):
        if (claim := one.claim) is None:
            continue
        twins = [twin for twin in rounded if _concerns(twin, claim)]
        wrong = (one, "float64") in missed or any((twin, verdict.conditions.precision) in missed for twin in twins)
        if wrong:
            refuted[claim] = None
        elif twins:
            proved[claim] = None
    return [claim for claim in proved if claim not in refuted], list(refuted)


def _concerns(twin: Proof, claim: Claim) -> bool:
    """True if a proof in the timed precision is of the claim's network, and of its optimiser or of none."""
    own = twin.claim
    if own is None or not twin.rounded or own.network != claim.network:
        return False
    return twin.first_step_only or own.optimizer == claim.optimizer


def _largest(verdict: Verdict) -> dict[str, float]:
    """Largest differences from the definition, by ``float64 loss``."""
    found: dict[str, float] = {}
    against = [one for one in verdict.comparisons if one.between[0] == DEFINITION]
    for precision in dict.fromkeys(one.precision for one in against):
        for kind in KINDS:
            one = largest(against, (kind,), precision=precision)
            if one is not None:
                found[f"{precision} {kind}"] = one.difference
    return found


def _limits(verdict: Verdict) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in verdict.comparisons:
        if one.kind in KINDS:
            name = f"{one.precision} {one.kind}"
            found[name] = max(found.get(name, 0.0), one.limit)
    return found
