"""Recall of each class, from the confusion counts of a case's trials."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.stats.interval import Figure, mean_figure
from bench.stats.summary import CaseSummary


@dataclass(frozen=True)
class ClassRecall:
    """One class of the test part: its recall, and the class most often answered in its place."""

    class_id: int
    rows: int
    """Its rows in the test part."""
    recall: Figure | None
    """Mean over the trials, a share of one; None for a class without a test row."""
    confused_with: int | None
    """The class most often answered in its place, over all trials; None where no row was missed."""
    confused_share: float
    """Share of its rows, over all trials."""


def class_recalls(summary: CaseSummary) -> tuple[ClassRecall, ...]:
    """Every class in the order of its id; nothing where the trials kept no confusion counts."""
    tables = [record.scores.confusion for record in summary.ok if record.scores and record.scores.confusion]
    if not tables:
        return ()
    return tuple(
        _recall(class_id, [table[class_id] for table in tables], deterministic=summary.deterministic)
        for class_id in range(len(tables[0]))
    )


def _recall(class_id: int, answered: Sequence[Sequence[int]], *, deterministic: bool) -> ClassRecall:
    """``answered``: for each trial, how many of the class's rows were given to which class."""
    rows = sum(answered[0])
    if not rows:
        return ClassRecall(class_id, 0, None, None, 0.0)
    figure = mean_figure([counts[class_id] / rows for counts in answered], deterministic=deterministic, is_share=True)
    missed = [sum(column) for column in zip(*answered, strict=True)]
    missed[class_id] = 0
    worst = max(missed)
    return ClassRecall(class_id, rows, figure, missed.index(worst) if worst else None, worst / (rows * len(answered)))
