"""The training images that a learner holds in memory, found by walking its references, whatever the framework.

The images belong in memory once, as stored: gathering the rows of a batch and converting them to floats is work that
the training clock covers. A learner that holds them as floats has converted them off the clock; one that holds more
rows than there are may have gathered them off it. It may hold them in an attribute, in a global of its own package, in
a class, or in a thread that it has started.
"""

from __future__ import annotations

import gc
import math
import sys
import threading
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Images = NDArray[np.uint8] | NDArray[np.float32]

MOST_OBJECTS = 500_000
"""Most objects walked: a learner reaches far fewer unless it reaches all of Python."""
COPIES = 1.5
"""Too many copies: more than one, rounding aside."""
ALIKE = 0.9999
"""Least correlation of an image with its source: rounding to bfloat16 leaves more, another image far less."""
LOOKED_AT = 2
"""Number of arrays per kind, and of rows per array, compared with the images."""
ROWS_AT_ONCE = 1024

_NOT_ENTERED = (type, types.ModuleType, types.CodeType, types.FrameType, types.BuiltinFunctionType, str, bytes, int)


@dataclass(frozen=True)
class Holding:
    """An array of images somewhere in a learner."""

    rows: int
    """Number of rows in that memory."""
    dtype: str
    address: int
    """Memory address: views of one array share it."""


def findings(learner: object, images: Images, *, owner: object = None, copies: float = COPIES) -> list[str]:
    """Faults in how ``learner`` holds ``images`` ``(rows, *shape)``, which are as stored; empty if none.

    Only arrays that amount to half of the images count. ``copies`` or more of them as stored are too many. ``owner``
    has built the learner: the globals of its package are searched too.
    """
    held = holdings(learner, images, owner=owner)
    stored = images.dtype.name
    converted = sum(one.rows for one in held if one.dtype != stored)
    if 2 * converted >= len(images):
        kinds = ", ".join(sorted({one.dtype for one in held if one.dtype != stored}))
        return [f"holds its images converted to {kinds}: conversion is off the clock"]
    found = sum(one.rows for one in held if one.dtype == stored) / len(images)
    if found >= copies:
        return [f"holds {found:.3g} copies of its images: gathering may be off the clock"]
    return []


def holdings(learner: object, images: Images, *, owner: object = None) -> list[Holding]:
    """Every array within reach of ``learner`` that holds rows of ``images``, one for each memory.

    By size, an array of any shape may hold images, even a single row; by values, it does if its rows are images
    multiplied and shifted.
    """
    pixels = math.prod(images.shape[1:])
    kinds: dict[str, dict[tuple[int, ...], list[Any]]] = {}
    for array in _arrays(_starts(learner, owner)):
        shape = tuple(int(side) for side in array.shape)
        if math.prod(shape) and math.prod(shape) % pixels == 0:
            kinds.setdefault(_dtype(array), {}).setdefault(shape, []).append(array)
    found: dict[int, Holding] = {}
    for dtype, shapes in kinds.items():
        values = sum(math.prod(shape) * len(alike) for shape, alike in shapes.items())
        if 2 * values < images.size:  # too few to matter, whatever they are
            continue
        for alike in shapes.values():
            if all(_holds_images(alike[index], images) for index in _spread(len(alike))):
                memories = (_memory(array) for array in alike)
                found |= {address: Holding(size // pixels, dtype, address) for address, size in memories}
    return list(found.values())


def _starts(learner: object, owner: object) -> list[object]:
    """The learner, its classes, the globals of its package and of its owner's, and the locals of other threads."""
    classes = [one for start in (learner, owner) for one in type(start).__mro__]
    packages = {one.__module__.partition(".")[0] for one in classes} - sys.stdlib_module_names
    modules = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] in packages]
    own = [one for one in classes if one.__module__.partition(".")[0] in packages]
    found: list[object] = [learner]
    for holder in (*own, *modules):
        found += list(vars(holder).values())
    frames = sys._current_frames()
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0) if thread is not threading.current_thread() else None
        while frame is not None:
            found += list(frame.f_locals.values())
            frame = frame.f_back
    return found


