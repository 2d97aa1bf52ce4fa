"""One case in full: what was set, how it learned, where the time and the memory went, how to run it again."""

import json
import statistics
from collections.abc import Callable, Sequence

from bench.case import Case
from bench.record import NOT_RUN, EpochFigures, Record
from bench.report import numbers
from bench.report.document import Block, Cell, Column, Command, Facts, Heading, Paragraph, Row, Table, plain
from bench.report.figures import NOT_STEADY, bounds, share_spread, spread_head
from bench.report.head import training_line
from bench.report.labels import distance_lines, label_words, straying_reason
from bench.report.naming import Names
from bench.report.problems import problems
from bench.stats.interval import Figure, median_figure
from bench.stats.metrics import METRICS
from bench.stats.recall import ClassRecall, class_recalls
from bench.stats.results import Results
from bench.stats.summary import CaseSummary

Entry = tuple[str, tuple[str, ...]]

FIRST_STEPS_ALONE = "the first steps were all of it"


def case_views(results: Results, names: Names) -> list[Block]:
    """Every case shown; those that were never started share a list at the end."""
    started = [one for one in results.summaries if one.statuses.keys() - NOT_RUN]
    blocks = [block for one in started for block in case_view(one, results, names)]
    return blocks + problems([one for one in results.summaries if one not in started], names)


def case_view(summary: CaseSummary, results: Results, names: Names) -> list[Block]:
    """One case. Figures are over its ``ok`` trials; what failed is named with the end of its standard error."""
    blocks: list[Block] = [Heading(names.cell(summary.case), 2), Facts(_settings(summary, results, names))]
    if summary.ok:
        blocks += [
            _quality(summary),
            *_recalls(summary, results),
            *_curve(summary),
            _phases(summary),
            *_memory(summary),
            *_noise(summary),
        ]
    blocks += _failures(summary)
    return blocks + _again(summary)


def _settings(summary: CaseSummary, results: Results, names: Names) -> tuple[Entry, ...]:
    case, model = summary.case, summary.model
    first = summary.records[0]
    entries: list[Entry] = [("model", (names.model(case),)), ("system", (f"{names.system(case)}, {case.device}",))]
    if case.training is not None:
        entries.append(("training", (training_line(case.training),)))
    if case.parameters:
        entries.append(("parameters", (plain(_as_text(dict(case.parameters))),)))
    entries.append(("way", (_way(case),)))
    if first.train_rows:
        made = ", generated" if first.generated else ""
        entries.append(("rows", (f"{first.train_rows:,} training, {first.test_rows:,} test{made}",)))
    if model.parameters is not None:
        flops = "" if model.flops_per_sample is None else f", {model.flops_per_sample:,} FLOPs per sample"
        entries.append(("size", (f"{model.parameters:,} trained parameters{flops}",)))
    entries.append(("track", (f"{case.track}, {label_words(results, summary)}",)))
    entries += _agreement(summary, results, names)
    if first.settings:
        lines = tuple(plain(f"{key} = {_as_text(value)}") for key, value in sorted(first.settings.items()))
        entries.append(("read back", lines))
    return (*entries, ("case id", (summary.case_id,)))


def _agreement(summary: CaseSummary, results: Results, names: Names) -> list[Entry]:
    """The cases this one was compared with, and its distance from each; nothing if not compared."""
    lines = distance_lines(results, summary, names)
    if not results.is_ranked(summary):
        lines = (straying_reason(results, summary, names), *lines)
    return [("row", lines)] if lines else []


def _way(case: Case) -> str:
    parts = [case.execution, case.precision, f"input {case.input}"]
    if case.steps_per_execution > 1:
        parts.append(f"{case.steps_per_execution} steps a call")
    if case.channels_last:
        parts.append("channels last")
    return ", ".join([*parts, numbers.count(case.threads, "thread")])


def _quality(summary: CaseSummary) -> Table:
    """One row per seed, then the mean."""
    heads = ("accuracy %", "balanced acc. %", "macro F1 %", "log loss", "weights")
    rows = [
        Row(
            (
                Cell(f"seed {record.seed_index}", word=True),
                *_scores(record),
                Cell(_weights(record), word=True),
            )
        )
        for record in summary.ok
    ]
    mean = [summary.figures[name] for name in ("accuracy", "balanced_accuracy", "macro_f1")]
    loss = summary.figures["log_loss"]
    last = [Cell("mean", word=True), *(_share(figure) for figure in mean)]
    rows.append(Row((*last, Cell(numbers.DASH if loss is None else f"{loss.value:.4f}"), Cell())))
    title = "scores on the test part"
    if interval := summary.test_part_interval():
        low, high = (numbers.percent(bound) for bound in interval)
        title += f"; its size alone leaves {low}–{high} % open (Wilson, 95 %)"
    return Table(title, (Column(("",), "left", label=True), *(Column((head,)) for head in heads)), tuple(rows))


