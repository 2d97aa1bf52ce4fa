"""Descriptions of differences that no departure reproduces digit for digit: shorter formats, other rows.

Shorter formats are simulated and explain most of a difference, not all: libraries round sums in their own order. For
an unknown order of rows only the size of the effect can be compared, and the sentence says no more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from bench.equivalence.candidate import cut, epochs, flag, rows_of
from bench.equivalence.deviations import Rounding
from bench.equivalence.evidence import Array, Evidence, Observed, Weights
from bench.equivalence.quantities import Computed, computed, observe

LEFT, FAR = 0.3, 10.0
"""Share of the first difference, in root mean square, that a format may leave; factor by which none may grow."""
AS_GOOD = 2.0
"""Explanations that leave at most this many times what the best one leaves count as equally good."""
INSIDE = ("TF32", "float32")
"""Formats of products alone: their results are float32, or what was requested."""
LIKE, DRAWS = 2.0, 3
"""Effects are of one size if the median of their ratios is within this factor, and each within its square.

``DRAWS`` orders are drawn to find the size.
"""


def shorter_formats(
    asked: Evidence, observed: Observed, missed: str, by: str, formats: tuple[Rounding, ...]
) -> list[str]:
    """Formats of products, or of layers, that explain ``missed``, the first quantity that differs.

    ``by`` gives the difference in words.
    """
    left: dict[str, float] = {}
    before = _sizes(asked, observed) if formats else {}
    for name in formats:
        products = flag(asked, f"differs as products in {name} do ({by})", "answers", products=name)
        words = f"differs as layers that compute in {name} do ({by})"
        layers = flag(asked, words, "answers", products=name, outputs=name)
        for candidate in (products, layers)[: 1 if name in INSIDE else 2]:
            share = _left(before, _sizes(candidate.evidence, observed), missed)
            if share <= LEFT:
                left[candidate.sentence] = share
    enough = max(AS_GOOD * min(left.values(), default=0.0), LEFT**2)
    return [sentence for sentence, share in left.items() if share <= enough]


def _left(before: Mapping[str, float], after: Mapping[str, float], missed: str) -> float:
    """The share of the difference in ``missed`` that is left; infinite if any is far larger than before.

    Libraries choose the format of each product by its size, and in each direction.
    """
    if not all(math.isfinite(size) and after[name] <= FAR * size for name, size in before.items()):
        return math.inf
    return max((after[name] / size for name, size in before.items() if size and name.startswith(missed)), default=1.0)


def like_another_order(asked: Evidence, observed: Observed) -> bool:
    """True if losses and each final weight differ by about as much as with other orders of the rows."""
    later = Observed(losses=observed.losses, final=observed.final)
    seen = _sizes(asked, later)
    drawn = [_sizes(asked, _looked_at(later, _shuffled(asked, seed))) for seed in range(DRAWS)]
    ratios = [seen[name] * DRAWS / sum(sizes[name] for sizes in drawn) for name in seen if drawn[0][name]]
    if observed.final is None or not ratios:
        return False
    return 1 / LIKE <= float(np.median(ratios)) <= LIKE and all(1 / LIKE**2 <= ratio <= LIKE**2 for ratio in ratios)


def _looked_at(observed: Observed, evidence: Evidence) -> Observed:
    """Losses, if observed, and final weights of a reference of ``evidence``."""
    seen = observe(evidence)
    return Observed(losses=None if observed.losses is None else seen.losses, final=seen.final)


def _sizes(asked: Evidence, observed: Observed) -> dict[str, float]:
    """Root mean squares of the differences of ``observed`` from ``asked``, by quantity and by weight.

    All losses are one quantity.
    """
    squares: dict[str, list[float]] = {}
    for plain in computed(asked, observed.wanted):
        found = observed.value(plain.quantity, plain.number)
        if found is not None:
            for name, size in _parts(plain, found):
                squares.setdefault(name, []).append(size**2)
    return {name: math.sqrt(sum(values) / len(values)) for name, values in squares.items()}


def _parts(plain: Computed, other: Weights | Array) -> Iterator[tuple[str, float]]:
    if isinstance(plain.value, Mapping):
        assert isinstance(other, Mapping)
        for name, value in plain.value.items():
            yield f"{plain.quantity} {name}", _distance(other.get(name), value)
    else:
        yield plain.quantity, _distance(np.asarray(other), plain.value)


def _distance(found: Array | None, expected: Array) -> float:
    """Root mean square of the differences; infinite if the shapes differ."""
    if found is None or found.shape != expected.shape:
        return math.inf
    return math.sqrt(float(np.mean((np.asarray(found, np.float64) - expected) ** 2)))


def _shuffled(asked: Evidence, seed: int) -> Evidence:
    generator = np.random.Generator(np.random.PCG64(seed))
    order = []
    for steps in epochs(asked):
        order += cut(generator.permutation(rows_of(asked, steps)), [len(asked.order[step]) for step in steps])
    return replace(asked, order=order)
