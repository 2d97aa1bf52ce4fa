"""What differences are like that no departure reproduces digit for digit: shorter formats, other rows.

Shorter formats are simulated, and explain most of what was seen: libraries round sums in their own order. Of an order
of rows that is not known only the size of its effect can be compared, and the sentence says no more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from bench.equivalence.candidate import Candidate, cut, epochs, flag, rows_of
from bench.equivalence.deviations import Rounding
from bench.equivalence.evidence import Array, Computed, Evidence, Observed, Weights, computed, observe

LEFT, FAR = 0.3, 10.0
"""The share of the first difference, in root mean square, that a format may leave; no later one may grow so much."""
AS_GOOD = 2.0
"""Explanations that leave no more than so many times what the best one leaves cannot be told apart."""
INSIDE = ("TF32", "float32")
"""Formats of products alone: what comes out of them is float32, or what was asked for."""
LIKE, DRAWS = 2.0, 2
"""An effect is of the size of another within this factor; orders drawn to learn the size."""


def shorter_formats(
    asked: Evidence, observed: Observed, missed: str, by: str, formats: tuple[Rounding, ...]
) -> list[str]:
    """Formats of products, or of layers, that explain what was seen of ``missed``, the first quantity that differs.

    ``by`` says in words how far it does.
    """
    left: dict[str, float] = {}
    for name in formats:
        products = flag(asked, f"differs as products in {name} do ({by})", "answers", products=name)
        words = f"differs as layers that compute in {name} do ({by})"
        layers = flag(asked, words, "answers", products=name, outputs=name)
        for candidate in (products, layers)[: 1 if name in INSIDE else 2]:
            share = _left(asked, observed, candidate, missed)
            if share <= LEFT:
                left[candidate.sentence] = share
    enough = max(AS_GOOD * min(left.values(), default=0.0), LEFT**2)
    return [sentence for sentence, share in left.items() if share <= enough]


def _left(asked: Evidence, observed: Observed, candidate: Candidate, missed: str) -> float:
    """The share of the difference in ``missed`` that ``candidate`` leaves; infinite where it makes others far larger.

    Libraries choose for each product, by its size and in each direction, which format they take.
    """
    before = _sizes(asked, observed)
    after = _sizes(candidate.evidence, observed)
    if any(after[name] > FAR * before[name] for name in before):
        return math.inf
    names = [name for name in before if name.startswith(missed)]
    shares = [after[name] / before[name] if before[name] else math.inf * bool(after[name]) for name in names]
    return max(shares, default=math.inf)


def like_another_order(asked: Evidence, observed: Observed) -> bool:
    """Whether every quantity but the first logits differs by about as much as it would by other orders of the rows."""
    later = replace(observed, logits=None)
    seen = _sizes(asked, later)
    drawn = [_sizes(asked, _looked_at(later, _shuffled(asked, seed))) for seed in range(DRAWS)]
    typical = {name: sum(sizes[name] for sizes in drawn) / DRAWS for name in seen}
    return bool(seen) and all(size / LIKE <= seen[name] <= size * LIKE for name, size in typical.items())


def _looked_at(observed: Observed, evidence: Evidence) -> Observed:
    """What was looked at, as a reference of ``evidence`` computes it."""
    seen = observe(evidence)
    return Observed(
        first=seen.first if observed.first else None,
        losses=None if observed.losses is None else seen.losses,
        final=seen.final if observed.final else None,
        last_logits=None if observed.last_logits is None else seen.last_logits,
    )


def _sizes(asked: Evidence, observed: Observed) -> dict[str, float]:
    """Root mean squares of the differences of what was seen to what was asked: by quantity, and by weight.

    All losses are one quantity.
    """
    squares: dict[str, list[float]] = {}
    for plain in computed(asked, observed.wanted):
        found = observed.value(plain.quantity, plain.step)
        if found is not None:
            for name, size in _parts(plain, found):
                squares.setdefault(name, []).append(size**2)
    return {name: math.sqrt(sum(values) / len(values)) for name, values in squares.items()}


def _parts(plain: Computed, other: Weights | Array) -> Iterator[tuple[str, float]]:
    if isinstance(plain.value, Mapping) and isinstance(other, Mapping):
        for name, value in plain.value.items():
            yield f"{plain.quantity} {name}", _distance({name: other[name]}, {name: value})
    else:
        yield plain.quantity, _distance(other, plain.value)


def _distance(found: object, expected: object) -> float:
    """Root of the mean square of the differences; infinite where the two are not of the same shapes."""
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        if found.keys() != expected.keys():
            return math.inf
        pairs = [(np.asarray(found[name]), np.asarray(expected[name])) for name in found]
    else:
        pairs = [(np.asarray(found), np.asarray(expected))]
    if any(a.shape != b.shape for a, b in pairs):
        return math.inf
    total = sum(float(np.sum((a.astype(np.float64) - b) ** 2)) for a, b in pairs)
    return math.sqrt(total / max(1, sum(a.size for a, _ in pairs)))


def _shuffled(asked: Evidence, seed: int) -> Evidence:
    generator = np.random.Generator(np.random.PCG64(seed))
    order = []
    for steps in epochs(asked):
        order += cut(generator.permutation(rows_of(asked, steps)), [len(asked.order[step]) for step in steps])
    return replace(asked, order=order)
