"""Departures in the update: rates, the optimiser's constants and form, weight decay, penalties.

Constants are the libraries' defaults, which a forgotten argument leaves in force, and multiples of the requested one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from bench.equivalence.candidate import MULTIPLES, Candidate, constant, epochs, flag, other
from bench.equivalence.deviations import Clipped
from bench.equivalence.evidence import Evidence

EPSILONS = (1e-8, 1e-7, 1e-6, 1e-5, 1e-10)
RATES = (1.01, 0.99, 10.0, 0.1, 2.0, 0.5, 1.001, 0.999)
MOMENTA = (0.0, 0.9, 0.99, 0.95, 0.5, 0.8)
BETAS = (0.9, 0.999, 0.99, 0.95, 0.98, 0.0)
RHOS = (0.9, 0.99, 0.95, 0.999)
PENALTIES = (1e-4, 2e-4, 1e-3, 2e-3, 1e-2, 2e-2, 1e-5, 2e-5, 5e-5, 5e-4, 1e-1)
DECAYS = (0.01, 0.004, 1e-4, 5e-4, 1e-3, 0.1)

THRESHOLDS = (1.0, 5.0, 0.5, 10.0, 0.1)
"""Usual global norms to clip at, for when it cannot be read."""
SLACKS = (0.0, 1e-6)
"""Keras and TensorFlow divide a threshold by the global norm, PyTorch by 1e-6 more."""


def update_candidates(asked: Evidence) -> Iterator[Candidate]:
    """Departures that apply to the optimiser and its rates."""
    yield from _of_rates(asked)
    yield from _OF_OPTIMIZERS[asked.optimizer.name](asked)
    yield from _of_decay(asked)
    accumulated = "gradients are added to those of the steps before: they are never set to zero"
    yield flag(asked, accumulated, "update", accumulates=True)
    for steps in (2, 4):
        sentence = f"gradients of {steps} batches make one update"
        yield flag(asked, sentence, "update", accumulated_steps=steps)
    for value in PENALTIES:
        for scope in ("kernels", "all"):
            for per_batch in (False, True):
                yield from penalty(asked, value, l2_on=scope, l2_per_batch=per_batch)


def rate(asked: Evidence, factor: float) -> Candidate:
    """All rates times ``factor``."""
    return other(asked, f"learning rate {factor:g} times the one asked for", "update", rates=asked.rates * factor)


def penalty(asked: Evidence, value: float, **fields: Any) -> Iterator[Candidate]:
    """An L2 penalty with the gradient ``value * w``, without and with its share in the reported loss."""
    where = "all weights" if fields.get("l2_on") == "all" else "kernels"
    form = " divided by the rows of the batch" if fields.get("l2_per_batch") else ""
    sentence = f"L2 penalty on {where} that was not asked for: {value:g} w{form} in the gradient"
    for reported in (False, True):
        yield flag(asked, sentence, "update", l2=value, l2_reported=reported, **fields)


def clipping_candidates(asked: Evidence) -> Iterator[Candidate]:
    """Gradients clipped at a usual global norm."""
    for threshold in THRESHOLDS:
        for slack in SLACKS:
            yield from clipping(asked, "global norm", slack, threshold)


def clipping(asked: Evidence, clipped: Clipped, slack: float, threshold: float) -> Iterator[Candidate]:
    """Clipped gradients; ``slack`` is added to the norm that the threshold is divided by."""
    words = {
        "global norm": "gradients are clipped at a global norm of",
        "norm of each weight": "the gradient of each weight is clipped at a norm of",
        "value": "gradients are clipped at a value of",
    }
    if threshold > 0:
        sentence = f"{words[clipped]} {threshold:.6g}"
        yield flag(asked, sentence, "update", clip=threshold, clipped=clipped, clip_slack=slack)


def adam_epsilon(asked: Evidence, value: float) -> Candidate:
    """A different epsilon of Adam."""
    return constant(asked, f"epsilon of Adam: {value:g} against {asked.optimizer.epsilon:g}", epsilon=value)


def adam_epsilon_after(asked: Evidence, value: float) -> Candidate:
    """An epsilon added after the bias correction, as in PyTorch's own Adam."""
    given = asked.optimizer.epsilon
    sentence = "epsilon of Adam after the bias correction instead of before it"
    if value != given:
        sentence = f"epsilon of Adam: {value:g} after the bias correction against {given:g} before it"
    optimizer = asked.optimizer.model_copy(update={"epsilon": value})
    return flag(replace(asked, optimizer=optimizer), sentence, "update", epsilon_place="after correction")


