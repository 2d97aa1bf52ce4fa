"""The windows that Keras' convolutions and poolings move over an image, and the padding really added."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from bench.adapters.layer_facts import reached, same_padding
from bench.adapters.layer_facts_recorder import Zeros


def convolution_facts(layer: Any, shape: tuple[int, ...], zeros: Zeros) -> dict[str, JsonValue]:
    """The window of a convolution over a batch of ``shape``, including ``zeros`` added just before it."""
    dilation, strides = tuple(layer.dilation_rate), tuple(layer.strides)
    padding: list[JsonValue] = []
    axes = zip(_spatial(layer, shape), layer.kernel_size, strides, dilation, zeros, strict=True)
    for size, kernel, stride, step, extra in axes:
        causal = [step * (kernel - 1), 0]
        named = {"valid": [0, 0], "causal": causal, "same": same_padding(size, kernel, stride, step)}
        added = [one + other for one, other in zip(named[layer.padding], extra, strict=True)]
        padding.append(list(reached(size - sum(extra), kernel, stride, step, added)))
    return {
        "kernel": list(layer.kernel_size),
        "strides": list(strides),
        "padding": padding,
        "dilation": list(dilation),
    }


def pooling_facts(kind: str, layer: Any, shape: tuple[int, ...]) -> dict[str, JsonValue]:
    """Facts of pooling a batch of ``shape``."""
    sides: Zeros = [[0, 0] for _ in layer.pool_size]
    if layer.padding == "same":
        spatial = zip(_spatial(layer, shape), layer.pool_size, layer.strides, strict=True)
        sides = [same_padding(size, window, stride) for size, window, stride in spatial]
    facts: dict[str, JsonValue] = {
        "size": list(layer.pool_size),
        "strides": list(layer.strides),
        "padding": [list(pair) for pair in sides],
    }
    if kind == "AveragePool" and any(any(pair) for pair in sides):
        facts["padding counted"] = False
    return facts


def _spatial(layer: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[2:] if layer.data_format == "channels_first" else shape[1:-1]
