"""``bench diff`` on files as users have them: the same net in two frameworks, planted differences, broken files."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.report.terminal import WIDTH
from tests.end_to_end.command import Bench, Ended, assert_refused

TORCH_NET = """
import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(shape[0], 4, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(4, eps=1e-3, momentum=0.01)
        self.conv2 = nn.Conv2d(4, 6, 3, padding="same", bias=False)
        self.drop = nn.Dropout(0.25)
        self.fc1 = nn.Linear(6 * 2 * 2, 8)
        self.fc2 = nn.Linear(8, classes)

    def forward(self, x):
        x = F.leaky_relu(self.norm(self.conv1(x)), 0.25)
        x = F.relu(F.max_pool2d(self.conv2(x), 2))
        x = torch.flatten(self.drop(x), 1)
        return self.fc2(torch.relu(self.fc1(x)))


def pytorch(shape, classes):
    return Net(shape, classes)


class Raises(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.fc = nn.Linear(3, classes)

    def forward(self, x):
        return self.fc(x.flatten(1))


class Recurrent(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.lstm = nn.LSTM(shape[-1], 4, batch_first=True)
        self.fc = nn.Linear(4, classes)

    def forward(self, x):
        return self.fc(self.lstm(x[:, 0])[0][:, -1])


class Wider(Net):
    def __init__(self, shape, classes):
        super().__init__(shape, classes)
        self.conv2 = nn.Conv2d(4, 6, 5, padding=2, bias=False)


class Doubled(Net):
    def forward(self, x):
        return super().forward(x * x)
"""

KERAS_NET = """
from keras import Input, Sequential, layers


def twin(shape, classes):
    return Sequential([
        Input(shape),
        layers.ZeroPadding2D(1),
        layers.Conv2D(4, 3, strides=2),
        layers.BatchNormalization(),
        layers.LeakyReLU(0.25),
        layers.Conv2D(6, 3, padding="same", use_bias=False, activation="relu"),
        layers.MaxPooling2D(),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(8, activation="relu"),
        layers.Dense(classes),
    ])


def careless(shape, classes):
    return Sequential([
        Input(shape),
        layers.Conv2D(4, 3, strides=2, padding="same"),
        layers.BatchNormalization(epsilon=1e-5, momentum=0.9),
        layers.LeakyReLU(),
        layers.Conv2D(6, 3, padding="same", use_bias=False, activation="relu"),
        layers.AveragePooling2D(2),
        layers.Dropout(0.5),
        layers.Flatten(),
        layers.Dense(8, activation="tanh"),
        layers.Dense(classes, activation="softmax"),
    ])
"""

MNIST_TORCH = """
import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = self.conv1(x)
        x = F.relu(x)
        x = self.conv2(x)
        x = F.relu(x)
        x = F.max_pool2d(x, 2)
        x = self.dropout1(x)
        x = torch.flatten(x, 1)
        x = self.fc1(x)
        x = F.relu(x)
        x = self.dropout2(x)
        x = self.fc2(x)
        output = F.log_softmax(x, dim=1)
        return output
"""

MNIST_KERAS = """
import keras
from keras import layers


def twin(shape, classes):
    model = keras.Sequential()
    model.add(keras.Input(shape))
    model.add(layers.Conv2D(32, kernel_size=(3, 3), activation="relu"))
    model.add(layers.Conv2D(64, (3, 3), activation="relu"))
    model.add(layers.MaxPooling2D(pool_size=(2, 2)))
    model.add(layers.Dropout(0.25))
    model.add(layers.Flatten())
    model.add(layers.Dense(128, activation="relu"))
    model.add(layers.Dropout(0.5))
    model.add(layers.Dense(classes, activation="softmax"))
    return model
"""


@pytest.fixture
def files(bench: Bench) -> Path:
    for name, source in {
        "torch_net.py": TORCH_NET,
        "keras_net.py": KERAS_NET,
        "mnist_torch.py": MNIST_TORCH,
        "mnist_keras.py": MNIST_KERAS,
    }.items():
        (bench.folder / name).write_text(source)
    return bench.folder


def compared(bench: Bench, left: str, right: str, *options: str) -> Ended:
    return bench("diff", left, right, *(options or ("--shape", "8,8,1", "--classes", "3")))


def words(ended: Ended) -> str:
    """The output as one line, after a check of its width."""
    assert max(map(len, ended.stdout.splitlines())) <= WIDTH
    return " ".join(ended.stdout.split())


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "nesterov"])
def test_the_same_net_in_two_frameworks_is_the_same(bench: Bench, files: Path, optimizer: str) -> None:
    options = ("--shape", "8,8,1", "--classes", "3", "--optimizer", optimizer)
    ended = compared(bench, "torch_net.py", "keras_net.py:twin", *options)
    said = words(ended)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "verdict the same" in said
    assert "differs" not in said
    assert "BatchNorm moving variance: unbiased (torch_net.py) against biased (keras_net.py)" in said


@pytest.mark.slow
def test_every_careless_default_is_named_with_both_values(bench: Bench, files: Path) -> None:
    ended = compared(bench, "torch_net.py", "keras_net.py:careless")
    said = words(ended)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    for sentence in (
        "BatchNorm epsilon: 0.001 (torch_net.py) against 1e-05 (keras_net.py)",
        "BatchNorm momentum: 0.99 (torch_net.py) against 0.9 (keras_net.py)",
        "LeakyReLU slope: 0.25 (torch_net.py) against 0.3 (keras_net.py)",
        "Conv padding: 1 before and 0 after (torch_net.py) against 0 before and 1 after (keras_net.py)",
        "MaxPool 2x2 (torch_net.py) against",
        "AveragePool 2x2 (keras_net.py)",
        "Dropout rate: 0.25 (torch_net.py) against 0.5 (keras_net.py)",
        "ReLU (torch_net.py) against tanh (keras_net.py)",
        "output: logits (torch_net.py) against probabilities (keras_net.py)",
        "first in: log-probabilities before training",
    ):
        assert sentence in said, sentence


@pytest.mark.slow
def test_pytorchs_mnist_example_and_its_twin_differ_in_nothing_but_what_they_put_out(bench: Bench, files: Path) -> None:
    ended = compared(bench, "mnist_torch.py:Net", "mnist_keras.py:twin", "--optimizer", "adadelta")
    said = words(ended)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert said.count("1,199,882 trained parameters") == 2  # as both tutorials print it
    assert "differs" not in said.split("what differs")[0]
    assert "output: log-probabilities (mnist_torch.py) against probabilities (mnist_keras.py)" in said


def test_another_architecture_says_which_layer_is_where(bench: Bench, files: Path) -> None:
    ended = compared(bench, "torch_net.py:Net", "torch_net.py:Wider")
    said = words(ended)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert (
        "Conv 6 filters 3x3 [conv2] (torch_net.py:Net) against Conv 6 filters 5x5 [conv2] (torch_net.py:Wider)" in said
    )
    assert "no proof was run" in said


def test_a_difference_that_no_layer_explains_is_still_found(bench: Bench, files: Path) -> None:
    ended = compared(bench, "torch_net.py:Net", "torch_net.py:Doubled")
    said = words(ended)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "first in: logits before training" in said
    assert "no fact of the layers says why" in said


def test_a_layer_whose_weights_cannot_be_mapped_is_named(bench: Bench, files: Path) -> None:
    ended = compared(bench, "torch_net.py:Recurrent", "torch_net.py:Recurrent")
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "lstm.weight_ih_l0 of LSTM" in words(ended)


def test_a_model_that_raises_ends_in_one_line_with_its_place(bench: Bench, files: Path) -> None:
    ended = compared(bench, "torch_net.py:Net", "torch_net.py:Raises")
    assert_refused(ended, "torch_net.py:Raises cannot be compared", "RuntimeError", "torch_net.py, line")
    assert len(ended.stderr.splitlines()) == 1
