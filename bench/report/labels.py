"""The two labels of a case in words: *agrees* by the run itself, *proved* by a certificate."""

import math

from bench.certificate import PROVED
from bench.report import numbers
from bench.report.document import plain
from bench.report.naming import Names
from bench.stats.agreement import AGREES, ANSWERS, DIFFERS, NOT_COMPARED, OWN_MODEL, Agreement, Distance
from bench.stats.results import Results
from bench.stats.summary import CaseSummary

DIFFERS_WORDS = "differs from the others of its row"

MEANING = {
    AGREES: "agrees: at each seed near to the other frameworks of its row, in losses and in predictions.",
    PROVED: "proved: bench equivalence has certified just this.",
    DIFFERS: f"{DIFFERS_WORDS}: its losses or predictions are not near to those of most others at the same seed; it "
    "has no place in the ranking and no ratio.",
}
BY_SCORES = "predictions not stored: compared by losses and scores"


def label_words(results: Results, summary: CaseSummary) -> str:
    """``agrees and proved``, ``differs from the others of its row``, ``own model: not compared``."""
    label = results.agreement(summary).label
    if label == DIFFERS:
        return DIFFERS_WORDS
    parts = ([AGREES] if label == AGREES else []) + ([PROVED] if results.is_proved(summary) else [])
    if parts:
        return " and ".join(parts)
    is_own = any(record.equivalence == OWN_MODEL for record in summary.ok)
    return f"{OWN_MODEL}: {NOT_COMPARED}" if is_own else NOT_COMPARED


def straying_notes(results: Results, summary: CaseSummary) -> tuple[str, ...]:
    """``differs from the others of its row, from epoch 2``; nothing if it does not."""
    since = results.agreement(summary).since
    return (f"{DIFFERS_WORDS}, {since}",) if since else ()


def straying_reason(results: Results, summary: CaseSummary, names: Names) -> str:
    """``from epoch 2, in 3 of 3 seeds; not near to pytorch, scikit-learn``."""
    found = results.agreement(summary)
    seeds = numbers.count(len({record.seed_index for record in summary.ok}), "seed")
    where = [one for one in found.distances if found.strayed.get(one.seed_index) == one.stretch]
    far = dict.fromkeys(_system(results, names, one.other) for one in where if not one.near)
    return f"{found.since}, in {len(found.strayed)} of {seeds}; not near to {', '.join(far)}"


def distance_lines(results: Results, summary: CaseSummary, names: Names) -> tuple[str, ...]:
    """One line per other case: the distance to it, and the limit of being near."""
    by_other: dict[str, list[Distance]] = {}
    for one in results.agreement(summary).furthest():
        by_other.setdefault(one.other, []).append(one)
    return tuple(
        f"{_system(results, names, other)}: {', '.join(_distance_words(one) for one in found)}"
        for other, found in by_other.items()
    )


def labels_legend(results: Results) -> list[str]:
    """The meaning of each label that the run has."""
    shown = {results.agreement(one).label for one in results.summaries if one.ok}
    shown_words = [MEANING[label] for label in (AGREES, DIFFERS) if label in shown]
    return shown_words + [MEANING[PROVED]] * any(results.is_proved(one) for one in results.summaries)


def is_by_scores(found: Agreement) -> bool:
    """True if some trial's predictions are not stored, so that scores were compared instead."""
    return any(one.stretch == ANSWERS and one.stretch.words != ANSWERS.words for one in found.distances)


def _distance_words(one: Distance) -> str:
    is_loss = one.stretch != ANSWERS
    difference, limit = (math.expm1(value) if is_loss else value for value in (one.difference, one.limit))
    what = f"loss of {one.stretch.words}" if is_loss else one.stretch.words
    return f"{what} {_percent(difference)} apart at seed {one.seed_index} (limit {_percent(limit)})"


def _percent(share: float) -> str:
    return "<0.001 %" if share < 1e-5 else f"{numbers.significant(100 * share, 2)} %"


def _system(results: Results, names: Names, case_id: str) -> str:
    """The name of a system, or its framework if it is not shown."""
    case = results.everything[case_id].case
    return names.system(case) if names.has(case) else plain(case.framework)
