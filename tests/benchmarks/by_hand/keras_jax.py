"""Keras on JAX by hand: a ``PyDataset``, and a jitted call of the stateless model."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import jax
import keras
import numpy as np

from tests.benchmarks.by_hand.base import BATCH_SIZE
from tests.benchmarks.by_hand.keras_fit import KerasByHand

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of MNIST, converted and scaled as they are taken."""

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.int64], order: NDArray[np.int64]) -> None:
        super().__init__()
        self._images, self._labels, self._order = images, labels, order

    def __len__(self) -> int:
        return -(-len(self._order) // BATCH_SIZE)

    def __getitem__(self, index: int) -> Any:
        rows = self._order[index * BATCH_SIZE : (index + 1) * BATCH_SIZE]
        return self._images[rows].astype(np.float32) / 255, self._labels[rows]


class KerasJaxByHand(KerasByHand):
    """``fit`` as it is: jitted, as Keras runs it on JAX."""

    jit_compile = True

    def _loader(self, order: NDArray[np.int64]) -> Any:
        return Batches(self._images, self._labels, order)

    @cached_property
    def _compiled(self) -> Any:
        return jax.jit(lambda trained, fixed, images: self._model.stateless_call(trained, fixed, images)[0])

    def _logits(self, images: NDArray[Any]) -> NDArray[np.float32]:
        trained = [variable.value for variable in self._model.trainable_variables]
        fixed = [variable.value for variable in self._model.non_trainable_variables]
        return np.asarray(self._compiled(trained, fixed, images))


BY_HAND, FASTEST = KerasJaxByHand, None
