"""Departures of a ``Reference`` from the definition that a network or an optimiser as data cannot express.

A different constant (an epsilon, a rate) is a different ``Optimizer`` or ``PlacedNetwork``; a different formula is a
field here. ``NONE`` is the definition itself.
"""

from dataclasses import dataclass
from typing import Literal

EpsilonPlace = Literal["defined", "after correction", "inside root", "outside root"]
"""``defined``: as in ``Optimizer``. ``after correction``: Adam's, added to the corrected root, as in PyTorch."""
Scope = Literal["kernels", "all", "all but biases"]
Clipped = Literal["global norm", "norm of each weight", "value"]
"""The part of the gradients that a threshold bounds."""
Rounding = Literal["", "bfloat16", "TF32", "float16", "float32"]
"""The format that numbers are rounded to; empty: none."""


@dataclass(frozen=True)
class Deviations:
    """Departures from the definition, by part; the defaults are the definition."""

    # layers
    unbiased_variance: bool = False
    """BatchNorm's moving variance takes ``n / (n - 1)`` times the batch's biased variance (PyTorch's)."""
    norm_evaluates_by_batch: bool = False
    """BatchNorm uses the statistics of the batch in evaluation too."""
    norm_trains_by_moving: bool = False
    """BatchNorm uses its moving statistics in training, and leaves them as they are."""
    symmetric_pads: bool = False
    """Padding ``same`` adds ``kernel // 2`` on both sides."""
    channels_first: bool = False
    """Flatten in channel, height, width order."""
    activation: str = "relu"
    """Replacement for the rectifier in the layers of ``activation_in``: a name of ``ACTIVATIONS``."""
    slope: float = 0.0
    """Slope of a leaky rectifier below zero."""
    activation_in: frozenset[str] = frozenset()
    """Names of layers."""
    average_pool_in: frozenset[str] = frozenset()
    """Names of poolings that take the mean of a window."""
    without_bias: frozenset[str] = frozenset()
    """Layers that have no bias, by name."""
    frozen: frozenset[str] = frozenset()
    """Weights that exist and are not trained, by name."""
    products: Rounding = ""
    """Format of both factors of every matrix product, forward and backward; sums are exact."""
    outputs: Rounding = ""
    """Format of the bias and output of a layer with a kernel, and of the gradient it gets."""

    # answers and loss
    softmax_answers: bool = False
    """Answers are probabilities."""
    loss: str = "cross-entropy"
    """A name of ``LOSSES``."""
    divisor: int = 0
    """Divisor of the summed loss of a batch, whatever its rows; 0: its number of rows."""
    weights_by_target: bool = False
    """Each class's share of a smoothed label is weighted by that class, as in PyTorch."""
    weighted_mean: bool = False
    """The mean is one over the class weights of the batch, as in PyTorch."""
    reported_mean: bool = False
    """The reported loss is the mean, whatever loss is descended."""

    # gradients and penalties
    l2: float = 0.0
    """``l2 * w`` is added to the gradient of each weight in ``l2_on``."""
    l2_on: Scope = "kernels"
    l2_per_batch: bool = False
    """``l2`` is divided by the rows of the batch (scikit-learn's ``alpha``)."""
    l2_reported: bool = False
    """``l2 / 2`` times the sum of squares is part of the reported loss."""
    accumulates: bool = False
    """Gradients are added to those of all earlier steps: they are never set to zero."""
    accumulated_steps: int = 1
    """Batches whose mean gradient makes one update."""
    gradient_factor: float = 1.0
    """Factor for the gradients of the loss."""
    clip: float = 0.0
    """The threshold for ``clipped``; 0: nothing is clipped."""
    clipped: Clipped = "global norm"
    clip_slack: float = 0.0
    """Added to a norm before the threshold is divided by it (PyTorch adds 1e-6)."""

    # weights
    max_norm: float = 0.0
    """Largest norm of the weights into a unit of ``max_norm_in`` after each update; 0: no limit."""
    max_norm_in: frozenset[str] = frozenset()
    """Kernels, by name."""

    # optimisers
    coupled_decay: bool = False
    """Weight decay is added to the gradient instead of being taken from the weight."""
    decay_on: Scope = "kernels"
    decay_after: bool = False
    """Decoupled decay multiplies the weight after the update."""
    decay_rate: float = 0.0
    """Rate that multiplies decoupled decay instead of the step's rate; 0: the step's rate."""
    decay_without_rate: bool = False
    """Weight decay is not multiplied by the learning rate."""
    epsilon_place: EpsilonPlace = "defined"
    corrected_steps: int | None = None
    """Steps in which Adam's moments are corrected for their start at zero; None: all."""
    uncorrected: Literal["", "first", "second"] = ""
    """The moment of Adam that is not corrected for its start."""
    keeps_moments: bool = False
    """An optimiser that starts again resets its step count but keeps its moments."""
    epsilon_corrected: bool = False
    """Past ``corrected_steps`` Adam's epsilon is divided by ``√(1 - β₂ᵗ)``, as PyTorch's must be in the ε-hat form."""
    amsgrad: bool = False
    """Adam divides by the root of the largest second moment so far (Reddi et al., ICLR 2018)."""
    rate_outside: bool = False
    """The velocity holds gradients alone, and the rate of the step multiplies all of it (PyTorch's momentum)."""
    dampening: float = 0.0
    """Momentum weighs gradients by ``1 - dampening``."""
    dampens_first: bool = False
    """The first gradient is dampened too; PyTorch leaves it whole."""
    state: Literal["", "kept", "used"] = ""
    """The optimiser's state is rounded to float32: as kept for the next step, or already before use in its own step."""


NONE = Deviations()
