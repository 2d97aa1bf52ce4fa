"""Keras on PyTorch by hand: torch's ``DataLoader``, and a call without gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from tests.benchmarks.by_hand.base import BATCH_SIZE
from tests.benchmarks.by_hand.keras_fit import KerasByHand

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Examples(Dataset[Any]):  # type: ignore[misc]
    """Rows of MNIST, each converted and scaled as it is taken."""

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        self._images, self._labels = torch.from_numpy(images), torch.from_numpy(labels)

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, row: int) -> Any:
        return self._images[row].float() / 255, self._labels[row]


class KerasTorchByHand(KerasByHand):
    """``fit`` as it is; eager, as Keras runs it on torch."""

    def _loader(self, order: NDArray[np.int64]) -> Any:
        return DataLoader(Examples(self._images, self._labels), batch_size=BATCH_SIZE, sampler=order.tolist())

    def _logits(self, images: NDArray[Any]) -> NDArray[np.float32]:
        with torch.no_grad():
            logits: NDArray[np.float32] = self._model(images, training=False).numpy()
        return logits


BY_HAND, FASTEST = KerasTorchByHand, None