def _constants(asked: Evidence, words: str, field: str, values: Iterable[float]) -> Iterator[Candidate]:
    """Other values of one constant of the optimiser."""
    given = getattr(asked.optimizer, field)
    for value in dict.fromkeys(values):
        if value != given:
            yield constant(asked, f"{words}: {value:g} against {given:g}", **{field: value})


def falling(asked: Evidence, with_each: Literal["epoch", "step"], factor: float) -> Candidate:
    """Rates multiplied by ``factor`` after each epoch or step."""
    number = {step: epoch for epoch, steps in enumerate(epochs(asked)) for step in steps}
    powers = [number[step] if with_each == "epoch" else step for step in range(len(asked.rates))]
    sentence = f"learning rate is multiplied by {factor:g} after each {with_each}, which was not asked for"
    return other(asked, sentence, "update", rates=asked.rates * factor ** np.array(powers))


def rate_from(asked: Evidence, step: int, factor: float) -> Candidate:
    """All rates times ``factor`` from a step on."""
    factors = np.where(np.arange(len(asked.rates)) < step, 1.0, factor)
    sentence = f"learning rate {factor:g} times the one asked for from step {step + 1} on"
    return other(asked, sentence, "update", rates=asked.rates * factors)


def _of_rates(asked: Evidence) -> Iterator[Candidate]:
    yield from (rate(asked, factor) for factor in RATES)
    rates = asked.rates
    rows_before = np.concatenate([np.full(len(steps), steps.start) for steps in epochs(asked)])
    seen = np.cumsum([0, *map(len, asked.order)])[rows_before]
    sentence = "learning rate falls with the root of the rows seen (scikit-learn's invscaling), which was not asked for"
    yield other(asked, sentence, "update", rates=rates / np.sqrt(seen + 1))
    if (rates == rates[0]).all():
        return
    for value, words in {rates.max(): "the largest", rates[0]: "the first"}.items():
        sentence = f"learning rate stays at {words}, {value:g}, against a schedule"
        yield other(asked, sentence, "update", rates=np.full_like(rates, value))
    held = np.concatenate([np.full(len(steps), rates[steps.start]) for steps in epochs(asked)])
    if (held != rates).any():
        yield other(asked, "learning rate changes with the epochs alone, against with each step", "update", rates=held)
    again = np.concatenate([rates[: len(steps)] for steps in epochs(asked)])
    if (again != rates[0]).any():
        yield other(asked, "the schedule starts again with each epoch", "update", rates=again)
    for shifted, words in ((np.append(rates[1:], rates[-1]), "next"), (np.append(rates[:1], rates[:-1]), "previous")):
        yield other(asked, f"learning rate of a step is that of the {words} one", "update", rates=shifted)


def _of_sgd(asked: Evidence) -> Iterator[Candidate]:
    momentum, nesterov = asked.optimizer.momentum, asked.optimizer.nesterov
    yield from _constants(asked, "momentum of SGD", "momentum", MOMENTA)
    if nesterov:
        yield constant(asked, "Nesterov's momentum is off, against on", nesterov=False)
    elif momentum:
        yield constant(asked, "Nesterov's momentum is on, against off", nesterov=True)
    if momentum:
        sentence = "momentum form: the rate outside the velocity against inside (they differ when the rate changes)"
        yield flag(asked, sentence, "update", rate_outside=True)
        for first, words in ((False, ", but for the first step"), (True, "")):
            sentence = f"momentum form: gradients are dampened by {momentum:g}{words}, against whole"
            yield flag(asked, sentence, "update", dampening=momentum, dampens_first=first)


