"""Forward pass and loss in PyTorch as functions of a batch: eager or compiled, in one precision or two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from bench.adapters.base import TrainingPlan
from bench.adapters.pytorch_input import Pixels
from bench.adapters.pytorch_outputs import logarithms
from bench.case import Case

if TYPE_CHECKING:
    import torch

    Convert = Callable[[torch.Tensor], torch.Tensor]

MIXED = ("bfloat16", "float16")
"""Precisions with float32 weights and updates; ``torch.autocast`` chooses what is computed in 16 bits."""


@dataclass(frozen=True, eq=False)
class Computation:
    """The functions of a step and a prediction, pixel conversion included."""

    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    """Images and labels of a batch to the mean loss over the batch."""
    logits: Callable[[torch.Tensor], torch.Tensor]
    """Images as stored to the logits, in the type they were computed in."""
    forward: Callable[[torch.Tensor], torch.Tensor]
    """Inputs to logits, never compiled."""
    compiled: bool


def computation(
    module: torch.nn.Module,
    case: Case,
    plan: TrainingPlan,
    pixels: Pixels,
    convert: Convert,
    *,
    whole: bool,
    probabilities: bool = False,
) -> Computation:
    """The computation of ``module`` as ``case`` asks for it; ``convert`` makes inputs of a training batch.

    ``whole`` forbids graph breaks, so that compiled means compiled from end to end. ``probabilities``: the module
    gives these in training, and the loss is that of probabilities.
    """
    import torch

    forward = answer = cast("Convert", module)
    if case.precision in MIXED:
        forward = _autocast(module, pixels.device.type, getattr(torch, case.precision))
        answer = _widened(forward, pixels.dtype)
    criterion = _criterion(plan, pixels)
    logits_of = logarithms if probabilities else _as_they_are

    def loss(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return criterion(logits_of(answer(convert(images))), labels)

    def logits(stored: torch.Tensor) -> torch.Tensor:
        # a copy even of float32: scaling is in place, and these may be the caller's own rows
        return forward(pixels.inputs(stored, copy=True))

    if case.execution != "compiled":
        return Computation(loss, logits, forward, compiled=False)
    made: Any = torch.compile  # the full batch and the short one are compiled apart, each for its own size
    compiled_loss = made(loss, dynamic=False, fullgraph=whole)
    return Computation(compiled_loss, made(logits, dynamic=False, fullgraph=whole), forward, compiled=True)


def _autocast(module: torch.nn.Module, kind: str, dtype: torch.dtype) -> Convert:
    import torch

    def forward(inputs: torch.Tensor) -> torch.Tensor:
        with torch.autocast(kind, dtype):
            return module(inputs)

    return forward


def _as_they_are(outputs: torch.Tensor) -> torch.Tensor:
    return outputs


def _widened(forward: Convert, dtype: torch.dtype) -> Convert:
    return lambda inputs: forward(inputs).to(dtype)


def _criterion(plan: TrainingPlan, pixels: Pixels) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Cross-entropy on logits, smoothed and weighted as the plan says, mean over the batch.

    torch's own weighted mean divides by the sum of the weights; here the mean is one over the samples.
    """
    import torch
    from torch.nn.functional import cross_entropy

    smoothing = plan.label_smoothing
    if plan.class_weights is None:
        if not smoothing:
            return cast("Callable[[torch.Tensor, torch.Tensor], torch.Tensor]", cross_entropy)
        return lambda logits, labels: cross_entropy(logits, labels, label_smoothing=smoothing)
    weights = torch.tensor(plan.class_weights, dtype=pixels.dtype).to(pixels.device)

    def weighted(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        losses = cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
        return (losses * weights[labels]).mean()

    return weighted


def loss_in_words(plan: TrainingPlan, probabilities: bool) -> str:
    """``cross-entropy on logits, mean over the batch``, with what the plan adds to it."""
    outputs = "probabilities" if probabilities else "logits"
    smoothed = f", label smoothing {plan.label_smoothing}" if plan.label_smoothing else ""
    weighted = ", samples weighted by class" if plan.class_weights is not None else ""
    return f"cross-entropy on {outputs}, mean over the batch{smoothed}{weighted}"


def compiler_report() -> dict[str, object]:
    """The graphs torch's compiler made in this process, and the breaks between them."""
    from torch._dynamo.utils import counters

    breaks = sum(counters["graph_break"].values())
    return {"compiler": "inductor", "graphs": counters["stats"]["unique_graphs"], "graph_breaks": breaks}
