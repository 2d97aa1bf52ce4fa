"""From a verdict to a certificate: which networks and which parts of a recipe have been shown."""

from __future__ import annotations

from collections.abc import Sequence

from bench import certificate
from bench.certificate import Certificate
from bench.equivalence.definition import DEFINITION
from bench.equivalence.limits import Kind, limits_of
from bench.equivalence.proof import as_shipped, network_of
from bench.equivalence.verdict import Verdict, largest

KINDS: tuple[Kind, ...] = ("logits", "update", "loss", "weights", "whole", "after")


def certified(
    verdict: Verdict, source: str, frameworks: Sequence[str], before: Certificate | None, date: str
) -> Certificate | None:
    """A certificate of the networks and recipes of which no proof missed, with those of ``before`` beside them.

    A network is certified where it was shown in float64 and in the precision that is timed; None where none was.
    """
    failed = {miss.comparison.proof.model for miss in verdict.misses}
    shown: dict[str, set[str]] = {}
    for one in verdict.comparisons:
        shown.setdefault(one.proof.model, set()).add(one.precision)
    needed = {"float64", verdict.conditions.precision}
    models = [model for model, found in shown.items() if model not in failed and needed <= found]
    missed = {feature for miss in verdict.misses for feature in certificate.features(miss.comparison.proof.training)}
    features = {
        feature
        for one in verdict.comparisons
        if one.precision == "float64" and one.proof.model in models
        for feature in certificate.features(one.proof.training)
    }
    networks = {
        shipped.digest: certificate.Network(name=model, digest=shipped.digest)
        for model in models
        if (shipped := as_shipped(model))
    }
    if before is not None:
        wrong = {shipped.digest for model in failed if (shipped := as_shipped(model))}
        networks = {one.digest: one for one in before.networks if one.digest not in wrong} | networks
        features |= set(before.features)
    features -= missed
    if not networks or not features:
        return None
    return Certificate(
        conditions=verdict.conditions,
        versions=verdict.versions,
        source=source,
        networks=tuple(networks.values()),
        features=tuple(sorted(features)),
        compared_with=tuple(name for name in frameworks if name != verdict.framework),
        largest=_largest(verdict),
        limits=_limits(verdict),
        causes=verdict.causes,
        date=date,
    )


def _largest(verdict: Verdict) -> dict[str, float]:
    """By ``float64 loss``: the largest difference to the definition."""
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
            limit = max(one.limit, limits_of(network_of(one.proof.model), one.precision)[one.kind])
            name = f"{one.precision} {one.kind}"
            found[name] = max(found.get(name, 0.0), limit)
    return found
