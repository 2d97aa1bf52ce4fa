"""The windows that torch's convolutions and poolings move over an image, and the padding really added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import JsonValue

from bench.adapters.layer_facts import Layout, reached
from bench.adapters.layer_facts_pytorch_functions import Call, each
from bench.adapters.layer_facts_recorder import Zeros

if TYPE_CHECKING:
    import torch


def convolution_facts(call: Call, sizes: Sequence[int], zeros: Zeros) -> dict[str, JsonValue]:
    """Facts of a convolution over axes of ``sizes``, including ``zeros`` added before it."""
    weight = call["weight"]
    rank = weight.ndim - 2
    kernel = [int(side) for side in weight.shape[2:]]
    strides, dilation = each(call.get("stride", 1), rank), each(call.get("dilation", 1), rank)
    padding: list[JsonValue] = []
    own = _own_padding(call.get("padding", 0), kernel, dilation)
    for axis, (sides, extra) in enumerate(zip(own, zeros, strict=True)):
        added = [sides[0] + extra[0], sides[1] + extra[1]]
        size = int(sizes[axis]) - sum(extra)
        padding.append([int(side) for side in reached(size, kernel[axis], strides[axis], dilation[axis], added)])
    return {
        "filters": weight.shape[0],
        "kernel": list(kernel),
        "strides": list(strides),
        "padding": padding,
        "dilation": list(dilation),
        "groups": call.get("groups", 1),
        "bias": call.get("bias") is not None,
    }


def _own_padding(padding: object, kernel: Sequence[int], dilation: Sequence[int]) -> Zeros:
    """A convolution's own padding before and after each axis."""
    if padding == "same":
        around = [step * (side - 1) for side, step in zip(kernel, dilation, strict=True)]
        return [[total // 2, total - total // 2] for total in around]
    return [[value, value] for value in each(0 if padding == "valid" else padding, len(kernel))]


def is_depthwise(weight: torch.Tensor, groups: int) -> bool:
    """True if each filter sees only one channel."""
    return groups > 1 and weight.shape[1] == 1


def kernel_layout(weight: torch.Tensor, groups: int) -> Layout:
    """From ``(filters, channels of a group, *spatial)`` to ``(*spatial, channels, filters of each)``."""
    filters, per_group, *kernel = weight.shape
    spatial = tuple(range(2, weight.ndim))
    if is_depthwise(weight, groups):
        each_channel = filters // groups
        return Layout((groups, each_channel, *kernel), (*spatial, 0, 1), (*kernel, groups, each_channel))
    return Layout(tuple(weight.shape), (*spatial, 1, 0), (*kernel, per_group, filters))


def pooling_facts(kind: str, call: Call, given: torch.Tensor, pooled: torch.Tensor) -> dict[str, JsonValue]:
    """Facts of a pooling of ``given``; the padding at the end is what its last window covers."""
    rank = given.ndim - 2
    size = each(call["kernel_size"], rank)
    strides = each(call.get("stride") or size, rank)
    before = each(call.get("padding", 0), rank)
    sides: Zeros = []
    for axis in range(rank):
        covered = (pooled.shape[axis + 2] - 1) * strides[axis] + size[axis]
        sides.append([before[axis], max(0, covered - given.shape[axis + 2] - before[axis])])
    facts: dict[str, JsonValue] = {
        "size": list(size),
        "strides": list(strides),
        "padding": [list(pair) for pair in sides],
    }
    if kind == "AveragePool" and any(any(pair) for pair in sides):
        facts["padding counted"] = bool(call.get("count_include_pad", True))
    return facts
