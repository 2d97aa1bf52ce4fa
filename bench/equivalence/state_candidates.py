"""Departures in what goes from one step to the next: the optimiser's state, its step count, weights, answers.

Also several options left out together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from bench.equivalence.candidate import Candidate, Reach, epochs, flag, other
from bench.equivalence.evidence import Evidence, Observed

AVERAGED = (0.99, 0.999, 0.9, 0.95, 0.9999)
"""Momenta of a moving average of the weights."""


def state_candidates(asked: Evidence) -> Iterator[Candidate]:
    """Departures that apply to what is kept from step to step."""
    name = asked.optimizer.name
    if name != "sgd" or asked.optimizer.momentum:
        for place in ("kept", "used"):
            yield flag(asked, "the optimiser's state is kept in float32", "update", state=place)
        yield from _starting_again(asked)
    sentence = "prediction after training uses the weights of before it"
    yield other(asked, sentence, "update", stale=True)
    yield from _averaged(asked)
    yield from _left_out(asked)


def _averaged(asked: Evidence) -> Iterator[Candidate]:
    """Weights that end as a mean, as in Keras' ``use_ema`` and PyTorch's ``AveragedModel``."""
    means: dict[str, Callable[[int], float]] = {
        f"moving average (momentum {momentum:g})": partial(_share, momentum) for momentum in AVERAGED
    }
    means["mean over the training"] = lambda before: 1 / (before + 1)
    for words, average in means.items():
        yield other(asked, f"weights end as their {words}", "update", average=average)
        sentence = f"prediction after training is by the {words} of the weights"
        yield other(asked, sentence, "update", average=average, average_answers=True)


def _share(momentum: float, before: int) -> float:
    return 1 - momentum if before else 1.0


def _starting_again(asked: Evidence) -> Iterator[Candidate]:
    each = range(len(asked.order))
    for starts, words in (([steps.start for steps in epochs(asked)], "epoch"), (each, "step")):
        sentence = f"the optimiser's state starts again with each {words}"
        yield other(asked, sentence, "update", starts_again=frozenset(starts))
        if asked.optimizer.name in ("adam", "adamw"):
            kept = replace(asked, deviations=replace(asked.deviations, keeps_moments=True))
            sentence = f"the steps of Adam's bias correction are counted from 1 again with each {words}"
            yield other(kept, sentence, "update", starts_again=frozenset(starts))


def correction_candidates(asked: Evidence, steps: Sequence[int]) -> Iterator[Candidate]:
    """Adam with moments corrected for their start in the first steps alone, for each number in ``steps``."""
    if asked.optimizer.name in ("adam", "adamw"):
        for corrected in steps:
            if corrected > 0:
                sentence = f"no bias correction in Adam from step {corrected + 1} on"
                for divided in (False, True):
                    fields = {"corrected_steps": corrected, "epsilon_corrected": divided}
                    yield flag(asked, sentence, "update", **fields)


def multiplied(asked: Evidence, whole: bool, factor: float) -> Candidate:
    """Weights multiplied by ``factor`` after each epoch, or only after ``whole`` ones."""
    ends = [
        steps.stop - 1
        for steps in epochs(asked)
        if not whole or sum(len(asked.order[step]) for step in steps) >= len(asked.images)
    ]
    sentence = f"weights are multiplied by {factor:.10g} after each epoch"
    return other(asked, sentence, "update", factor=factor, multiplied=frozenset(ends))


def _left_out(asked: Evidence) -> Iterator[Candidate]:
    """Two or more requested options left out; one alone has its own sentence elsewhere."""
    options: dict[str, dict[str, Any]] = {}
    if (asked.rates != asked.rates[0]).any():
        options["schedule"] = {"rates": np.full_like(asked.rates, asked.rates.max())}
    if asked.label_smoothing:
        options["label smoothing"] = {"label_smoothing": 0.0}
    if asked.class_weights is not None:
        options["class weights"] = {"class_weights": None}
    if asked.mean is not None:
        options["normalisation"] = {"mean": None, "std": None}
    for field, words in (("weight_decay", "weight decay"), ("momentum", "momentum")):
        if getattr(asked.optimizer, field):
            options[words] = {field: 0.0}
    for count in range(2, len(options) + 1):
        for names in combinations(options, count):
            fields: dict[str, Any] = {}
            constants: dict[str, Any] = {}
            for name in names:
                (constants if name in ("weight decay", "momentum") else fields).update(options[name])
            evidence = replace(asked, **fields, optimizer=asked.optimizer.model_copy(update=constants))
            reach: Reach = "answers" if "normalisation" in names else "gradients"
            yield Candidate(f"left out: {', '.join(names)}", reach, evidence)


def late_candidates(asked: Evidence, observed: Observed, right: int) -> Iterator[Candidate]:
    """Departures that start after ``right`` correct updates; after any number if no losses were observed."""
    steps = [right - 1, right] if observed.losses is not None else list(range(1, len(asked.order)))
    yield from correction_candidates(asked, steps)
