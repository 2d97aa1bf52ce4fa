"""A proof for every framework: a network, a recipe, data, initial weights and batches, all from one seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from bench.adapters.base import TrainingPlan
from bench.case import Case, Frozen, Training, derive_seed, digest, framework_seed
from bench.certificate import Claim, Conditions, DataKind
from bench.datasets.dataset import Split
from bench.equivalence.recipes import GRADIENT, RECIPES
from bench.errors import BenchError
from bench.models.catalog import find_model
from bench.models.model import CLASSES, BatchNorm, Conv, Dense, Dropout, Flatten, MaxPool, Network
from bench.models.network import PlacedNetwork, initial_weights, place
from bench.schedule import learning_rates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EVALUATED = 32
"""Images whose logits are compared; none of them is trained on."""

SCALE = 256.0
"""Pixel value of 1.0 in a float64 proof. A power of two: dividing by it is exact in every precision."""
BARELY = 2.0**-60
"""A dropout rate that is on but drops nothing: ``1 - rate`` is 1 in float64, and no number drawn is below the rate."""

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
"""Features that a user's network may have and no shipped one has."""


class Proof(Frozen):
    """One proof for all frameworks. Sizes are parameters: tests use smaller ones."""

    model: str
    recipe: str
    training: Training
    """The recipe with its batch size; its epochs follow from ``steps``."""
    dataset: str = "mnist"
    """The data set in the adapter's case: a proof looks like any other case."""
    shape: tuple[int, ...] = (28, 28, 1)
    classes: int = 10
    floats: bool = False
    """Images are floats from 0 to 1 as stored, not bytes."""
    scale: float = SCALE
    seed: int = 0
    rows: int = 1000
    steps: int = 20
    """Least number of steps: epochs are whole."""
    rounded: bool = False
    """True for a proof in the timed precision, in which rounding hides what comes after a few steps."""
    first_step_only: bool = False
    """Logits and the first update alone."""

    @property
    def label(self) -> str:
        """``cnn · adam``, followed by what differs from most proofs: ``digits``, ``batch 32``."""
        parts = [self.model, self.recipe]
        if not self.first_step_only:
            parts += [self.dataset] * (self.dataset != "mnist")
            parts += [f"batch {self.training.batch_size}"] * (self.training.batch_size != 128)
        return " · ".join(parts)

    @property
    def batches_per_epoch(self) -> int:
        """Batches of an epoch, the short one included."""
        return -(-self.rows // self.training.batch_size)

    @property
    def epochs(self) -> int:
        """Epochs that the steps need."""
        return -(-self.steps // self.batches_per_epoch)

    @property
    def claim(self) -> Claim | None:
        """The claim this proves if it holds; None for the network made for the proofs."""
        shipped = as_shipped(self.model)
        data = DataKind(shape=self.shape, classes=self.classes, floats=self.floats)
        return None if shipped is None else Claim.of(self.model, shipped.digest, self.training, data)


def proof(model: str, recipe: str, **sizes: object) -> Proof:
    """The proof of a named recipe on a named network; ``sizes`` are fields of ``Proof``."""
    return Proof.model_validate({"model": model, "recipe": recipe, "training": RECIPES[recipe], **sizes})


def gradient_proof(model: str, **sizes: object) -> Proof:
    """The proof of a network's logits and gradient, with a data set's pixels: for float32 and below."""
    given = {"recipe": "gradient", "training": GRADIENT, "scale": 255.0, "rows": 128, "steps": 1}
    return Proof.model_validate({"model": model, **given, "rounded": True, "first_step_only": True, **sizes})


def network_of(name: str, rate: float = 0.0) -> Network:
    """The network of a proof: a shipped or plugged-in one by name, with its dropout at ``rate``.

    Raises UnknownName for a misspelt name, BenchError for a model that is not a neutral network.
    """
    model = STRIDED_SAME if name == STRIDED_SAME.name else find_model(name)
    if not isinstance(model, Network):
        raise BenchError(
            f"model {name!r} is not a neutral network: the frameworks do not share it.",
            "Two models of your own are compared by: bench diff",
        )
    layers = tuple(Dropout(rate) if isinstance(layer, Dropout) else layer for layer in model.layers)
    return replace(model, layers=layers)


def as_shipped(name: str) -> Network | None:
    """The network with its own dropout; None for the one made for the proofs."""
    model = None if name == STRIDED_SAME.name else find_model(name)
    return model if isinstance(model, Network) else None


@dataclass(frozen=True)
class Material:
    """All arrays of a proof, drawn by numpy from its seed."""

    proof: Proof

    @cached_property
    def network(self) -> Network:
        """The network to build. Dropout is on in float64 but drops nothing; off where few numbers can be drawn."""
        return network_of(self.proof.model, 0.0 if self.proof.rounded else BARELY)

    @cached_property
    def placed(self) -> PlacedNetwork:
        """The network on the proof's images, without its dropout."""
        return place(network_of(self.proof.model), self.proof.shape, self.proof.classes)

    @cached_property
    def train(self) -> Split:
        """Training rows. Pixels are random, so that no maximum ties and no relu is at its edge; classes are unequal."""
        import numpy as np

        generator, proof = self._generator("images"), self.proof
        images = self._images(generator, proof.rows)
        share = np.arange(2, proof.classes + 2, dtype=np.float64)
        labels = generator.choice(proof.classes, proof.rows, p=share / share.sum()).astype(np.int64)
        return Split(images, labels, self.scale, proof.classes)

    @property
    def scale(self) -> float:
        """The stored value that means 1.0."""
        return 1.0 if self.proof.floats else self.proof.scale

    def _images(self, generator: np.random.Generator, rows: int) -> NDArray[np.uint8] | NDArray[np.float32]:
        """``(rows, *shape)`` as a data set stores them; floats are multiples of 1/256, exact in every precision."""
        import numpy as np

        drawn = generator.integers(0, 256, (rows, *self.proof.shape)).astype(np.uint8)
        return (drawn / np.float32(SCALE)).astype(np.float32) if self.proof.floats else drawn

    @cached_property
    def evaluated(self) -> NDArray[np.uint8] | NDArray[np.float32]:
        """``(EVALUATED, *shape)``: images that are not trained on."""
        return self._images(self._generator("evaluated"), EVALUATED)

    @cached_property
    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Initial weights; biases and statistics are drawn too, so that one not loaded shows."""
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
        """The rows of each epoch in order: as many whole epochs as the steps need.

        For a first step alone, one batch on which rounding decides nothing (``bench.equivalence.margins``).
        """
        proof, generator = self.proof, self._generator("order")
        if proof.first_step_only:
            from bench.equivalence.margins import settled

            inputs = self.inputs(self.train.images)
            return (settled(self.placed, self.weights, inputs, proof.training.batch_size, generator),)
        return tuple(generator.permutation(proof.rows) for _ in range(proof.epochs))

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
        """``(k,)``, exact in float32; None if the recipe has none."""
        import numpy as np

        if self.proof.training.class_weights is None:
            return None
        counts = np.bincount(self.train.labels, minlength=self.proof.classes)
        return _exact(self.proof.rows / (self.proof.classes * np.maximum(counts, 1)))

    @cached_property
    def normalization(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """``(channels,)`` mean and deviation, exact in float32: as the recipe gives them, or of the training rows."""
        from bench.runner.recipe import normalization

        mean, std = normalization(self.proof.training.normalize, self.train)
        return None if mean is None or std is None else (_exact(mean), _exact(std))

    def inputs(self, images: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float64]:
        """Network inputs for ``images``: scaled, and normalised if the recipe says so."""
        import numpy as np

        scaled = images.astype(np.float64) / self.scale
        if self.normalization is None:
            return scaled
        mean, std = self.normalization
        normalized: NDArray[np.float64] = (scaled - mean) / std
        return normalized

    def plan(self, threads: int) -> TrainingPlan:
        """The adapter's plan. It does not reveal the order of the rows before ``train``."""
        training = self.proof.training
        mean, std = self.normalization or (None, None)
        return TrainingPlan(
            seed=framework_seed(self.proof.seed, self.proof.model),
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
    """``values`` rounded to float32: exact in a framework that keeps float32."""
    import numpy as np

    return values.astype(np.float32).astype(np.float64)


def case_of(proof: Proof, conditions: Conditions, precision: str | None = None) -> Case:
    """The case an adapter is given for a proof, in ``precision`` or else in that of the conditions.

    Nothing in it reveals a proof: its names, its fingerprint and its digest look like those of a trial.
    """
    values = conditions.model_dump()
    shipped = as_shipped(proof.model)
    return Case.model_validate(
        {
            **values,
            "dataset": proof.dataset,
            "data_fingerprint": digest([proof.dataset, proof.rows, proof.seed]),
            "model": proof.model,
            "model_digest": shipped.digest if shipped else digest(proof.model),
            "training": proof.training.model_copy(update={"epochs": proof.epochs}),
            "precision": precision or conditions.precision,
        }
    )
