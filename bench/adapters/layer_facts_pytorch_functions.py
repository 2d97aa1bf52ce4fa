"""The functions of torch that layers are made of: their signatures, and a way to watch or answer their calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Call = Mapping[str, Any]
"""A call's arguments by name."""

DROPOUTS: Mapping[str, str] = {
    "dropout": "Dropout",
    "dropout1d": "SpatialDropout",
    "dropout2d": "SpatialDropout",
    "dropout3d": "SpatialDropout",
    "feature_dropout": "SpatialDropout",
    "alpha_dropout": "AlphaDropout",
    "feature_alpha_dropout": "AlphaDropout",
}
PLAIN = ("relu", "relu6", "selu", "silu", "mish", "sigmoid", "tanh", "hardswish", "hardsigmoid", "softsign")
RENAMED = {"hardswish": "hard_silu", "hardsigmoid": "hard_sigmoid"}
SIGNATURES: dict[str, tuple[str, ...]] = {
    "conv": ("input", "weight", "bias", "stride", "padding", "dilation", "groups"),
    "linear": ("input", "weight", "bias"),
    "batch_norm": ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps"),
    "layer_norm": ("input", "normalized_shape", "weight", "bias", "eps"),
    "group_norm": ("input", "num_groups", "weight", "bias", "eps"),
    "max_pool": ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"),
    "avg_pool": ("input", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    "adaptive_max_pool": ("input", "output_size"),
    "adaptive_avg_pool": ("input", "output_size"),
    "leaky_relu": ("input", "negative_slope"),
    "elu": ("input", "alpha"),
    "gelu": ("input", "approximate"),
    "hardtanh": ("input", "min_val", "max_val"),
    "softmax": ("input", "dim"),
    "log_softmax": ("input", "dim"),
    "pad": ("input", "pad", "mode", "value"),
    "mean": ("input", "dim"),
    **dict.fromkeys(DROPOUTS, ("input", "p", "training")),
}


HARMLESS = frozenset({"__get__", "size", "dim", "numel", "is_floating_point", "clone", "detach", "requires_grad"})
"""Functions of a parameter that do not compute with it."""


def intercepting(intercept: Callable[[Any, Call, tuple[Any, ...]], Any]) -> Any:
    """A mode in which ``intercept`` answers a call in torch's place, or gives ``NotImplemented``."""
    from torch.overrides import TorchFunctionMode

    class Mode(TorchFunctionMode):  # type: ignore[misc, unused-ignore]
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            answer = intercept(func, kwargs or {}, args)
            return func(*args, **(kwargs or {})) if answer is NotImplemented else answer

    return Mode()


def each(value: Any, rank: int) -> list[int]:
    """One value per axis, from a single number or one per axis."""
    found = integers(value)
    return found * rank if len(found) == 1 else found


def integers(value: Any) -> list[int]:
    """One number or several, as a list."""
    return [int(item) for item in value] if isinstance(value, Sequence) else [int(value)]


def tensors(value: Any) -> list[Any]:
    """Every tensor in ``value``, however nested."""
    import torch

    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for item in value for tensor in tensors(item)] if isinstance(value, list | tuple) else []
