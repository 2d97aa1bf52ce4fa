"""The overview: a line per data set and model, frameworks across."""

from dataclasses import replace

from bench.report import numbers
from bench.report.document import Block, Cell, Heading, Paragraph, Table
from bench.report.figures import further_share_cell, missing, ratio_cell, share_cell, speed_cell, spread_head
from bench.report.floors import floor_notes, floors_legend, unequal
from bench.report.grid import Grid
from bench.report.labels import DIFFERS_WORDS, labels_legend, straying_notes
from bench.report.naming import Names
from bench.report.problems import problems
from bench.report.published import published_table
from bench.stats.interval import Figure
from bench.stats.metrics import METRICS
from bench.stats.results import Results
from bench.stats.summary import CaseSummary

THROUGHPUT = "train_samples_per_s"

ACCURACY_SPREAD = (
    "; ± is half the 95 % t interval over seeds, from 3 seeds on; where that says nothing, the range of the seeds"
)
SPREADS = (
    "Speeds and memory are medians over trials with their range (none for a single trial): trials of one machine are "
    "not independent, and a range is not an interval."
)
ONE_SEED = "One seed: no figure has an interval or a range, and small differences may be chance."


def overview(results: Results, names: Names) -> list[Block]:
    """Accuracy, training speed and the seconds of single fits; then what could not run, and how to read it."""
    blocks: list[Block] = [Heading("overview", 2)]
    grids = Grid.by_track(results, names)
    for track, grid in grids.items():
        if len(grids) > 1:
            blocks.append(Heading(f"{track} track", 3))
        blocks += [
            _accuracy(grid),
            *_balanced(grid),
            *published_table(results, names, grid.summaries),
            *_speed(grid),
            *_fits(grid),
        ]
    return [*blocks, *_legend(results), *problems(results.summaries, names)]


def _accuracy(grid: Grid) -> Table:
    results = grid.results
    heads = {
        system: (spread_head([one.figures["accuracy"] for one in grid.column(system)]),)
        for system in grid.systems(grid.summaries)
    }
    title = "accuracy %, mean over seeds" if results.several_seeds else "accuracy %, one seed"

    def cell(one: CaseSummary) -> Cell:
        notes = (*straying_notes(results, one), *floor_notes(results, one, "accuracy"))
        return share_cell(one, "accuracy", results.seeds(one.case), notes)

    return grid.table(title, heads, cell, grid.summaries)


def _balanced(grid: Grid) -> list[Table]:
    """Balanced accuracy, where classes are unequal."""
    results = grid.results
    datasets = {name for name in dict.fromkeys(one.case.dataset for one in grid.summaries) if unequal(results, name)}
    among = [one for one in grid.summaries if one.case.dataset in datasets]
    if not among:
        return []
    metric = "balanced_accuracy"
    heads = {
        system: (spread_head([one.figures[metric] for one in grid.column(system) if one in among]),)
        for system in grid.systems(among)
    }
    title = "balanced accuracy %, where classes are unequal"

    def cell(one: CaseSummary) -> Cell:
        return further_share_cell(one, metric, floor_notes(results, one, "balanced_accuracy"))

    return [grid.table(title, heads, cell, among)]


def _speed(grid: Grid) -> list[Table]:
    """Models trained for several epochs somewhere: the reference in samples/s, the others as ratios to it."""
    rows = {grid.row_key(one) for one in grid.summaries if one.figures[THROUGHPUT]}
    among = [one for one in grid.summaries if grid.row_key(one) in rows]
    if not among:
        return []
    ratios = {one.case_id: grid.results.ratio(one, THROUGHPUT) for one in among}
    reference = grid.results.reference

    def cell(one: CaseSummary) -> Cell:
        if one.case.framework == reference or reference is None:
            found = speed_cell(one, THROUGHPUT, numbers.significant)
            return replace(found, notes=(*straying_notes(grid.results, one), *found.notes))
        figure = ratios[one.case_id]
        if figure is not None:
            return ratio_cell(figure, list(ratios.values()))
        absent = METRICS[THROUGHPUT].absent if one.figures[THROUGHPUT] is None else no_pair(grid.results, one)
        return missing(one, absent)

    heads = {system: _speed_head(grid, system, ratios) for system in grid.systems(among)}
    return [grid.table("training speed, steady, median over trials", heads, cell, among)]


def _speed_head(grid: Grid, system: str, ratios: dict[str, Figure | None]) -> tuple[str, ...]:
    cases = grid.column(system)
    reference = grid.results.reference
    if reference is None or cases[0].case.framework == reference:
        return "samples/s", spread_head([one.figures[THROUGHPUT] for one in cases])
    return f"× {reference}", spread_head([ratios.get(one.case_id) for one in cases])


def _fits(grid: Grid) -> list[Table]:
    """Seconds of models without a second epoch, or fitted in one call: the only speed they have."""
    single = {one.case_id for one in grid.summaries if one.figures["train_s"] and not one.figures[THROUGHPUT]}
    rows = {grid.row_key(one) for one in grid.summaries if one.case_id in single}
    trained = {grid.row_key(one) for one in grid.summaries if one.figures[THROUGHPUT]}
    among = [one for one in grid.summaries if grid.row_key(one) in rows - trained]
    if not among:
        return []
    columns = {
        system: [one.figures["train_s"] for one in grid.column(system) if one in among]
        for system in grid.systems(among)
    }
    heads = {system: ("s", spread_head(figures)) for system, figures in columns.items()}

    def cell(one: CaseSummary) -> Cell:
        return speed_cell(one, "train_s", numbers.seconds)

    return [grid.table("seconds of training without a second epoch, median over trials", heads, cell, among)]


def no_pair(results: Results, summary: CaseSummary) -> str:
    """Why a case with a figure has no ratio."""
    if found := straying_notes(results, summary):
        return found[0]
    base = results.row_reference(summary)
    if base is not None and not results.is_ranked(base):
        return f"no ratio: {results.reference} {DIFFERS_WORDS}"
    return f"no round in which {results.reference} ran the same and succeeded"


def _legend(results: Results) -> list[Block]:
    several = results.several_seeds
    lines = [f"accuracy: top-1 on the test part{ACCURACY_SPREAD if several else ''}."]
    lines += [
        *labels_legend(results),
        *floors_legend(results),
        *ratio_legend(results),
        SPREADS if several else ONE_SEED,
        "Blank: no such case in the suite.",
    ]
    return [Paragraph(" ".join(lines))]


def ratio_legend(results: Results) -> list[str]:
    """Meaning of the ratio columns; nothing if the tables have none."""
    reference = results.reference
    if all(one.case.framework == reference for one in results.summaries) or reference is None:
        return []
    words = (
        f"× {reference}: steady training samples/s over {reference}'s in the same round, median over rounds; "
        "above 1 is faster."
    )
    return [" ".join([words, *_ratio_spread(results)])]


def _ratio_spread(results: Results) -> list[str]:
    """The weakness of a range of few rounds; nothing if every ratio has an interval or none has a spread."""
    figures = [results.ratio(one, THROUGHPUT) for one in results.summaries]
    rounds = min((figure.n for figure in figures if figure and figure.kind == "range"), default=0)
    if not rounds:
        return []
    equal = 2 ** (rounds - 1)  # all rounds on one side of 1, either one: 2 / 2**rounds
    return [f"A range of {rounds} rounds leaves 1 out for one in {equal} pairs of equally fast systems."]
