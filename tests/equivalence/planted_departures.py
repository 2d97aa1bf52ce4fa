"""A small question, its replacement with a departure planted by hand, and the sentence that names the departure."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bench.case import Optimizer
from bench.equivalence.deviations import Deviations
from bench.equivalence.evidence import Evidence
from bench.models.model import CLASSES, BatchNorm, Conv, Dense, Flatten, Layer, Network, Relu
from bench.models.network import place

SHAPE, CLASSES_HERE, ROWS, BATCH, STEPS = (6, 6, 2), 4, 28, 8, 8
"""Two epochs of three full batches and one of four rows."""

CONVOLUTIONAL: tuple[Layer, ...] = (
    Conv(3, 3, bias=False, padding="same", strides=2),
    BatchNorm(0.875),
    Relu(),
    Flatten(),
    Dense(5, "relu"),
    Dense(CLASSES),
)
DENSE: tuple[Layer, ...] = (Flatten(), Dense(6, "relu"), Dense(CLASSES))

ADAM = Optimizer(name="adam", learning_rate=2**-7, beta_1=0.875, beta_2=1 - 2**-10, epsilon=2**-13)
ADAMW = ADAM.model_copy(update={"name": "adamw", "weight_decay": 2**-4})
SGD = Optimizer(name="sgd", learning_rate=2**-4)
MOMENTUM = SGD.model_copy(update={"momentum": 0.875})
NESTEROV = MOMENTUM.model_copy(update={"nesterov": True})
RMSPROP = Optimizer(name="rmsprop", learning_rate=2**-7, rho=0.875, epsilon=2**-13)
ADADELTA = Optimizer(name="adadelta", learning_rate=1.0, rho=0.875, epsilon=2**-13)


def asked(layers: tuple[Layer, ...] = CONVOLUTIONAL, optimizer: Optimizer = ADAM, **fields: object) -> Evidence:
    """A question to a framework; ``fields`` override ``Evidence``'s."""
    generator = np.random.default_rng(3)
    network = place(Network("small", "for a test", layers), SHAPE, CLASSES_HERE)
    weights = {}
    for name, shape in network.weight_shapes.items():
        low, high = (-0.5, 0.5) if name.endswith(("kernel", "bias", "beta", "mean")) else (0.5, 1.5)
        weights[name] = generator.uniform(low, high, shape).astype(np.float32)
    order = [rows for _ in range(2) for rows in np.split(generator.permutation(ROWS), range(BATCH, ROWS, BATCH))]
    given = Evidence(
        network=network,
        weights=weights,
        optimizer=optimizer,
        images=generator.integers(0, 256, (ROWS, *SHAPE)).astype(np.uint8),
        labels=generator.integers(0, CLASSES_HERE, ROWS),
        scale=256.0,
        order=order,
        rates=np.full(STEPS, optimizer.learning_rate),
        evaluated=generator.integers(0, 256, (7, *SHAPE)).astype(np.uint8),
    )
    return replace(given, **fields)  # type: ignore[arg-type]


