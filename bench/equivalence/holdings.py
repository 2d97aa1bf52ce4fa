"""What a learner holds in memory of its training images: found by walking what it refers to, by no framework's name.

The images belong in memory once, as stored: gathering the rows of a batch and converting them to floats is work that
the training clock covers. A learner that holds them as floats has converted them off the clock; one that holds more
rows than there are may have gathered them off it.
"""

from __future__ import annotations

import gc
import math
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MOST_OBJECTS = 500_000
"""A learner reaches far fewer unless it reaches all of Python, where the walk may end."""

_NOT_ENTERED = (type, types.ModuleType, types.CodeType, types.FrameType, types.BuiltinFunctionType, str, bytes, int)


@dataclass(frozen=True)
class Holding:
    """An array of images somewhere in a learner."""

    rows: int
    """As many as lie in that memory."""
    dtype: str
    address: int
    """Of its memory: two views of one array have one."""


def holdings(learner: object, pixels: int) -> list[Holding]:
    """Every array reached from ``learner`` that holds images of ``pixels`` values each, one for each memory."""
    found: dict[int, Holding] = {}
    for array in _arrays(learner):
        shape = tuple(int(size) for size in array.shape)
        if len(shape) > 1 and shape[0] > 1 and math.prod(shape[1:]) == pixels:
            address, values = _memory(array)
            found[address] = Holding(values // pixels, _dtype(array), address)
    return list(found.values())


def findings(learner: object, rows: int, pixels: int, stored: str) -> list[str]:
    """What is wrong with how ``learner`` holds ``rows`` images of ``pixels`` values stored as ``stored``; else nothing.

    A weight may happen to have an image's size: only what amounts to half of the images counts.
    """
    held = holdings(learner, pixels)
    converted = sum(one.rows for one in held if one.dtype != stored)
    if 2 * converted >= rows:
        kinds = ", ".join(sorted({one.dtype for one in held if one.dtype != stored}))
        return [f"holds its images converted to {kinds}: conversion is off the clock"]
    copies = sum(one.rows for one in held if one.dtype == stored) / rows
    if copies >= 1.5:
        return [f"holds {copies:.3g} copies of its images: gathering may be off the clock"]
    return []


def _arrays(start: object) -> Iterator[Any]:
    """Objects with a shape and a type of values that can be reached, without entering modules, classes or globals."""
    seen = {id(start)}
    pending: list[object] = [start]
    while pending and len(seen) < MOST_OBJECTS:
        one = pending.pop()
        if _is_array(one):
            yield one
        for other in _referents(one):
            if id(other) not in seen and not isinstance(other, _NOT_ENTERED):
                seen.add(id(other))
                pending.append(other)


def _referents(one: object) -> list[Any]:
    if isinstance(one, types.FunctionType):  # not its globals: they are the module's
        return [one.__closure__, one.__defaults__, one.__kwdefaults__, one.__dict__]
    if isinstance(one, dict) and "__builtins__" in one:
        return []
    return gc.get_referents(one)


def _is_array(one: object) -> bool:
    try:
        shape = one.shape  # type: ignore[attr-defined]
        return hasattr(one, "dtype") and isinstance(math.prod(int(size) for size in shape), int)
    except Exception:  # a symbolic shape, or an object whose attributes raise: no array with values
        return False


def _dtype(array: Any) -> str:
    """``uint8``, ``float32``: the last word of what the framework calls it."""
    name = getattr(array.dtype, "name", None) or str(array.dtype)
    return str(name).rpartition(".")[2]


def _memory(array: Any) -> tuple[int, int]:
    """Where its values lie and how many lie there, a view's owner's; the object itself where that is not to be had."""
    try:
        if hasattr(array, "untyped_storage"):
            storage = array.untyped_storage()
            return int(storage.data_ptr()), int(storage.nbytes()) // int(array.element_size())
        owner = array
        while getattr(owner, "base", None) is not None and hasattr(owner.base, "__array_interface__"):
            owner = owner.base
        return int(owner.__array_interface__["data"][0]), int(owner.size)
    except Exception:  # not on the host, or not to be asked
        return id(array), math.prod(int(size) for size in array.shape)