def _arrays(starts: Iterable[object]) -> Iterator[Any]:
    """Reachable objects with a shape and a type of values, without entering modules, classes or globals."""
    pending = [one for one in starts if not isinstance(one, _NOT_ENTERED)]
    seen = {id(one) for one in pending}
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
        # a symbol of a graph has shape and type too, but its values cannot be read in these ways
        has_values = isinstance(one, np.ndarray) or any(hasattr(one, name) for name in ("numpy", "addressable_data"))
        return has_values and hasattr(one, "dtype") and isinstance(math.prod(int(size) for size in shape), int)
    except Exception:  # a symbolic shape, or an object whose attributes raise: no array with values
        return False


def _holds_images(array: Any, images: Images) -> bool:
    """True if rows of ``array`` are rows of ``images``, each multiplied and shifted, in their first channel."""
    channels, pixels = images.shape[-1], math.prod(images.shape[1:])
    rows = math.prod(int(side) for side in array.shape) // pixels
    looked_at = False
    for number in _spread(rows):
        try:
            row = _row(array, number, pixels)
        except Exception:  # the array may have been deleted
            return False
        planes = (row[::channels], row[: pixels // channels])[: min(channels, 2)]
        planes = tuple(plane for plane in planes if np.ptp(plane) > 0)
        if planes:  # an image of one colour is like any other
            looked_at = True
            same = images[number % len(images) :][:1, ..., 0]
            if not any(_is_among(plane, part) for part in (same, images[..., 0]) for plane in planes):
                return False
    return looked_at


def _spread(count: int) -> list[int]:
    """A few numbers below ``count``, the last included: the first may be empty."""
    return sorted({(count - 1) * (number + 1) // LOOKED_AT for number in range(LOOKED_AT)})


def _row(array: Any, number: int, pixels: int) -> NDArray[np.float64]:
    """The values of one row, ``(pixels,)``, whatever the shape of the array."""
    shape = tuple(int(side) for side in array.shape)
    if len(shape) == 1:
        part = array[number * pixels : (number + 1) * pixels]
    elif math.prod(shape[1:]) == pixels:
        part = array[number]
    else:
        inner = math.prod(shape[1:])
        first, last = number * pixels // inner, -(-(number + 1) * pixels // inner)
        part = array[first:last]
    if hasattr(part, "detach"):
        part = part.detach().cpu().float()
    values = np.asarray(part).astype(np.float64).reshape(-1)
    begin = number * pixels % math.prod(shape[1:]) if len(shape) > 1 else 0
    return values[begin : begin + pixels]


def _is_among(plane: NDArray[np.float64], stored: Images) -> bool:
    """True if ``plane`` is one of ``stored`` ``(rows, *spatial)``, multiplied and shifted."""
    wanted = plane - plane.mean()
    wanted /= np.linalg.norm(wanted)
    for start in range(0, len(stored), ROWS_AT_ONCE):
        part = stored[start : start + ROWS_AT_ONCE].reshape(-1, plane.size).astype(np.float32)
        part -= part.mean(axis=1, keepdims=True)
        sizes = np.maximum(np.linalg.norm(part, axis=1), np.finfo(np.float32).tiny)
        if np.max(part @ wanted.astype(np.float32) / sizes) > ALIKE:
            return True
    return False


def _dtype(array: Any) -> str:
    """``uint8``, ``float32``: the last part of the framework's name for it."""
    name = getattr(array.dtype, "name", None) or str(array.dtype)
    return str(name).rpartition(".")[2]


def _memory(array: Any) -> tuple[int, int]:
    """Address and number of values of its memory, a view's owner's; the object's own id and size if unknown."""
    try:
        if hasattr(array, "untyped_storage"):
            storage = array.untyped_storage()
            return int(storage.data_ptr()), int(storage.nbytes()) // int(array.element_size())
        owner = array
        while getattr(owner, "base", None) is not None and hasattr(owner.base, "__array_interface__"):
            owner = owner.base
        return int(owner.__array_interface__["data"][0]), int(owner.size)
    except Exception:  # not on the host, or not accessible
        return id(array), math.prod(int(size) for size in array.shape)
