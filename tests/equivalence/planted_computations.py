"""Departures in activations, the loss, gradients and what is kept from step to step, planted by hand."""

from dataclasses import replace

import numpy as np

from bench.equivalence.evidence import Evidence
from bench.models.model import CLASSES, BatchNorm, Conv, Dense, Flatten, Layer, MaxPool
from tests.equivalence.planted_departures import (
    ADADELTA,
    ADAMW,
    DENSE,
    MOMENTUM,
    NESTEROV,
    RMSPROP,
    SGD,
    STEPS,
    Change,
    Plant,
    asked,
    scheduled,
    with_flags,
    with_norm,
    with_optimizer,
)

POOLED: tuple[Layer, ...] = (Conv(3, 2, "relu"), MaxPool(2), Flatten(), Dense(5, "relu"), Dense(CLASSES))
UNEVEN: tuple[Layer, ...] = (
    Conv(3, 2, "relu"),
    MaxPool(2),
    Conv(2, 3, "relu", "same"),
    MaxPool(2),
    Flatten(),
    Dense(CLASSES),
)
"""Five values by five, of which the first pooling leaves some over; the second makes one of three as of two."""
RELU = frozenset({"dense_1"})
ENDS = frozenset({3, 7})
LARGE = 24.0
"""So many times larger images make some values larger than 6."""


def large(optimizer: object = SGD) -> Evidence:
    return asked(DENSE, optimizer, scale=256.0 / LARGE)  # type: ignore[arg-type]


def multiplied(factor: float, after: frozenset[int] = ENDS) -> Change:
    return lambda e: replace(e, factor=factor, multiplied=after)


def in_place_of_relu(name: str, slope: float = 0.0) -> Change:
    return with_flags(activation=name, activation_in=RELU, slope=slope)


def with_a_window_more(evidence: Evidence) -> Evidence:
    """The first pooling keeps what is left over."""
    conv, first, between, second, *others = evidence.network.layers
    output, after = (3, 3, 3), (3, 3, 2)
    middle = (replace(first, output=output), replace(between, input=output, output=after), replace(second, input=after))
    layers = (conv, *middle, *others)
    return replace(evidence, network=replace(evidence.network, layers=layers))


def without_options(evidence: Evidence) -> Evidence:
    return replace(evidence, label_smoothing=0.0, class_weights=None)


ALL_OPTIONS = asked(DENSE, ADAMW, label_smoothing=0.125, class_weights=np.array([0.5, 1.0, 2.0, 1.25]))

