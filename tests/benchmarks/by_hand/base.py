"""What one framework's user writes without the harness: the loop it is measured against, and the fastest known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Way = Literal["default", "32 steps a call", "loader"]
"""How a script is written: arrays in memory, the same with 32 steps in one call, the framework's own loader."""

BATCH_SIZE = 128
PREDICT_BATCH_SIZE = 1000
LEARNING_RATE = 0.001
EPSILON = 1e-7
"""Adam's, as the harness sets it: the optimisers are the same up to the place of ε, which costs nothing."""


@dataclass(frozen=True, eq=False)
class Arrays:
    """MNIST as ``np.load`` gives it: uint8 ``(n, 28, 28, 1)`` and int64 ``(n,)``, in memory."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


class ByHand(ABC):
    """A plain script at the level of the API that the harness uses: careful, not tuned."""

    @abstractmethod
    def load(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """Start from the weights of the harness's learner, given in the neutral layout (Keras')."""

    @abstractmethod
    def train(self, order: NDArray[np.int64]) -> None:
        """Train on the rows of ``order``, in that order, in batches of 128."""

    @abstractmethod
    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The classes of host images, 1000 at a time."""


class Fastest(ABC):
    """The fastest script known to us in the same framework on the same batches, at any price: for information.

    The pixels are converted and scaled before the clock starts.
    """

    @abstractmethod
    def train(self, order: NDArray[np.int64]) -> None:
        """Train on the rows of ``order``, in that order, in batches of 128."""

    @abstractmethod
    def stored(self, images: NDArray[np.uint8]) -> Any:
        """Images as ``predict`` takes them: converted, scaled, cut into batches of 1000; off the clock."""

    @abstractmethod
    def predict(self, stored: Any) -> NDArray[np.int64]:
        """The classes of images that ``stored`` has made ready."""
