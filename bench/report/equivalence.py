"""The result of ``bench equivalence`` as a document and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pydantic import JsonValue

from bench.equivalence.compare import Comparison
from bench.equivalence.definition import DEFINITION
from bench.equivalence.limits import Kind, has_norm
from bench.equivalence.proof import network_of
from bench.equivalence.verdict import Verdict, Verification, largest
from bench.report.document import Block, Cell, Column, Facts, Heading, Paragraph, Row, Table

SHOWN: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("logits", ("", "logits")),
    ("update", ("first", "update")),
    ("loss", ("", "losses")),
    ("weights", ("final", "weights")),
    ("whole", ("whole", "epochs")),
    ("moved", ("", "moved")),
    ("statistics", ("BatchNorm", "statistics")),
)
"""Kinds of quantity with the head of their column."""

READING = "Each figure is the largest max|a-b| / max|a| over all proofs; of a movement, by Euclidean norms."
MISSES = 12
"""Misses of a framework that are shown in full."""

Chosen = Callable[[Comparison], bool]


def document(found: Verification) -> list[Block]:
    """The tables of differences, then the misses, the proofs that were not asked, and the certificates."""
    blocks: list[Block] = [Heading("equivalence", 1), _head(found)]
    exact = _all(found, lambda one: one.precision == "float64" and not one.proof.rounded)
    blocks += _table("to the definition, float64, without BatchNorm", found, exact, lambda one: not _norm(one))
    blocks += _table("to the definition, float64, with BatchNorm", found, exact, _norm)
    rounded = _all(found, lambda one: one.proof.rounded)
    for precision in dict.fromkeys(one.precision for one in rounded):
        own = [one for one in rounded if one.precision == precision]
        title = f"to the definition, {precision}"
        blocks += _table(f"{title}: logits and gradient", found, own, lambda one: one.proof.first_step_only)
        blocks += _table(f"{title}: a few steps", found, own, lambda one: not one.proof.first_step_only)
    blocks += _pairs(exact)
    blocks.append(Paragraph(READING))
    blocks += _missed(found)
    blocks.append(_facts(found))
    return blocks


def as_json(found: Verification) -> JsonValue:
    """Every framework with its conditions, every largest difference by proof and pair, misses and findings."""
    return {
        "holds": found.holds,
        "seeds": found.seeds,
        "absent": dict(found.absent),
        "blocked": {reason: list(cells) for reason, cells in found.blocked.items()},
        "frameworks": [_verdict_json(verdict) for verdict in found.verdicts],
    }


def _verdict_json(verdict: Verdict) -> JsonValue:
    worst: dict[tuple[str, ...], Comparison] = {}
    for one in verdict.comparisons:
        if one.kind is not None:
            name = (one.between[0], one.precision, one.proof.label, one.kind)
            if name not in worst or not one.difference <= worst[name].difference:
                worst[name] = one
    return {
        "conditions": verdict.conditions.model_dump(mode="json"),
        "versions": dict(verdict.versions),
        "holds": verdict.holds,
        "misses": [[miss.text, *miss.explanations] for miss in verdict.misses],
        "findings": list(verdict.findings),
        "errors": list(verdict.errors),
        "unsupported": {reason: list(labels) for reason, labels in verdict.unsupported.items()},
        "certificate": verdict.certificate.id if verdict.certificate else None,
        "differences": [
            {
                "against": one.between[0],
                "precision": one.precision,
                "proof": one.proof.label,
                "quantity": one.quantity,
                "kind": one.kind,
                "difference": one.difference if one.difference < float("inf") else None,
                "limit": one.limit,
            }
            for one in worst.values()
        ],
    }


def _head(found: Verification) -> Block:
    ways: dict[str, list[str]] = {}
    for verdict in found.verdicts:
        ways.setdefault(_way(verdict), []).append(f"{verdict.framework} {verdict.conditions.execution}")
    path = tuple(line for way, frameworks in ways.items() for line in (way, ", ".join(frameworks)))
    proofs = {comparison.proof for verdict in found.verdicts for comparison in verdict.comparisons}
    asked = ""
    if proofs:
        steps, rows = max(one.steps for one in proofs), max(one.rows for one in proofs)
        asked = f"{len(proofs)} proofs: up to {rows:,} rows and {steps} steps"
    return Facts((("path", path), ("asked", (asked + (f" · {found.seeds} seeds" if found.seeds > 1 else ""),))))


def _way(verdict: Verdict) -> str:
    """``cpu, 2 threads · float32 · resident``: usually the same for all frameworks."""
    one = verdict.conditions
    threads = "1 thread" if one.threads == 1 else f"{one.threads} threads"
    steps = f" · {one.steps_per_execution} steps a call" if one.steps_per_execution > 1 else ""
    layout = " · channels last" if one.channels_last else ""
    return f"{one.device}, {threads} · {one.precision} · {one.input}{steps}{layout}"


def _all(found: Verification, chosen: Chosen) -> list[Comparison]:
    return [one for verdict in found.verdicts for one in verdict.comparisons if chosen(one)]


def _norm(one: Comparison) -> bool:
    return has_norm(network_of(one.proof.model))


def _table(title: str, found: Verification, comparisons: Sequence[Comparison], chosen: Chosen) -> list[Block]:
    """Largest differences of each framework to the definition, below the limits."""
    kept = [one for one in comparisons if one.between[0] == DEFINITION and chosen(one)]
    return _differences(title, kept, [(verdict.name,) for verdict in found.verdicts], lambda one: one.between[1:])


def _pairs(comparisons: Sequence[Comparison]) -> list[Block]:
    """Largest differences of each framework to each other one."""
    kept = [one for one in comparisons if one.between[0] != DEFINITION]
    pairs = list(dict.fromkeys(one.between for one in kept))
    blocks = []
    for words, norm in (("without", False), ("with", True)):
        chosen = [one for one in kept if _norm(one) == norm]
        title = f"between frameworks, float64, {words} BatchNorm"
        blocks += _differences(title, chosen, pairs, lambda one: one.between)
    return blocks


def _differences(
    title: str,
    kept: Sequence[Comparison],
    names: Iterable[tuple[str, ...]],
    name_of: Callable[[Comparison], tuple[str, ...]],
) -> list[Block]:
    if not kept:
        return []
    kinds = [(kind, head) for kind, head in SHOWN if any(one.kind == kind for one in kept)]
    # the widest limit in each column: limits differ with and without BatchNorm
    limits = {kind: max(one.limit for one in kept if one.kind == kind) for kind, _ in kinds}
    rows = [Row((Cell("limit", word=True), *(Cell(f"{limits[kind]:.0e}") for kind, _ in kinds)))]
    for name in names:
        own = [one for one in kept if name_of(one) == name]
        if own:
            rows.append(Row((Cell(" – ".join(name), word=True), *(_cell(own, kind) for kind, _ in kinds))))
    columns = [Column(("", "framework"), "left", label=True), *(Column(head) for _, head in kinds)]
    return [Table(f"largest relative difference {title}", tuple(columns), tuple(rows))]


def _cell(own: Sequence[Comparison], kind: Kind) -> Cell:
    """The largest miss, else the largest of all."""
    precision = own[0].precision
    missed = largest([one for one in own if not one.holds], (kind,), precision=precision)
    one = missed or largest(own, (kind,), precision=precision)
    if one is None:
        return Cell("–", notes=("gives none to compare.",))
    return Cell(f"{one.difference:.1e}", notes=() if one.holds else ("misses its limit.",))


def _missed(found: Verification) -> list[Block]:
    blocks: list[Block] = []
    for verdict in found.verdicts:
        lines: list[str] = []
        for miss in verdict.misses[:MISSES]:
            lines.append(miss.text)
            lines += [f"    explained by: {words}" for words in miss.explanations]
        if len(verdict.misses) > MISSES:
            lines.append(f"and {len(verdict.misses) - MISSES} more: --json FILE has them")
        lines += [f"work: {words}" for words in verdict.findings]
        lines += [f"failed: {words}" for words in verdict.errors]
        if lines:
            blocks += [Heading(f"{verdict.name} does not compute the same", 3), Facts((("", tuple(lines)),))]
    return blocks


def _facts(found: Verification) -> Block:
    """Proofs that were not asked, and the outcome."""
    entries: list[tuple[str, tuple[str, ...]]] = []
    lines = [f"{name}: {reason}" for name, reason in found.absent.items()]
    lines += [f"{reason} ({_some(cells)})" if cells else reason for reason, cells in found.blocked.items()]
    for verdict in found.verdicts:
        lines += [f"{reason} ({_some(labels)})" for reason, labels in verdict.unsupported.items()]
    if lines:
        entries.append(("not asked", tuple(lines)))
    uncounted = list(dict.fromkeys(verdict.framework for verdict in found.verdicts if verdict.uncounted))
    if uncounted:
        entries.append(
            ("not counted", (f"rows and calls inside {', '.join(uncounted)}: no model of one's own runs there",))
        )
    good = [verdict for verdict in found.verdicts if verdict.holds]
    words = ", ".join(f"{verdict.name} ({verdict.proofs} proofs)" for verdict in good) or "none"
    entries.append(("the same", (words,)))
    written = [verdict.certificate.id for verdict in found.verdicts if verdict.certificate]
    entries.append(("certificates", (", ".join(written) or "none",)))
    return Facts(tuple(entries))


def _some(labels: Sequence[str]) -> str:
    return ", ".join(labels[:2]) + (f" and {len(labels) - 2} more" if len(labels) > 2 else "")
