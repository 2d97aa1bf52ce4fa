"""Cases that could not run or failed, and why; those that share a reason share a line."""

from collections.abc import Sequence

from bench.report import numbers
from bench.report.document import Block, Facts, Heading, plain
from bench.report.naming import Names
from bench.stats.summary import NOT_STARTED, CaseSummary

NO_REASON = "no reason was recorded"
NEVER_STARTED = "not started; continue with --resume"


def problems(summaries: Sequence[CaseSummary], names: Names) -> list[Block]:
    """Every case that is not wholly ``ok``, under its status and reason; nothing if all are."""
    groups: dict[tuple[str, str, str], list[CaseSummary]] = {}
    for summary in summaries:
        for status, reason, share in complaints(summary):
            groups.setdefault((status, reason, share), []).append(summary)
    if not groups:
        return []
    entries = tuple(
        (status, (f"{numbers.count(len(cases), 'case')}{share}: {reason}", *names.listed(one.case for one in cases)))
        for (status, reason, share), cases in groups.items()
    )
    return [Heading("what could not run, or failed", 3), Facts(entries)]


def complaints(summary: CaseSummary) -> dict[tuple[str, str, str], None]:
    """(status, reason, share of the trials) of a case that is not wholly ``ok``, each once."""
    if not summary.records:
        return {(NOT_STARTED, NEVER_STARTED, ""): None}
    reasons: dict[tuple[str, str], int] = {}
    for record in summary.failed:
        key = (record.status, plain(record.reason or NO_REASON))
        reasons[key] = reasons.get(key, 0) + 1
    total = len(summary.records)
    return {
        (status, reason, f", {number} of {total} trials" if number < total else ""): None
        for (status, reason), number in reasons.items()
    }
