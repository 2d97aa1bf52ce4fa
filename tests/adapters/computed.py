"""Write one framework's results to a file, in a separate process: ``python -m tests.adapters.computed``."""

import sys
from typing import Any

import numpy as np

from bench.adapters.base import Adapter
from bench.adapters.catalog import find_adapter
from bench.case import Optimizer
from bench.models.model import Network
from tests.adapters.small import COLOUR, DIGITS, NETWORKS, case, fit, images, learner

STEPS = 20
BATCH = 32
OPTIMIZERS = {
    "adam": Optimizer(),
    "momentum": Optimizer(name="sgd", learning_rate=0.01, momentum=0.9),
    "nesterov": Optimizer(name="sgd", learning_rate=0.01, momentum=0.9, nesterov=True),
}
TRAINED = {"mlp-plain": tuple(OPTIMIZERS), "cnn-plain": ("adam", "nesterov")}
SHAPES = {"digits": DIGITS, "colour": COLOUR, "mnist": (28, 28, 1)}
ANSWERED = {(name, "colour") for name in NETWORKS} | {("cnn", "digits"), ("cnn", "mnist")}
"""Networks and shapes whose logits are compared: one shape for all, and all shapes for the one that adapts to them."""
GRADIENT = Optimizer(name="sgd", learning_rate=1.0)
"""One step at this rate moves the weights by the gradient."""


def main(framework: str, file: str) -> None:
    adapter = find_adapter(framework)
    adapter.prepare(case(adapter))
    found: dict[str, Any] = {}
    for name, network in NETWORKS.items():
        if adapter.lacks(network) is None:
            found |= logits(adapter, name, network) | training(adapter, name, network)
    found["imported"] = sorted({module.partition(".")[0] for module in sys.modules})
    np.savez(file, **found)


def logits(adapter: Adapter, name: str, network: Network) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for shape_name, shape in SHAPES.items():
        train = images(40, shape)
        built = learner(adapter, network, train)
        if (name, shape_name) in ANSWERED:
            found[f"logits {name} {shape_name}"] = built.predictor(16)(train.images).values
        found[f"parameters {name} {shape_name}"] = built.parameter_count()
    return found


def training(adapter: Adapter, name: str, network: Network) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for optimizer in TRAINED.get(name, ()):
        train = images(STEPS * BATCH, COLOUR, seed=1)
        built = learner(adapter, network, train, batch_size=BATCH, optimizer=OPTIMIZERS[optimizer])
        order = np.random.default_rng(2).permutation(STEPS * BATCH)
        stretches = fit(built, order, batches=STEPS, inner=tuple(range(1, STEPS)))
        found[f"losses {name} {optimizer}"] = [one.loss for one in stretches]
    if name in TRAINED:
        train = images(BATCH, COLOUR, seed=3)
        built = learner(adapter, network, train, batch_size=BATCH, optimizer=GRADIENT)
        before = built.weights()
        fit(built, np.arange(BATCH))
        found |= {f"gradient {name} {weight}": before[weight] - after for weight, after in built.weights().items()}
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
