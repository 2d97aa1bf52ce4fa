"""Proofs are the same for every framework, from the seed alone, and exact in float32."""

from collections.abc import Mapping

import numpy as np
import pytest

from bench.certificate import Conditions
from bench.equivalence.proof import BARELY, Material, Proof, case_of, gradient_proof, network_of, proof
from bench.equivalence.recipes import RECIPES
from bench.models.model import Dropout


def test_epochs_are_whole_and_end_in_a_short_batch() -> None:
    material = Material(proof("mlp-plain", "adam"))
    assert [len(batch) for batch in material.batches] == [*[128] * 7, 104] * 3
    assert len(material.rates) == 24
    for order in material.orders:
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


def test_dropout_is_on_in_float64_at_a_rate_that_drops_nothing_and_off_where_numbers_are_rounded() -> None:
    """A number drawn from [0, 1) is a multiple of 2**-53 in float64: only 0 lies below the rate."""
    for asked, rate in ((proof("cnn", "adam"), BARELY), (gradient_proof("cnn"), 0.0)):
        assert [layer.rate for layer in Material(asked).network.layers if isinstance(layer, Dropout)] == [rate]
    assert 1 - BARELY == 1.0
    assert 0 < BARELY < 2.0**-53
    assert [layer.rate for layer in network_of("cnn").layers if isinstance(layer, Dropout)] == [0.0]


def test_an_adapter_sees_nothing_that_tells_a_proof_from_a_trial() -> None:
    asked = proof("cnn", "adam", dataset="emnist-letters", classes=26)
    case = case_of(asked, Conditions(framework="pytorch", threads=2))
    assert (case.dataset, case.model, case.track) == ("emnist-letters", "cnn", "matched")
    assert len(str(case.data_fingerprint)) == len(str(case.model_digest)) == 64
    assert case.training is not None
    assert case.training.epochs == 3
    assert "proof" not in case.model_dump_json()
    assert Material(asked).plan(2).seed > 100  # as large as those that a trial derives


def test_images_have_the_channels_the_classes_and_the_kind_of_values_that_were_asked_for() -> None:
    volumes = Material(proof("cnn3d", "adam", shape=(8, 8, 8, 1), classes=47, floats=True, rows=100)).train
    assert volumes.images.shape == (100, 8, 8, 8, 1)
    assert (str(volumes.images.dtype), volumes.scale, volumes.classes) == ("float32", 1.0, 47)
    assert 0 <= volumes.images.min() < volumes.images.max() < 1
    pictures = Material(proof("cnn", "adam", shape=(8, 8, 3), rows=100)).train
    assert (str(pictures.images.dtype), pictures.scale) == ("uint8", 256.0)


def test_statistics_of_the_training_rows_are_those_of_each_channel() -> None:
    recipe = RECIPES["adam, weights, train"]
    material = Material(proof("cnn", "adam", training=recipe, shape=(8, 8, 3), rows=100))
    assert material.normalization is not None
    mean, std = material.normalization
    scaled = material.train.images / 256.0
    assert mean == pytest.approx(scaled.mean(axis=(0, 1, 2)), rel=1e-6)
    assert std == pytest.approx(scaled.std(axis=(0, 1, 2)), rel=1e-6)
    seen = material.inputs(material.train.images)
    assert seen.mean(axis=(0, 1, 2)) == pytest.approx([0, 0, 0], abs=1e-6)


@pytest.mark.parametrize(
    ("asked", "label"),
    [
        (proof("cnn", "nesterov"), "cnn · nesterov"),
        (proof("cnn", "adam", dataset="digits"), "cnn · adam · digits"),
        (gradient_proof("cnn"), "cnn · gradient"),
    ],
)
def test_a_proof_is_labelled_by_network_recipe_and_what_is_not_as_in_the_others(asked: Proof, label: str) -> None:
    assert asked.label == label
