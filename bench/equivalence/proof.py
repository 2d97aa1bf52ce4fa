"""What is asked of every framework: a network, a recipe, data, initial weights and batches, all from one seed.

The constants are exact in float32, so that a framework that keeps a rate or an epsilon in float32 still computes in
float64 what the others do: honest differences are then of the order of 1e-15 (DESIGN, "The same model on the same
work"), and a wrong constant stands out by ten orders of magnitude.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.adapters.base import TrainingPlan
from bench.case import Case, Frozen, Normalization, Optimizer, Schedule, Training, derive_seed
from bench.certificate import Conditions
from bench.datasets.dataset import Split
from bench.errors import BenchError
from bench.models.catalog import find_model
from bench.models.model import CLASSES, BatchNorm, Conv, Dense, Dropout, Flatten, MaxPool, Network
from bench.models.network import PlacedNetwork, initial_weights, place
from bench.schedule import learning_rates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CLASS_COUNT = 10
EVALUATED = 32
"""Images whose logits are compared; none of them is trained on."""

_EXACT: dict[str, Any] = {"beta_1": 0.875, "beta_2": 1 - 2.0**-10, "rho": 0.875, "epsilon": 2.0**-23}
_ADAM = Optimizer(name="adam", learning_rate=2.0**-10, **_EXACT)
_SGD = Optimizer(name="sgd", learning_rate=2.0**-6, **_EXACT)

RECIPES: dict[str, Training] = {
    "sgd": Training(optimizer=_SGD),
    "momentum": Training(optimizer=_SGD.model_copy(update={"momentum": 0.875})),
    "nesterov": Training(optimizer=_SGD.model_copy(update={"momentum": 0.875, "nesterov": True})),
    "adam": Training(optimizer=_ADAM),
    "adamw": Training(optimizer=_ADAM.model_copy(update={"name": "adamw", "weight_decay": 0.0625})),
    "rmsprop": Training(optimizer=_ADAM.model_copy(update={"name": "rmsprop", "momentum": 0.5})),
    "adadelta": Training(optimizer=_ADAM.model_copy(update={"name": "adadelta", "learning_rate": 1.0})),
    # the rate inside the momentum or outside it is the same until it changes
    "momentum, schedule": Training(
        optimizer=_SGD.model_copy(update={"momentum": 0.875}), schedule=Schedule(name="step", factor=0.5)
    ),
    "all options": Training(
        optimizer=_ADAM.model_copy(update={"name": "adamw", "weight_decay": 0.0625}),
        schedule=Schedule(name="one-cycle"),
        label_smoothing=0.0625,
        class_weights="balanced",
        normalize=Normalization(mean=0.125, std=0.25),
    ),
}
"""By name, as ``--optimizer`` gives them. ``all options``: whatever else a recipe may hold, at once."""

GRADIENT = Training(batch_size=8, optimizer=_SGD.model_copy(update={"learning_rate": 64.0}))
"""One step moves the weights by a multiple of the gradient: what is held of the first update where digits are few.

By so much that the rounding of the weights themselves is lost in it. Adam's first update would not do: it is near the
gradient's sign, and rounding changes the sign of what is nearly zero.
"""

STRIDED_SAME = Network(
    "strided-same",
    "for the proof alone: strides with the padding of which one value more goes to the end",
    (
        Conv(8, 3, "relu", padding="same", strides=2),
        BatchNorm(momentum=0.9),
        Conv(12, 5, "relu", padding="same", strides=2),
        MaxPool(2),
        Flatten(),
        Dense(CLASSES),
    ),
)
"""What no shipped network has and a user's may have."""


