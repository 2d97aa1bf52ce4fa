"""Two user models, layer by layer: which layers pair, and the facts in which they differ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from pydantic import JsonValue

from bench.adapters.layer_facts import Layer

Effect = Literal["weights", "computed", "unproved", "set aside"]
"""Weights that do not pair; something the proof computes; something it leaves out; a trait of the frameworks."""

_DROPOUTS = ("Dropout", "SpatialDropout", "AlphaDropout", "GaussianDropout", "GaussianNoise")
_MONOTONE = ("relu", "relu6", "leaky_relu", "sigmoid", "tanh", "selu", "hard_sigmoid", "softsign")
_TITLES = {"relu": "ReLU", "relu6": "ReLU6", "leaky_relu": "LeakyReLU", "elu": "ELU", "gelu": "GELU", "selu": "SELU"}
_ARCHITECTURE = ("filters", "kernel", "units", "inputs", "features")
"""Facts in the title of a layer, which decide the shape of its weights."""

NOTHING = "nothing"


@dataclass(frozen=True)
class LayerDifference:
    """One fact with both its values."""

    subject: str
    """``BatchNorm epsilon``, ``layer 3``."""
    left: str
    right: str
    effect: Effect
    layers: tuple[int, ...] = ()
    """Numbers of the layers, in the left model if it has them."""


@dataclass(frozen=True)
class LayerComparison:
    """Which layers pair, and how they differ."""

    differences: tuple[LayerDifference, ...]
    paired: bool
    """True if every layer with weights has a counterpart, so that both can be given the same weights."""


@dataclass(frozen=True)
class _Numbered:
    number: int
    layer: Layer


_Pair = tuple[_Numbered | None, _Numbered | None]


def compare_layers(left: Sequence[Layer], right: Sequence[Layer]) -> LayerComparison:
    """Pair the layers in order and compare their facts.

    A maximum commutes with a monotone activation before it, so the order with fewer differences is used.
    """
    sides = (_numbered(left), _numbered(right))
    as_they_stand = _differences(*sides)
    commuted = _differences(_maximum_first(sides[0]), _maximum_first(sides[1]))
    found = min(as_they_stand, commuted, key=len)
    return LayerComparison(tuple(_merged(found)), not any(difference.effect == "weights" for difference in found))


def _differences(left: Sequence[_Numbered], right: Sequence[_Numbered]) -> list[LayerDifference]:
    return [difference for one, other in _aligned(left, right) for difference in _of(one, other)]


def title(layer: Layer) -> str:
    """``Conv 64 filters 3x3``, ``Dense 128 on 9,216 inputs``, ``ReLU``."""
    facts, kind = layer.facts, _TITLES.get(layer.kind, layer.kind)
    if "filters" in facts:
        return f"{kind} {facts['filters']} filters {shown('kernel', facts['kernel'])}"
    if "units" in facts:
        return f"{kind} {facts['units']} on {facts['inputs']:,} inputs"
    if "features" in facts:
        return f"{kind} of {facts['features']} features"
    if "size" in facts:
        return f"{kind} {shown('size', facts['size'])}"
    return kind


def shown(fact: str, value: JsonValue) -> str:
    """A fact's value in words: ``3x3``, ``1 on each side``, ``0 before and 1 after``, ``yes``, ``1e-05``."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if fact == "padding" and isinstance(value, list):
        return _padding([tuple(side) for side in value if isinstance(side, list)])
    if isinstance(value, list):
        return "x".join(f"{item:g}" if isinstance(item, int | float) else str(item) for item in value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _padding(sides: Sequence[tuple[JsonValue, ...]]) -> str:
    if not any(any(side) for side in sides):
        return "none"
    each = [
        f"{side[0]} on each side" if side[0] == side[1] else f"{side[0]} before and {side[1]} after" for side in sides
    ]
    return each[0] if len(set(each)) == 1 else "; ".join(each)


def _numbered(layers: Sequence[Layer]) -> list[_Numbered]:
    """Number the layers, without inactive dropouts, consecutive rescalings as one."""
    kept: list[Layer] = []
    for layer in layers:
        if layer.kind in _DROPOUTS and not layer.facts["rate"]:
            continue
        if layer.kind == "Rescaling" and kept and kept[-1].kind == "Rescaling":
            kept[-1] = _composed(kept[-1], layer)
        else:
            kept.append(layer)
    return [_Numbered(number, layer) for number, layer in enumerate(kept, start=1)]


def _composed(first: Layer, second: Layer) -> Layer:
    """``b₂ + a₂ (b₁ + a₁ x)`` as one layer; listed one after the other if a value is not one number."""
    numbers = [layer.facts.get(fact, default) for layer in (first, second) for fact, default in _AFFINE]
    if not all(isinstance(number, int | float) for number in numbers):
        return first.model_copy(update={"facts": {**first.facts, "then": dict(second.facts)}})
    one, shift, other, further = (float(number) for number in numbers if isinstance(number, int | float))
    values = {"multiply by": other * one, "add": further + other * shift}
    facts = {fact: values[fact] for fact, default in _AFFINE if values[fact] != default}
    return first.model_copy(update={"facts": facts})


_AFFINE: tuple[tuple[str, JsonValue], ...] = (("multiply by", 1.0), ("add", 0.0))


def _maximum_first(layers: Sequence[_Numbered]) -> list[_Numbered]:
    """Move every maximum before the monotone functions it follows."""
    moved: list[_Numbered] = []
    for numbered in layers:
        place = len(moved)
        while numbered.layer.kind in ("MaxPool", "GlobalMaxPool") and place and _rises(moved[place - 1].layer):
            place -= 1
        moved.insert(place, numbered)
    return moved


def _rises(layer: Layer) -> bool:
    slope = layer.facts.get("slope", 0.0)
    return layer.kind in _MONOTONE and isinstance(slope, int | float) and slope >= 0


def _aligned(left: Sequence[_Numbered], right: Sequence[_Numbered]) -> Iterator[_Pair]:
    """Pairs in order. Layers with weights are paired one by one if their kinds are the same on both sides."""
    one, other = _anchors(left), _anchors(right)
    kinds = ([left[index].layer.kind for index in one], [right[index].layer.kind for index in other])
    if kinds[0] != kinds[1]:
        yield from _matched(left, right)
        return
    began = (0, 0)
    for here, there in zip(one, other, strict=True):
        yield from _matched(left[began[0] : here], right[began[1] : there])
        yield left[here], right[there]
        began = (here + 1, there + 1)
    yield from _matched(left[began[0] :], right[began[1] :])


def _anchors(layers: Sequence[_Numbered]) -> list[int]:
    return [index for index, numbered in enumerate(layers) if numbered.layer.weights]


def _matched(left: Sequence[_Numbered], right: Sequence[_Numbered]) -> Iterator[_Pair]:
    """Pair layers of one kind in order, and a layer with its replacement; one without a counterpart is alone."""
    ours_kinds, theirs_kinds = ([numbered.layer.kind for numbered in side] for side in (left, right))
    matcher = SequenceMatcher(None, ours_kinds, theirs_kinds, autojunk=False)
    for _, left_start, left_end, right_start, right_end in matcher.get_opcodes():
        ours, theirs = left[left_start:left_end], right[right_start:right_end]
        for index in range(max(len(ours), len(theirs))):
            yield (ours[index] if index < len(ours) else None, theirs[index] if index < len(theirs) else None)


def _of(left: _Numbered | None, right: _Numbered | None) -> Iterator[LayerDifference]:
    present = [numbered for numbered in (left, right) if numbered is not None]
    number = present[0].number
    if left is None or right is None or left.layer.kind != right.layer.kind:
        layers = [numbered.layer for numbered in present]
        effect: Effect = "weights" if any(layer.weights for layer in layers) else "computed"
        if all(layer.kind in _DROPOUTS for layer in layers):
            effect = "unproved"
        yield LayerDifference(f"layer {number}", _named(left), _named(right), effect)
        return
    one, other = left.layer, right.layer
    if any(one.facts.get(fact) != other.facts.get(fact) for fact in _ARCHITECTURE):
        yield LayerDifference(f"layer {number}", _named(left), _named(right), "weights")
    for fact in dict.fromkeys((*one.facts, *other.facts)):
        if fact in _ARCHITECTURE or _same(one.facts.get(fact), other.facts.get(fact)):
            continue
        values = [shown(fact, layer.facts[fact]) if fact in layer.facts else "none" for layer in (one, other)]
        if fact.startswith(("active", "padding counted", "trained")):
            values = ["no" if value == "none" else value for value in values]
        kind = _TITLES.get(one.kind, one.kind)
        yield LayerDifference(f"{kind} {fact}", values[0], values[1], _effect(fact, one.kind), (number,))


def _effect(fact: str, kind: str) -> Effect:
    if fact in ("bias", "scale", "offset", "weights of"):
        return "weights"
    if fact == "moving variance":
        return "set aside"
    return "unproved" if fact == "dtype" or (fact == "rate" and kind in _DROPOUTS) else "computed"


def _named(numbered: _Numbered | None) -> str:
    if numbered is None:
        return NOTHING
    name = numbered.layer.name
    return f"{title(numbered.layer)} [{name}]" if name else title(numbered.layer)


def _same(left: JsonValue, right: JsonValue) -> bool:
    """True if equal; for numbers, up to the rounding of a computation: 1/255 and 0.00392156862745098."""
    if type(left) in (int, float) and type(right) in (int, float):
        return math.isclose(left, right, rel_tol=1e-9)  # type: ignore[arg-type]
    return left == right


def _merged(differences: Sequence[LayerDifference]) -> Iterator[LayerDifference]:
    """One difference for all layers that differ alike."""
    groups: dict[tuple[str, ...], list[LayerDifference]] = {}
    for difference in differences:
        key = (difference.subject, difference.left, difference.right, difference.effect)
        groups.setdefault(key, []).append(difference)
    for alike in groups.values():
        layers = tuple(number for difference in alike for number in difference.layers)
        yield LayerDifference(alike[0].subject, alike[0].left, alike[0].right, alike[0].effect, layers)
