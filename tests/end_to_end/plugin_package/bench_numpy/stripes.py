"""Images of stripes that stand, lie or slant, computed and not stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.datasets.definition import DatasetDefinition
from bench.datasets.source import Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.datasets.dataset import Dataset

SIDE = 6


class Stripes(DatasetDefinition):
    """6x6 images, half of whose contrast is noise."""

    name = "stripes"
    title = "Stripes"
    licence = "CC0-1.0"
    class_names = ("upright", "level", "slanting")

    def bundled(self) -> Source:
        """The module itself: its data are computed."""
        return Source((Path(__file__),), "computed")

    def read(self, source: Source) -> Dataset:
        """240 training and 60 test images, the same on every machine."""
        return self.dataset(train=_images(240, 0), test=_images(60, 1), scale=255)


def _images(rows: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    import numpy as np

    down, across = np.indices((SIDE, SIDE))
    patterns = np.stack([across % 2, down % 2, (down + across) // 2 % 2])
    labels = np.arange(rows, dtype=np.int64) % len(patterns)
    noise = np.random.Generator(np.random.PCG64(seed)).integers(0, 128, (rows, SIDE, SIDE))
    return (127 * patterns[labels] + noise).astype(np.uint8)[..., None], labels
