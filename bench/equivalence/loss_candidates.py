"""Departures in the descended loss: its form, its mean, its labels, its gradients."""

from __future__ import annotations

from collections.abc import Iterator

from bench.equivalence.candidate import Candidate, flag, other
from bench.equivalence.evidence import Evidence

SMOOTHINGS = (0.0, 0.1)


def loss_candidates(asked: Evidence) -> Iterator[Candidate]:
    """Departures that apply to the loss and its labels."""
    yield from _of_softmax(asked)
    yield from _of_mean(asked)
    yield from _of_labels(asked)
    yield from _of_smoothing(asked)


def smoothing(asked: Evidence, value: float) -> Candidate:
    """Labels smoothed by ``value``."""
    sentence = f"label smoothing: {value:g} against {asked.label_smoothing:g}"
    return other(asked, sentence, "gradients", label_smoothing=value)


def _of_softmax(asked: Evidence) -> Iterator[Candidate]:
    twice = "softmax twice: the loss takes probabilities for logits"
    yield flag(asked, "the answers are probabilities, against logits", "answers", softmax_answers=True)
    yield flag(asked, twice, "gradients", loss="softmax twice")
    yield flag(asked, twice, "answers", loss="softmax twice", softmax_answers=True)
    yield flag(asked, "focal loss (γ = 2), against cross-entropy", "gradients", loss="focal")
    yield other(asked, "the loss of a step is computed after its update", "update", reported_after=True)
    for loss in ("clipped logits", "shares of logits"):
        yield flag(asked, "the loss takes logits for probabilities", "gradients", loss=loss)
    yield flag(asked, "the loss takes logits for logarithms of probabilities", "gradients", loss="negative logits")


def _of_mean(asked: Evidence) -> Iterator[Candidate]:
    full = max(map(len, asked.order))
    divided = f"loss of a short batch divided by {full}, the size of a full one, against its own rows"
    for reported_mean in (False, True):
        summed = "loss summed over the batch, against its mean"
        yield flag(asked, summed, "gradients", divisor=1, reported_mean=reported_mean)
        yield flag(asked, divided, "gradients", divisor=full, reported_mean=reported_mean)
    if asked.class_weights is not None:
        weighted = "class weights: the mean is one over the weights of the batch, against one over its samples"
        yield flag(asked, weighted, "gradients", weighted_mean=True)
        yield other(asked, "class weights are left out", "gradients", class_weights=None)
        if asked.label_smoothing:
            by_target = "each class's share of a smoothed label is weighted by that class, against by the true one"
            for weighted_mean in (True, False):
                yield flag(asked, by_target, "gradients", weights_by_target=True, weighted_mean=weighted_mean)


def _of_labels(asked: Evidence) -> Iterator[Candidate]:
    for offset, words in ((1, "one too high"), (-1, "one too low")):
        labels = (asked.labels + offset) % asked.network.classes
        yield other(asked, f"labels off by one: {words}", "gradients", labels=labels)


def _of_smoothing(asked: Evidence) -> Iterator[Candidate]:
    given, classes = asked.label_smoothing, asked.network.classes
    yield from (smoothing(asked, value) for value in SMOOTHINGS if value != given)
    if given:
        # 1 - s for the true class and s / (k - 1) for each other one, in the form of the definition
        value = given * classes / (classes - 1)
        sentence = f"label smoothing: {given:g} shared by the other classes alone, against all"
        yield other(asked, sentence, "gradients", label_smoothing=value)
