"""The loss of a plan as a Keras loss: cross-entropy, mean over the rows of the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def make_loss(logits: bool, label_smoothing: float, class_weights: NDArray[np.float64] | None) -> Any:
    """Keras' own sparse cross-entropy where it suffices, because it is the fastest.

    It has no label smoothing, and Keras weights classes through an array of sample weights on the host; with either,
    the loss computes both itself. It always divides by the rows of the batch, never by their weights.
    """
    import keras

    if not label_smoothing and class_weights is None:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
    return _given_loss(logits, label_smoothing, class_weights)


def _given_loss(logits: bool, label_smoothing: float, class_weights: NDArray[np.float64] | None) -> Any:
    import keras
    from keras import ops

    class GivenLoss(keras.losses.Loss):  # type: ignore[misc]
        """Cross-entropy with smoothed labels and weighted classes."""

        def __init__(self) -> None:
            super().__init__(name="cross_entropy")
            given = None if class_weights is None else class_weights.astype(keras.config.floatx())
            self._weights = None if given is None else ops.convert_to_tensor(given)

        def call(self, targets: Any, outputs: Any) -> Any:
            labels = ops.cast(targets, "int32")
            if label_smoothing:
                losses = keras.losses.categorical_crossentropy(
                    ops.one_hot(labels, outputs.shape[-1], dtype=outputs.dtype),
                    outputs,
                    from_logits=logits,
                    label_smoothing=label_smoothing,
                )
            else:
                losses = ops.sparse_categorical_crossentropy(labels, outputs, from_logits=logits)
            return losses if self._weights is None else losses * ops.take(self._weights, labels)

        def get_config(self) -> dict[str, Any]:
            weights = None if class_weights is None else class_weights.tolist()
            return {
                **super().get_config(),
                "from_logits": logits,
                "label_smoothing": label_smoothing,
                "class_weights": weights,
            }

    return GivenLoss()


def loss_settings(model: Any, logits: bool) -> str:
    """The loss a model was compiled with, in words."""
    config = model.loss.get_config()
    words = f"cross-entropy on {'logits' if logits else 'probabilities'}, mean over the batch"
    if config.get("label_smoothing"):
        words += f", label smoothing {config['label_smoothing']:g}"
    return f"{words}, weighted by class" if config.get("class_weights") else words
