"""The proofs to run: those named, or a set that covers the shipped suites and every two parts of a recipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bench.case import Precision
from bench.certificate import DataKind
from bench.equivalence.proof import STRIDED_SAME, Proof, gradient_proof, network_of, proof
from bench.equivalence.recipes import RECIPES, smooth
from bench.equivalence.sizes import long, many_rows, sized
from bench.errors import UnknownName
from bench.models.catalog import MODELS, find_model
from bench.models.model import Dropout, Network
from bench.models.native import is_reference

KINDS: dict[str, DataKind] = {
    "mnist": DataKind(shape=(28, 28, 1), classes=10),
    "digits": DataKind(shape=(8, 8, 1), classes=10),
    "emnist-letters": DataKind(shape=(28, 28, 1), classes=26),
    "emnist-balanced": DataKind(shape=(28, 28, 1), classes=47),
    "sign-language-mnist": DataKind(shape=(28, 28, 1), classes=24),
    "3d-mnist": DataKind(shape=(16, 16, 16, 1), classes=10, floats=True),
    "skin-cancer-mnist": DataKind(shape=(28, 28, 3), classes=7),
    "colorectal-histology-mnist": DataKind(shape=(28, 28, 3), classes=8),
    "colorectal-histology-mnist-8x8": DataKind(shape=(8, 8, 3), classes=8),
}
"""Data sets whose kinds are proved if no suite is named. Others have mnist's kind, or are proved with ``--suite``."""

WEIGHTED = "adam, weights"
FASTEST = "adamw, decay, one-cycle, smoothing, given"
MIXED = "sgd, nesterov, decay, step, smoothing, weights, train"
OF_CHANNELS = "rmsprop, one-cycle, smoothing, train"
WARM = "adam, decay, one-cycle, smoothing, weights"

ASKED: tuple[tuple[str, str, str, int], ...] = (
    *(("mlp-plain", recipe, "mnist", 128) for recipe in RECIPES),
    *(("mlp-plain", "adam", dataset, 128) for dataset in KINDS if dataset not in ("mnist", "digits")),
    ("softmax", "adam", "mnist", 128),
    ("softmax", "adam", "digits", 128),
    *(("mlp", "adam", "mnist", size) for size in (32, 64, 128, 256, 512, 1024)),
    ("mlp", "adam", "digits", 128),
    ("cnn", "adam", "mnist", 128),
    ("cnn", "adam", "digits", 32),
    ("cnn", "momentum, schedule", "emnist-letters", 64),
    ("cnn", "all options", "emnist-balanced", 256),
    ("cnn", WARM, "sign-language-mnist", 512),
    ("cnn", MIXED, "colorectal-histology-mnist-8x8", 1024),
    ("cnn", "adam", "3d-mnist", 128),
    ("cnn", WEIGHTED, "skin-cancer-mnist", 128),
    ("cnn-norm", "adam", "mnist", 128),
    ("cnn-norm", "adamw", "digits", 128),
    ("cnn-norm", MIXED, "digits", 32),
    ("cnn-norm", OF_CHANNELS, "colorectal-histology-mnist-8x8", 128),
    ("cnn-fast", FASTEST, "mnist", 96),
    ("cnn-fast", "adam", "mnist", 128),
    ("cnn-wide", "adam", "mnist", 128),
    ("cnn-wide", MIXED, "digits", 128),
    ("cnn3d", "adam", "3d-mnist", 128),
    ("cnn3d", "momentum, schedule", "digits", 128),
    (STRIDED_SAME.name, "adam", "mnist", 128),
    (STRIDED_SAME.name, "momentum", "colorectal-histology-mnist-8x8", 128),
)
"""Network, recipe, data set, batch size. An optimiser sees only arrays and a layer no recipe, so the recipes are proved
on the cheapest network, and every network with a few of them."""

LONG = (
    ("mlp-plain", "momentum, schedule", "digits", (110, 180)),
    ("mlp-plain", "adam", "digits", (1300, 1600)),
    ("mlp-plain", FASTEST, "digits", (300, 400)),
    ("mlp-plain", MIXED, "digits", (300, 400)),
    ("mlp-plain", OF_CHANNELS, "digits", (300, 400)),
    ("cnn-norm", "adam", "digits", (60, 90)),
)
"""Network, recipe, data set, approximate bounds of the steps. As many steps as the shipped suites train; for the other
recipes and BatchNorm, enough for late effects: a schedule whose steps are counted in a byte, another momentum."""
MANY_ROWS = (("mlp-plain", "all options", "mnist"),)

