"""PyTorch: tensors prepared beforehand, and the usual loop over epochs and batches."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from tests.benchmarks.as_a_user.script import BATCH_SIZE, PREDICT_BATCH_SIZE, Script, run

if TYPE_CHECKING:
    from numpy.typing import NDArray


def network(model: str, shape: tuple[int, ...]) -> Any:
    if model == "mlp-plain":
        return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1], 128), nn.ReLU(), nn.Linear(128, 10))
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


class PyTorchScript(Script):
    def __init__(self, model: str, images: NDArray[np.uint8], labels: NDArray[np.int64], scale: float) -> None:
        self.scale = scale
        self.x = self.converted(images)
        self.y = torch.from_numpy(labels)
        self.model = network(model, images.shape[1:])
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.initial = {name: value.clone() for name, value in self.model.state_dict().items()}

    def converted(self, images: NDArray[np.uint8]) -> Any:
        """As of torchvision's ``MNIST.data``, which has no channels: ``unsqueeze`` leaves torch's own memory format.

        Of ``permute`` torch could not tell one channel from channels last, and would compute convolutions so.
        """
        return torch.from_numpy(images[..., 0]).unsqueeze(1).float() / self.scale

    def restart(self) -> None:
        self.model.load_state_dict(self.initial)

    def train(self, epochs: int) -> float:
        self.model.train()
        ends = []
        for _ in range(epochs):
            for batch in torch.randperm(len(self.y)).split(BATCH_SIZE):
                self.optimizer.zero_grad()
                loss = cross_entropy(self.model(self.x[batch]), self.y[batch])
                loss.backward()
                self.optimizer.step()
            ends.append(perf_counter())
        return (ends[-1] - ends[0]) / (epochs - 1)

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        self.model.eval()
        with torch.inference_mode():
            parts = [self.model(part) for part in self.converted(images).split(PREDICT_BATCH_SIZE)]
        labels: NDArray[np.int64] = torch.cat(parts).argmax(dim=1).numpy()
        return labels


SCRIPT = PyTorchScript

if __name__ == "__main__":
    run(SCRIPT)
