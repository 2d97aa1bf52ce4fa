"""Exact duplicates: images that are equal byte for byte."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def image_numbers(*parts: NDArray[Any]) -> list[NDArray[np.int64]]:
    """A number for every image of each part, int64 ``(n,)``: equal images, and only they, share a number.

    A number is the position at which an image first occurs, counted through all parts.
    """
    import numpy as np

    first: dict[bytes, int] = {}
    numbers: list[NDArray[np.int64]] = []
    before = 0
    for images in parts:
        found = (
            first.setdefault(hashlib.blake2b(image.tobytes(), digest_size=16).digest(), before + row)
            for row, image in enumerate(images)
        )
        numbers.append(np.fromiter(found, np.int64, len(images)))
        before += len(images)
    return numbers