COMPUTATION_PLANTS: dict[str, Plant] = {
    "relu6": (large(), in_place_of_relu("relu6"), "relu6 for relu in dense_1"),
    "elu": (asked(DENSE), in_place_of_relu("elu"), "elu for relu in dense_1"),
    "selu": (asked(DENSE), in_place_of_relu("selu"), "selu for relu in dense_1"),
    "sigmoid": (asked(DENSE), in_place_of_relu("sigmoid"), "sigmoid for relu in dense_1"),
    "tanh": (asked(DENSE), in_place_of_relu("tanh"), "tanh for relu in dense_1"),
    "softplus": (asked(DENSE), in_place_of_relu("softplus"), "softplus for relu in dense_1"),
    "silu": (asked(DENSE), in_place_of_relu("silu"), "silu for relu in dense_1"),
    "gelu": (asked(DENSE), in_place_of_relu("gelu"), "gelu for relu in dense_1"),
    "gelu by tanh": (asked(DENSE), in_place_of_relu("gelu by tanh"), "gelu by tanh for relu in dense_1"),
    "leaky relu": (asked(DENSE), in_place_of_relu("leaky relu", 0.01), "leaky relu of slope 0.01 for relu in dense_1"),
    "leaky relu of a slope in no list": (
        asked(),
        with_flags(activation="leaky relu", activation_in=frozenset({"relu_1", "dense_1"}), slope=1e-4),
        "leaky relu of slope 0.0001 for relu in relu_1, dense_1",
    ),
    "average pooling": (
        asked(POOLED),
        with_flags(average_pool_in=frozenset({"pool_1"})),
        "average pooling for max pooling in pool_1",
    ),
    "pooling of what is left over": (
        asked(UNEVEN),
        with_a_window_more,
        "max pooling keeps what is left over at the end (ceil mode) in pool_1",
    ),
    "norm epsilon that is in no list": (
        asked(),
        with_norm(BatchNorm(0.875, 3.7e-3)),
        "BatchNorm epsilon: 0.0037 against 0.001",
    ),
    "norm momentum that is hardly another": (
        asked(),
        with_norm(BatchNorm(0.87500001)),
        "BatchNorm momentum: 0.87500001 against 0.875 (weight of the old statistics)",
    ),
    "label smoothing 0.01": (
        asked(),
        lambda e: replace(e, label_smoothing=0.01),
        "label smoothing: 0.01 against 0",
    ),
    "label smoothing 1e-5": (
        asked(DENSE),
        lambda e: replace(e, label_smoothing=1e-5),
        "label smoothing: 1e-05 against 0",
    ),
    "other label smoothing": (
        asked(label_smoothing=0.125),
        lambda e: replace(e, label_smoothing=0.15),
        "label smoothing: 0.15 against 0.125",
    ),
    "smoothing and class weights left out": (
        ALL_OPTIONS,
        without_options,
        "left out: label smoothing, class weights",
    ),
    "L2 1e-6 under Adam": (
        asked(),
        with_flags(l2=1e-6),
        "L2 penalty on kernels that was not asked for: 1e-06 w in the gradient",
    ),
    "L2 1e-6 under RMSprop": (
        asked(DENSE, RMSPROP),
        with_flags(l2=1e-6),
        "L2 penalty on kernels that was not asked for: 1e-06 w in the gradient",
    ),
    "L2 3e-6 under Adadelta": (
        asked(DENSE, ADADELTA),
        with_flags(l2=3e-6, l2_on="all"),
        "L2 penalty on all weights that was not asked for: 3e-06 w in the gradient",
    ),
    "alpha 1e-6 of scikit-learn under Adam": (
        asked(DENSE),
        with_flags(l2=1e-6, l2_per_batch=True, l2_reported=True),
        "L2 penalty on kernels that was not asked for: 1e-06 w divided by the rows of the batch in the gradient",
    ),
    "another decoupled decay": (
        asked(optimizer=ADAMW),
        with_optimizer(weight_decay=0.0613),
        "decoupled weight decay: 0.0613 against 0.0625",
    ),
    "clipped by the global norm": (
        asked(DENSE, SGD),
        with_flags(clip=0.37, clip_slack=1e-6),
        "gradients are clipped at a global norm of 0.37",
    ),
    "clipped by the global norm under Adam": (
        asked(),
        with_flags(clip=0.5),
        "gradients are clipped at a global norm of 0.5",
    ),
    "clipped by the norm of each weight": (
        asked(optimizer=ADAMW),
        with_flags(clip=0.31, clipped="norm of each weight"),
        "the gradient of each weight is clipped at a norm of 0.31",
    ),
    "clipped by value": (
        asked(DENSE, NESTEROV),
        with_flags(clip=0.0625, clipped="value"),
        "gradients are clipped at a value of 0.0625",
    ),
    "larger gradients": (
        asked(),
        with_flags(gradient_factor=128.0),
        "gradients are 128 times those of the loss",
    ),
    "a kernel that is not trained": (
        asked(DENSE),
        with_flags(frozen=frozenset({"dense_1/kernel"})),
        "not trained: dense_1/kernel",
    ),
    "momentum that is in no list": (
        asked(DENSE, MOMENTUM),
        with_optimizer(momentum=0.8765),
        "momentum of SGD: 0.8765 against 0.875",
    ),
    "beta 1 that is in no list": (asked(), with_optimizer(beta_1=0.87), "beta_1 of Adam: 0.87 against 0.875"),
    "rho that is in no list": (
        asked(DENSE, RMSPROP),
        with_optimizer(rho=0.88),
        "rho of RMSprop: 0.88 against 0.875",
    ),
    "a schedule that starts again": (
        scheduled(MOMENTUM),
        lambda e: replace(e, rates=np.tile(e.rates[: STEPS // 2], 2)),
        "learning rate stays at the first, 0.0625, against a schedule",
    ),
    "no bias correction from a step on": (
        asked(),
        with_flags(corrected_steps=4),
        "no bias correction in Adam from step 5 on",
    ),
    "state that starts again": (
        asked(),
        lambda e: replace(e, starts_again=frozenset({0, 4})),
        "the optimiser's state starts again with each epoch",
    ),
    "state that is lost": (
        asked(),
        lambda e: replace(e, starts_again=frozenset(range(STEPS))),
        "the optimiser's state starts again with each step",
    ),
    "state in float32": (asked(), with_flags(state="kept"), "the optimiser's state is kept in float32"),
    "state in float32, used so": (
        asked(DENSE, RMSPROP),
        with_flags(state="used"),
        "the optimiser's state is kept in float32",
    ),
    "weights multiplied": (asked(), multiplied(1.002), "weights are multiplied by 1.002 after each epoch"),
    "weights hardly multiplied": (
        asked(DENSE, SGD),
        multiplied(1.00001),
        "weights are multiplied by 1.00001 after each epoch",
    ),
    "prediction by old weights": (
        asked(),
        lambda e: replace(e, stale=True),
        "prediction after training uses the weights of before it",
    ),
}
