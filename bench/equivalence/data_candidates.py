"""Departures in what a step is given and what is descended: pixels, order, rows left out, labels, the loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bench.equivalence.candidate import Candidate, flag, other
from bench.equivalence.evidence import Evidence

SCALES = (1.0, 255.0, 256.0, 127.5, 16.0)
SMOOTHINGS = (0.0, 0.1)
Rows = NDArray[np.int64]


def loss_candidates(asked: Evidence) -> Iterator[Candidate]:
    """Departures that have a meaning for the loss, and for the labels it is given."""
    yield from _of_softmax(asked)
    yield from _of_mean(asked)
    yield from _of_labels(asked)
    yield from _of_smoothing(asked)


def data_candidates(asked: Evidence) -> Iterator[Candidate]:
    """Departures in the pixels and the rows of a step."""
    yield from _of_pixels(asked)
    yield from _of_order(asked)
    yield from _of_short_batches(asked)
    for taken, words in ((slice(1, None), "first"), (slice(None, -1), "last")):
        sentence = f"a sample is skipped in each batch: its {words}"
        yield other(asked, sentence, "gradients", order=[rows[taken] for rows in asked.order])


def _of_softmax(asked: Evidence) -> Iterator[Candidate]:
    twice = "softmax twice: the loss takes probabilities for logits"
    yield flag(asked, "the answers are probabilities, against logits", "answers", softmax_answers=True)
    yield flag(asked, twice, "gradients", softmax_loss=True)
    yield flag(asked, twice, "answers", softmax_loss=True, softmax_answers=True)


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


def _of_labels(asked: Evidence) -> Iterator[Candidate]:
    for offset, words in ((1, "one too high"), (-1, "one too low")):
        labels = (asked.labels + offset) % asked.network.classes
        yield other(asked, f"labels off by one: {words}", "gradients", labels=labels)


def _of_smoothing(asked: Evidence) -> Iterator[Candidate]:
    given, classes = asked.label_smoothing, asked.network.classes
    for value in SMOOTHINGS:
        if value != given:
            sentence = f"label smoothing: {value:g} against {given:g}"
            yield other(asked, sentence, "gradients", label_smoothing=value)
    if given:
        # 1 - s for the true class and s / (k - 1) for each other one, in the form of the definition
        value = given * classes / (classes - 1)
        sentence = f"label smoothing: {given:g} shared by the other classes alone, against all"
        yield other(asked, sentence, "gradients", label_smoothing=value)


def _of_pixels(asked: Evidence) -> Iterator[Candidate]:
    for value in SCALES:
        if value != asked.scale:
            yield other(asked, f"pixels are divided by {value:g} against {asked.scale:g}", "answers", scale=value)
    if asked.mean is not None:
        yield other(asked, "pixels are not normalised", "answers", mean=None, std=None)


def _of_order(asked: Evidence) -> Iterator[Candidate]:
    stored = "rows are not taken in the given order, but as they are stored"
    everything = np.arange(len(asked.images))
    order = [rows for epoch in _epochs(asked) for rows in _cut_as(epoch, everything)]
    yield other(asked, stored, "gradients", order=order)
    # of an epoch that is not whole, the rows that it has
    order = [rows for epoch in _epochs(asked) for rows in _cut_as(epoch, np.sort(np.concatenate(epoch)))]
    yield other(asked, stored, "gradients", order=order)
    first = "rows are not taken in the given order: each call trains on the first ones"
    yield other(asked, first, "gradients", order=[everything[: len(rows)] for rows in asked.order])
    same = "each step trains on the rows of the first"
    yield other(asked, same, "gradients", order=[asked.order[0] for _ in asked.order])


def _epochs(asked: Evidence) -> Iterator[list[Rows]]:
    """The batches of each epoch: as many as hold all rows once."""
    epoch: list[Rows] = []
    for rows in asked.order:
        epoch.append(rows)
        if sum(map(len, epoch)) >= len(asked.images):
            yield epoch
            epoch = []
    if epoch:
        yield epoch


def _cut_as(epoch: Sequence[Rows], rows: Rows) -> Iterator[Rows]:
    """``rows`` in batches of the sizes of ``epoch``."""
    start = 0
    for batch in epoch:
        yield rows[start : start + len(batch)]
        start += len(batch)


def _of_short_batches(asked: Evidence) -> Iterator[Candidate]:
    full = max(map(len, asked.order))
    whole = np.array([len(rows) == full for rows in asked.order])
    if whole.all():
        return
    dropped = "the last batch of an epoch, which is short, is dropped"
    order = [rows if kept else rows[:0] for rows, kept in zip(asked.order, whole, strict=True)]
    yield other(asked, dropped, "gradients", order=order)
    if (asked.rates != asked.rates[0]).any():
        # the optimiser counts its own steps: the rate of one that is dropped goes to the next
        rates = asked.rates[np.maximum(np.cumsum(whole) - 1, 0)]
        yield other(asked, dropped, "gradients", order=order, rates=rates)
    filled = [
        np.concatenate([rows, np.concatenate(epoch)[: full - len(rows)]]) for epoch in _epochs(asked) for rows in epoch
    ]
    sentence = "the last batch of an epoch, which is short, is filled up with rows of its start"
    yield other(asked, sentence, "gradients", order=filled)
