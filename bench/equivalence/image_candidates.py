"""Departures in the images: other pixels or turned images, in training, in prediction or in both."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.equivalence.candidate import Candidate, Reach, other
from bench.equivalence.evidence import Evidence

Array = NDArray[Any]

SCALES = (1.0, 255.0, 256.0, 127.5, 16.0)
NORMALIZATIONS = {
    "pixels run from -1 to 1 against 0 to 1": (0.5, 0.5),
    "pixels are normalised by a mean of 0.1307 and a deviation of 0.3081, which was not asked for": (0.1307, 0.3081),
}
"""Normalisations in tutorials: mean and deviation of scaled pixels (those of MNIST in PyTorch's example)."""


def image_candidates(asked: Evidence) -> Iterator[Candidate]:
    """Departures that apply to the images."""
    for value in SCALES:
        if value != asked.scale:
            yield from scales(asked, value)
    yield from _of_normalization(asked)
    for invert in (lambda images: asked.scale - images, lambda images: asked.scale - 1 - images):
        yield from _everywhere(asked, "pixels are inverted", invert)
    for sentence, turn in _turns(asked.network.shape).items():
        yield from _everywhere(asked, sentence, turn)


def scales(asked: Evidence, value: float) -> Iterator[Candidate]:
    """Pixels divided by ``value``."""
    sentence = f"pixels are divided by {value:g} against {asked.scale:g}"
    yield other(asked, sentence, "answers", scale=value)
    yield from _everywhere(asked, sentence, lambda images: images * (asked.scale / value), both=False)


def _everywhere(
    asked: Evidence, sentence: str, change: Callable[[Array], Array], *, both: bool = True
) -> Iterator[Candidate]:
    """Changed images: in training and prediction, in training alone, in prediction alone."""
    evaluated = asked.images if asked.evaluated is None else asked.evaluated
    trained = {"images": change(asked.images), "evaluated": evaluated}
    answered = {"evaluated": change(evaluated)}
    if both:
        yield other(asked, sentence, "answers", **(trained | answered))
    yield other(asked, f"{sentence}, in training alone", "gradients", **trained)
    yield other(asked, f"{sentence}, in prediction alone", "answers", **answered)


def _of_normalization(asked: Evidence) -> Iterator[Candidate]:
    channels = asked.network.shape[-1]
    if asked.mean is None or asked.std is None:
        for sentence, (mean, std) in NORMALIZATIONS.items():
            fields = {"mean": np.full(channels, mean), "std": np.full(channels, std)}
            yield other(asked, sentence, "answers", **fields)
        for sentence, change in _standardized(asked).items():
            yield from _everywhere(asked, sentence, change)
        return
    yield other(asked, "pixels are not normalised", "answers", mean=None, std=None)
    yield other(asked, "the mean is not taken from the pixels", "answers", mean=np.zeros_like(asked.mean))
    yield other(asked, "pixels are not divided by their deviation", "answers", std=np.ones_like(asked.std))
    bare = replace(asked, mean=None, std=None)
    prepared = {"images": bare.prepared(asked.images), "evaluated": bare.answered, "scale": 1.0}
    normalized = {"images": asked.prepared(asked.images), "evaluated": asked.answered}
    unnormalised = replace(bare, **prepared)  # type: ignore[arg-type]
    for where, part in (("training", "evaluated"), ("prediction", "images")):
        reach: Reach = "gradients" if where == "training" else "answers"
        sentence = f"pixels are not normalised, in {where} alone"
        yield Candidate(sentence, reach, replace(unnormalised, **{part: normalized[part]}))  # type: ignore[arg-type]


def _standardized(asked: Evidence) -> dict[str, Callable[[Array], Array]]:
    """Ways to standardise pixels, by the sentence that names the pixels of the mean and deviation."""
    scaled = asked.images / asked.scale
    over_all = tuple(range(scaled.ndim - 1))

    def by(axes: int | tuple[int, ...]) -> Callable[[Array], Array]:
        mean, deviation = scaled.mean(axis=axes), scaled.std(axis=axes)
        apart = np.where(deviation == 0, 1, deviation)  # as StandardScaler leaves constant pixels
        return lambda images: (images / asked.scale - mean) / apart * asked.scale

    def each(images: Array) -> Array:
        axes = tuple(range(1, images.ndim))
        mean, deviation = images.mean(axis=axes, keepdims=True), images.std(axis=axes, keepdims=True)
        least = asked.scale / math.sqrt(images[0].size)  # as tf.image.per_image_standardization has it
        return np.asarray((images - mean) / np.maximum(deviation, least) * asked.scale)

    words = "which was not asked for"
    return {
        f"each pixel is standardised over the rows, {words}": by(0),
        f"pixels are normalised by their own mean and deviation, {words}": by(over_all),
        f"each image is standardised, {words}": each,
    }


def _turns(shape: tuple[int, ...]) -> dict[str, Callable[[Array], Array]]:
    """Ways to turn images ``(n, height, width, channels)`` that keep their shape, by the sentence that names them."""
    if len(shape) != 3:
        return {}
    turns: dict[str, Callable[[Array], Array]] = {
        "images are flipped: left is right": lambda images: images[:, :, ::-1],
        "images are flipped: top is bottom": lambda images: images[:, ::-1],
    }
    if shape[0] == shape[1]:
        sentence = "images are transposed: width and height are exchanged"
        turns = {sentence: lambda images: np.swapaxes(images, 1, 2)} | turns
    if shape[2] > 1:
        turns["the channels of the images are in reversed order"] = lambda images: images[..., ::-1]
    return turns
