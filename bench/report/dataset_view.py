"""One data set in full: all models and systems sorted by accuracy, the floor drawn in."""

from collections.abc import Callable, Sequence

from bench.record import DatasetNote
from bench.report import numbers
from bench.report.document import Block, Cell, Column, Heading, Paragraph, Row, Table, plain
from bench.report.figures import missing, ratio_cell, share_cell, speed_cell, spread_head
from bench.report.naming import Names
from bench.report.overview import THROUGHPUT, no_pair
from bench.report.problems import problems
from bench.stats.metrics import METRICS
from bench.stats.results import Results
from bench.stats.summary import CaseSummary

FLOOR_MODEL = "majority"
"""Always answers the most frequent class: what an accuracy has to be measured against."""

Shown = Sequence[CaseSummary]
Cells = Callable[[CaseSummary], tuple[Cell, ...]]


def dataset_views(results: Results, names: Names, *, reasons: bool = True) -> list[Block]:
    """Every data set of the run. ``reasons``: say here why a case is missing, not only how many are."""
    blocks: list[Block] = []
    for dataset in dict.fromkeys(one.case.dataset for one in results.summaries):
        cases = [one for one in results.summaries if one.case.dataset == dataset]
        tracks = list(dict.fromkeys(one.case.track for one in cases))
        for track in tracks:
            ranked = [one for one in cases if one.case.track == track]
            blocks += [Heading(plain(dataset) + (f", {track} track" if len(tracks) > 1 else ""), 2)]
            blocks += _dataset(results, names, dataset, ranked)
        blocks += problems(cases, names) if reasons else _missing_count(cases)
    return blocks + (_legend(results) if blocks else [])


def _dataset(results: Results, names: Names, dataset: str, cases: Shown) -> list[Block]:
    note = results.dataset(dataset)
    blocks: list[Block] = [Paragraph(_description(note))] if note else []
    # Names last, so that the order of equal accuracies does not hang on the order of the run.
    ranked = sorted(
        (one for one in cases if one.ok),
        key=lambda one: (-(one.accuracy or 0.0), names.model(one.case), names.system(one.case)),
    )
    if not ranked:
        return [*blocks, Paragraph("No trial of this data set succeeded.")]
    return [
        *blocks,
        *_test_part(ranked[0]),
        _accuracy_and_training(results, names, ranked),
        _speed_and_prediction(results, names, ranked),
        _memory_and_scores(results, names, ranked),
    ]


def _accuracy_and_training(results: Results, names: Names, ranked: Shown) -> Table:
    columns = (
        Column(("accuracy %", spread_head([one.figures["accuracy"] for one in ranked]))),
        Column(("train", "s")),
        Column(("train", "samples/s")),
    )
    marked = not results.noisy_throughout

    def cells(one: CaseSummary) -> tuple[Cell, ...]:
        return (
            share_cell(one, "accuracy", results.manifest.seeds, _label_notes(ranked, one)),
            speed_cell(one, "train_s", numbers.seconds, mark_noise=marked),
            speed_cell(one, THROUGHPUT, numbers.significant, mark_noise=marked),
        )

    return _table("accuracy and training", names, ranked, columns, cells)


def _speed_and_prediction(results: Results, names: Names, ranked: Shown) -> Table:
    reference = results.reference
    ratios = {one.case_id: results.ratio(one, THROUGHPUT) for one in ranked}
    every = list(ratios.values())
    marked = not results.noisy_throughout
    columns: tuple[Column, ...] = (Column(("predict", "samples/s")), Column(("p50 / p95 ms", "batch 1")))
    if reference is not None:
        columns = (Column((f"× {reference}", spread_head(every))), *columns)

    def compared(one: CaseSummary) -> Cell:
        figure = ratios[one.case_id]
        if figure is not None:
            return ratio_cell(figure, every)
        if one.figures[THROUGHPUT] is None:
            return missing(one, METRICS[THROUGHPUT].absent)
        return Cell("1.00") if one.case.framework == reference else missing(one, no_pair(results))

    def cells(one: CaseSummary) -> tuple[Cell, ...]:
        prediction = (speed_cell(one, "predict_samples_per_s", numbers.significant, mark_noise=marked), _latency(one))
        return prediction if reference is None else (compared(one), *prediction)

    title = "prediction" if reference is None else f"training speed against {reference}, and prediction"
    return _table(title, names, ranked, columns, cells)


