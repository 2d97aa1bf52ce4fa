"""One data set in full: all models and systems sorted by accuracy, the floor drawn in."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bench.manifest import DatasetNote
from bench.report import numbers
from bench.report.document import Block, Cell, Column, Heading, Paragraph, Row, Table, plain
from bench.report.figures import (
    Text,
    further_share_cell,
    missing,
    ratio_cell,
    share_cell,
    speed_cell,
    spread_head,
)
from bench.report.floors import FLOOR_MODEL, floor_notes, floors_blocks, floors_legend, unequal
from bench.report.labels import label_words, labels_legend, straying_notes
from bench.report.naming import Names
from bench.report.overview import ACCURACY_SPREAD, ONE_SEED, SPREADS, THROUGHPUT, no_pair, ratio_legend
from bench.report.problems import problems
from bench.report.published import published_table
from bench.stats.metrics import METRICS
from bench.stats.results import Results
from bench.stats.summary import CaseSummary

FLOOR = f"{FLOOR_MODEL} always answers the most frequent class: the floor."

Shown = Sequence[CaseSummary]
Figures = tuple[Column, Callable[[CaseSummary], Cell]]
"""A column, and the cell of each case in it."""


def dataset_views(results: Results, names: Names, *, alone: bool = True) -> list[Block]:
    """Every data set of the run. Unless ``alone``, leaves out what the overview above says."""
    blocks: list[Block] = []
    for dataset in dict.fromkeys(one.case.dataset for one in results.summaries):
        cases = [one for one in results.summaries if one.case.dataset == dataset]
        tracks = list(dict.fromkeys(one.case.track for one in cases))
        for track in tracks:
            ranked = [one for one in cases if one.case.track == track]
            blocks += [Heading(plain(dataset) + (f", {track} track" if len(tracks) > 1 else ""), 2)]
            blocks += _dataset(results, names, dataset, ranked)
            blocks += published_table(results, names, ranked) if alone else []
        blocks += problems(cases, names) if alone else _missing_count(cases)
    return blocks + (_legend(results, alone) if blocks else [])


def _dataset(results: Results, names: Names, dataset: str, cases: Shown) -> list[Block]:
    note = results.dataset(dataset)
    blocks: list[Block] = [Paragraph(_description(note))] if note else []
    # Names last: the order of equal accuracies must not depend on the order of the run.
    ranked = sorted(
        (one for one in cases if one.ok),
        key=lambda one: (
            not results.is_ranked(one),
            -(one.accuracy or 0.0),
            names.model(one.case),
            names.system(one.case),
        ),
    )
    if not ranked:
        return [*blocks, Paragraph("No trial of this data set succeeded.")]
    return [
        *blocks,
        *_test_part([one for one in ranked if results.is_ranked(one)] or ranked),
        *(_absent_classes(note, ranked[0]) if note else []),
        *floors_blocks(results, dataset),
        _table("accuracy and training", names, ranked, _accuracy_and_training(results, ranked)),
        _table("memory and prediction", names, ranked, _memory_and_prediction(ranked)),
        _table("further figures", names, ranked, _further(ranked, balanced=not unequal(results, dataset))),
    ]


def _accuracy_and_training(results: Results, ranked: Shown) -> list[Figures]:
    # The first steps, one per batch size, include the compiler's own time.
    compiled = any(one.case.execution == "compiled" for one in ranked)
    first = ("first steps s", "compile incl.") if compiled else ("first steps s",)
    return [
        _accuracy(results, ranked),
        *([_balanced(results, ranked)] if unequal(results, ranked[0].case.dataset) else []),
        _measured(ranked, THROUGHPUT, numbers.significant, "train samples/s"),
        *_compared(results, ranked),
        *_gains(results, ranked),
        *_where_any(ranked, "steps", numbers.whole, "steps"),
        _measured(ranked, "train_s", numbers.seconds, "train s"),
        _measured(ranked, "first_step_s", numbers.seconds, *first),
        *_where_any(ranked, "time_to_accuracy_s", numbers.seconds, "to target", "train s"),
    ]


def _accuracy(results: Results, ranked: Shown) -> Figures:
    def cell(one: CaseSummary) -> Cell:
        notes = (*_label_notes(results, ranked, one), *floor_notes(results, one, "accuracy"))
        return share_cell(one, "accuracy", results.seeds(one.case), notes)

    return Column(("accuracy %", spread_head([one.figures["accuracy"] for one in ranked]))), cell


def _balanced(results: Results, ranked: Shown) -> Figures:
    """The balanced accuracy, for unequal classes, compared with its own floors."""
    column = Column(("balanced", "accuracy %", spread_head([one.figures["balanced_accuracy"] for one in ranked])))
    return column, lambda one: further_share_cell(
        one, "balanced_accuracy", floor_notes(results, one, "balanced_accuracy")
    )


def _memory_and_prediction(ranked: Shown) -> list[Figures]:
    return [
        _measured(ranked, "model_mib", numbers.mebibytes, "peak RSS MiB", "model, data"),
        _measured(ranked, "predict_samples_per_s", numbers.significant, "predict samples/s"),
        _measured(ranked, "latency_p50_ms", numbers.milliseconds, "p50 ms"),
        _measured(ranked, "latency_p95_ms", numbers.milliseconds, "p95 ms"),
        *_where_any(ranked, "first_batch_s", numbers.seconds, "first batch", "s"),
        *_where_any(ranked, "pipeline_samples_per_s", numbers.significant, "pipeline", "samples/s"),
    ]


def _where_any(ranked: Shown, metric: str, text: Text, *head: str) -> list[Figures]:
    """A column for a metric few runs measure; nothing if no case has it."""
    if all(one.figures[metric] is None for one in ranked):
        return []
    return [_measured(ranked, metric, text, *head)]


def _further(ranked: Shown, *, balanced: bool) -> list[Figures]:
    return [
        *([_further_score(ranked, "balanced_accuracy", "balanced", "accuracy %")] if balanced else []),
        _further_score(ranked, "macro_f1", "macro", "F1 %"),
        _measured(ranked, "peak_rss_mib", numbers.mebibytes, "peak RSS MiB", "whole"),
    ]


def _measured(ranked: Shown, metric: str, text: Text, *head: str) -> Figures:
    """A column of medians; the last line of its head names their spread."""
    column = Column((*head, spread_head([one.figures[metric] for one in ranked])))
    return column, lambda one: speed_cell(one, metric, text)


def _further_score(ranked: Shown, metric: str, *head: str) -> Figures:
    column = Column((*head, spread_head([one.figures[metric] for one in ranked])))
    return column, lambda one: further_share_cell(one, metric)


def _compared(results: Results, ranked: Shown) -> list[Figures]:
    """Training speed over the reference's; nothing without a reference or another framework."""
    reference = results.reference
    if reference is None or all(one.case.framework == reference for one in ranked):
        return []
    ratios = {one.case_id: results.ratio(one, THROUGHPUT) for one in ranked}
    every = list(ratios.values())

    def cell(one: CaseSummary) -> Cell:
        figure = ratios[one.case_id]
        if figure is not None:
            return ratio_cell(figure, every)
        if one.figures[THROUGHPUT] is None:
            return missing(one, METRICS[THROUGHPUT].absent)
        return Cell("1.00") if results.is_reference(one) else missing(one, no_pair(results, one))

    return [(Column((f"× {reference}", spread_head(every))), cell)]


