"""A user's own model and data sets, as a user would have them lie about."""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NET = '''
"""Models of a user who has never heard of bench."""


def keras_net(shape, classes):
    import keras

    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(classes)])


def pipeline(seed):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(random_state=seed))


class Everywhere:
    """The same in all three."""

    @staticmethod
    def pytorch(shape, classes):
        from torch import nn

        return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], classes))

    @staticmethod
    def keras(shape, classes):
        return keras_net(shape, classes)

    @staticmethod
    def scikit_learn(seed):
        return pipeline(seed)
'''

TORCH_NET = '''
"""A plain module, as in PyTorch's own tutorial."""
from torch import nn


class Net(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        channels, height, width = shape
        self.hidden = nn.Linear(channels * height * width, 32)
        self.out = nn.Linear(32, classes)

    def forward(self, images):
        return self.out(self.hidden(images.flatten(1)).relu())
'''


def squares(rows: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Grey images ``(n, 8, 8)`` with a bright square in one of three corners, which is the label."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 100, (rows, 8, 8), dtype=np.uint8)
    labels = np.arange(rows, dtype=np.int64) % 3
    for image, label in zip(images, labels, strict=True):
        down, across = ((0, 0), (0, 5), (5, 0))[label]
        image[down : down + 3, across : across + 3] += np.uint8(120)
    return images, labels


def write_npz(file: Path) -> None:
    """In Keras' layout: 150 training and 60 test images."""
    (x_train, y_train), (x_test, y_test) = squares(150, 0), squares(60, 1)
    np.savez(file, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


def write_csv(file: Path) -> None:
    """As Kaggle's: a header, the label first; 120 lines."""
    images, labels = squares(120, 2)
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["label", *(f"pixel{index}" for index in range(64))])
        for image, label in zip(images, labels, strict=True):
            writer.writerow([label, *image.ravel()])


def write_image_folder(folder: Path) -> None:
    """PNG files in folders named by class: 90 images."""
    images, labels = squares(90, 3)
    names = ("north-west", "north-east", "south-west")
    for row, (image, label) in enumerate(zip(images, labels, strict=True)):
        (folder / names[label]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / names[label] / f"{row:03}.png")
