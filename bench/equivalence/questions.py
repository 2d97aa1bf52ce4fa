"""Which proofs are asked: of the product of networks and recipes, what shows something new."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.equivalence.proof import CLASS_COUNT, RECIPES, STRIDED_SAME, Proof, gradient_proof, network_of, proof
from bench.errors import UnknownName
from bench.models.catalog import MODELS, find_model
from bench.models.model import Dropout, Network
from bench.models.native import is_reference
from bench.models.network import place

FULL_SHAPE = (28, 28, 1)
SMALL_SHAPE = (14, 14, 1)
"""Large enough that the images the cnn flattens are not of one pixel, where no order shows; a convolution costs a
tenth of what it costs on the full shape."""

MOST_FLOPS = 10_000_000
"""Of one sample, forward: twice what the cnn needs on the full shape."""

EVERYWHERE = ("adam", "sgd")
"""Recipes that are proved on every network."""
EVERY_RECIPE = ("mlp-plain", "cnn-norm")
"""Networks on which every recipe is proved, without BatchNorm and with: an optimiser sees arrays alone, not layers."""

QUICK_MODELS = ("mlp-plain", "cnn-norm")
QUICK_RECIPES = ("adam", "momentum, schedule")


def networks() -> tuple[str, ...]:
    """Every neutral network by name, those of other packages included, and the one that is for the proof alone."""
    names = [name for name in MODELS if isinstance(_model(name), Network)]
    return (*names, STRIDED_SAME.name)


def questions(
    models: Sequence[str] = (), recipes: Sequence[str] = (), *, seeds: Iterable[int] = (0,), quick: bool = False
) -> list[Proof]:
    """The proofs in float64: all that is asked for by name, else what shows something new.

    Raises UnknownName for a misspelt model or recipe, BenchError for a model that is no neutral network.
    """
    for recipe in recipes:
        if recipe not in RECIPES:
            raise UnknownName("optimizer", recipe, RECIPES)
    chosen_models, chosen_recipes = _chosen(models, recipes, quick)
    named = bool(models or recipes or quick)
    return [
        proof(model, recipe, shape=SMALL_SHAPE if quick or recipe != "adam" else _shape(model), seed=seed)
        for seed in seeds
        for model in chosen_models
        for recipe in chosen_recipes
        if named or recipe in EVERYWHERE or model in EVERY_RECIPE
    ]


def gradient_questions(models: Sequence[str] = (), *, seeds: Iterable[int] = (0,), quick: bool = False) -> list[Proof]:
    """The proofs of logits and gradient alone, in the precision that is timed."""
    return [
        gradient_proof(model, shape=SMALL_SHAPE, seed=seed) for seed in seeds for model in _chosen(models, (), quick)[0]
    ]


def dropout_rates() -> tuple[float, ...]:
    """Every rate of dropout that a shipped network has."""
    found = {
        layer.rate
        for name in MODELS
        if isinstance(model := _model(name), Network)
        for layer in model.layers
        if isinstance(layer, Dropout) and layer.rate > 0
    }
    return tuple(sorted(found))


def _shape(model: str) -> tuple[int, ...]:
    """The full shape, unless a step on it costs minutes over all frameworks and says no more than on the small one."""
    return FULL_SHAPE if place(network_of(model), FULL_SHAPE, CLASS_COUNT).flops < MOST_FLOPS else SMALL_SHAPE


def _chosen(models: Sequence[str], recipes: Sequence[str], quick: bool) -> tuple[Sequence[str], Sequence[str]]:
    for model in models:
        network_of(model)  # a misspelt name, or no network
    if quick:
        return models or QUICK_MODELS, recipes or QUICK_RECIPES
    return models or networks(), recipes or tuple(RECIPES)


def _model(name: str) -> object:
    return None if is_reference(name) else find_model(name)
