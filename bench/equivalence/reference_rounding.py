"""Numbers rounded to a shorter format, to the nearest, ties to even."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.equivalence.deviations import Rounding

Array = NDArray[Any]

STORED_BITS = 23
"""Bits of the fraction that float32 stores."""
KEPT_BITS = {"bfloat16": 7, "TF32": 10}
"""Bits of the fraction that remain; the exponent is float32's."""


def rounded(values: Array, to: Rounding) -> Array:
    """``values`` rounded to ``to``, in their own type. Empty: unchanged."""
    match to:
        case "":
            return values
        case "float32" | "float16":
            return values.astype(to).astype(values.dtype)
        case _:
            return _shortened(values.astype(np.float32), STORED_BITS - KEPT_BITS[to]).astype(values.dtype)


def product(first: Array, second: Array, to: Rounding) -> Array:
    """The product of two matrices with rounded values; sums are not rounded."""
    return np.asarray(rounded(first, to) @ rounded(second, to))


def _shortened(values: NDArray[np.float32], dropped: int) -> NDArray[np.float32]:
    bits = values.view(np.uint32)
    half = np.uint32((1 << (dropped - 1)) - 1) + ((bits >> np.uint32(dropped)) & np.uint32(1))
    short = ((bits + half) >> np.uint32(dropped)) << np.uint32(dropped)
    return np.where(np.isfinite(values), short.view(np.float32), values)