def scheduled(optimizer: Optimizer) -> Evidence:
    return asked(DENSE, optimizer, rates=optimizer.learning_rate * np.repeat([1.0, 0.5], STEPS // 2))


Change = Callable[[Evidence], Evidence]
"""Replaces a question by another."""


def with_optimizer(**constants: object) -> Change:
    """Set constants of the optimiser."""
    return lambda e: replace(e, optimizer=e.optimizer.model_copy(update=constants))


def with_flags(**fields: object) -> Change:
    """Set fields of ``Deviations``."""
    return lambda e: replace(e, deviations=Deviations(**fields))  # type: ignore[arg-type]


def with_norm(layer: BatchNorm) -> Change:
    """Replace the BatchNorm layer."""

    def change(evidence: Evidence) -> Evidence:
        placed = (replace(one, layer=layer) if one.name == "norm_1" else one for one in evidence.network.layers)
        return replace(evidence, network=replace(evidence.network, layers=tuple(placed)))

    return change


def with_rates_times(factor: float) -> Change:
    """Multiply every learning rate by ``factor``."""
    return lambda e: replace(e, rates=e.rates * factor)


def in_stored_order(evidence: Evidence) -> Evidence:
    """Both epochs without a shuffle."""
    return replace(evidence, order=2 * np.split(np.arange(ROWS), range(BATCH, ROWS, BATCH)))


def without_short_batches(evidence: Evidence) -> Evidence:
    """Steps with too few rows train on nothing."""
    return replace(evidence, order=[rows if len(rows) == BATCH else rows[:0] for rows in evidence.order])


Plant = tuple[Evidence, Change, str]
PLANTS: dict[str, Plant] = {
    "norm epsilon": (asked(), with_norm(BatchNorm(0.875, 1e-5)), "BatchNorm epsilon: 1e-05 against 0.001"),
    "norm momentum": (
        asked(),
        with_norm(BatchNorm(0.9)),
        "BatchNorm momentum: 0.9 against 0.875 (weight of the old statistics)",
    ),
    "norm momentum that is in no list": (
        asked(),
        with_norm(BatchNorm(0.8125)),
        "BatchNorm momentum: 0.8125 against 0.875 (weight of the old statistics)",
    ),
    "unbiased variance": (
        asked(),
        with_flags(unbiased_variance=True),
        "BatchNorm's moving variance is unbiased, n/(n-1) of the batch's, against biased",
    ),
    "norm evaluates by the batch": (
        asked(),
        with_flags(norm_evaluates_by_batch=True),
        "BatchNorm uses the statistics of the batch in evaluation, against the moving ones",
    ),
    "norm trains by its moving statistics": (
        asked(),
        with_flags(norm_trains_by_moving=True),
        "BatchNorm uses the moving statistics in training, against those of the batch",
    ),
    "symmetric padding": (
        asked(),
        with_flags(symmetric_pads=True),
        "same padding: kernel // 2 on both sides against the odd value at the end",
    ),
    "flatten order": (
        asked(),
        with_flags(channels_first=True),
        "flatten order: channel, height, width against height, width, channel",
    ),
    "no relu": (asked(), with_flags(activation="identity", activation_in=frozenset({"relu_1"})), "no relu in relu_1"),
    "no bias": (asked(), with_flags(without_bias=frozenset({"dense_1", "dense_2"})), "no bias in dense_1, dense_2"),
    "fixed biases": (
        asked(DENSE),
        with_flags(frozen=frozenset({"dense_1/bias", "dense_2/bias"})),
        "biases are not trained",
    ),
    "epsilon of Adam": (asked(), with_optimizer(epsilon=1e-7), "epsilon of Adam: 1e-07 against 0.00012207"),
    "epsilon of Adam that is in no list": (
        asked(),
        with_optimizer(epsilon=3.3e-4),
        "epsilon of Adam: 0.00033 against 0.00012207",
    ),
    "place of epsilon": (
        asked(),
        with_flags(epsilon_place="after correction"),
        "epsilon of Adam after the bias correction instead of before it",
    ),
    "Adam as PyTorch has it": (
        asked(),
        lambda e: with_flags(epsilon_place="after correction")(with_optimizer(epsilon=1e-8)(e)),
        "epsilon of Adam: 1e-08 after the bias correction against 0.00012207 before it",
    ),
    "no bias correction": (asked(), with_flags(corrected_steps=0), "no bias correction in Adam"),
    "beta 1": (asked(), with_optimizer(beta_1=0.9), "beta_1 of Adam: 0.9 against 0.875"),
    "beta 2": (asked(), with_optimizer(beta_2=0.999), "beta_2 of Adam: 0.999 against 0.999023"),
    "rate": (asked(), with_rates_times(1.01), "learning rate 1.01 times the one asked for"),
    "rate that is in no list": (
        asked(DENSE, SGD),
        with_rates_times(1.07),
        "learning rate 1.07 times the one asked for",
    ),
    "no schedule": (
        scheduled(SGD),
        lambda e: replace(e, rates=np.full(STEPS, 2**-4)),
        "learning rate stays at the first, 0.0625, against a schedule",
    ),
    "a schedule one step late": (
        scheduled(SGD),
        lambda e: replace(e, rates=np.append(e.rates[:1], e.rates[:-1])),
        "learning rate of a step is that of the previous one",
    ),
    "momentum form": (
        scheduled(MOMENTUM),
        with_flags(rate_outside=True),
        "momentum form: the rate outside the velocity against inside (they differ when the rate changes)",
    ),
    "momentum": (asked(DENSE, MOMENTUM), with_optimizer(momentum=0.9), "momentum of SGD: 0.9 against 0.875"),
    "no Nesterov": (asked(DENSE, NESTEROV), with_optimizer(nesterov=False), "Nesterov's momentum is off, against on"),
    "dampening": (
        asked(DENSE, MOMENTUM),
        with_flags(dampening=0.875),
        "momentum form: gradients are dampened by 0.875, but for the first step, against whole",
    ),
    "L2 under Adam": (
        asked(),
        with_flags(l2=1e-4),
        "L2 penalty on kernels that was not asked for: 0.0001 w in the gradient",
    ),
    "L2 of scikit-learn": (
        asked(DENSE, SGD),
        with_flags(l2=1e-4, l2_per_batch=True, l2_reported=True),
        "L2 penalty on kernels that was not asked for: 0.0001 w divided by the rows of the batch in the gradient",
    ),
    "L2 on all weights": (
        asked(DENSE, NESTEROV),
        with_flags(l2=5e-4, l2_on="all"),
        "L2 penalty on all weights that was not asked for: 0.0005 w in the gradient",
    ),
    "L2 that is in no list": (
        asked(DENSE, MOMENTUM),
        with_flags(l2=0.0123),
        "L2 penalty on kernels that was not asked for: 0.0123 w in the gradient",
    ),
    "coupled decay": (
        asked(optimizer=ADAMW),
        with_flags(coupled_decay=True),
        "weight decay coupled (added to the gradient), against decoupled",
    ),
    "decay on biases": (
        asked(optimizer=ADAMW),
        with_flags(decay_on="all"),
        "weight decay on all weights, against kernels alone",
    ),
    "no decay": (asked(optimizer=ADAMW), with_optimizer(weight_decay=0.0), "decoupled weight decay: 0 against 0.0625"),
    "epsilon of RMSprop outside": (
        asked(DENSE, RMSPROP),
        with_flags(epsilon_place="outside root"),
        "epsilon of RMSprop outside the root, against inside",
    ),
    "rho of Adadelta": (asked(DENSE, ADADELTA), with_optimizer(rho=0.95), "rho of Adadelta: 0.95 against 0.875"),
    "softmax twice": (
        asked(),
        with_flags(loss="softmax twice", softmax_answers=True),
        "softmax twice: the loss takes probabilities for logits",
    ),
    "softmax twice in the loss alone": (
        asked(),
        with_flags(loss="softmax twice"),
        "softmax twice: the loss takes probabilities for logits",
    ),
    "summed loss": (
        asked(DENSE, SGD),
        with_flags(divisor=1, reported_mean=True),
        "loss summed over the batch, against its mean",
    ),
    "short batch by the full size": (
        asked(DENSE, SGD),
        with_flags(divisor=BATCH),
        "loss of a short batch divided by 8, the size of a full one, against its own rows",
    ),
    "mean over the class weights": (
        asked(class_weights=np.array([0.5, 1.0, 2.0, 1.25])),
        with_flags(weighted_mean=True),
        "class weights: the mean is one over the weights of the batch, against one over its samples",
    ),
    "smoothing over the other classes": (
        asked(label_smoothing=0.125),
        lambda e: replace(e, label_smoothing=0.125 * 4 / 3),
        "label smoothing: 0.125 shared by the other classes alone, against all",
    ),
    "labels": (asked(), lambda e: replace(e, labels=(e.labels + 1) % CLASSES_HERE), "labels off by one: one too high"),
    "scale": (asked(), lambda e: replace(e, scale=255.0), "pixels are divided by 255 against 256"),
    "no normalisation": (
        asked(mean=np.array([0.5, 0.25]), std=np.array([0.5, 0.25])),
        lambda e: replace(e, mean=None),
        "pixels are not normalised",
    ),
    "transposed images": (
        asked(),
        lambda e: replace(e, images=e.images.swapaxes(1, 2), evaluated=np.asarray(e.evaluated).swapaxes(1, 2)),
        "images are transposed: width and height are exchanged",
    ),
    "stored order": (asked(), in_stored_order, "rows are not taken in the given order, but as they are stored"),
    "short batch dropped": (asked(), without_short_batches, "the last batch of an epoch, which is short, is dropped"),
    "short batch dropped under a schedule": (
        scheduled(SGD),
        # three steps of each epoch are left: the first four that are taken get the first rate
        lambda e: replace(without_short_batches(e), rates=2**-4 * np.array([1, 1, 1, 1, 1, 0.5, 0.5, 0.5])),
        "the last batch of an epoch, which is short, is dropped",
    ),
    "a sample skipped": (
        asked(),
        lambda e: replace(e, order=[rows[:-1] for rows in e.order]),
        "a sample is skipped in each batch: its last",
    ),
}
