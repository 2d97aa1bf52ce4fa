"""The list of cells that are not ok: nothing of the overview's table is left out, and each has its reason."""

from bench.report import markdown
from tests.report.builder import RunBuilder, case, failure

DROPOUT = "MLPClassifier has no dropout."


def lines(run: RunBuilder) -> list[list[str]]:
    """The rows of the Markdown table, as cells."""
    rows = markdown.render(run.results(), view="gaps").splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row.startswith("| ")][1:]


def test_every_cell_that_is_not_ok_has_its_status_and_its_reason() -> None:
    run = RunBuilder()
    run.ok(case("mnist", "mlp", "pytorch")).ok(case("mnist", "mlp", "keras-tensorflow"))
    run.failed(case("mnist", "mlp", "scikit-learn"), "unsupported", DROPOUT)
    run.failed(case("mnist", "cnn", "pytorch"), "timeout", "longer than 60 s.")
    run.ok(case("mnist", "random-forest", "scikit-learn"))
    assert lines(run) == [
        ["mnist", "mlp", "scikit-learn", "unsupported", DROPOUT],
        ["mnist", "cnn", "pytorch", "timeout", "longer than 60 s."],
        ["mnist", "cnn", "keras-tensorflow, scikit-learn", "no case", "the suite does not ask for it there"],
        ["mnist", "random-forest", "pytorch, keras-tensorflow", "no case", "a model of scikit-learn alone"],
    ]


def test_a_case_with_one_failed_trial_is_listed_with_the_share() -> None:
    one = case("mnist", "cnn", "pytorch")
    run = RunBuilder(seeds=2).ok(one)
    run.records.append(failure(one, 2, "crashed", "killed."))
    assert lines(run) == [["mnist", "cnn", "pytorch", "crashed, 1 of 3 trials", "killed."]]


def test_a_run_without_gaps_says_so() -> None:
    run = RunBuilder().ok(case("mnist", "cnn", "pytorch")).ok(case("mnist", "cnn", "keras-tensorflow"))
    assert "Every cell is ok." in markdown.render(run.results(), view="gaps")
