"""Logits of networks on volumes in one framework: ``python -m tests.adapters.volume_logits FRAMEWORK FILE``.

Writes an array ``(3, 24, 10)``: of cnn-norm before and after three steps, and of cnn3d before any.
"""

import sys

import numpy as np

from bench.adapters.catalog import ADAPTERS
from bench.case import Optimizer
from bench.datasets.dataset import Split
from bench.models.networks import CNN3D, CNN_NORM
from tests.adapters.small import case, fit, learner

SHAPE = (16, 16, 16, 1)


def volumes(rows: int) -> Split:
    """Sparse floats in 0..1, as 3D MNIST's, and labels 0 to 9 in turn."""
    generator = np.random.default_rng(0)
    filled = generator.random((rows, *SHAPE)) < 0.1
    images = np.where(filled, generator.random((rows, *SHAPE)), 0).astype(np.float32)
    return Split(images, np.arange(rows) % 10, 1.0, 10)


if __name__ == "__main__":
    framework, file = sys.argv[1:]
    adapter, train = ADAPTERS.get(framework)(), volumes(24)
    adapter.prepare(case(adapter))
    found = []
    for network in (CNN_NORM, CNN3D):
        built = learner(adapter, network, train, batch_size=8, optimizer=Optimizer(name="sgd", learning_rate=0.01))
        found.append(built.predictor(8)(train.images).values)
        if network is CNN_NORM:  # without dropout, whose masks no two frameworks draw alike
            fit(built, np.arange(24))
            built.synchronize()
            found.append(built.predictor(8)(train.images).values)
    np.save(file, np.array(found))
