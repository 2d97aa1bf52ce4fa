"""torch's optimisers: driven to compute what ``bench.case.Optimizer`` defines, or as torch has them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from bench.case import Optimizer

if TYPE_CHECKING:
    import torch

_CONSTANTS = {
    "betas": "betas",
    "alpha": "rho",
    "rho": "rho",
    "eps": "epsilon",
    "momentum": "momentum",
    "nesterov": "nesterov",
    "weight_decay": "weight_decay",
    "foreach": "foreach",
    "fused": "fused",
}
"""Keys of torch's parameter groups, and their names in settings."""


class Updates:
    """An optimiser that takes each step at the rate given for it.

    ``decayed`` parameters are multiplied by ``1 - rate * weight_decay`` before each update.
    """

    def __init__(
        self,
        optimizer: Any,
        constants: Optimizer,
        scaler: Any = None,
        *,
        decayed: Sequence[torch.Tensor] = (),
        notes: Mapping[str, object] | None = None,
    ) -> None:
        self._torch = optimizer
        self._groups = optimizer.param_groups
        self._constants = constants
        self._rate = constants.learning_rate
        self._decayed = decayed
        self._notes = dict(notes or {})
        self._scaler = scaler
        self._taken = 0
        optimizer.register_step_post_hook(self._count)
        if scaler is not None:  # it steps only if no gradient overflowed; otherwise nothing may change
            optimizer.register_step_pre_hook(lambda *_: self._prepare())

    def step(self, loss: torch.Tensor, rate: float) -> None:
        """One update at learning rate ``rate``, from the gradients of ``loss``."""
        self._rate = rate
        self._torch.zero_grad(set_to_none=True)
        if self._scaler is None:
            loss.backward()
            self._prepare()
            self._torch.step()
        else:
            self._scaler.scale(loss).backward()
            self._scaler.step(self._torch)
            self._scaler.update()

    def taken(self) -> int | None:
        """Steps that torch's optimiser has taken since the last call.

        None with a scaler, which skips a step if a gradient overflowed.
        """
        taken, self._taken = self._taken, 0
        return taken if self._scaler is None else None

    def _count(self, *_: object) -> None:
        self._taken += 1

    def _prepare(self) -> None:
        """Decay weights and set the rate just before torch's step."""
        if self._decayed:
            self._decay()
        self._set_rate()

    def _decay(self) -> None:
        import torch

        with torch.no_grad():
            torch._foreach_mul_(self._decayed, 1.0 - self._rate * self._constants.weight_decay)

    def _set_rate(self) -> None:
        for group in self._groups:
            group["lr"] = self._rate

    def settings(self) -> dict[str, object]:
        """Class and constants as torch holds them, and how they are meant."""
        found = {name: self._groups[0][key] for key, name in _CONSTANTS.items() if key in self._groups[0]}
        if self._decayed:
            found["weight_decay"] = self._constants.weight_decay
        return {"name": type(self._torch).__name__, "learning_rate": self._rate, **found, **self._notes}


class _EpsilonHat(Updates):
    """torch's Adam in the ε-hat form of Keras and scikit-learn.

    torch adds ε after the bias correction, ``m̂ / (√v̂ + ε)``; the ε-hat form (Kingma and Ba 2015, end of section 2)
    before it. Setting torch's ε to ``ε / √(1 - β₂ᵗ)`` at step t gives the same update exactly.
    """

    _steps = 0

    def _set_rate(self) -> None:
        self._steps += 1
        epsilon = self._constants.epsilon / math.sqrt(1.0 - self._constants.beta_2**self._steps)
        for group in self._groups:
            group["lr"] = self._rate
            group["eps"] = epsilon

    def settings(self) -> dict[str, object]:
        return super().settings() | {"epsilon": self._constants.epsilon, "form": "epsilon-hat"}


class _RateInside(Updates):
    """SGD with momentum at rates that change: each gradient enters the momentum at the rate of its own step.

    torch multiplies the whole momentum by the current rate. So it gets gradients multiplied by the rate, and steps
    at rate 1. This is exact, also for Nesterov's form and a rate of 0.
    """

    def _set_rate(self) -> None:
        import torch

        gradients = [p.grad for group in self._groups for p in group["params"] if p.grad is not None]
        torch._foreach_mul_(gradients, self._rate)
        for group in self._groups:
            group["lr"] = 1.0

    def settings(self) -> dict[str, object]:
        return super().settings() | {"momentum_form": "rate inside"}


