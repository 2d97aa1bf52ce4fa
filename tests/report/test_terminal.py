"""Reports in the terminal, to the letter."""

import pytest

from bench.case import Case
from bench.errors import BenchError
from bench.record import EpochFigures, FirstStep, Memory, Phases, PredictPass, Record
from bench.report import terminal
from bench.report.document import Cell, Column, Command, Facts, Row, Table
from bench.stats.results import Results
from tests.report.builder import RunBuilder, case, realistic, scores, trial

ACCURACIES = {
    ("cnn", "pytorch"): (0.9896, 0.9902, 0.9908),
    ("cnn", "keras-tensorflow"): (0.9889, 0.9899, 0.9903),
    ("majority", "scikit-learn"): (0.1135,),
}
RATES = {("cnn", "pytorch"): (3300.0, 3400.0, 2000.0), ("cnn", "keras-tensorflow"): (6600.0, 6460.0, 4000.0)}


def measured(asked: Case, seed: int) -> Record:
    """A trial with the figures above, and round ones for the rest."""
    key = asked.model, asked.framework
    rate = RATES.get(key)
    epoch = EpochFigures(seconds=10.0 if rate is None else 60_000 / rate[seed], samples=60_000, loss=0.25)
    phases = Phases(
        import_s=2.0,
        load_s=0.5,
        build_s=0.25,
        first_steps=(FirstStep(samples=128, seconds=1.0),) if rate else (),
        epochs=(epoch, epoch, epoch) if rate else (epoch,),
        predict=(PredictPass(samples=1000, seconds=0.125),),
        latency_us=(110.0,) * 150 + (140.0,) * 50,
    )
    memory = Memory(method="VmHWM", after_import_mib=500.0, peak_rss_mib=1048.0)
    return trial(asked, seed, phases=phases, memory=memory, scores=scores("mnist", ACCURACIES[key][seed]))


def small() -> Results:
    """Two frameworks and the floor on one data set, and a missing framework."""
    run = RunBuilder()
    for model, framework in ACCURACIES:
        asked = case("mnist", model, framework)
        run.cases.append(asked)
        run.records += [measured(asked, seed) for seed in range(len(ACCURACIES[model, framework]))]
    run.failed(case("mnist", "cnn", "keras-jax"), "unavailable", "keras-jax is not installed. Run: pip install jax")
    return run.results()


# By hand. t(0.975, 2) = 4.3027; pytorch: s = 0.0006, half 4.3027 * 0.0006 / sqrt(3) = 0.00149; keras: s = 0.000721,
# half 0.00179. Ratios of the rounds 2.00, 1.90, 2.00. Train seconds 1 + 3 * 60,000 / rate.
OVERVIEW = """\
overview
────────────────────────────────────────────────────────────────────────────────

accuracy %, mean over seeds
            pytorch      keras-tensorflow  scikit-learn    keras-jax
  model     95 % int.    95 % int.
mnist
  cnn       99.02 ±0.15  98.97 ±0.18                     unavailable
  majority                                       11.35¹
¹ deterministic: another seed gives the same, so it ran once

training speed, steady, median over trials
         pytorch            keras-tensorflow    keras-jax
         samples/s          × pytorch           × pytorch
  model  range              range
mnist
  cnn    3,300 2,000–3,400  2.00 1.90–2.00    unavailable

seconds of training without a second epoch, median over trials
            scikit-learn
  model                s
mnist
  majority          10.0

accuracy: top-1 on the test part; ± is half the 95 % t interval over seeds, from
3 seeds on; where that says nothing, the range of the seeds. agrees: at each
seed near to the other frameworks of its row, in losses and in predictions.
× pytorch: steady training samples/s over pytorch's in the same round, median
over rounds; above 1 is faster. A range of 3 rounds leaves 1 out for one in 4
pairs of equally fast systems. Speeds and memory are medians over trials with
their range (none for a single trial): trials of one machine are not
independent, and a range is not an interval. Blank: no such case in the suite.

what could not run, or failed

unavailable  1 case: keras-jax is not installed. Run: pip install jax
             mnist/cnn/keras-jax/cpu
"""

HEAD = """\
bench: suite quick
══════════════════

suite      A first look, within five minutes on two cores
run        2026-11-22T10-15-00-quick · bench 0.1.0
track      matched · 3 seeds · agrees · predictions not stored: compared by
           losses and scores
machine    AMD EPYC 9V74 · 2 cores · 2 threads · 23.4 GiB
system     Debian GNU/Linux 13, Linux 6.12.3 · x86_64
versions   Python 3.11.9 · keras 3.15.1 · scikit-learn 1.9.1 · tensorflow 2.21.0
           · torch 2.15.0
networks   3 epochs, batch 128, adam 0.001
execution  graph: keras-tensorflow, eager otherwise · float32 · input resident
cases      3 ok, 1 unavailable
trials     7 ok
load       other processes used 3 % of a core in the median trial, 3 % at most

"""

