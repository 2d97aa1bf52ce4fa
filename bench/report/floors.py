"""The floors of a data set in tables: what methods without training score, and which rows are below them."""

from collections.abc import Sequence

from bench.datasets.inspection import class_ratio
from bench.manifest import Floors
from bench.report import numbers
from bench.report.document import Block, Cell, Column, Paragraph, Row, Table
from bench.stats.floors import QualityMetric, are_unequal, shortfalls
from bench.stats.results import Results
from bench.stats.summary import CaseSummary

FLOOR_MODEL = "majority"
"""Always answers the most frequent class: the floor of every accuracy."""

_LEGEND = (
    "The floors are what methods without training score with the same training rows: the most frequent class, and the "
    "nearest class mean and the nearest image by raw pixels. A row is called below one only where seeds and test part "
    "tell them apart: an equally good method is called so in 5 % of cases at most."
)

WORDS: dict[QualityMetric, str] = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy"}


def floor_notes(results: Results, summary: CaseSummary, metric: QualityMetric) -> tuple[str, ...]:
    """``below 1-NN, 96.91``: each floor of the same training rows that a row falls short of, with its figure."""
    floors = results.floors_of(summary.case)
    if floors is None or summary.case.model == FLOOR_MODEL:
        return ()
    scores = {floor.method: numbers.percent(getattr(floor, metric)) for floor in floors.floors}
    return tuple(f"{word} {method}, {scores[method]}" for method, word in shortfalls(summary, floors, metric).items())


def unequal(results: Results, dataset: str) -> bool:
    """True if the classes of a data set are of unequal size; False if the run does not record their sizes."""
    return any(are_unequal(floors.class_counts) for floors in shown_floors(results, dataset))


def shown_floors(results: Results, dataset: str) -> list[Floors]:
    """The floors for a data set's shown cases, one per number of training rows, most rows first."""
    found = (results.floors_of(one.case) for one in results.summaries if one.case.dataset == dataset)
    each = {floors.train_rows: floors for floors in found if floors is not None}
    return [each[rows] for rows in sorted(each, reverse=True)]


def floors_legend(results: Results) -> list[str]:
    """Meaning of the floors; nothing for a run without them."""
    one_model = [] if results.several_seeds else ["With one seed this holds for that one trained model."]
    return [_LEGEND, *one_model] if results.floors else []


def floors_blocks(results: Results, dataset: str) -> list[Block]:
    """The table of the floors, and a note on unequal classes; nothing for a run without floors."""
    found = shown_floors(results, dataset)
    if not found:
        return []
    metrics: list[QualityMetric] = ["accuracy", "balanced_accuracy"] if unequal(results, dataset) else ["accuracy"]
    methods = [floor.method for floor in found[0].floors]
    columns = (
        Column(("training rows",), "left", label=True),
        *([Column(("score",), "left", label=True)] if len(metrics) > 1 else []),
        *(Column((method,)) for method in methods),
    )
    rows = tuple(_row(results, floors, metric, named=len(metrics) > 1) for floors in found for metric in metrics)
    title = "floors %" if len(metrics) > 1 else "floors, accuracy %"
    return [*_inequality(found[0], len(metrics) > 1), Table(title, columns, rows)]


def _row(results: Results, floors: Floors, metric: QualityMetric, *, named: bool) -> Row:
    note = results.dataset(floors.dataset)
    test_rows = note.test_rows if note else 0
    cells = [
        Cell(numbers.percent(getattr(floor, metric)), notes=_sampled(floor.tested_rows, test_rows))
        for floor in floors.floors
    ]
    head = [Cell(f"{floors.train_rows:,}", word=True), *([Cell(WORDS[metric], word=True)] if named else [])]
    return Row((*head, *cells))


def _sampled(tested: int, held: int) -> tuple[str, ...]:
    return (f"on {tested:,} of the {held:,} test rows, drawn once and for all",) if tested < held else ()


def _inequality(floors: Floors, is_unequal: bool) -> Sequence[Block]:
    if not is_unequal:
        return []
    counts = [count for count in floors.class_counts if count]
    return [
        Paragraph(
            f"Unequal classes: of {floors.train_rows:,} training rows the largest has {max(counts):,}, the smallest "
            f"{min(counts):,} ({numbers.ratio(class_ratio(counts))} times as many). Accuracy is mostly that of the "
            "large ones; balanced accuracy, the mean of the recalls of all classes in the test part, is shown too."
        )
    ]
