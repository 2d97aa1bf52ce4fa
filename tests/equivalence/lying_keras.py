"""Keras' adapters with one mistake each, on any backend, from porting a Keras script or from Keras' defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bench.adapters.base import Adapter, Epoch
from tests.equivalence.plants import adapter_of

Change = Callable[[Any], None]


def model_of(learner: Any) -> Any:
    return learner._model


def recompiled(learner: Any, **arguments: Any) -> None:
    """Compile again with some other arguments."""
    model, backend = learner._model, learner._backend
    given = {"optimizer": model.optimizer, "loss": model.loss, **backend.compile_arguments(), **arguments}
    model.compile(**given)


def from_probabilities(learner: Any) -> None:
    """``SparseCategoricalCrossentropy()``, whose ``from_logits`` is false by default."""
    import keras

    recompiled(learner, loss=keras.losses.SparseCategoricalCrossentropy())


def summed_loss(learner: Any) -> None:
    import keras

    recompiled(learner, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum"))


def with_accuracy(learner: Any) -> None:
    """Metrics as in every tutorial."""
    recompiled(learner, metrics=["accuracy"])


def optimizer_with(**constants: Any) -> Change:
    """Other attributes of the optimiser: ``epsilon``, ``amsgrad``, ``clipnorm``, …"""

    def change(learner: Any) -> None:
        for name, value in constants.items():
            setattr(learner._model.optimizer, name, value)

    return change


def with_amsgrad(learner: Any) -> None:
    import keras

    own = learner._model.optimizer
    config = {name: getattr(own, name) for name in ("beta_1", "beta_2", "epsilon")}
    rate = float(own.learning_rate.numpy())
    recompiled(learner, optimizer=keras.optimizers.Adam(rate, amsgrad=True, **config))


def decay_on_all(learner: Any) -> None:
    """Keras' own default: biases decay too."""
    learner._model.optimizer._exclude_from_weight_decay = set()
    learner._model.optimizer.exclude_from_weight_decay(var_list=[])


def layers(kind: str, act: Change) -> Change:
    def change(learner: Any) -> None:
        for layer in learner._model.layers:
            if type(layer).__name__ == kind:
                act(layer)

    return change


def regularized(penalty: float) -> Change:
    """``kernel_regularizer=l2(penalty)``."""

    def act(layer: Any) -> None:
        import keras

        layer.kernel.regularizer = keras.regularizers.L2(penalty)

    return layers("Dense", act)


def constrained(most: float) -> Change:
    """``kernel_constraint=MaxNorm(most)``."""

    def act(layer: Any) -> None:
        import keras

        layer.kernel.constraint = keras.constraints.MaxNorm(most)

    return layers("Dense", act)


def activated_by(name: str) -> Change:
    def act(layer: Any) -> None:
        import keras

        if layer.activation is not keras.activations.linear:
            layer.activation = keras.activations.get(name)

    return layers("Dense", act)


def leaky(slope: float) -> Change:
    def act(layer: Any) -> None:
        import keras

        if layer.activation is not keras.activations.linear:
            layer.activation = lambda values: keras.activations.leaky_relu(values, slope)

    return layers("Dense", act)


def norm_with(**constants: Any) -> Change:
    def act(layer: Any) -> None:
        for name, value in constants.items():
            setattr(layer, name, value)

    return layers("BatchNormalization", act)


def frozen_kernel(learner: Any) -> None:
    """``trainable = False``, left from fine-tuning."""
    next(layer for layer in learner._model.layers if type(layer).__name__ == "Dense").trainable = False


def dropped_by(call: Callable[[Any, Any], Any]) -> Change:
    """Dropout in training by ``call(layer, inputs)``."""

    def act(layer: Any) -> None:
        layer.call = lambda inputs, training=False: call(layer, inputs) if training else inputs

    return layers("Dropout", act)


def one_mask_for_all_rows(layer: Any, inputs: Any) -> Any:
    from keras import random

    shape = (1, *inputs.shape[1:])
    return random.dropout(inputs, layer.rate, noise_shape=shape, seed=layer.seed_generator)