def matched_updates(
    module: torch.nn.Module, constants: Optimizer, rates: Sequence[float], scaler: Any = None
) -> Updates:
    """The optimiser as ``bench.case.Optimizer`` defines it, for a run at ``rates``."""
    import torch

    parameters = _trained(module)
    kernels = [parameter for parameter in parameters if parameter.ndim > 1]
    rate, betas = constants.learning_rate, (constants.beta_1, constants.beta_2)
    notes: dict[str, object] = {"decay": "decoupled, kernels alone"} if constants.weight_decay else {}
    decayed = kernels if constants.weight_decay else []
    optimizer: Any
    match constants.name:
        case "adam":
            optimizer = torch.optim.Adam(parameters, rate, betas, constants.epsilon)
            return _EpsilonHat(optimizer, constants, scaler, decayed=decayed, notes=notes)
        case "adamw":
            others = [parameter for parameter in parameters if parameter.ndim <= 1]
            groups: list[dict[str, Any]] = [{"params": kernels}, {"params": others, "weight_decay": 0.0}]
            filled = [group for group in groups if group["params"]]
            optimizer = torch.optim.AdamW(filled, rate, betas, constants.epsilon, constants.weight_decay)
            return _EpsilonHat(optimizer, constants, scaler, notes=notes)
        case "rmsprop":
            optimizer = _rmsprop_class()(parameters, constants)
            notes["form"] = "epsilon inside the root"
        case "adadelta":
            optimizer = torch.optim.Adadelta(parameters, rate, constants.rho, constants.epsilon)
            notes["form"] = "epsilon inside both roots"
        case "sgd":
            # Nesterov's form without momentum is plain, and torch refuses it
            nesterov = constants.nesterov and constants.momentum > 0
            optimizer = torch.optim.SGD(parameters, rate, constants.momentum, nesterov=nesterov)
            if constants.momentum and min(rates) < max(rates):
                return _RateInside(optimizer, constants, scaler, decayed=decayed, notes=notes)
    return Updates(optimizer, constants, scaler, decayed=decayed, notes=notes)


def own_updates(module: torch.nn.Module, constants: Optimizer, scaler: Any = None) -> Updates:
    """torch's optimiser of that name with the constants given, and torch's defaults otherwise.

    So ε stands where torch puts it, the rate is outside the momentum, and weight decay is L2 on all parameters; only
    AdamW decouples it, also on all parameters.
    """
    import torch

    parameters, rate, decay = _trained(module), constants.learning_rate, constants.weight_decay
    betas, epsilon, rho = (constants.beta_1, constants.beta_2), constants.epsilon, constants.rho
    notes: dict[str, object] = {}
    optimizer: Any
    match constants.name:
        case "adam" | "adamw":
            made = torch.optim.Adam if constants.name == "adam" else torch.optim.AdamW
            optimizer = made(parameters, rate, betas, epsilon, decay)
            notes["form"] = "epsilon after the bias correction"
        case "rmsprop":
            optimizer = torch.optim.RMSprop(parameters, rate, rho, epsilon, decay, constants.momentum)
            notes["form"] = "epsilon outside the root"
        case "adadelta":
            optimizer = torch.optim.Adadelta(parameters, rate, rho, epsilon, decay)
            notes["form"] = "epsilon inside both roots"
        case "sgd":
            nesterov = constants.nesterov and constants.momentum > 0
            optimizer = torch.optim.SGD(parameters, rate, constants.momentum, 0.0, decay, nesterov)
            notes |= {"momentum_form": "rate outside"} if constants.momentum else {}
    if decay:
        notes["decay"] = "decoupled, all parameters" if constants.name == "adamw" else "L2, all parameters"
    return Updates(optimizer, constants, scaler, notes=notes)


def _trained(module: torch.nn.Module) -> list[Any]:
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


@cache
def _rmsprop_class() -> Any:
    import torch

    class RootedRMSprop(torch.optim.Optimizer):  # type: ignore[misc]
        """RMSprop with ε inside the root and the rate inside the momentum, where torch's own has both outside."""

        def __init__(self, parameters: list[Any], constants: Optimizer) -> None:
            found = {"lr": constants.learning_rate, "rho": constants.rho, "eps": constants.epsilon}
            super().__init__(parameters, found | {"momentum": constants.momentum})

        @torch.no_grad()  # type: ignore[untyped-decorator]
        def step(self, closure: None = None) -> None:
            """``s = ρ s + (1-ρ) g²``; ``m = μ m + η g / √(s + ε)``; ``w -= m``."""
            for group in self.param_groups:
                parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
                gradients = [parameter.grad for parameter in parameters]
                squares = self._kept("square", parameters)
                torch._foreach_mul_(squares, group["rho"])
                torch._foreach_addcmul_(squares, gradients, gradients, value=1.0 - group["rho"])
                roots = torch._foreach_add(squares, group["eps"])
                torch._foreach_sqrt_(roots)
                moves = torch._foreach_div(gradients, roots)
                torch._foreach_mul_(moves, group["lr"])
                if group["momentum"]:
                    momenta = self._kept("momentum", parameters)
                    torch._foreach_mul_(momenta, group["momentum"])
                    torch._foreach_add_(momenta, moves)
                    moves = momenta
                torch._foreach_sub_(parameters, moves)

        def _kept(self, name: str, parameters: list[Any]) -> list[Any]:
            """The state ``name`` of each parameter, zeros at the start."""
            for parameter in parameters:
                if name not in self.state[parameter]:
                    self.state[parameter][name] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
            return [self.state[parameter][name] for parameter in parameters]

    return RootedRMSprop
