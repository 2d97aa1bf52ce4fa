"""What is asked: the same for every framework, from the seed alone, exact in float32."""

from collections.abc import Mapping

import numpy as np
import pytest

from bench.equivalence.proof import RECIPES, Material, network_of, proof
from bench.equivalence.questions import dropout_rates, networks, questions
from bench.errors import BenchError, UnknownName
from bench.models.model import Dropout


def test_twenty_steps_over_a_thousand_rows_cross_two_epoch_ends_and_short_batches() -> None:
    material = Material(proof("mlp-plain", "adam"))
    assert [len(batch) for batch in material.batches] == [*([128] * 7 + [104]) * 2, *[128] * 4]
    assert [len(order) for order in material.orders] == [1000, 1000, 512]
    for order in material.orders[:2]:
        assert sorted(order) == list(range(1000))
    assert not np.array_equal(material.orders[0], material.orders[1])


def test_the_same_seed_gives_the_same_material_and_another_another() -> None:
    first, again, other = (Material(proof("cnn", "adam", seed=seed)) for seed in (0, 0, 1))
    assert np.array_equal(first.train.images, again.train.images)
    assert np.array_equal(first.orders[0], again.orders[0])
    assert _equal(first.weights, again.weights)
    assert not np.array_equal(first.train.images, other.train.images)
    assert not _equal(first.weights, other.weights)


def _equal(first: Mapping[str, object], second: Mapping[str, object]) -> bool:
    return all(np.array_equal(first[name], second[name]) for name in first)  # type: ignore[arg-type]


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_a_recipe_gives_is_exact_in_float32(recipe: str) -> None:
    material = Material(proof("mlp-plain", recipe))
    given = [material.rates]
    if material.class_weights is not None:
        given.append(material.class_weights)
    optimizer = RECIPES[recipe].optimizer.model_dump()
    given.append(np.array([value for value in optimizer.values() if isinstance(value, float)]))
    for values in given:
        assert np.array_equal(values, values.astype(np.float32).astype(np.float64))


def test_no_weight_begins_at_a_value_that_hides_whether_it_was_loaded() -> None:
    for name, value in Material(proof("cnn-norm", "adam")).weights.items():
        assert np.ptp(value) > 0, name


def test_dropout_is_at_rate_zero_in_a_proof() -> None:
    rates = [layer.rate for layer in network_of("cnn").layers if isinstance(layer, Dropout)]
    assert rates == [0.0]
    assert {0.2, 0.25, 0.5} <= set(dropout_rates())


def test_every_network_is_asked_with_adam_and_sgd_and_every_recipe_somewhere() -> None:
    asked = questions()
    pairs = {(one.model, one.recipe) for one in asked}
    assert {(model, recipe) for model in networks() for recipe in ("adam", "sgd")} <= pairs
    for model in ("mlp-plain", "cnn-norm"):
        assert {recipe for name, recipe in pairs if name == model} == set(RECIPES)
    assert "strided-same" in networks()


def test_names_on_the_command_line_choose_the_whole_product() -> None:
    asked = questions(("cnn", "softmax"), ("nesterov", "adam"), seeds=range(3))
    assert len(asked) == 12


def test_a_misspelt_recipe_or_network_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'nesterov'"):
        questions((), ("nestrov",))
    with pytest.raises(UnknownName, match="did you mean 'cnn'"):
        questions(("cn",))
    with pytest.raises(BenchError, match="no neutral network"):
        questions(("random-forest",))