def whole_channels(layer: Any, inputs: Any) -> Any:
    """``SpatialDropout2D``, while inputs are images."""
    from keras import ops, random

    shape = (ops.shape(inputs)[0], 1, 1, inputs.shape[-1]) if len(inputs.shape) == 4 else None
    return random.dropout(inputs, layer.rate, noise_shape=shape, seed=layer.seed_generator)


def second_left_out(learner: Any) -> None:
    """One dropout of two."""
    import keras

    found = [layer for layer in learner._model.layers if isinstance(layer, keras.layers.Dropout)]
    for layer in found[1:]:
        layer.call = lambda inputs, training=False: inputs


def masks_in_turn(count: int) -> Callable[[Any, Any], Any]:
    """``count`` masks in turn, repeated."""
    drawn: list[int] = []

    def call(layer: Any, inputs: Any) -> Any:
        from keras import random

        drawn.append(0)
        return random.dropout(inputs, layer.rate, seed=1 + len(drawn) % count)

    return call


def for_some_steps(count: int) -> Callable[[Any, Any], Any]:
    """Dropout ends after ``count`` calls."""
    drawn: list[int] = []

    def call(layer: Any, inputs: Any) -> Any:
        from keras import random

        drawn.append(0)
        return random.dropout(inputs, layer.rate, seed=layer.seed_generator) if len(drawn) <= count else inputs

    return call


def one_seed(learner: Any) -> None:
    """``torch.manual_seed(0)``, whatever the seed of the trial."""
    import torch

    torch.manual_seed(0)


def mask_of_a_fixed_seed(layer: Any, inputs: Any) -> Any:
    """``keras.random.dropout(x, rate, seed=7)``: an integer, not a generator."""
    from keras import random

    return random.dropout(inputs, layer.rate, seed=7)


def share_kept_for_share_dropped(layer: Any, inputs: Any) -> Any:
    from keras import random

    return random.dropout(inputs, 0.75, seed=layer.seed_generator)


def not_scaled(layer: Any, inputs: Any) -> Any:
    from keras import random

    return random.dropout(inputs, layer.rate, seed=layer.seed_generator) * (1 - layer.rate)


def active_in_evaluation(learner: Any) -> None:
    """``training=True`` left in a call."""

    def act(layer: Any) -> None:
        from keras import random

        layer.call = lambda inputs, training=False: random.dropout(inputs, layer.rate, seed=layer.seed_generator)

    layers("Dropout", act)(learner)


def warmed_up(learner: Any) -> None:
    """A training step in the build, after which the weights are restored."""
    import numpy as np

    kept = learner._model.get_weights()
    size = learner._data.batch_size
    learner.train([Epoch(np.arange(size), (1,))], lambda: None)
    learner.progress()
    learner._model.set_weights(kept)


def anomalies_detected(learner: Any) -> None:
    """Left on after a search for a NaN."""
    import torch

    torch.autograd.set_detect_anomaly(True)


def numerics_checked(learner: Any) -> None:
    import tensorflow as tf

    tf.debugging.enable_check_numerics()


def functions_run_eagerly(learner: Any) -> None:
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)


def jax_switched(name: str) -> Change:
    def built(learner: Any) -> None:
        import jax

        jax.config.update(name, True)

    return built


def restarted(learner: Any) -> None:
    """A ``fit`` for every epoch, with a new optimiser each time."""
    train = learner.train

    def trained(epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        for epoch in epochs:
            optimizer = learner._model.optimizer
            recompiled(learner, optimizer=type(optimizer).from_config(optimizer.get_config()))
            train([epoch], pause)

    learner.train = trained


def wrong(base: type[Adapter], *, asked: Any = None, built: Change | None = None) -> Callable[[], Adapter]:
    """Makes an adapter with one mistake."""
    changes: dict[str, Any] = {}
    if asked is not None:
        changes["asked"] = asked
    if built is not None:
        changes["built"] = built
    return lambda: adapter_of(base, **changes)
