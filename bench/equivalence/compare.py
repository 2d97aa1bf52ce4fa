"""Two traces of one proof side by side: every quantity in order of computation, its difference, its limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from bench.case import Precision
from bench.equivalence.definition import DEFINITION
from bench.equivalence.limits import Kind, limits_of
from bench.equivalence.proof import Proof, network_of
from bench.equivalence.trace import Arrays, Trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL_SHARE = 2.0**-10
"""An update smaller than this share of the largest is measured against that share: it may be rounding alone."""


@dataclass(frozen=True)
class Comparison:
    """One quantity of one proof, computed twice."""

    proof: Proof
    precision: Precision
    quantity: str
    """``loss at step 3``."""
    kind: Kind | None
    """None for what must be exactly equal: names, shapes, counts."""
    between: tuple[str, str]
    """The definition or a framework, and the judged framework."""
    difference: float
    """Relative; infinite if the two cannot be compared."""
    limit: float
    words: str = ""
    """The two values, if they are short."""

    @property
    def holds(self) -> bool:
        """True if the difference is within the limit; NaN is not."""
        return self.difference <= self.limit


Found = tuple[str, "Kind | None", float, str]


def compare(
    proof: Proof, precision: Precision, first: tuple[str, Trace], second: tuple[str, Trace]
) -> list[Comparison]:
    """Compare every quantity of two traces, in order. The second is judged."""
    limits = limits_of(network_of(proof.model), precision)
    rounded = precision in ("bfloat16", "float16") or (precision == "float32" and not proof.first_step_only)
    found = _differences(first[1], second[1], rounded=rounded)
    between = (first[0], second[0])
    return [
        Comparison(proof, precision, quantity, kind, between, difference, 0.0 if kind is None else limits[kind], words)
        for quantity, kind, difference, words in found
    ]


def compare_all(proof: Proof, precision: Precision, definition: Trace, traces: Mapping[str, Trace]) -> list[Comparison]:
    """Compare every framework with the definition, then every pair."""
    found: list[Comparison] = []
    for name, trace in traces.items():
        found += compare(proof, precision, (DEFINITION, definition), (name, trace))
    for first, second in combinations(traces.items(), 2):
        found += compare(proof, precision, first, second)
    return found


def relative(first: NDArray[np.float64], second: NDArray[np.float64], floor: float = 0.0) -> float:
    """``max|a - b| / max|a|``; 0 if both are all zeros. ``floor`` is the least divisor."""
    if first.shape != second.shape:
        return float("inf")
    if not first.size:
        return 0.0
    difference = float(np.max(np.abs(first - second)))
    scale = max(float(np.max(np.abs(first))), floor)
    if difference == 0.0:
        return 0.0
    return difference / scale if scale > 0 else float("inf")


def _differences(a: Trace, b: Trace, *, rounded: bool) -> Iterator[Found]:
    """Quantity, kind, difference, and the two values if they are short. A quantity that one lacks is left out.

    If steps were ``rounded``, weights are compared by how far they have moved.
    """
    if a.parameters is not None and b.parameters is not None:
        yield _equal("parameters", a.parameters, b.parameters)
    shown = bool(a.initial and b.initial)
    if shown:
        yield from _shapes(a.initial, b.initial)
        yield from _weights("initial", "initial weights of", a.initial, b.initial)
    probabilities = "probabilities" in (a.kind, b.kind)
    yield "logits before training", "logits", relative(*_answers(a, b, "logits", probabilities)), ""
    yield "logits before training, asked twice", "repeated", relative(b.logits, b.repeated), ""
    if shown and rounded:
        yield from _moves("moved", "first update of", (a.initial, a.first), (b.initial, b.first))
    elif shown:
        yield from _updates(a, b)
    if a.losses.size and b.losses.size and not (np.isnan(a.losses).all() or np.isnan(b.losses).all()):
        yield from _losses(a.losses, b.losses)
    if shown and rounded and a.final and b.final:
        yield from _moves("moved", "movement of", (a.initial, a.final), (b.initial, b.final))
        yield from _moves("whole", "whole epochs against single batches:", (b.initial, b.final), (b.initial, b.whole))
    elif shown and a.final and b.final:
        yield from _weights("weights", "final weights of", a.final, b.final)
        yield from _weights("whole", "whole epochs against single batches:", b.final, b.whole)
    if a.after.size and b.after.size:
        yield "logits after training", "after", relative(*_answers(a, b, "after", probabilities)), ""
    yield from _timed_losses(b)


def _equal(quantity: str, a: object, b: object) -> Found:
    return quantity, None, 0.0 if a == b else float("inf"), "" if a == b else f"{b} against {a}"


def _shapes(a: Arrays, b: Arrays) -> Iterator[Found]:
    yield _equal("names of weights", sorted(a), sorted(b))
    for name in a.keys() & b.keys():
        yield _equal(f"shape of {name}", a[name].shape, b[name].shape)


def _weights(kind: Kind, words: str, a: Arrays, b: Arrays) -> Iterator[Found]:
    for name in a:
        if name in b:
            yield f"{words} {name}", kind, relative(a[name], b[name]), ""


def _updates(a: Trace, b: Trace) -> Iterator[Found]:
    """The first update of each weight: what was added to it."""
    same = [
        name
        for name in a.initial
        if name in b.initial and name in a.first and name in b.first and a.first[name].shape == b.first[name].shape
    ]
    moved = {name: (a.first[name] - a.initial[name], b.first[name] - b.initial[name]) for name in same}
    largest = max((float(np.max(np.abs(move[0]))) for move in moved.values()), default=0.0)
    for name, (first, second) in moved.items():
        yield f"first update of {name}", "update", relative(first, second, SMALL_SHARE * largest), ""


def _moves(kind: Kind, words: str, first: tuple[Arrays, Arrays], second: tuple[Arrays, Arrays]) -> Iterator[Found]:
    """Movement of the trained weights from their start, all as one; BatchNorm's statistics as they are.

    All as one: if rounding flips a rectifier or a sign, one weight in thousands moves differently, and it may be one
    of the few that a layer has.
    """
    same = [
        name
        for name in first[0]
        if all(name in part and part[name].shape == first[0][name].shape for part in (first[1], *second))
    ]
    trained = [name for name in same if "/moving_" not in name]
    if trained:
        moves = [
            np.concatenate([(end[name] - start[name]).ravel() for name in trained]) for start, end in (first, second)
        ]
        yield f"{words} all weights", kind, _apart(*moves), ""
    for name in same:
        if name not in trained:
            yield f"{words} {name}", "statistics", relative(first[1][name], second[1][name]), ""


def _apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """``|a - b| / |a|`` by Euclidean norms; 0 if both are all zeros."""
    apart, size = float(np.linalg.norm(a - b)), float(np.linalg.norm(a))
    if apart == 0.0:
        return 0.0
    return apart / size if size > 0 else float("inf")


def _losses(a: NDArray[np.float64], b: NDArray[np.float64]) -> Iterator[Found]:
    yield _equal("pauses, one a step", len(a), len(b))
    for number, (first, second) in enumerate(zip(a, b, strict=False), start=1):
        difference = relative(np.array([first]), np.array([second]))
        yield f"loss at step {number}", "loss", difference, f"{second:.12g} against {first:.12g}"


def _timed_losses(trace: Trace) -> Iterator[Found]:
    """The losses of the timed path, against those of single steps."""
    for number, (found, mean) in enumerate(trace.timed, start=1):
        if not np.isnan(found):
            difference = relative(np.array([mean]), np.array([found]))
            words = f"{found:.12g} against {mean:.12g}, the mean over its rows"
            yield f"loss of stretch {number}", "stretch", difference, words


def _answers(a: Trace, b: Trace, part: str, probabilities: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Answers of both as logits, or as probabilities if one gives only these."""
    values = [
        _softmax(getattr(trace, part)) if probabilities and trace.kind == "logits" else getattr(trace, part)
        for trace in (a, b)
    ]
    return values[0], values[1]


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities
