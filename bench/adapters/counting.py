"""Native models that count what passes through them: rows and calls, in training and in evaluation.

A framework runs them like any user's model, on the path that is timed; the counts are read from their weights. They
show whether every row of an order was trained on, in the requested number of batches, and whether anything was
evaluated meanwhile. The model built last can also be read without its learner, which shows whether training had
ended before the learner was asked for anything.
"""

from __future__ import annotations

import weakref
from typing import Any

TRAINED_ROWS = "trained_rows"
TRAINED_CALLS = "trained_calls"
EVALUATED_ROWS = "evaluated_rows"
EVALUATED_CALLS = "evaluated_calls"
COUNTERS = (TRAINED_ROWS, TRAINED_CALLS, EVALUATED_ROWS, EVALUATED_CALLS)


def pytorch(shape: tuple[int, ...], classes: int) -> Any:
    """One dense layer behind counters, for images of ``(channels, *spatial)``."""
    import math

    import torch

    class Counting(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            for name in COUNTERS:
                self.register_buffer(name, torch.zeros((), dtype=torch.int64))
            self.flatten = torch.nn.Flatten()
            self.dense = torch.nn.Linear(math.prod(shape), classes)

        def forward(self, images: Any) -> Any:
            if self.training:
                if not torch.compiler.is_compiling():  # whose guards would hold the length of the list
                    _CALLED.append(images.shape[0])
                self.trained_rows += images.shape[0]
                self.trained_calls += 1
            else:
                self.evaluated_rows += images.shape[0]
                self.evaluated_calls += 1
            return self.dense(self.flatten(images))

    model = Counting()
    _BUILT.append(weakref.ref(model))
    return model


def keras(shape: tuple[int, ...], classes: int) -> Any:
    """The same for images of ``(*spatial, channels)``."""
    import keras

    is_compiling = _never
    if keras.backend.backend() == "torch":
        import torch

        is_compiling = torch.compiler.is_compiling

    class Counting(keras.layers.Layer):  # type: ignore[misc]
        def build(self, _: object) -> None:
            for name in COUNTERS:
                counter = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name=name)
                setattr(self, name, counter)

        def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
            return shape

        def call(self, images: Any, training: bool | None = None) -> Any:
            rows = keras.ops.cast(keras.ops.shape(images)[0], "int32")
            if training:
                if not is_compiling():
                    _CALLED.append(images.shape[0])
                self.trained_rows.assign_add(rows)
                self.trained_calls.assign_add(1)
            else:
                self.evaluated_rows.assign_add(rows)
                self.evaluated_calls.assign_add(1)
                _tell(images, rows)
            return images

    inputs, counting = keras.Input(shape), Counting()
    model = keras.Model(inputs, keras.layers.Dense(classes)(keras.layers.Flatten()(counting(inputs))))
    _BUILT.append(weakref.ref(counting))
    return model


def called() -> list[int | None]:
    """Rows of each training call of such models that Python has seen in this process.

    Of a compiled function it sees only the tracing. None for a batch of any size.
    """
    return list(_CALLED)


def trained_rows() -> int | None:
    """Rows the model built last was trained on, read from the model; None if it no longer exists."""
    model = _BUILT[-1]() if _BUILT else None
    if model is None:
        return None
    counter = getattr(model, TRAINED_ROWS)
    return int(counter.item() if hasattr(counter, "item") else counter.numpy())


def _never() -> bool:
    return False


def told() -> tuple[int, int]:
    """Rows and calls evaluated in this process by compiled functions that cannot change a weight (JAX's)."""
    import sys

    if "jax" in sys.modules:
        import jax

        jax.effects_barrier()
    return sum(_TOLD), len(_TOLD)


_TOLD: list[int] = []
_CALLED: list[int | None] = []
_BUILT: list[weakref.ref[Any]] = []


def _tell(images: Any, rows: Any) -> None:
    import keras

    if keras.backend.backend() == "jax":
        import jax

        if isinstance(images, jax.core.Tracer):
            jax.debug.callback(lambda count: _TOLD.append(int(count)), rows)
