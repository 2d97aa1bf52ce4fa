"""Ways in which a ``Reference`` can depart from the definition where a network or an optimiser as data cannot say so.

A different constant (an epsilon, a rate) is a different ``Optimizer`` or ``PlacedNetwork``; a different formula is a
field here. ``NONE`` is the definition itself.
"""

from dataclasses import dataclass
from typing import Literal

EpsilonPlace = Literal["defined", "after correction", "inside root", "outside root"]
"""``defined``: that of ``Optimizer``. ``after correction``: Adam's, added to the corrected root, as PyTorch has it."""
Scope = Literal["kernels", "all", "all but biases"]
Clipped = Literal["global norm", "norm of each weight", "value"]
"""What of the gradients is held below a threshold."""
Rounding = Literal["", "bfloat16", "TF32", "float16", "float32"]
"""The format to which numbers are rounded; empty: to none."""


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
    """What stands in the place of the rectifier in the layers of ``activation_in``: a name of ``ACTIVATIONS``."""
    slope: float = 0.0
    """Below zero, of a leaky rectifier."""
    activation_in: frozenset[str] = frozenset()
    """Names of layers."""
    average_pool_in: frozenset[str] = frozenset()
    """Names of poolings that take the mean of a window."""
    without_bias: frozenset[str] = frozenset()
    """Layers that have no bias, by name."""
    frozen: frozenset[str] = frozenset()
    """Weights that are there and are not trained, by name."""
    products: Rounding = ""
    """Both factors of every product of matrices are rounded to it, forward and backward; sums are exact."""
    outputs: Rounding = ""
    """What a layer with a kernel gives is rounded to it, and so is the gradient it gets."""

    # answers and loss
    softmax_answers: bool = False
    """What is answered are probabilities."""
    loss: str = "cross-entropy"
    """A name of ``LOSSES``."""
    divisor: int = 0
    """What the summed loss of a batch is divided by, whatever its rows; 0: by its rows."""
    weights_by_target: bool = False
    """Each class's share of a smoothed label is weighted by that class, as in PyTorch."""
    weighted_mean: bool = False
    """The mean is one over the class weights of the batch, as PyTorch has it."""
    reported_mean: bool = False
    """The loss that is reported is the mean, whatever is descended."""

    # gradients and penalties
    l2: float = 0.0
    """``l2 * w`` is added to the gradient of each weight in ``l2_on``."""
    l2_on: Scope = "kernels"
    l2_per_batch: bool = False
    """``l2`` is divided by the rows of the batch (scikit-learn's ``alpha``)."""
    l2_reported: bool = False
    """``l2 / 2`` times the sum of squares is part of the loss that is reported."""
    accumulates: bool = False
    """Gradients are added to those of all steps before, for they are never set to zero."""
    accumulated_steps: int = 1
    """The mean gradient of so many batches makes one update."""
    gradient_factor: float = 1.0
    """Gradients are so many times those of the loss."""
    clip: float = 0.0
    """The threshold of what ``clipped`` names; 0: nothing is clipped."""
    clipped: Clipped = "global norm"
    clip_slack: float = 0.0
    """Added to a norm before the threshold is divided by it (PyTorch adds 1e-6)."""

    # weights
    max_norm: float = 0.0
    """After each update the weights into a unit of ``max_norm_in`` are held to this norm; 0: they are not."""
    max_norm_in: frozenset[str] = frozenset()
    """Kernels, by name."""

    # optimisers
    coupled_decay: bool = False
    """Weight decay is added to the gradient instead of being taken from the weight."""
    decay_on: Scope = "kernels"
    decay_after: bool = False
    """Decoupled decay multiplies the weight that the update has made."""
    decay_rate: float = 0.0
    """Decoupled decay is multiplied by this rate in the place of that of the step; 0: by that."""
    decay_without_rate: bool = False
    """Weight decay is not multiplied by the learning rate."""
    epsilon_place: EpsilonPlace = "defined"
    corrected_steps: int | None = None
    """Adam's moments are corrected for their start at zero in so many steps; None: in all."""
    uncorrected: Literal["", "first", "second"] = ""
    """The moment of Adam that is not corrected for its start."""
    keeps_moments: bool = False
    """An optimiser that starts again resets its step count but keeps its moments."""
    epsilon_corrected: bool = False
    """Adam's epsilon goes on as if they were: divided by ``√(1 - β₂ᵗ)``, as PyTorch's is to be in the ε-hat form."""
    amsgrad: bool = False
    """Adam divides by the root of the largest second moment there was (Reddi et al., ICLR 2018)."""
    rate_outside: bool = False
    """The velocity holds gradients alone, and the rate of the step multiplies all of it (PyTorch's momentum)."""
    dampening: float = 0.0
    """Momentum weighs gradients by ``1 - dampening``."""
    dampens_first: bool = False
    """The first gradient too; PyTorch's dampening leaves it whole."""
    state: Literal["", "kept", "used"] = ""
    """The optimiser's state is rounded to float32: as it is kept for the next step, or before it is used in its own."""


NONE = Deviations()