DATASETS = """\
mnist
────────────────────────────────────────────────────────────────────────────────

mnist images · 28×28×1 · 10 classes · 60,000 training and 10,000 test rows ·
official split

With 10,000 test rows the best accuracy, 99.02 %, is known to 98.75–99.20,
however many seeds (Wilson, 95 %, corrected for the best of 3 rows).

accuracy and training
                            accuracy %   train samples/s    × pytorch
model     framework         95 % int.    range              range
cnn       pytorch           99.02 ±0.15  3,300 2,000–3,400  1.00
cnn       keras-tensorflow  98.97 ±0.18  6,460 4,000–6,600  2.00 1.90–2.00
┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
majority  scikit-learn      11.35¹           –²                –²

                            train s         first steps s
model     framework         range           range
cnn       pytorch           55.5 53.9–91.0  1.00 1.00–1.00
cnn       keras-tensorflow  28.9 28.3–46.0  1.00 1.00–1.00
┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
majority  scikit-learn      10.0               –³
¹ deterministic: another seed gives the same, so it ran once
² no second epoch to take a steady figure from
³ no step apart from the fit

memory and prediction
                            peak RSS MiB
                            model, data   predict samples/s
model     framework         range         range
cnn       pytorch           548 548–548   8,000 8,000–8,000
cnn       keras-tensorflow  548 548–548   8,000 8,000–8,000
┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
majority  scikit-learn      548           8,000

                            p50 ms          p95 ms
model     framework         range           range
cnn       pytorch           0.11 0.11–0.11  0.14 0.14–0.14
cnn       keras-tensorflow  0.11 0.11–0.11  0.14 0.14–0.14
┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
majority  scikit-learn      0.11            0.14

further figures
                            balanced     macro        peak RSS MiB
                            accuracy %   F1 %         whole
model     framework         95 % int.    95 % int.    range
cnn       pytorch           99.02 ±0.15  99.02 ±0.15  1,048 1,048–1,048
cnn       keras-tensorflow  98.97 ±0.18  98.97 ±0.18  1,048 1,048–1,048
┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
majority  scikit-learn      11.35        11.35        1,048
"""


def test_the_head_says_once_what_holds_for_every_row() -> None:
    assert terminal.render(small(), view="overview").startswith(HEAD)


def test_the_overview_has_a_line_per_data_set_and_model_with_frameworks_across() -> None:
    assert terminal.render(small(), view="overview") == HEAD + OVERVIEW


def test_a_data_set_has_its_systems_by_accuracy_and_the_floor_drawn_in() -> None:
    text = terminal.render(small(), view="datasets")
    assert text.removeprefix(HEAD).partition("\nwhat could not run")[0] == DATASETS


def test_reasons_stand_once_where_the_overview_has_them() -> None:
    assert terminal.render(small()).count("keras-jax is not installed") == 1
    assert "1 case without a figure: reasons above." in terminal.render(small())
    assert terminal.render(small(), view="datasets").count("keras-jax is not installed") == 1


def test_colours_are_left_out_unless_asked_for_and_change_no_text() -> None:
    plain = terminal.render(realistic().results())
    colored = terminal.render(realistic().results(), color=True)
    assert "\x1b" not in plain
    assert "\x1b[31mtimeout" in colored
    for code in ("0", "1", "2", "31"):
        colored = colored.replace(f"\x1b[{code}m", "")
    assert [line.rstrip() for line in colored.splitlines()] == plain.splitlines()


def test_rows_per_trial_are_refused_with_the_format_that_has_them() -> None:
    with pytest.raises(BenchError, match="csv and json"):
        terminal.render(small(), per_trial=True)


def test_values_end_in_one_line_and_spreads_begin_in_one() -> None:
    cells = (Cell("9.5", "±0.1"), Cell("99.02", "±0.08"), Cell("–", notes=("no figure",)), Cell("timeout", word=True))
    rows = tuple(Row((cell,)) for cell in cells)
    assert terminal.text([Table("t", (Column(("accuracy %",)),), rows)]) == (
        "t\naccuracy %\n  9.5 ±0.1\n99.02 ±0.08\n    –¹\ntimeout\n¹ no figure\n"
    )


def test_a_long_command_is_broken_where_a_shell_lets_it_be() -> None:
    command = "bench run --suite quick " + " ".join(f"--dataset {name * 20}" for name in "abcd")
    lines = terminal.text([Command(command)]).splitlines()
    assert len(lines) == 3
    assert [line.endswith(" \\") for line in lines] == [True, True, False]
    assert " ".join(line.strip().removesuffix("\\").strip() for line in lines) == command


def test_a_fact_of_several_lines_has_its_name_once() -> None:
    assert terminal.text([Facts((("noise", ("one", "two")), ("id", ("abc",))))]) == (
        "noise  one\n       two\nid     abc\n"
    )
