"""Native models that count what passes through them: rows in training, rows in evaluation, calls of training.

A framework runs them as it runs any model of a user's, on the path that is timed; what they have counted is read from
their weights. So it shows whether every row of an order was trained on, in as many batches as were asked for, and
whether anything was evaluated meanwhile.
"""

from __future__ import annotations

from typing import Any

TRAINED_ROWS = "trained_rows"
TRAINED_CALLS = "trained_calls"
EVALUATED_ROWS = "evaluated_rows"
COUNTERS = (TRAINED_ROWS, TRAINED_CALLS, EVALUATED_ROWS)


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
                self.trained_rows += images.shape[0]
                self.trained_calls += 1
            else:
                self.evaluated_rows += images.shape[0]
            return self.dense(self.flatten(images))

    return Counting()


def keras(shape: tuple[int, ...], classes: int) -> Any:
    """The same for images of ``(*spatial, channels)``."""
    import keras

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
                self.trained_rows.assign_add(rows)
                self.trained_calls.assign_add(1)
            else:
                self.evaluated_rows.assign_add(rows)
                _tell(rows)
            return images

    inputs = keras.Input(shape)
    return keras.Model(inputs, keras.layers.Dense(classes)(keras.layers.Flatten()(Counting()(inputs))))


def told() -> int:
    """Rows evaluated by compiled calls that could not change a weight (JAX's), in this process so far."""
    import sys

    if "jax" in sys.modules:
        import jax

        jax.effects_barrier()
    return sum(_TOLD)


_TOLD: list[int] = []


def _tell(rows: Any) -> None:
    import keras

    if keras.backend.backend() == "jax":
        import jax

        jax.debug.callback(lambda count: _TOLD.append(int(count)), rows)
