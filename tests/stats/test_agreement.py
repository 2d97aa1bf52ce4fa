"""A run proves itself: who agrees with the others of its row, who strays from them, and where."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.case import Case, Training
from bench.models.catalog import find_model
from bench.models.model import Network
from bench.record import EpochFigures, FirstStep, Phases, Record, Scores
from bench.stats.agreement import Agreement, agreements
from bench.stats.agreement_limits import DEEP, RANDOM, SHALLOW, drift_of
from bench.stats.results import Results
from bench.stats.summary import CaseSummary
from bench.store import RunFolder

HONEST = (0.351, 0.159, 0.114)
SKIPPED = (0.633, 0.285, 0.235)
"""Mean losses of mlp-plain on MNIST, 3 epochs of Adam; and of an adapter that left out three of four batches."""

ROWS = 1_000
REFERENCE = Path(__file__).parents[2] / "results" / "reference"


def network(model: str, framework: str, **changes: object) -> Case:
    """A case of a network that ships, with the digest a run gives it."""
    found = find_model(model)
    assert isinstance(found, Network)
    asked = {"dataset": "mnist", "model": model, "framework": framework, "training": Training()}
    return Case.model_validate({**asked, "model_digest": found.digest, **changes})


def ran(asked: Case, losses: Sequence[float | None], seed: int = 0, **changes: object) -> Record:
    """A trial on 60,000 rows with these mean losses of its epochs, and 97 % of its answers right."""
    epochs = tuple(EpochFigures(seconds=1, samples=60_000, loss=loss) for loss in losses)
    figures: dict[str, object] = {
        "case_id": asked.id,
        "case": asked,
        "status": "ok",
        "seed_index": seed,
        "train_rows": 60_000,
        "phases": Phases(import_s=1, load_s=0, build_s=0, epochs=epochs),
        "scores": Scores(rows=ROWS, accuracy=0.97, balanced_accuracy=0.97, macro_f1=0.97),
    }
    return Record.model_validate({**figures, **changes})


def of_row(*records: Record, answers: Mapping[str, NDArray[np.int64]] | None = None) -> list[Agreement]:
    """The agreements of the cases of ``records`` in their order; ``answers`` by the name a record gives its file."""
    by_case: dict[str, list[Record]] = {}
    for record in records:
        by_case.setdefault(record.case_id, []).append(record)
    row = [CaseSummary(case_id, found[0].case, tuple(found)) for case_id, found in by_case.items()]
    found = agreements(row, lambda record: (answers or {}).get(record.predictions or ""))
    return [found.get(case_id, Agreement()) for case_id in by_case]


def labels(found: Iterable[Agreement]) -> list[str]:
    return [one.label for one in found]


def three(*losses: Sequence[float], model: str = "mlp-plain") -> list[Agreement]:
    """A row of PyTorch, Keras and scikit-learn with these losses."""
    names = ("pytorch", "keras-tensorflow", "scikit-learn")
    return of_row(*(ran(network(model, name), found) for name, found in zip(names, losses, strict=True)))


def scaled(losses: Sequence[float], factor: float) -> tuple[float, ...]:
    return tuple(loss * factor for loss in losses)


def test_frameworks_whose_losses_differ_by_rounding_agree() -> None:
    found = three(HONEST, scaled(HONEST, 1 + 3e-7), scaled(HONEST, 1 - 3e-7))
    assert labels(found) == ["agrees"] * 3
    assert [one.since for one in found] == [None] * 3


@pytest.mark.parametrize("model", ["mlp-plain", "cnn-norm"])
def test_a_framework_that_leaves_out_batches_differs_from_the_first_epoch_and_the_others_agree(model: str) -> None:
    seeds = [
        ran(network(model, name), scaled(losses, factor), seed)
        for seed, factor in enumerate((1.0, 1.02, 0.98))
        for name, losses in (("pytorch", SKIPPED), ("keras-tensorflow", HONEST), ("scikit-learn", HONEST))
    ]
    found = of_row(*seeds)
    assert labels(found) == ["differs", "agrees", "agrees"]
    assert found[0].since == "from epoch 1"
    assert sorted(found[0].strayed) == [0, 1, 2]


def test_a_framework_that_stops_training_differs_from_the_epoch_where_its_loss_stands_still() -> None:
    losses = (0.351, 0.159, 0.114, 0.089, 0.072)
    stopped = (*losses[:3], losses[2], losses[2])
    assert three(losses, stopped, losses)[1].since == "from epoch 4"


def test_of_two_that_differ_neither_agrees() -> None:
    records = [ran(network("mlp-plain", name), found) for name, found in (("a", HONEST), ("b", SKIPPED))]
    assert labels(of_row(*records)) == ["differs", "differs"]


def test_where_the_row_is_split_in_halves_none_agrees() -> None:
    losses = (HONEST, SKIPPED, HONEST, SKIPPED)
    found = of_row(*(ran(network("mlp-plain", name), one) for name, one in zip("abcd", losses, strict=True)))
    assert labels(found) == ["differs"] * 4


def test_a_framework_that_runs_in_several_ways_does_not_outvote_another() -> None:
    """Three ways of one framework share its faults: against a single other, nothing says which is wrong."""
    ways = [network("mlp-plain", "pytorch", execution=way) for way in ("eager", "graph", "compiled")]
    found = of_row(*(ran(way, SKIPPED) for way in ways), ran(network("mlp-plain", "keras-tensorflow"), HONEST))
    assert labels(found) == ["differs"] * 4


def test_of_several_ways_of_a_framework_the_wrong_one_alone_differs() -> None:
    eager, compiled = (network("mlp-plain", "pytorch", execution=way) for way in ("eager", "compiled"))
    found = of_row(ran(eager, HONEST), ran(compiled, SKIPPED), ran(network("mlp-plain", "keras-tensorflow"), HONEST))
    assert labels(found) == ["agrees", "differs", "agrees"]


def test_ways_of_one_framework_are_held_against_each_other_where_there_is_no_other() -> None:
    ways = [network("mlp-plain", "pytorch", execution=way) for way in ("eager", "compiled")]
    assert labels(of_row(*(ran(way, HONEST) for way in ways))) == ["agrees", "agrees"]
    assert labels(of_row(ran(ways[0], HONEST), ran(ways[1], SKIPPED))) == ["differs", "differs"]


def with_first_loss(record: Record, loss: float, samples: int = 128) -> Record:
    assert record.phases is not None
    steps = (FirstStep(samples=samples, seconds=0.1, loss=loss),)
    return record.model_copy(update={"phases": record.phases.model_copy(update={"first_steps": steps})})


@pytest.mark.parametrize(("model", "since"), [("mlp-plain", "from the first step"), ("cnn", None)])
def test_other_weights_or_another_loss_show_at_the_first_step_unless_dropout_hides_them(
    model: str, since: str | None
) -> None:
    """A loss of 2.31 and one of 2.33 before any update: without masks both frameworks must compute the same."""
    records = [ran(network(model, name), HONEST) for name in "abc"]
    found = of_row(*(with_first_loss(record, loss) for record, loss in zip(records, (2.31, 2.33, 2.31), strict=True)))
    assert found[1].since == since


def test_first_steps_over_other_numbers_of_rows_are_not_held_against_each_other() -> None:
    """A framework that takes 32 steps in one call pauses after all of them."""
    one, other = (ran(network("mlp-plain", name), HONEST) for name in "ab")
    found = of_row(with_first_loss(one, 2.3), with_first_loss(other, 1.1, samples=32 * 128))
    assert labels(found) == ["agrees", "agrees"]


def answered(truth: NDArray[np.int64], wrong: int, seed: int) -> NDArray[np.int64]:
    """``truth`` with some rows answered wrongly."""
    given = truth.copy()
    rows = np.random.default_rng(seed).choice(len(truth), wrong, replace=False)
    given[rows] = (truth[rows] + 1) % 10
    return given


def test_a_framework_that_predicts_half_of_the_rows_and_copies_the_rest_differs_in_its_predictions() -> None:
    truth = np.arange(ROWS) % 10
    answers = {name: answered(truth, 30, 1) for name in "abc"}
    answers["b"][ROWS // 2 :] = answers["b"][0]
    records = [ran(network("mlp-plain", name), HONEST, predictions=name) for name in "abc"]
    found = of_row(*records, answers=answers)
    assert labels(found) == ["agrees", "differs", "agrees"]
    assert found[1].since == "in its predictions"
    (apart,) = (one for one in found[1].distances if one.other == records[0].case_id and not one.stretch.rows)
    assert apart.difference == pytest.approx((answers["a"] != answers["b"]).mean())


def test_without_stored_predictions_scores_tell_what_they_can() -> None:
    """Half of the rows copied leaves 52 % right, of which 42 % at least must be answered otherwise than by others."""
    scores = Scores(rows=ROWS, accuracy=0.52, balanced_accuracy=0.5, macro_f1=0.5)
    records = [ran(network("mlp-plain", name), HONEST) for name in "abc"]
    records[1] = records[1].model_copy(update={"scores": scores})
    found = of_row(*records)
    assert [one.since for one in found] == [None, "in its scores", None]


def test_confusion_matrices_show_what_equal_accuracies_hide() -> None:
    """Both are right in half of 1,000 rows, but of other classes: at least half of the rows are answered otherwise."""
    first = Scores(rows=ROWS, accuracy=0.5, balanced_accuracy=0.5, macro_f1=0.3, confusion=((500, 0), (500, 0)))
    second = first.model_copy(update={"confusion": ((0, 500), (0, 500))})
    one, other = ran(network("mlp-plain", "a"), HONEST), ran(network("mlp-plain", "b"), HONEST)
    found = of_row(one.model_copy(update={"scores": first}), other.model_copy(update={"scores": second}))
    assert max(apart.difference for apart in found[0].distances) == 1.0


def test_who_has_strayed_does_not_count_for_the_others_any_more() -> None:
    """b leaves the row by its losses, c by its answers; a and d are near to each other throughout."""
    truth = np.arange(ROWS) % 10
    answers = {"a": truth, "b": answered(truth, 300, 1), "c": answered(truth, 600, 2), "d": truth}
    losses = {"a": HONEST, "b": SKIPPED, "c": HONEST, "d": HONEST}
    found = of_row(*(ran(network("mlp-plain", n), losses[n], predictions=n) for n in "abcd"), answers=answers)
    assert [one.since for one in found] == [None, "from epoch 1", "in its predictions", None]


def test_one_seed_that_strays_is_enough_and_the_earliest_stretch_is_named() -> None:
    late = (*HONEST[:2], 0.3)
    records = [
        ran(network("mlp-plain", name), found, seed)
        for seed, losses in enumerate((HONEST, late, SKIPPED))
        for name, found in (("a", losses), ("b", HONEST), ("c", HONEST))
    ]
    strayed = of_row(*records)[0]
    assert {seed: stretch.since for seed, stretch in strayed.strayed.items()} == {1: "from epoch 3", 2: "from epoch 1"}
    assert strayed.since == "from epoch 1"
    assert labels(strayed.of(seed) for seed in range(3)) == ["agrees", "differs", "differs"]


def test_a_case_without_a_seed_in_common_with_others_is_not_compared() -> None:
    found = of_row(ran(network("mlp-plain", "a"), HONEST, 0), ran(network("mlp-plain", "b"), SKIPPED, 1))
    assert labels(found) == ["not compared", "not compared"]


def test_a_case_alone_in_its_row_is_not_compared() -> None:
    assert labels(of_row(ran(network("mlp-plain", "a"), HONEST))) == ["not compared"]


@pytest.mark.parametrize(
    "changes",
    [{"track": "idiomatic"}, {"training": None}, {"precision": "bfloat16"}],
)
def test_what_is_not_meant_to_compute_the_same_in_float32_is_not_compared(changes: dict[str, object]) -> None:
    one, other = (network("mlp-plain", name).model_copy(update=changes) for name in "ab")
    assert labels(of_row(ran(one, HONEST), ran(other, SKIPPED))) == ["not compared", "not compared"]


def test_models_of_the_users_own_are_not_compared() -> None:
    asked = [network("mlp", name) for name in "ab"]
    records = [ran(one, found, equivalence="own model") for one, found in zip(asked, (HONEST, SKIPPED), strict=True)]
    assert labels(of_row(*records)) == ["not compared", "not compared"]


def test_a_framework_that_gives_no_loss_cannot_be_said_to_agree() -> None:
    found = of_row(ran(network("mlp-plain", "a"), (None,) * 3), ran(network("mlp-plain", "b"), HONEST))
    assert labels(found) == ["not compared", "not compared"]


def test_epochs_that_only_one_of_two_has_trained_are_left_out() -> None:
    """Training that ends where the validation part stands still may end at another epoch in another framework."""
    found = of_row(ran(network("mlp-plain", "a"), HONEST), ran(network("mlp-plain", "b"), HONEST[:2]))
    assert labels(found) == ["agrees", "agrees"]


@pytest.mark.parametrize(("seeds", "label"), [((1.0, 1.01, 0.99), "differs"), ((1.0, 1.5, 0.7), "agrees")])
def test_how_far_apart_the_seeds_are_is_the_scale_of_the_row(seeds: tuple[float, ...], label: str) -> None:
    """30 % between two frameworks after 1,407 steps: too much where seeds differ by 1 %, little where by 40 %."""
    records = [
        ran(network("cnn-norm", name), (*HONEST[:2], HONEST[2] * factor * seed), number)
        for number, seed in enumerate(seeds)
        for name, factor in (("a", 1.3 if number == 0 else 1.0), ("b", 1.0), ("c", 1.0))
    ]
    assert of_row(*records)[0].label == label


def test_a_limit_grows_with_the_steps_taken_and_the_deeper_network_drifts_faster() -> None:
    for drift in (SHALLOW, DEEP, RANDOM):
        limits = [drift.loss_limit(steps, None) for steps in (0, 10, 100, 1_000, 10_000)]
        assert limits == sorted(limits)
    assert SHALLOW.loss_limit(0, None) < 1e-4  # weights, scaling, loss and smoothing show before the first update
    for steps in (0, 10, 100, 1_000):
        assert SHALLOW.loss_limit(steps, None) <= DEEP.loss_limit(steps, None)


@pytest.mark.parametrize(
    ("model", "drift"),
    [("softmax", SHALLOW), ("mlp-plain", SHALLOW), ("cnn-norm", DEEP), ("mlp", RANDOM), ("cnn", RANDOM)],
)
def test_how_a_network_drifts_follows_from_its_layers(model: str, drift: object) -> None:
    assert drift_of(network(model, "pytorch")) is drift


def test_a_network_that_is_unknown_or_has_changed_since_is_held_to_the_widest_limits() -> None:
    for changes in ({"model": "of-a-package-of-before"}, {"model_digest": "0" * 64}):
        assert drift_of(network("softmax", "pytorch").model_copy(update=changes)) is RANDOM


def test_a_loss_of_nothing_is_no_loss() -> None:
    found = of_row(ran(network("mlp-plain", "a"), (0.3, 0.0)), ran(network("mlp-plain", "b"), (0.3, 1e-30)))
    assert labels(found) == ["agrees", "agrees"]


@settings(max_examples=50)
@given(st.lists(st.sampled_from([HONEST, SKIPPED]), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_verdict_does_not_depend_on_the_order_of_the_cases(
    losses: list[tuple[float, ...]], draw: random.Random
) -> None:
    records = [ran(network("mlp-plain", f"f{number}"), found) for number, found in enumerate(losses)]
    shuffled = draw.sample(records, len(records))
    by_name = [
        {record.case_id: one.label for record, one in zip(some, of_row(*some), strict=True)}
        for some in (records, shuffled)
    ]
    assert by_name[0] == by_name[1]
    honest = sum(found == HONEST for found in losses)
    others = len(losses) - 1
    if honest and others:  # near to the honest ones alone, itself left out
        expected = "agrees" if 2 * (honest - 1) >= others else "differs"
        assert by_name[0][records[losses.index(HONEST)].case_id] == expected


@pytest.mark.parametrize("run", ["all", "quick"])
def test_the_kept_runs_accuse_none(run: str) -> None:
    """Their predictions are not kept: losses and scores alone."""
    results = Results.of(RunFolder.open(REFERENCE / run))
    found = {one.case.cell: results.agreement(one) for one in results.summaries if one.ok and one.case.training}
    assert len(found) > 8
    assert {cell: one.since for cell, one in found.items() if one.label != "agrees"} == {}
