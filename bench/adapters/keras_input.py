"""Input of a Keras learner: the batches, epoch by epoch, in the order the harness gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.base import Epoch
from bench.adapters.keras_pixels import Images, Pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray


class KerasInput(ABC):
    """The training rows of a backend as ``fit`` takes them, a batch at a time.

    ``pixels`` converts them in the pipeline, image by image as a loader does; None gives them as stored. The order of
    the next epoch is set between epochs; the number of batches is fixed for a ``fit``.
    """

    def __init__(self, images: Images, labels: NDArray[np.int64], pixels: Pixels | None, batch_size: int) -> None:
        self.images = images
        self.labels = labels
        self.pixels = pixels
        self.batch_size = batch_size
        self.rows = len(labels)
        """Rows of an epoch."""

    def arguments(self, first: Epoch) -> dict[str, Any]:
        """The arguments of ``fit`` for epochs with as many rows as ``first``."""
        if first.order is None:
            return {"x": self.shuffled(), "shuffle": False}
        self.rows = len(first.order)
        self.take(first)
        return {"x": self.ordered(), "shuffle": False}

    @property
    def batches(self) -> int:
        """Batches of an epoch, the short one included."""
        return -(-self.rows // self.batch_size)

    @abstractmethod
    def take(self, epoch: Epoch) -> None:
        """Set the rows of the next epoch; their number is fixed."""

    def resume(self) -> None:
        """End a pause: a pipeline that works ahead may run up to the next one."""

    @abstractmethod
    def ordered(self) -> Any:
        """The batches of the rows set by ``take``, read again at the start of every epoch."""

    @abstractmethod
    def shuffled(self) -> Any:
        """The batches of all rows in the pipeline's own order, reshuffled every epoch."""

    def end(self) -> None:
        """Release what waits for another epoch: training is over."""

    def over(self, order: NDArray[np.int64]) -> Iterator[object]:
        """The batches of ``order``, with no training."""
        try:
            yield from islice(self.arguments(Epoch(order, ()))["x"], self.batches)
        finally:
            self.end()


@dataclass(frozen=True, eq=False)
class KerasArrays:
    """All rows as arrays, which Keras slices and shuffles itself, as in its tutorials."""

    images: Images
    labels: NDArray[np.int64]
    batch_size: int

    def arguments(self, first: Epoch) -> dict[str, Any]:
        """The arguments of ``fit``."""
        return {"x": self.images, "y": self.labels, "batch_size": self.batch_size, "shuffle": True}


class HostBatches(KerasInput):
    """Keras' ``PyDataset``: a batch at a time, gathered (and converted) on the host in this process."""

    def take(self, epoch: Epoch) -> None:
        assert epoch.order is not None
        self._dataset.rows = epoch.order

    def ordered(self) -> Any:
        return self._dataset

    def shuffled(self) -> Any:
        self._dataset.rows = np.random.permutation(self.rows)
        self._dataset.reshuffled = True
        return self._dataset

    def over(self, order: NDArray[np.int64]) -> Iterator[object]:
        self.arguments(Epoch(order, ()))
        return (self._dataset[index] for index in range(self.batches))

    @cached_property
    def _dataset(self) -> Any:
        import keras

        images, labels, pixels, size = self.images, self.labels, self.pixels, self.batch_size

        class Batches(keras.utils.PyDataset):  # type: ignore[misc]
            """The batches of ``rows``, in order."""

            rows: NDArray[np.int64] = np.zeros(0, np.int64)
            reshuffled = False

            def __len__(self) -> int:
                return -(-len(self.rows) // size)

            def __getitem__(self, index: int) -> Any:
                chosen = self.rows[index * size : (index + 1) * size]
                batch = images[chosen]
                return batch if pixels is None else pixels.convert(batch), labels[chosen]

            def on_epoch_end(self) -> None:
                if self.reshuffled:
                    self.rows = np.random.permutation(len(self.rows))

        return Batches()
