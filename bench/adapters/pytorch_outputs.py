"""The kind of output of a user's module, in training and in evaluation: logits, or probabilities."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.models.native import LEAST_PROBABILITY, gives_probabilities

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Outputs:
    """True where outputs are probabilities."""

    trained: bool = False
    """In training mode: then the loss is that of probabilities."""
    answered: bool = False
    """In evaluation mode."""


def outputs_of(module: torch.nn.Module, inputs: torch.Tensor) -> Outputs:
    """The kinds of output of ``module`` for a few ``inputs``, seen on a copy; logits where it cannot be seen.

    A module that fails here fails again where it is used, and is named there.
    """
    try:
        tried = copy.deepcopy(module)
    except Exception:  # a module may hold what cannot be copied
        return Outputs()
    return Outputs(*(_probabilities(tried.train(training), inputs) for training in (True, False)))


def _probabilities(module: torch.nn.Module, inputs: torch.Tensor) -> bool:
    import torch

    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        try:
            found: Any = module(inputs)
        except Exception:  # whatever the user's layers raise
            return False
    return isinstance(found, torch.Tensor) and gives_probabilities(found.detach().float().cpu().numpy())


def logarithms(probabilities: torch.Tensor) -> torch.Tensor:
    """Logits of probabilities, to be given to a cross-entropy on logits."""
    return probabilities.clamp_min(LEAST_PROBABILITY).log()
