"""Print the simulated tables of docs/statistics.md, in Markdown.

python -m tests.stats.tables            # about ten minutes on two cores
python -m tests.stats.tables 1000       # fewer repeats of each experiment
"""

import sys
import warnings
from collections.abc import Callable, Sequence

import numpy as np

from tests.stats import simulate
from tests.stats.simulate import Draw, Values

REPEATS = 10_000
SEEDS = 300
"""Networks trained for each distribution of accuracies."""


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """One Markdown table under its title."""
    print(f"\n**{title}**\n\n| {' | '.join(head)} |\n|{':--|' + '--:|' * (len(head) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def percent(share: float | None) -> str:
    """``96.9``."""
    return "–" if share is None else f"{100 * share:.1f}"


def normal(mean: float, deviation: float) -> Draw:
    """Normal accuracies."""
    return lambda rng, size: rng.normal(mean, deviation, size)


def rounded(mean: float, deviation: float, rows: int) -> Draw:
    """Normal accuracies, rounded to whole rows."""
    return lambda rng, size: np.round(rng.normal(mean, deviation, size) * rows) / rows


def skewed(deviation: float) -> Draw:
    """Accuracies of which a few are much lower: one less an exponential of this mean and deviation."""
    return lambda rng, size: 1 - deviation * rng.standard_exponential(size)


def resampled(found: Values) -> Draw:
    """Accuracies that networks really had."""
    return lambda rng, size: rng.choice(found, size)


def trained(hidden: tuple[int, ...], epochs: int) -> Values:
    """Test accuracies of ``SEEDS`` scikit-learn networks on digits, 12 steps an epoch."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    warnings.filterwarnings("ignore", category=Warning, module="sklearn")
    images, labels = load_digits(return_X_y=True)
    train, test, train_labels, test_labels = train_test_split(
        (images / 16).astype(np.float32), labels, test_size=360, stratify=labels, random_state=0
    )
    scores = []
    for seed in range(SEEDS):
        network = MLPClassifier(
            hidden, alpha=0, batch_size=128, max_iter=epochs, tol=0, n_iter_no_change=10**6, random_state=seed
        )
        scores.append(network.fit(train, train_labels).score(test, test_labels))
    return np.array(scores)


def means(repeats: int) -> None:
    """The t interval of a mean over seeds."""
    drawn: dict[str, tuple[Draw, float]] = {
        "normal, 0.97 sd 0.001": (normal(0.97, 0.001), 0.97),
        "the same in steps of 1/360": (rounded(0.97, 0.01, 360), 0.97),
        "normal, 0.35 sd 0.114": (normal(0.35, 0.114), 0.35),
        "exponential tail, sd 0.01": (skewed(0.01), 0.99),
    }
    for words, hidden, epochs in (
        ("softmax, 72 steps", (), 6),
        ("mlp-plain, 72 steps", (128,), 6),
        ("mlp-plain, 360 steps", (128,), 30),
    ):
        found = trained(hidden, epochs)
        mean, deviation = float(found.mean()), float(found.std(ddof=1))
        drawn[f"{words}: {SEEDS} seeds on digits, {mean:.3f} sd {deviation:.3f}"] = resampled(found), mean
    rows = []
    for words, (draw, truth) in drawn.items():
        results = [simulate.mean_over_seeds(draw, truth, seeds, repeats) for seeds in (3, 5, 10)]
        rows.append([words, *(percent(one[0]) for one in results), percent(results[0][1]), percent(results[0][2])])
    head = ("accuracies", "3 seeds", "5 seeds", "10 seeds", "3 seeds: shown", "shown and wrong")
    table("mean over seeds, t interval: covers, %", head, rows)


def medians(repeats: int) -> None:
    """Trials of one machine, one after another."""
    rows = []
    for trials in (3, 6, 10, 20):
        independent, correlated = (simulate.median_of_trials(trials, rho, repeats) for rho in (0.0, simulate.RHO))
        rows.append([str(trials), *map(percent, (independent[0], correlated[0], independent[1], correlated[1]))])
    head = ("trials", "interval, independent", "interval, lag-1 0.8", "range, independent", "range, lag-1 0.8")
    table("median of trials: covers, % (the interval is not shown)", head, rows)


def ratios(repeats: int) -> None:
    """Ratios within rounds of two equally fast systems."""
    layouts = {
        "2 trials": (2, 1),
        "9 trials, neighbours": (9, 1),
        "40 trials, 3 apart": (40, 3),
        "40, 20 apart": (40, 20),
    }
    rows = []
    for rounds in (3, 4, 5, 6, 10, 20, 30):
        held = [simulate.ratio_of_equals(rounds, n, repeats, apart=apart) for n, apart in layouts.values()]
        rows.append([f"{rounds}, {'range' if rounds < 6 else 'interval'}", *map(percent, held)])
    table("ratio within rounds, equal systems: holds 1, %, by trials in a round", ("rounds", *layouts), rows)


def test_parts(repeats: int) -> None:
    """Wilson's interval on the effective rows."""
    rows = [
        [
            f"{share:g} on {n:,} rows",
            percent(simulate.accuracy_of_test_part(share, n, repeats // (1 if n < 5000 else 10))),
        ]
        for share, n in ((0.5, 360), (0.9, 360), (0.98, 360), (0.995, 360), (0.97, 10_000))
    ]
    for size, alike in ((2, 0.8), (5, 0.5), (5, 1.0)):
        held = simulate.accuracy_of_test_part(0.7, 400, repeats, size=size, alike=alike)
        rows.append([f"0.7 on 400 groups of {size}, {alike:.0%} of them answered alike", percent(held)])
    sizes = (1341, 222, 220, 103, 65, 28, 23)  # the test part of skin-cancer-mnist
    for recalls in ((0.5,) * 7, (0.9, 0.5, 0.4, 0.3, 0.4, 0.2, 0.5)):
        held = simulate.mean_of_recalls(sizes, recalls, repeats)
        words = "all 0.5" if len(set(recalls)) == 1 else "0.9 for the largest, 0.2 to 0.5 for the others"
        rows.append([f"mean of 7 recalls, {words}", percent(held)])
    table("accuracy of one row, Wilson on effective rows: covers, %", ("accuracy", "covers"), rows)


def bests(repeats: int) -> None:
    """The most accurate of several rows."""
    rows = []
    for many in (1, 3, 9, 19):
        cells = [f"{many} of 0.97"]
        for corrected in (False, True):
            for agreement in (0.0, 0.5):
                held = simulate.best_of_many(
                    [0.97] * many, 1000, repeats // 10, agreement=agreement, corrected=corrected
                )
                cells.append(percent(held))
        rows.append(cells)
    better = [0.95] * 8 + [0.97]
    rows.append(
        ["8 of 0.95 and one of 0.97"]
        + [
            percent(simulate.best_of_many(better, 1000, repeats // 10, agreement=agreement, corrected=corrected))
            for corrected in (False, True)
            for agreement in (0.0, 0.5)
        ]
    )
    head = ("rows", "plain, independent", "plain, alike 0.5", "corrected, independent", "corrected, alike 0.5")
    table("accuracy of the best row on 1,000 test rows: covers, %", head, rows)


def floors(repeats: int) -> None:
    """Rows against floors."""
    rows = []
    for n, share in ((360, 0.95), (360, 0.983), (2000, 0.97)):
        for seeds, spread in ((1, 0.0), (3, 0.003), (3, 0.01), (10, 0.003)):
            called = [
                simulate.against_a_floor(share, share, n, repeats // 10, seeds=seeds, spread=spread, agreement=alike)
                for alike in (0.0, 0.5, 0.8)
            ]
            words = "1 seed" if seeds == 1 else f"{seeds} seeds of sd {spread:g}"
            rows.append([f"{share:g} on {n:,} rows, {words}", *map(percent, called)])
    head = ("an equally good method", "independent", "alike 0.5", "alike 0.8")
    table("below a floor: called so, %", head, rows)
    rows = [
        [f"{worse:g} points worse", *(percent(simulate.against_a_floor(
            0.97 - worse / 100, 0.97, n, repeats // 10, agreement=0.5)) for n in (360, 2000, 10_000))]
        for worse in (0.5, 1, 2, 5)
    ]  # fmt: skip
    table("below a floor of 0.97, 3 seeds, alike 0.5: called so, %", ("a method", "360 rows", "2,000", "10,000"), rows)
    rows = [
        [f"{better:g} points better", *(percent(simulate.against_the_majority(
            0.67 + better / 100, 0.67, n, repeats)) for n in (200, 1_196, 10_000))]
        for better in (0, 1, 2, 5)
    ]  # fmt: skip
    head = ("a method", "200 rows", "1,196", "10,000")
    table("shown to beat a majority of 0.67: said so, %", head, rows)


def trends(repeats: int) -> None:
    """The mark of a case that is not steady."""
    rows = []
    for trials in (3, 5, 10):
        for epochs in (2, 5, 20):
            rates = [
                simulate.called_not_steady(simulate.noisy_epochs(trials, epochs, variation, repeats, rho=rho))
                for variation in (0.02, 0.05, 0.1)
                for rho in (0.0, simulate.RHO)
            ]
            switching = [
                simulate.called_not_steady(simulate.switching_epochs(trials, epochs, switch, repeats))
                for switch in (0.02, 0.2)
            ]
            rows.append([f"{trials} × {epochs}", *map(percent, rates + switching)])
    head = ("trials × epochs", "2 %", "2 %, lag-1 0.8", "5 %", "5 %, lag-1 0.8", "10 %", "10 %, lag-1 0.8",
            "two speeds, rare", "two speeds, often")  # fmt: skip
    table("not steady, no trend at all, epochs vary by: called so, %", head, rows)
    rows = []
    for trials in (3, 5, 10):
        for epochs in (5, 20):
            found = [
                simulate.called_not_steady(simulate.noisy_epochs(trials, epochs, variation, repeats // 4, trend=trend))
                for trend in (0.1, 0.2, 0.5)
                for variation in (0.02, 0.05, 0.1)
            ]
            rows.append([f"{trials} × {epochs}", *map(percent, found)])
    heads = [f"+{trend} %, vary by {variation} %" for trend in (10, 20, 50) for variation in (2, 5, 10)]
    table("not steady, throughput grows from first to last epoch: called so, %", ("trials × epochs", *heads), rows)


def main(repeats: int) -> None:
    """Print every table."""
    printed: Sequence[Callable[[int], None]] = (means, medians, ratios, test_parts, bests, floors, trends)
    for one in printed:
        one(repeats)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS)