def _of_adam(asked: Evidence) -> Iterator[Candidate]:
    epsilons = dict.fromkeys((*EPSILONS, *(factor * asked.optimizer.epsilon for factor in MULTIPLES)))
    for value in epsilons:
        if value != asked.optimizer.epsilon:
            yield adam_epsilon(asked, value)
    for value in dict.fromkeys((asked.optimizer.epsilon, *epsilons)):
        yield adam_epsilon_after(asked, value)
    yield flag(asked, "epsilon of Adam inside the root, against outside", "update", epsilon_place="inside root")
    yield flag(asked, "no bias correction in Adam", "update", corrected_steps=0)
    for moment in ("first", "second"):
        sentence = f"the {moment} moment of Adam is not corrected for its start"
        yield flag(asked, sentence, "update", uncorrected=moment)
    yield flag(asked, "AMSGrad: the largest second moment so far divides, against the last", "update", amsgrad=True)
    yield from _constants(asked, "beta_1 of Adam", "beta_1", BETAS)
    yield from _constants(asked, "beta_2 of Adam", "beta_2", BETAS)


def _of_rmsprop(asked: Evidence) -> Iterator[Candidate]:
    yield from _of_root(asked, "RMSprop")
    yield from _constants(asked, "momentum of RMSprop", "momentum", MOMENTA)
    if asked.optimizer.momentum:
        sentence = "momentum form: the rate outside the velocity against inside (they differ when the rate changes)"
        yield flag(asked, sentence, "update", rate_outside=True)


def _of_adadelta(asked: Evidence) -> Iterator[Candidate]:
    yield from _of_root(asked, "Adadelta")


def _of_root(asked: Evidence, words: str) -> Iterator[Candidate]:
    multiples = (factor * asked.optimizer.epsilon for factor in MULTIPLES)
    yield from _constants(asked, f"epsilon of {words}", "epsilon", (*EPSILONS, *multiples))
    yield flag(asked, f"epsilon of {words} outside the root, against inside", "update", epsilon_place="outside root")
    yield from _constants(asked, f"rho of {words}", "rho", RHOS)


_OF_OPTIMIZERS: dict[str, Callable[[Evidence], Iterator[Candidate]]] = {
    "sgd": _of_sgd,
    "adam": _of_adam,
    "adamw": _of_adam,
    "rmsprop": _of_rmsprop,
    "adadelta": _of_adadelta,
}


def _of_decay(asked: Evidence) -> Iterator[Candidate]:
    given = asked.optimizer.weight_decay
    if asked.optimizer.name == "sgd" and not (given or asked.optimizer.momentum):
        return  # then the same as an L2 penalty, which is likelier
    yield from _constants(asked, "decoupled weight decay", "weight_decay", (0.0, *DECAYS, 2 * given, given / 2))
    if given:
        yield from _decay_forms(asked)
        return
    for value in DECAYS:
        decayed = replace(asked, optimizer=asked.optimizer.model_copy(update={"weight_decay": value}))
        yield flag(decayed, f"decoupled weight decay on all weights: {value:g} against 0", "update", decay_on="all")


def _decay_forms(asked: Evidence) -> Iterator[Candidate]:
    coupled = "weight decay coupled (added to the gradient), against decoupled"
    yield flag(asked, coupled, "update", coupled_decay=True)
    yield flag(asked, "weight decay on all weights, against kernels alone", "update", decay_on="all")
    but_biases = "weight decay on gamma and beta too, against kernels alone"
    yield flag(asked, but_biases, "update", decay_on="all but biases")
    yield flag(asked, "weight decay after the update, against before it", "update", decay_after=True)
    if (asked.rates != asked.rates[0]).any():
        sentence = "weight decay is multiplied by the largest learning rate, whatever that of the step"
        yield flag(asked, sentence, "update", decay_rate=float(asked.rates.max()))
    both = "weight decay coupled and on all weights, against decoupled and on kernels alone"
    yield flag(asked, both, "update", coupled_decay=True, decay_on="all")
    yield flag(asked, "weight decay is not multiplied by the learning rate", "update", decay_without_rate=True)
