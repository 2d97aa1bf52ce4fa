"""PyTorch by hand: the textbook loop over batches, and the fastest one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import ToTensor

from tests.benchmarks.by_hand.base import (
    BATCH_SIZE,
    EPSILON,
    LEARNING_RATE,
    PREDICT_BATCH_SIZE,
    Arrays,
    ByHand,
    Fastest,
    Way,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


def network(model: str) -> Any:
    """The model as its tutorial writes it."""
    if model == "mlp":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(1600, 10),
    )


class Examples(Dataset[Any]):  # type: ignore[misc]
    """MNIST as ``torchvision.datasets.MNIST`` gives it: a PIL image at a time, through ``ToTensor``."""

    def __init__(self, arrays: Arrays) -> None:
        self._images, self._labels = arrays.images[..., 0], arrays.labels.tolist()
        self._transform = ToTensor()

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        return self._transform(Image.fromarray(self._images[row])), self._labels[row]


class PyTorchByHand(ByHand):
    """Tensors in memory, one index per batch, eager; or a ``DataLoader`` with torchvision's ``ToTensor``."""

    def __init__(self, model: str, arrays: Arrays, way: Way) -> None:
        self._way = way
        self._examples = Examples(arrays)
        self._images = torch.from_numpy(arrays.images).permute(0, 3, 1, 2)
        self._labels = torch.from_numpy(arrays.labels)
        self._model = network(model)
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=LEARNING_RATE, eps=EPSILON)

    def load(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        with torch.no_grad():
            for parameter, (name, value) in zip(self._model.parameters(), weights.items(), strict=True):
                if value.ndim == 4:
                    value = value.transpose(3, 2, 0, 1)
                elif value.ndim == 2:
                    if value.shape[0] == 1600 and name.startswith("dense_1"):  # behind the flattened image
                        value = value.reshape(5, 5, 64, 10).transpose(2, 0, 1, 3).reshape(1600, 10)
                    value = value.T
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))

    def train(self, order: NDArray[np.int64]) -> None:
        model, optimizer = self._model, self._optimizer
        model.train()
        for inputs, labels in self._batches(order):
            optimizer.zero_grad()
            loss = cross_entropy(model(inputs), labels)
            loss.backward()
            optimizer.step()

    def _batches(self, order: NDArray[np.int64]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        if self._way == "loader":
            yield from DataLoader(self._examples, batch_size=BATCH_SIZE, sampler=order.tolist())
        else:
            for batch in torch.from_numpy(order).split(BATCH_SIZE):
                yield self._images[batch].float() / 255, self._labels[batch]

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        self._model.eval()
        with torch.inference_mode():
            pixels = torch.from_numpy(images).permute(0, 3, 1, 2)
            logits = [self._model(part.float() / 255) for part in pixels.split(PREDICT_BATCH_SIZE)]
            labels: NDArray[np.int64] = torch.cat(logits).argmax(dim=1).numpy()
        return labels


class PyTorchFastest(Fastest):
    """float32 beforehand, channels last, Adam in one fused kernel."""

    def __init__(self, model: str, arrays: Arrays) -> None:
        self._images = self._pixels(arrays.images)
        self._labels = torch.from_numpy(arrays.labels)
        self._model = network(model).to(memory_format=torch.channels_last)
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=LEARNING_RATE, eps=EPSILON, fused=True)

    def train(self, order: NDArray[np.int64]) -> None:
        model, optimizer = self._model, self._optimizer
        model.train()
        for batch in torch.from_numpy(order).split(BATCH_SIZE):
            optimizer.zero_grad()
            cross_entropy(model(self._images.index_select(0, batch)), self._labels.index_select(0, batch)).backward()
            optimizer.step()

    def stored(self, images: NDArray[np.uint8]) -> Any:
        return self._pixels(images).split(PREDICT_BATCH_SIZE)

    def predict(self, stored: Any) -> NDArray[np.int64]:
        self._model.eval()
        with torch.inference_mode():
            labels: NDArray[np.int64] = torch.cat([self._model(part).argmax(dim=1) for part in stored]).numpy()
        return labels

    def _pixels(self, images: NDArray[np.uint8]) -> torch.Tensor:
        pixels = torch.from_numpy(images.astype(np.float32) / 255).permute(0, 3, 1, 2)
        return pixels.contiguous(memory_format=torch.channels_last)


BY_HAND, FASTEST = PyTorchByHand, PyTorchFastest
