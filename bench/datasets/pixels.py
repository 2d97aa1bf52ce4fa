"""Images of a data set from the pixel values of a user's file: type, shape and scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Images = NDArray[np.uint8] | NDArray[np.float32]

SHAPES = "(n, pixels), (n, height, width), (n, height, width, channels) or (n, channels, height, width)"
CHANNELS = (1, 3)
SCALES = (1, 16, 255)


def as_images(values: NDArray[Any]) -> tuple[Images, float]:
    """Images ``(n, *spatial, channels)`` and the value that means 1.0.

    Whole numbers in 0..255, however they are stored, become uint8; their scale is the smallest of 1, 16 and 255
    that none exceeds (binary pixels, the 17 grey levels of ``digits``, bytes). Other numbers must lie in 0..1 and
    become float32 with scale 1. Raises ValueError, whose text begins with a verb: ``have …``.
    """
    import numpy as np

    if values.dtype.kind not in "buif":
        raise ValueError(f"have the type {values.dtype}; numbers expected")
    if values.size == 0:
        raise ValueError(f"have the shape {values.shape}: there is nothing in them")
    shaped = values.reshape(image_shape(values.shape))
    if values.ndim == 4 and values.shape[3] not in CHANNELS:
        shaped = np.moveaxis(values, 1, 3)
    low, high = float(shaped.min()), float(shaped.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("have values that are not finite (NaN or infinite)")
    whole = shaped.dtype.kind != "f" or bool((shaped == np.floor(shaped)).all())
    if whole and low >= 0 and high <= 255:
        scale = next(scale for scale in SCALES if high <= scale) if high else 255
        return np.ascontiguousarray(shaped, dtype=np.uint8), float(scale)
    if low >= 0 and high <= 1:
        return np.ascontiguousarray(shaped, dtype=np.float32), 1.0
    raise ValueError(f"have values from {low:g} to {high:g}; whole numbers in 0..255, or numbers in 0..1, expected")


def image_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """``(n, *spatial, channels)`` of an array of ``shape``, channels last. Raises ValueError as ``as_images``."""
    if len(shape) == 2:
        return (shape[0], *square(shape[1]))
    if len(shape) == 3:
        return (*shape, 1)
    if len(shape) == 4 and shape[3] in CHANNELS:
        return shape
    if len(shape) == 4 and shape[1] in CHANNELS:
        return shape
    raise ValueError(f"have the shape {shape}; {SHAPES} expected, with 1 or 3 channels")


def square(pixels: int) -> tuple[int, int, int]:
    """Height, width and channels of ``pixels`` values in a row: a grey square, or an RGB one, channels last.

    Raises ValueError if neither 1 nor 3 channels make a square.
    """
    for channels in CHANNELS:
        side = math.isqrt(pixels // channels)
        if side and side * side * channels == pixels:
            return side, side, channels
    raise ValueError(f"have {pixels} values an image, which make no square, neither grey nor RGB")
