"""What is asked: a case, its identity, and the seeds that follow from it.

A case holds names and settings only, no arrays and no framework objects; it can be hashed, stored and compared.
"""

import hashlib
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

PROTOCOL_VERSION = 1
"""Raised when the meaning of a measured figure changes; figures of two protocols are never compared."""

Track = Literal["matched", "idiomatic"]
Execution = Literal["eager", "graph", "compiled"]


class Frozen(BaseModel):
    """Immutable data that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Optimizer(Frozen):
    """An optimiser and its constants. Adam is in the ε-hat form of Keras and scikit-learn in the matched track."""

    name: Literal["adam", "sgd"] = "adam"
    learning_rate: float = Field(default=0.001, gt=0)
    beta_1: float = Field(default=0.9, ge=0, lt=1)
    beta_2: float = Field(default=0.999, ge=0, lt=1)
    epsilon: float = Field(default=1e-7, gt=0)
    momentum: float = Field(default=0.0, ge=0, lt=1)
    nesterov: bool = False


class Training(Frozen):
    """How a network is trained: the same for every framework of a case's row."""

    epochs: int = Field(default=3, ge=1)
    batch_size: int = Field(default=128, ge=1)
    optimizer: Optimizer = Optimizer()
    validation_rows: int = Field(default=0, ge=0)
    """Rows cut from the training part, by seed, to draw a validation curve; never the test part."""


class Measuring(Frozen):
    """How long prediction is timed. Counts of calls and passes are kept with the figures."""

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
    """SHA-256 over the decoded arrays; None where the data set is not to be had."""
    model_digest: str | None = None
    """SHA-256 of the user's own file for a native model, of the architecture for a neutral one."""
    training: Training | None = None
    """None for an estimator, which brings its own."""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    """An estimator's parameters where the suite sets them."""
    train_rows: int | None = Field(default=None, ge=1)
    """A cap on the training rows (a seeded, stratified sample); None means all of them."""
    execution: Execution = "eager"
    precision: Literal["float32"] = "float32"
    input: Literal["resident"] = "resident"
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
        """The model's name with its cap, where it has one: ``svc-rbf (10,000 rows)``."""
        return self.model if self.train_rows is None else f"{self.model} ({self.train_rows:,} rows)"


def digest(value: JsonValue) -> str:
    """SHA-256, hexadecimal, of ``value`` as canonical JSON (sorted keys, no spaces)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def derive_seed(*axes: str | int) -> int:
    """A seed in ``[0, 2**32)`` from the axes that should change it, and from nothing else.

    What does not appear among the axes shares its randomness: leaving the framework out gives every framework
    the same data order (compare benchopt's ``get_seed``).
    """
    return int(digest(list(axes))[:8], 16)


def order_seed(data_fingerprint: str, seed_index: int, epoch: int) -> int:
    """Seed of the data order of one epoch: the same in every framework and for every model."""
    return derive_seed("order", data_fingerprint, seed_index, epoch)


def weights_seed(seed_index: int, model: str, layer: str) -> int:
    """Seed of one layer's initial weights: the same in every framework."""
    return derive_seed("weights", seed_index, model, layer)


def framework_seed(seed_index: int, model: str) -> int:
    """Seed of what happens inside a framework: dropout masks, an estimator's ``random_state``."""
    return derive_seed("framework", seed_index, model)


def sample_seed(data_fingerprint: str, seed_index: int, part: str) -> int:
    """Seed of a sample of rows: ``part`` is ``train_rows`` or ``validation``."""
    return derive_seed("sample", data_fingerprint, seed_index, part)
