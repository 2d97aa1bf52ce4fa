"""The proofs asked: those that cover the shipped suites, those named, and the same with rounded numbers."""

import pytest

from bench.certificate import Certificate, Claim, Conditions
from bench.equivalence.proof import network_of
from bench.equivalence.questions import KINDS, dropout_rates, networks, questions, rounded_questions
from bench.errors import BenchError, UnknownName
from bench.models.catalog import find_model
from bench.models.model import Network
from bench.suite import ModelSettings, read_suite
from bench.suite_files import shipped_suites

DAYS_LONG = "exhaustive"
"""Asks every network of every data set; proved only by name."""
ALIKE = {**KINDS, "fashion-mnist": KINDS["mnist"]}


def covered(*claims: Claim | None) -> Certificate:
    """A certificate of ``claims``."""
    proved = tuple(one for one in claims if one)
    return Certificate(conditions=Conditions(framework="own"), versions={}, source="", claims=proved)


def claims_of(suite_name: str) -> list[Claim]:
    """Claims of a shipped suite's matched cases, whatever the framework and the way it runs."""
    from bench.runner.axes import merged

    suite = read_suite(suite_name)
    found = []
    for matrix in suite.matrix:
        networks = [model for name in matrix.models if isinstance(model := find_model(name), Network)]
        if (matrix.track or suite.track) != "matched":
            continue
        for network in networks:
            training = merged(suite, matrix, suite.models.get(network.name, ModelSettings()))
            for size in matrix.batch_sizes or (training.batch_size,):
                sized = training.model_copy(update={"batch_size": size})
                found += [Claim.of(network.name, network.digest, sized, ALIKE[one]) for one in matrix.datasets]
    return found


@pytest.mark.parametrize("suite", [name for name in shipped_suites() if name != DAYS_LONG])
def test_what_is_asked_without_a_name_covers_every_case_of_a_shipped_suite(suite: str) -> None:
    proved = covered(*(one.claim for one in questions()))
    assert [claim for claim in claims_of(suite) if not proved.holds(claim)] == []


def test_every_network_is_asked_and_those_of_a_suite_are_not_covered_by_one_less() -> None:
    asked = questions()
    assert {one.model for one in asked} == set(networks())
    without_cnn = covered(*(one.claim for one in asked if one.model != "cnn"))
    assert not all(without_cnn.holds(claim) for claim in claims_of("quick"))


def test_some_proofs_are_long_and_some_have_thousands_of_rows() -> None:
    asked = questions()
    assert max(one.steps for one in asked) > 1200
    assert max(one.rows for one in asked) > 1000
    assert max(one.epochs for one in asked) > 10


def test_sizes_are_drawn_anew_from_each_seed() -> None:
    asked = questions(("mlp-plain",), ("adam", "sgd"), seeds=range(5))
    assert len({(one.rows, one.steps) for one in asked}) >= 8


@pytest.mark.parametrize("quick", [False, True])
def test_every_proof_has_full_and_short_batches_and_crosses_an_epoch_end(quick: bool) -> None:
    for one in questions(quick=quick):
        assert one.rows > one.training.batch_size, one.label
        assert one.rows % one.training.batch_size, one.label
        assert one.epochs >= 2, one.label


def test_names_on_the_command_line_choose_the_whole_product() -> None:
    asked = questions(("cnn", "softmax"), ("nesterov", "adam"), seeds=range(3))
    assert len(asked) == 12


def test_a_misspelt_recipe_or_network_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'nesterov'"):
        questions((), ("nestrov",))
    with pytest.raises(UnknownName, match="did you mean 'cnn'"):
        questions(("cn",))
    with pytest.raises(BenchError, match="not a neutral network"):
        questions(("random-forest",))


def test_every_network_and_optimiser_is_asked_again_in_float32_over_a_few_steps() -> None:
    asked = questions()
    rounded = rounded_questions(asked, "float32")
    assert {one.model for one in rounded if one.first_step_only} == set(networks())
    steps = [one for one in rounded if not one.first_step_only]
    assert {(one.model, one.training.optimizer.name) for one in steps} == {
        (one.model, one.training.optimizer.name) for one in asked
    }
    assert all(4 <= one.steps <= 6 for one in steps)


def test_in_sixteen_bits_the_first_step_of_each_optimiser_alone_is_asked() -> None:
    rounded = rounded_questions(questions(quick=True), "bfloat16")
    assert all(one.first_step_only for one in rounded)
    asked = {(one.model, one.training.optimizer.name) for one in rounded}
    assert asked == {(model, optimizer) for model in ("mlp-plain", "cnn-norm") for optimizer in ("sgd", "adam")}


def test_dropout_is_checked_at_the_rates_of_the_networks_that_are_asked() -> None:
    assert dropout_rates(["mlp", "cnn-wide"]) == (0.2, 0.25, 0.5)
    assert dropout_rates(["mlp-plain", "strided-same"]) == ()
    assert network_of("mlp").layers != find_model("mlp").layers  # type: ignore[union-attr]
