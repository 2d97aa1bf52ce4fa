"""Builders for the tests of all adapters: small learnable images, a plan, a case, a learner."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.adapters.base import Adapter, Epoch, Learner, Progress, TrainingPlan
from bench.case import Case, Optimizer, Training
from bench.datasets.dataset import Split
from bench.models.model import CLASSES, BatchNorm, Conv, Dense, Dropout, Flatten, MaxPool, Model, Network
from bench.models.network import initial_weights, place
from bench.models.networks import CNN, MLP, MLP_PLAIN, SOFTMAX

DIGITS = (8, 8, 1)
COLOUR = (8, 8, 3)
"""More than one channel, so that the order of flattening shows."""

CNN_PLAIN = replace(
    CNN, name="cnn-plain", layers=tuple(layer for layer in CNN.layers if not isinstance(layer, Dropout))
)
"""Without dropout, so that frameworks can be compared while they train."""

ODD = Network(
    "odd",
    "all that a plug-in may ask for and no shipped network does",
    (
        Conv(5, 4, None, padding="same", bias=False),
        BatchNorm(),
        MaxPool(2),
        Conv(6, 2, "relu", padding="same"),
        Flatten(),
        BatchNorm(epsilon=1e-5),
        Dense(7, "relu", bias=False),
        BatchNorm(),
        Dense(CLASSES),
    ),
)

NETWORKS = {network.name: network for network in (SOFTMAX, MLP, MLP_PLAIN, CNN, CNN_PLAIN, ODD)}


def images(rows: int, shape: tuple[int, ...] = DIGITS, seed: int = 0) -> Split:
    """``rows`` noisy uint8 images in 10 classes; each class has its own bright half."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, rows)
    patterns = np.random.default_rng(99).integers(0, 2, (10, *shape)) * 150
    noise = generator.integers(0, 100, (rows, *shape))
    return Split((patterns[labels] + noise).astype(np.uint8), labels.astype(np.int64), 255.0, 10)


def weights_of(network: Network, shape: tuple[int, ...] = DIGITS, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Random weights of a whole network, including biases and statistics, which the harness starts at 0 and 1."""
    generator = np.random.default_rng(seed)
    weights = initial_weights(place(network, shape, 10), seed)
    drawn = {
        name: generator.uniform(0.1, 0.9, value.shape).astype(np.float32)
        for name, value in weights.items()
        if not name.endswith("kernel")
    }
    return weights | drawn


def learner(
    adapter: Adapter,
    model: Model,
    train: Split,
    *,
    batch_size: int = 32,
    optimizer: Optimizer | None = None,
    rates: NDArray[np.float64] | None = None,
    weights: dict[str, NDArray[np.float32]] | None = None,
    seed: int = 5,
    axes: Mapping[str, object] | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> Learner:
    """A learner built as the harness does; the default ``rates`` last 200 steps.

    ``axes`` override the case's defaults, ``recipe`` the plan's fields.
    """
    optimizer = optimizer or Optimizer()
    if weights is None and isinstance(model, Network):
        weights = weights_of(model, train.shape)
    given = np.full(200, optimizer.learning_rate) if rates is None else rates
    plan = TrainingPlan(seed, 1, batch_size, given, optimizer, weights)
    asked = case(adapter).model_copy(update=dict(axes or {}))
    return adapter.build(asked, model, train, replace(plan, **(recipe or {})))


def case(adapter: Adapter, device: str = "cpu", **axes: Any) -> Case:
    """A case of an adapter, by default on one thread and in the adapter's execution."""
    asked = {"execution": adapter.execution} | axes
    return Case(dataset="small", model="m", framework=adapter.name, device=device, training=Training(), **asked)


def fit(
    built: Learner, *orders: NDArray[np.int64] | None, batches: int = 0, inner: tuple[int, ...] = ()
) -> list[Progress]:
    """Train on ``orders``, an epoch each, in one call; the progress at each pause.

    Batches of 32 rows, unless an epoch has ``batches``. ``inner`` are pauses within each epoch.
    """
    found: list[Progress] = []
    counts = [batches or (1 if order is None else -(-len(order) // 32)) for order in orders]
    epochs = [Epoch(order, (*inner, count)) for order, count in zip(orders, counts, strict=True)]
    built.train(epochs, lambda: found.append(built.progress()))
    return found


def losses_of(built: Learner, *orders: NDArray[np.int64] | None, batches: int = 0) -> list[float]:
    """The mean loss of each epoch of one training."""
    found = [progress.loss for progress in fit(built, *orders, batches=batches)]
    return [loss for loss in found if loss is not None]


def loss_of(built: Learner, order: NDArray[np.int64] | None, batches: int = 0) -> float:
    """The mean loss of a training of one epoch."""
    return losses_of(built, order, batches=batches)[0]