def _gains(results: Results, ranked: Shown) -> list[Figures]:
    """Training speed over the framework's own default way; nothing if no framework has another."""
    gains = {one.case_id: results.gain(one, THROUGHPUT) for one in ranked}
    every = list(gains.values())
    if not any(every):
        return []

    def cell(one: CaseSummary) -> Cell:
        figure = gains[one.case_id]
        return Cell() if figure is None else ratio_cell(figure, every)

    return [(Column(("× default", spread_head(every))), cell)]


def _table(title: str, names: Names, ranked: Shown, figures: Sequence[Figures]) -> Table:
    labels = (Column(("model",), "left", label=True), Column(("framework",), "left", label=True))
    columns = [column for column, _ in figures]
    if not any(column.head[-1] for column in columns):  # no figure has a spread
        columns = [replace(column, head=column.head[:-1]) for column in columns]
    rows = tuple(
        Row(
            (
                Cell(names.model(one.case), word=True),
                Cell(names.system(one.case), word=True),
                *(cell(one) for _, cell in figures),
            ),
            floor=one.case.model == FLOOR_MODEL,
        )
        for one in ranked
    )
    return Table(title, (*labels, *columns), rows)


def _label_notes(results: Results, ranked: Shown, one: CaseSummary) -> tuple[str, ...]:
    """A note that the row differs, and since when; else its label, unless its model's rows share it."""
    if found := straying_notes(results, one):
        return found
    labels = {label_words(results, other) for other in ranked if other.case.model == one.case.model}
    return (label_words(results, one),) if len(labels) > 1 else ()