class Proof(Frozen):
    """One question to all frameworks. Sizes are parameters: tests ask smaller ones."""

    model: str
    recipe: str
    training: Training
    """The recipe with its batch size; ``epochs`` follows from ``steps``."""
    shape: tuple[int, ...] = (28, 28, 1)
    scale: float = 256.0
    """A power of two: dividing by it is exact in every precision."""
    seed: int = 0
    rows: int = 1000
    steps: int = 20
    first_step_only: bool = False
    """Logits and the first update alone: where rounding would hide a difference after more steps."""

    @property
    def label(self) -> str:
        """``cnn · adam``."""
        return f"{self.model} · {self.recipe}"

    @property
    def batches_per_epoch(self) -> int:
        """Batches of an epoch, the short one included."""
        return -(-self.rows // self.training.batch_size)


def proof(model: str, recipe: str, **sizes: object) -> Proof:
    """The proof of a recipe by its name on a network by its name; ``sizes`` are the fields of ``Proof``."""
    given = {"model": model, "recipe": recipe, "training": RECIPES.get(recipe, GRADIENT), **sizes}
    return Proof.model_validate(given)


def gradient_proof(model: str, **sizes: object) -> Proof:
    """Logits and gradient of a network with pixels as a data set has them: for float32 and below."""
    return Proof.model_validate(
        {
            "model": model,
            "recipe": "gradient",
            "training": GRADIENT,
            "scale": 255.0,
            "rows": 128,
            "first_step_only": True,
            **sizes,
        }
    )


def network_of(name: str) -> Network:
    """The network of a proof: a shipped or plugged-in one by its name, its dropout at rate 0.

    Raises UnknownName for a misspelt name, BenchError for a model that is no neutral network.
    """
    model = STRIDED_SAME if name == STRIDED_SAME.name else find_model(name)
    if not isinstance(model, Network):
        raise BenchError(
            f"model {name!r} is no neutral network: the frameworks do not share it.",
            "Two models of your own are compared by: bench diff",
        )
    layers = tuple(Dropout(0.0) if isinstance(layer, Dropout) else layer for layer in model.layers)
    return replace(model, layers=layers)


def as_shipped(name: str) -> Network | None:
    """The network with the dropout it has; None for the one that was made for the proofs."""
    model = None if name == STRIDED_SAME.name else find_model(name)
    return model if isinstance(model, Network) else None


@dataclass(frozen=True)
class Material:
    """All arrays of a proof, drawn by numpy from its seed."""

    proof: Proof

    @cached_property
    def network(self) -> Network:
        """Its dropout at rate 0."""
        return network_of(self.proof.model)

    @cached_property
    def placed(self) -> PlacedNetwork:
        """The network on the proof's images."""
        return place(self.network, self.proof.shape, CLASS_COUNT)

    @cached_property
    def train(self) -> Split:
        """Bytes at random, so that neither a maximum nor the edge of a relu is met exactly; classes of unequal size."""
        import numpy as np

        generator = self._generator("images")
        images = generator.integers(0, 256, (self.proof.rows, *self.proof.shape)).astype(np.uint8)
        share = np.arange(2, CLASS_COUNT + 2, dtype=np.float64)
        labels = generator.choice(CLASS_COUNT, self.proof.rows, p=share / share.sum()).astype(np.int64)
        return Split(images, labels, self.proof.scale, CLASS_COUNT)

    @cached_property
    def evaluated(self) -> NDArray[np.uint8]:
        """``(EVALUATED, *shape)``: images that are not trained on."""
        import numpy as np

        return self._generator("evaluated").integers(0, 256, (EVALUATED, *self.proof.shape)).astype(np.uint8)

    @cached_property
    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Initial weights; biases and statistics are drawn too, so that one that is not loaded shows."""
        import numpy as np

        generator = self._generator("weights")
        weights = initial_weights(self.placed, self.proof.seed)
        for name, value in weights.items():
            kind = name.rpartition("/")[2]
            if kind != "kernel":
                low, high = (0.5, 1.5) if kind in ("gamma", "moving_variance") else (-0.25, 0.25)
                weights[name] = generator.uniform(low, high, value.shape).astype(np.float32)
        return weights

    @cached_property
    def orders(self) -> tuple[NDArray[np.int64], ...]:
        """The rows of each epoch in their order; of the last only as many batches as the steps need.

        For a first step alone one batch on which rounding decides nothing (``bench.equivalence.margins``).
        """
        proof, left = self.proof, self.proof.steps
        generator, orders = self._generator("order"), []
        if proof.first_step_only:
            from bench.equivalence.margins import settled

            inputs = self.inputs(self.train.images)
            return (settled(self.placed, self.weights, inputs, proof.training.batch_size, generator),)
        while left > 0:
            orders.append(generator.permutation(proof.rows)[: left * proof.training.batch_size])
            left -= proof.batches_per_epoch
        return tuple(orders)

    @cached_property
    def batches(self) -> tuple[NDArray[np.int64], ...]:
        """The rows of each step."""
        size = self.proof.training.batch_size
        return tuple(order[start : start + size] for order in self.orders for start in range(0, len(order), size))

    @cached_property
    def rates(self) -> NDArray[np.float64]:
        """The rate of each step, exact in float32."""
        training = self.proof.training
        epochs = len(self.orders)
        peak = training.optimizer.learning_rate
        return _exact(learning_rates(peak, training.schedule, self.proof.batches_per_epoch, epochs))

    @cached_property
    def class_weights(self) -> NDArray[np.float64] | None:
        """``(k,)``, exact in float32; None where the recipe has none."""
        import numpy as np

        if self.proof.training.class_weights is None:
            return None
        counts = np.bincount(self.train.labels, minlength=CLASS_COUNT)
        return _exact(self.proof.rows / (CLASS_COUNT * np.maximum(counts, 1)))

    @property
    def normalization(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Mean and deviation of each channel, as the recipe gives them."""
        import numpy as np

        given = self.proof.training.normalize
        if not isinstance(given, Normalization):
            return None
        return np.full(self.proof.shape[-1], given.mean), np.full(self.proof.shape[-1], given.std)

    def inputs(self, images: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float64]:
        """What the network sees of ``images``: scaled, and normalised where the recipe says so."""
        import numpy as np

        scaled = images.astype(np.float64) / self.proof.scale
        if self.normalization is None:
            return scaled
        mean, std = self.normalization
        normalized: NDArray[np.float64] = (scaled - mean) / std
        return normalized

    def plan(self, threads: int) -> TrainingPlan:
        """What an adapter is given. Of the order of the rows it learns nothing before ``train``."""
        training = self.proof.training
        mean, std = self.normalization or (None, None)
        return TrainingPlan(
            seed=self.proof.seed,
            threads=threads,
            batch_size=training.batch_size,
            learning_rates=self.rates,
            optimizer=training.optimizer,
            initial_weights=self.weights,
            label_smoothing=training.label_smoothing,
            class_weights=self.class_weights,
            mean=mean,
            std=std,
        )

    def _generator(self, part: str) -> np.random.Generator:
        import numpy as np

        return np.random.Generator(np.random.PCG64(derive_seed("proof", self.proof.seed, self.proof.model, part)))


def _exact(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """``values`` rounded to float32: the same in a framework that keeps them so."""
    import numpy as np

    return values.astype(np.float32).astype(np.float64)


def case_of(proof: Proof, conditions: Conditions, precision: str | None = None) -> Case:
    """The case an adapter is given for a proof, in ``precision`` where it is not that of the conditions."""
    values = conditions.model_dump()
    return Case.model_validate(
        {
            **values,
            "dataset": "proof",
            "model": proof.model,
            "training": proof.training,
            "precision": precision or conditions.precision,
        }
    )