def _scores(record: Record) -> tuple[Cell, ...]:
    scores = record.scores
    if scores is None:
        return (Cell(numbers.DASH, notes=("not scored",)),) * 4
    shares = (scores.accuracy, scores.balanced_accuracy, scores.macro_f1)
    loss = numbers.DASH if scores.log_loss is None else f"{scores.log_loss:.4f}"
    return (*(Cell(numbers.percent(share)) for share in shares), Cell(loss))


def _weights(record: Record) -> str:
    found = record.model.final_weights_sha256 if record.model else None
    return found[:12] if found else numbers.DASH


def _share(figure: Figure | None) -> Cell:
    if figure is None:
        return Cell(numbers.DASH, notes=("not scored",))
    return Cell(numbers.percent(figure.value), share_spread(figure))


def _recalls(summary: CaseSummary, results: Results) -> list[Table]:
    """One row per class; a class without test rows has a dash and does not count in the balanced accuracy."""
    found = class_recalls(summary)
    if not found:
        return []
    note = results.dataset(summary.case.dataset)
    names = [plain(name) for name in note.classes] if note else [str(one.class_id) for one in found]
    columns = (
        Column(("class",), "left", label=True),
        Column(("test", "rows")),
        Column(("recall", "%")),
        Column(("most often", "taken for"), "left"),
        Column(("in", "% of its rows")),
    )
    return [Table("recall of each class, mean over seeds", columns, tuple(_recall(one, names) for one in found))]


def _recall(one: ClassRecall, names: Sequence[str]) -> Row:
    label, rows = Cell(names[one.class_id], word=True), Cell(f"{one.rows:,}")
    if one.recall is None:
        return Row((label, rows, Cell(numbers.DASH, notes=("no test row",)), Cell(), Cell()))
    other = Cell() if one.confused_with is None else Cell(names[one.confused_with], word=True)
    share = Cell() if one.confused_with is None else Cell(numbers.percent(one.confused_share))
    return Row((label, rows, _share(one.recall), other, share))


def _curve(summary: CaseSummary) -> list[Table]:
    """The learning curve, medians over the trials; nothing for a single fit."""
    curves = [record.phases.epochs for record in summary.ok if record.phases]
    epochs = max((len(curve) for curve in curves), default=0)
    if epochs < 2:
        return []
    columns = (
        Column(("epoch",), label=True),
        Column(("mean", "loss")),
        Column(("validation", "accuracy %")),
        Column(("", "s")),
        Column(("", "samples/s")),
    )
    rows = tuple(_epoch(index, [curve[index] for curve in curves if index < len(curve)]) for index in range(epochs))
    steady = "" if summary.steady is not False else f"; {NOT_STEADY}"
    return [Table(f"learning curve, medians over trials{steady}", columns, rows)]


def _epoch(index: int, trials: Sequence[EpochFigures]) -> Row:
    def middle(values: list[float | None], text: Callable[[float], str], absent: str) -> Cell:
        known = [value for value in values if value is not None]
        return Cell(text(statistics.median(known))) if known else Cell(numbers.DASH, notes=(absent,))

    rates = [epoch.samples / epoch.seconds if epoch.seconds > 0 else None for epoch in trials]
    timed: list[float | None] = [epoch.seconds if epoch.samples else None for epoch in trials]
    return Row(
        (
            Cell(f"{index + 1}"),
            middle([epoch.loss for epoch in trials], lambda loss: f"{loss:.4f}", "the framework does not give it"),
            middle([epoch.validation_accuracy for epoch in trials], numbers.percent, "no validation part was cut"),
            middle(timed, numbers.significant, FIRST_STEPS_ALONE),
            middle(rates, numbers.significant, FIRST_STEPS_ALONE),
        )
    )


def _phases(summary: CaseSummary) -> Table:
    """Seconds by phase, then the resulting rates and latencies."""
    seconds = [("import", "import_s"), ("load", "load_s"), ("build", "build_s")]
    seconds += [("first steps: tracing and compiling included", "first_step_s")]
    seconds += [("training, first steps included", "train_s"), *_to_target(summary)]
    seconds += [("evaluate, off the clock", "evaluate_s"), ("whole trial, as seen from outside", "wall_s")]
    rates = [("training, steady", "train_samples_per_s"), ("prediction", "predict_samples_per_s")]
    if summary.case.input == "loader":
        seconds.append(("input pipeline alone: to the first batch", "first_batch_s"))
        rates.append(("input pipeline alone: after it", "pipeline_samples_per_s"))
    latencies = [(f"latency p{p}, batch 1", f"latency_p{p}_ms") for p in (50, 95, 99)]
    rows = [_measured(summary, name, metric, "s", numbers.seconds) for name, metric in seconds]
    rows += [_measured(summary, name, metric, "samples/s", numbers.significant) for name, metric in rates]
    rows += [_measured(summary, name, metric, "ms", numbers.milliseconds) for name, metric in latencies]
    columns = (Column(("phase",), "left", label=True), Column(("median",)), Column(("unit",), "left"))
    spread = spread_head([summary.figures[metric] for _, metric in (*seconds, *rates, *latencies)])
    title = f"time, median over {numbers.count(len(summary.ok), 'trial')}" + (f", {spread}" if spread else "")
    return Table(title, columns, tuple(rows))