def _description(note: DatasetNote) -> str:
    shape = "×".join(str(size) for size in note.shape)
    parts = [
        plain(note.title),
        shape,
        f"{len(note.classes)} classes",
        f"{note.train_rows:,} training and {note.test_rows:,} test rows",
        plain(note.split if "split" in note.split else f"{note.split} split"),
    ]
    if note.generated:
        parts.append("GENERATED: made by the harness, not the published data")
    elif note.differs:
        parts.append("NOT THE PUBLISHED DATA: the fingerprint is known to be another one")
    elif not note.verified:
        parts.append("UNVERIFIED: no known fingerprint matched")
    return " · ".join(part for part in parts if part)


def _test_part(ranked: Shown) -> list[Block]:
    """The uncertainty of the best accuracy due to the finite test part; more seeds do not reduce it."""
    best, scored = ranked[0], sum(one.accuracy is not None for one in ranked)
    interval = best.test_part_interval(best_of=scored)
    if interval is None or best.accuracy is None:
        return []
    worth = best.independent_test_rows
    groups = f", in groups worth no less than {worth:,} independent ones," if worth else ""
    several = f", corrected for the best of {scored} rows" if scored > 1 else ""
    return [
        Paragraph(
            f"With {best.test_rows:,} test rows{groups} the best accuracy, {numbers.percent(best.accuracy)} %, is "
            f"known to {numbers.between(*map(numbers.percent, interval))}, however many seeds (Wilson, 95 %{several})."
        )
    ]


def _absent_classes(note: DatasetNote, best: CaseSummary) -> list[Block]:
    """The classes without a test row: they have no recall, and the balanced accuracy is the mean of the others'."""
    truth = next((record.scores.confusion for record in best.ok if record.scores), ())
    absent = [plain(name) for name, row in zip(note.classes, truth, strict=False) if not any(row)]
    if not absent:
        return []
    return [
        Paragraph(
            f"Without a test row, {len(absent)} of {len(note.classes)} classes: {', '.join(absent)}. They have no "
            "recall, and the balanced accuracy is the mean over the others."
        )
    ]


def _missing_count(cases: Shown) -> list[Block]:
    number = sum(not one.ok for one in cases)
    return [Paragraph(f"{numbers.count(number, 'case')} without a figure: reasons above.")] if number else []


def _legend(results: Results, alone: bool) -> list[Block]:
    """Meaning of the columns, and limits of the ranking."""
    several = results.several_seeds
    ranking = f" (mean over seeds{ACCURACY_SPREAD}): rows whose intervals or ranges overlap may not differ"
    lines = [
        f"Sorted by accuracy{ranking if several else ''}.",
        *([FLOOR] if any(one.case.model == FLOOR_MODEL for one in results.summaries) else []),
        "samples/s: from the second epoch on. train s: all of the training, first steps included.",
        "p50, p95: latency of one sample, host array to host array.",
    ]
    if any(results.gain(one, THROUGHPUT) for one in results.summaries):
        lines.append("× default: the same over the framework's own default way, float32 and resident data.")
    if alone:
        lines += [*labels_legend(results), *floors_legend(results), *ratio_legend(results)]
        lines.append(SPREADS if several else ONE_SEED)
    return [Paragraph(" ".join(lines))]
