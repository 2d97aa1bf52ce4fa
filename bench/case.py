"""The case to measure, its identity, and the seeds derived from it.

A case holds names and settings only, no arrays and no framework objects; it can be hashed, stored and compared.
"""

import hashlib
import json
import math
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

PROTOCOL_VERSION = 3
"""Raised when the meaning of a measured figure changes; figures of two protocols are never compared."""

Track = Literal["matched", "idiomatic"]
Execution = Literal["eager", "graph", "compiled"]
"""Operation by operation; as a graph of the framework's own; through a compiler that fuses operations."""
Precision = Literal["float32", "bfloat16", "float16", "float64"]
"""The two 16-bit ones are mixed: weights and their updates stay float32. float64 is for proofs, not for tables."""
Input = Literal["resident", "loader"]
"""Arrays in memory or on the device, or the framework's own input pipeline, which decodes image by image."""
ClassWeights = Literal["balanced"]
"""A sample counts ``n / (k n_class)``: every class as much as any other, however few rows it has."""


class Frozen(BaseModel):
    """Immutable data that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Optimizer(Frozen):
    """An optimiser and its constants; what each framework must compute in the matched track.

    With gradient g, weight w, rate η of the step, step t from 1, and every state zero at the start:

    - any: first, where ``weight_decay`` λ > 0, ``w -= η λ w`` for kernels alone
      (decoupled: Loshchilov and Hutter 2019);
    - ``sgd``: ``v = μ v - η g``; ``w += v``, with Nesterov ``w += μ v - η g``
      (the rate inside: Sutskever et al. 2013);
    - ``adam``, ``adamw``: the ε-hat form, ``w -= η √(1-β₂ᵗ)/(1-β₁ᵗ) · m / (√v + ε)``
      (Kingma and Ba 2015, section 2);
    - ``rmsprop``: ``s = ρ s + (1-ρ) g²``; ``u = η g / √(s + ε)``; ``m = μ m + u``; ``w -= m`` (Keras' form);
    - ``adadelta``: ``s = ρ s + (1-ρ) g²``; ``d = g √(a + ε) / √(s + ε)``; ``a = ρ a + (1-ρ) d²``; ``w -= η d``
      (Zeiler 2012, with a rate).
    """

    name: Literal["sgd", "adam", "adamw", "rmsprop", "adadelta"] = "adam"
    learning_rate: float = Field(default=0.001, gt=0)
    """The peak, where a schedule changes it."""
    beta_1: float = Field(default=0.9, ge=0, lt=1)
    beta_2: float = Field(default=0.999, ge=0, lt=1)
    rho: float = Field(default=0.9, ge=0, lt=1)
    epsilon: float = Field(default=1e-7, gt=0)
    momentum: float = Field(default=0.0, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: float = Field(default=0.0, ge=0)


class Schedule(Frozen):
    """The learning rate of each step; the harness turns it into an array (``bench.schedule``)."""

    name: Literal["constant", "step", "one-cycle"] = "constant"
    every_epochs: int = Field(default=1, ge=1)
    """``step``: the number of epochs after which ``factor`` multiplies the rate."""
    factor: float = Field(default=0.1, gt=0, le=1)
    warm_up: float = Field(default=0.3, ge=0, le=1)
    """``one-cycle``: the share of all steps on which the rate climbs to its peak."""
    start: float = Field(default=0.04, gt=0, le=1)
    """``one-cycle``: the first rate, as a share of the peak."""
    end: float = Field(default=4e-6, ge=0, le=1)
    """``one-cycle``: the last rate, as a share of the peak."""


class Normalization(Frozen):
    """``(x - mean) / std`` of pixels already scaled to 0..1."""

    mean: float
    std: float = Field(gt=0)


class Training(Frozen):
    """Training of a network: the same for every framework of a case's row."""

    epochs: int = Field(default=3, ge=1)
    min_steps: int = Field(default=0, ge=0)
    """Least number of steps: epochs are added to reach it, so that the budget does not shrink with the data set."""
    batch_size: int = Field(default=128, ge=1)
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Target ``(1 - s)`` of the true class plus ``s / k`` of each of the k classes."""
    class_weights: ClassWeights | None = None
    """``balanced``: the loss of a sample is weighted by ``n / (k n_class)``; the mean stays one over the samples."""
    normalize: Normalization | Literal["train"] | None = None
    """``train``: mean and deviation per channel of the training rows, as the harness computes them."""
    validation_rows: int = Field(default=0, ge=0)
    """Rows cut from the training part to draw a validation curve; never the test part."""
    validation_share: float = Field(default=0.0, ge=0, lt=1)
    """The same as a share of the training rows, where ``validation_rows`` is 0."""
    validation_part: Literal["sample", "last"] = "sample"
    """A stratified sample by seed, or the last rows, as Keras' ``validation_split`` takes them."""
    evaluations_per_epoch: int = Field(default=1, ge=1)
    """Evaluations of the validation part in each epoch, off the clock."""
    target_accuracy: float | None = Field(default=None, gt=0, le=1)
    """Time to accuracy: training seconds until validation accuracy reaches this value."""

    @model_validator(mode="after")
    def _target_needs_validation(self) -> Self:
        if self.target_accuracy is not None and not (self.validation_rows or self.validation_share):
            raise ValueError("target_accuracy needs validation_rows: the test part is scored once, at the end")
        return self

    def steps_per_epoch(self, rows: int) -> int:
        """Batches of one pass over ``rows`` rows, the short one included."""
        return math.ceil(rows / self.batch_size)

    def epochs_over(self, rows: int) -> int:
        """Passes over ``rows`` rows: ``epochs``, or as many as ``min_steps`` takes."""
        return max(self.epochs, math.ceil(self.min_steps / self.steps_per_epoch(rows)))

    def validation_count(self, rows: int) -> int:
        """Rows of the validation part, of ``rows`` rows for training."""
        return self.validation_rows or round(self.validation_share * rows)


class Measuring(Frozen):
    """Limits for timing prediction. Counts of calls and passes are kept with the figures."""

    predict_batch_size: int = Field(default=1000, ge=1)
    predict_s: float = Field(default=2.0, gt=0)
    """Timed passes are repeated until they fill this many seconds, at least once, at most ``predict_passes`` times."""
    predict_passes: int = Field(default=10, ge=1)
    latency_calls: int = Field(default=1000, ge=1)
    latency_s: float = Field(default=5.0, gt=0)
    """Calls on one sample are repeated ``latency_calls`` times, but end after ``latency_s`` seconds."""


class Case(Frozen):
    """One cell of an expanded suite: data set × model × framework × device × settings."""

    dataset: str
    model: str
    framework: str
    device: str = "cpu"
    track: Track = "matched"
    data_fingerprint: str | None = None
    """SHA-256 over the decoded arrays; None if the data set is unavailable."""
    model_digest: str | None = None
    """SHA-256 of the user's own file for a native model, of the architecture for a neutral one."""
    training: Training | None = None
    """None for an estimator, which brings its own."""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    """An estimator's parameters where the suite sets them."""
    train_rows: int | None = Field(default=None, ge=1)
    """A cap on the training rows (a seeded, stratified sample); None means all of them."""
    execution: Execution = "eager"
    precision: Precision = "float32"
    input: Input = "resident"
    steps_per_execution: int = Field(default=1, ge=1)
    """Steps a framework takes in one call of its compiled function (Keras)."""
    channels_last: bool = False
    """Images in memory with the channels innermost, where the framework has a choice (PyTorch)."""
    threads: int = Field(default=1, ge=1)
    measuring: Measuring = Measuring()

    @property  # not cached: pydantic's model_copy would carry the old value into a changed case
    def id(self) -> str:
        """16 hexadecimal digits over everything that changes what is computed or timed, and the protocol."""
        return digest({"protocol": PROTOCOL_VERSION, **self.model_dump(mode="json")})[:16]

    @property
    def cell(self) -> str:
        """The readable name: ``mnist/cnn/pytorch/cpu``."""
        return f"{self.dataset}/{self.model}/{self.framework}/{self.device}"

    @property
    def model_label(self) -> str:
        """The model's name with its cap, if it has one: ``svc-rbf (10,000 rows)``."""
        return self.model if self.train_rows is None else f"{self.model} ({self.train_rows:,} rows)"


def digest(value: JsonValue) -> str:
    """SHA-256, hexadecimal, of ``value`` as canonical JSON (sorted keys, no spaces)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def derive_seed(*axes: str | int) -> int:
    """A seed in ``[0, 2**32)`` from the axes that should change it, and from nothing else.

    Axes that are left out share their randomness: leaving the framework out gives every framework the same data
    order (compare benchopt's ``get_seed``).
    """
    return int(digest(list(axes))[:8], 16)


def order_seed(data_fingerprint: str, seed_index: int, epoch: int) -> int:
    """Seed of the data order of one epoch: the same in every framework and for every model."""
    return derive_seed("order", data_fingerprint, seed_index, epoch)


def weights_seed(seed_index: int, model: str, layer: str) -> int:
    """Seed of one layer's initial weights: the same in every framework."""
    return derive_seed("weights", seed_index, model, layer)


def framework_seed(seed_index: int, model: str) -> int:
    """Seed of randomness inside a framework: dropout masks, an estimator's ``random_state``."""
    return derive_seed("framework", seed_index, model)


def sample_seed(data_fingerprint: str, seed_index: int, part: str) -> int:
    """Seed of a sample of rows: ``part`` is ``train_rows`` or ``validation``."""
    return derive_seed("sample", data_fingerprint, seed_index, part)