QUICK_MODELS = ("mlp-plain", "cnn-norm")
QUICK_RECIPES = ("adam", "momentum, schedule")


def networks() -> tuple[str, ...]:
    """Names of all neutral networks, including those of other packages and the one for the proofs alone."""
    names = [name for name in MODELS if isinstance(_model(name), Network)]
    return (*names, STRIDED_SAME.name)


def questions(
    models: Sequence[str] = (), recipes: Sequence[str] = (), *, seeds: Iterable[int] = (0,), quick: bool = False
) -> list[Proof]:
    """The proofs in float64: those named, or else a set that covers the shipped suites.

    Raises UnknownName for a misspelt model or recipe, BenchError for a model that is not a neutral network.
    """
    for recipe in recipes:
        if recipe not in RECIPES:
            raise UnknownName("optimizer", recipe, RECIPES)
    for model in models:
        network_of(model)  # raises for a misspelt name or for another kind of model
    return [one for seed in seeds for one in _of_seed(models, recipes, seed, quick)]


def _of_seed(models: Sequence[str], recipes: Sequence[str], seed: int, quick: bool) -> Iterator[Proof]:
    if models or recipes or quick:
        for model in models or (QUICK_MODELS if quick else networks()):
            for recipe in recipes or (QUICK_RECIPES if quick else tuple(RECIPES)):
                yield sized(_proof(model, recipe, "mnist", 128, seed))
    else:
        plugged_in = [name for name in networks() if name not in {model for model, *_ in ASKED}]
        yield from (sized(_proof(*one, seed)) for one in ASKED)
        yield from (sized(_proof(name, "adam", "mnist", 128, seed)) for name in plugged_in)
        yield from (many_rows(_proof(*one, 128, seed)) for one in MANY_ROWS)
    if not models and not recipes:
        for model, recipe, dataset, steps in LONG[:1] if quick else LONG:
            yield long(_proof(model, recipe, dataset, 128, seed), steps)


def rounded_questions(asked: Iterable[Proof], precision: Precision) -> list[Proof]:
    """The proofs in the timed precision, for the networks and optimisers of ``asked``.

    For each network, the logits and the gradient on small images, and a few steps with each optimiser; in 16 bits
    only the first step.
    """
    found: dict[tuple[object, ...], Proof] = {}
    for one in asked:
        kind = {"dataset": one.dataset, "classes": one.classes, "floats": one.floats, "seed": one.seed}
        gradient = gradient_proof(one.model, shape=_small(one.shape), **kind)
        found.setdefault((one.seed, one.model), gradient)
        key = (one.seed, one.model, one.training.optimizer.name)
        given = {"rounded": True, "scale": 255.0, "training": smooth(one.training)}
        if precision == "float32":
            found.setdefault(key, sized(one.model_copy(update=given)))
        elif precision != "float64" and one.training.optimizer.name != gradient.training.optimizer.name:
            training = smooth(one.training).model_copy(update={"batch_size": gradient.rows})
            found.setdefault(key, gradient.model_copy(update={"recipe": one.recipe, "training": training}))
    return list(found.values())


def dropout_rates(models: Iterable[str]) -> tuple[float, ...]:
    """Every dropout rate of these networks as shipped."""
    networks = [_model(name) for name in models if name != STRIDED_SAME.name]
    found = {
        layer.rate
        for network in networks
        if isinstance(network, Network)
        for layer in network.layers
        if isinstance(layer, Dropout) and layer.rate > 0
    }
    return tuple(sorted(found))


def _proof(model: str, recipe: str, dataset: str, batch_size: int, seed: int) -> Proof:
    training = RECIPES[recipe].model_copy(update={"batch_size": batch_size})
    return proof(model, recipe, training=training, dataset=dataset, seed=seed, **KINDS[dataset].model_dump())


def _small(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Sides of at most 14 pixels: the gradient of a convolution costs a tenth of that on 28."""
    return (*(min(side, 14) for side in shape[:-1]), shape[-1])


def _model(name: str) -> object:
    return None if is_reference(name) else find_model(name)