def _memory_and_scores(results: Results, names: Names, ranked: Shown) -> Table:
    columns = (
        Column(("peak RSS MiB", "above import")),
        Column(("peak RSS", "MiB, all")),
        Column(("balanced", "accuracy %")),
        Column(("macro", "F1 %")),
    )

    def cells(one: CaseSummary) -> tuple[Cell, ...]:
        return (
            speed_cell(one, "peak_rss_above_import_mib", numbers.mebibytes, mark_noise=False),
            speed_cell(one, "peak_rss_mib", numbers.mebibytes, mark_noise=False),
            _point(one, "balanced_accuracy"),
            _point(one, "macro_f1"),
        )

    return _table("memory and further scores", names, ranked, columns, cells)


def _table(title: str, names: Names, ranked: Shown, columns: tuple[Column, ...], cells: Cells) -> Table:
    labels = (Column(("model",), "left", label=True), Column(("framework",), "left", label=True))
    rows = tuple(
        Row(
            (Cell(names.model(one.case), word=True), Cell(names.system(one.case), word=True), *cells(one)),
            floor=one.case.model == FLOOR_MODEL,
        )
        for one in ranked
    )
    return Table(title, labels + columns, rows)


def _point(one: CaseSummary, metric: str) -> Cell:
    """A score without its interval, which the CSV has."""
    figure = one.figures[metric]
    return missing(one, METRICS[metric].absent) if figure is None else Cell(numbers.percent(figure.value))


def _latency(one: CaseSummary) -> Cell:
    median, tail = one.figures["latency_p50_ms"], one.figures["latency_p95_ms"]
    if median is None:
        return missing(one, METRICS["latency_p50_ms"].absent)
    if tail is None:
        return Cell(f"{numbers.milliseconds(median.value)} / {numbers.DASH}", notes=(METRICS["latency_p95_ms"].absent,))
    return Cell(f"{numbers.milliseconds(median.value)} / {numbers.milliseconds(tail.value)}")


def _label_notes(ranked: Shown, one: CaseSummary) -> tuple[str, ...]:
    """The equivalence label, where the rows of one model do not share it: there it decides what may be compared."""
    several = len({other.equivalence for other in ranked if other.case.model == one.case.model}) > 1
    return (f"equivalence {plain(one.equivalence)}",) if several else ()


def _description(note: DatasetNote) -> str:
    shape = "×".join(str(size) for size in note.shape)
    parts = [
        plain(note.title),
        shape,
        f"{len(note.classes)} classes",
        f"{note.train_rows:,} training and {note.test_rows:,} test rows",
        plain(note.split if "split" in note.split else f"{note.split} split"),
    ]
    if not note.verified:
        parts.append("UNVERIFIED: no known fingerprint matched")
    return " · ".join(part for part in parts if part)


def _test_part(best: CaseSummary) -> list[Block]:
    """What the finite test part leaves open, which no number of seeds makes smaller."""
    if best.test_part_interval is None or best.accuracy is None:
        return []
    low, high = (numbers.percent(bound) for bound in best.test_part_interval)
    rows = next(record.scores.rows for record in best.ok if record.scores)
    return [
        Paragraph(
            f"With {rows:,} test rows the best accuracy, {numbers.percent(best.accuracy)} %, is known to "
            f"{numbers.between(low, high)}, however many seeds (Wilson, 95 %)."
        )
    ]


def _missing_count(cases: Shown) -> list[Block]:
    number = sum(not one.ok for one in cases)
    return [Paragraph(f"{numbers.count(number, 'case')} without a figure: reasons above.")] if number else []


def _legend(results: Results) -> list[Block]:
    """How to read the columns, and how far a ranking goes."""
    lines = [
        "Sorted by accuracy (mean over seeds ± half the 95 % t interval); rows whose intervals overlap are not shown "
        "to differ."
        if results.manifest.seeds > 1
        else "Sorted by accuracy of one seed: small differences may be chance.",
        f"{FLOOR_MODEL} always answers the most frequent class: the floor.",
        "train s: all training seconds. samples/s: from the second epoch on. Both medians over trials, as is memory.",
        "p50 / p95: latency of one sample, host array to host array.",
    ]
    if results.reference is not None:
        lines.append(f"× {results.reference}: train samples/s over {results.reference}'s in the same round.")
    return [Paragraph(" ".join(lines))]
