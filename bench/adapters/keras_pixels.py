"""Stored pixels to what a Keras model computes with: inside the model, or on the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8] | NDArray[np.float32]
Factor = float | NDArray[Any]


@dataclass(frozen=True, eq=False)
class Pixels:
    """``x * factor + offset`` in ``dtype``: scaling to 0..1 and, where the plan has it, normalisation, as one step."""

    factor: Factor
    """A number, or one per channel ``(channels,)``."""
    offset: Factor
    dtype: str

    @classmethod
    def of(cls, scale: float, mean: NDArray[np.float64] | None, std: NDArray[np.float64] | None, dtype: str) -> Pixels:
        """Divide by ``scale``, subtract ``mean`` and divide by ``std`` ``(channels,)`` where they are given."""
        kind = np.dtype(dtype).type
        if mean is None or std is None:
            return cls(float(kind(1.0 / scale)), 0.0, dtype)
        return cls((1.0 / (scale * std)).astype(kind), (-mean / std).astype(kind), dtype)

    def layer(self) -> Any:
        """The Keras layer that does it; in ``dtype`` even in mixed precision, where the next layer narrows."""
        import keras

        return keras.layers.Rescaling(self.factor, self.offset, dtype=self.dtype, name="scaling")

    def convert(self, images: Images) -> NDArray[Any]:
        """A copy of ``images``, converted on the host."""
        converted = images.astype(self.dtype)
        converted *= self.factor
        if np.any(self.offset):
            converted += self.offset
        return converted