def _to_target(summary: CaseSummary) -> list[tuple[str, str]]:
    """The row of the time to accuracy; its name gives the number of trials that reached it, if not all."""
    target = summary.case.training.target_accuracy if summary.case.training else None
    if target is None:
        return []
    figure = summary.figures["time_to_accuracy_s"]
    reached = figure.n if figure else 0
    trials = "" if reached == len(summary.ok) else f", {reached} of {len(summary.ok)} trials"
    return [(f"training to {numbers.percent(target)} % of the validation part{trials}", "time_to_accuracy_s")]


def _measured(summary: CaseSummary, name: str, metric: str, unit: str, text: Callable[[float], str]) -> Row:
    figure = summary.figures[metric]
    cell = Cell(numbers.DASH, notes=(METRICS[metric].absent,))
    if figure is not None:
        cell = Cell(text(figure.value), bounds(figure, text))
    return Row((Cell(name, word=True), cell, Cell(unit, word=True)))


def _memory(summary: CaseSummary) -> list[Table]:
    """Peaks by phase, medians over the trials, and which counter was read."""
    measured = [record.memory for record in summary.ok if record.memory]
    if not measured:
        return []
    peaks: dict[str, list[float]] = {"resident after the import": [memory.after_import_mib for memory in measured]}
    for memory in measured:
        for phase, peak in memory.phase_peak_mib.items():
            peaks.setdefault(f"peak in {phase}", []).append(peak)
    peaks["peak of the trial"] = [memory.peak_rss_mib for memory in measured]
    peaks["peak above the import"] = [memory.above_import_mib for memory in measured]
    peaks["peak above import and runtime"] = [memory.model_mib for memory in measured]
    for name, found in (
        ("device, allocator peak", [memory.device_allocated_peak_mib for memory in measured]),
        ("device, as the driver sees it", [memory.device_driver_peak_mib for memory in measured]),
    ):
        known = [value for value in found if value is not None]
        if known:
            peaks[name] = known
    figures = {name: median_figure(values) for name, values in peaks.items()}
    rows = tuple(
        Row((Cell(name, word=True), Cell(numbers.mebibytes(figure.value), bounds(figure, numbers.mebibytes))))
        for name, figure in figures.items()
    )
    methods = " / ".join(dict.fromkeys(plain(memory.method) for memory in measured))
    return [Table(f"memory ({methods})", (Column(("phase",), "left", label=True), Column(("MiB",))), rows)]


def _noise(summary: CaseSummary) -> list[Block]:
    """One line per trial: other load on the machine."""
    lines = tuple(_noise_line(record) for record in summary.ok if record.noise is not None)
    return [Facts((("noise", lines),))] if lines else []


def _noise_line(record: Record) -> str:
    noise = record.noise
    if noise is None:
        return ""
    parts: list[str] = []
    for value, text in (
        (noise.steal_percent, "steal {:.1f} %"),
        (noise.other_cpu_percent, "other processes {:.0f} % of a core"),
        (noise.calibration_before_ms, "calibration {:.1f} ms before"),
        (noise.calibration_after_ms, "{:.1f} ms after"),
    ):
        if value is not None:
            parts.append(text.format(value))
    return plain(f"seed {record.seed_index}: {', '.join(parts) or 'not measured'}")


def _failures(summary: CaseSummary) -> list[Block]:
    if not summary.failed:
        return []
    entries: list[Entry] = []
    for record in summary.failed:
        reason = plain(record.reason or "no reason was recorded")
        tail = tuple(plain(line) for line in record.stderr_tail)
        entries.append((f"seed {record.seed_index} {record.status}", (reason, *tail)))
    return [Facts(tuple(entries))]


def _again(summary: CaseSummary) -> list[Block]:
    command = next((record.command for record in summary.records if record.command), "")
    return [Paragraph("To run it again:"), Command(plain(command))] if command else []


def _as_text(value: object) -> str:
    """A setting on one line, JSON where it is not already text."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
