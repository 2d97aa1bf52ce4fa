"""The calls of torch's functions that are layers, noted as a module runs: modules and code in ``forward`` alike.

Modules call the same functions as code in ``forward`` does (``nn.ReLU`` calls ``F.relu``), so watching the functions
(``TorchFunctionMode``) sees both, with the constants that are really in force.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from bench.adapters.layer_facts import AWAKE, Layer, Layout, as_it_is, vector_layout
from bench.adapters.layer_facts_pytorch_functions import (
    DROPOUTS,
    HARMLESS,
    PLAIN,
    RENAMED,
    SIGNATURES,
    Call,
    integers,
    intercepting,
    tensors,
)
from bench.adapters.layer_facts_pytorch_windows import convolution_facts, is_depthwise, kernel_layout, pooling_facts
from bench.adapters.layer_facts_recorder import LayerRecorder, Slot, Slots

if TYPE_CHECKING:
    import torch


class CallRecorder(LayerRecorder):
    """Notes the calls that are layers, with their constants and weights."""

    def __init__(self, module: torch.nn.Module, dtypes: Mapping[int, str]) -> None:
        super().__init__(channels_first=True)
        self.statistics: list[tuple[torch.Tensor, int, Any]] = []
        self._dtypes = dtypes
        self._training = module.training
        self._named = {id(value): name for name, value in module.state_dict(keep_vars=True).items()}
        self._norms = {
            id(norm.running_var): norm for norm in module.modules() if getattr(norm, "running_var", None) is not None
        }
        self._trained = {id(value) for value in module.parameters() if value.requires_grad}
        self._parameters = {id(value): name for name, value in module.named_parameters()}
        self._owners = {
            id(value): type(owner).__name__ for owner in module.modules() for value in owner.parameters(recurse=False)
        }
        self._unknown: dict[str, str] = {}

    def mode(self) -> Any:
        import torch

        def note(function: Any, arguments: Call, values: tuple[Any, ...]) -> Any:
            if function is torch.Tensor.float:
                return values[0].double()
            output = function(*values, **arguments)
            self._note(getattr(function, "__name__", "").rstrip("_"), values, arguments, output)
            return output

        return intercepting(note)

    def unmapped(self) -> list[str]:
        """Parameters taken by a call with no known layout."""
        return [f"{name} of {operation}" for name, operation in self._unknown.items()]

    def marked(self, evaluation: CallRecorder) -> list[Layer]:
        """The layers, with a mark on each dropout that ``evaluation`` saw active."""
        layers = list(self.layers)
        for awake in (layer for layer in evaluation.layers if layer.facts.get(AWAKE)):
            asleep = {**awake.facts}
            del asleep[AWAKE]
            for index, layer in enumerate(layers):
                if layer.kind == awake.kind and layer.facts == asleep:
                    layers[index] = awake
                    break
        return layers

    def _note(self, name: str, values: tuple[Any, ...], arguments: Call, output: Any) -> None:
        import torch

        family = name[:-2] if name[-2:] in ("1d", "2d", "3d") and name[:-2] in SIGNATURES else name
        call = {**dict(zip(SIGNATURES.get(family, ("input",)), values, strict=False)), **arguments}
        given = call.get("input")
        if not isinstance(given, torch.Tensor):
            return self._note_unknown(name, values, arguments)
        known = getattr(self, f"_note_{family}", None)
        if known is not None and not (family == "mean" and given.ndim < 3):
            known(call, given, output)
        elif family in PLAIN:
            self._add(RENAMED.get(family, family))
        elif family in DROPOUTS:
            self._note_any_dropout(DROPOUTS[family], call)
        elif family in ("permute", "transpose", "movedim", "moveaxis", "swapaxes"):
            self._note_permutation(name, values, arguments, given)
        elif family in ("flatten", "view", "reshape") and given.ndim > 2 and output.ndim == 2:
            self._order.flattened(given.shape[1:])
        else:
            self._note_arithmetic(family, given, values)
            self._note_unknown(name, values, arguments)
        return None

    def _name(self, owner: Any, given: Slots) -> str:
        """Name of the module with the first weight."""
        first = next(iter(given.values()), None)
        return "" if first is None else self._named.get(id(first[0]), "").rpartition(".")[0]

    def _weight_facts(self, owner: Any, given: Slots) -> dict[str, JsonValue]:
        """Weights that are neither parameters nor buffers are noted as unknown."""
        for role, (tensor, _) in given.items():
            if id(tensor) not in self._named:
                self._unknown[f"{role} computed in forward"] = "a layer whose weights are not parameters"
        tensors_given = [tensor for tensor, _ in given.values()]
        return {
            "dtype": self._dtypes.get(id(tensors_given[0]), "float32"),
            "trained": any(id(tensor) in self._trained for tensor in tensors_given),
        }

    def _note_unknown(self, name: str, values: tuple[Any, ...], arguments: Call) -> None:
        for value in tensors((values, dict(arguments))):
            if id(value) in self._parameters and name not in HARMLESS:
                owner = self._owners.get(id(value), "")
                self._unknown[self._parameters[id(value)]] = f"{owner} (torch's {name})" if owner else name

    def _note_conv(self, call: Call, given: Any, output: Any) -> None:
        weight, groups = call["weight"], call.get("groups", 1)
        facts = convolution_facts(call, given.shape[2:], self._padding_before(weight.ndim - 2))
        kind = "DepthwiseConv" if is_depthwise(weight, groups) else "Conv"
        self._order.restart()
        self._add(kind, facts, kernel=(weight, kernel_layout(weight, groups)), bias=_bias(call))

    def _note_linear(self, call: Call, given: Any, output: Any) -> None:
        weight = call["weight"]
        units, inputs = weight.shape
        sizes, axes = self._order.rows(inputs)
        layout = Layout((units, *sizes), (*(axis + 1 for axis in axes), 0), (inputs, units))
        facts: dict[str, JsonValue] = {"units": units, "inputs": inputs, "bias": call.get("bias") is not None}
        self._order.consumed()
        self._add("Dense", facts, kernel=(weight, layout), bias=_bias(call))

    def _note_batch_norm(self, call: Call, given: Any, output: Any) -> None:
        variance = call.get("running_var")
        norm = self._norms.get(id(variance))
        momentum: JsonValue = "none"
        if variance is not None:
            share = norm.momentum if norm is not None else call.get("momentum", 0.1)
            momentum = "cumulative mean" if share is None else round(1.0 - share, 12)
            if norm is not None:
                self.statistics.append((variance, math.prod(given.shape[2:]), norm))
        facts: dict[str, JsonValue] = {
            "features": given.shape[1],
            "epsilon": call.get("eps", 1e-5),
            "momentum": momentum,
            "moving variance": "unbiased",
            "scale": call.get("weight") is not None,
            "offset": call.get("bias") is not None,
        }
        named = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
        self._add("BatchNorm", facts, **{role: self._vector(call.get(key)) for role, key in named.items()})

    def _note_group_norm(self, call: Call, given: Any, output: Any) -> None:
        facts: dict[str, JsonValue] = {
            "features": given.shape[1],
            "groups": call["num_groups"],
            "epsilon": call.get("eps", 1e-5),
            "scale": call.get("weight") is not None,
            "offset": call.get("bias") is not None,
        }
        self._add("GroupNorm", facts, gamma=self._vector(call.get("weight")), beta=self._vector(call.get("bias")))

    def _note_layer_norm(self, call: Call, given: Any, output: Any) -> None:
        shape = tuple(call["normalized_shape"])
        facts: dict[str, JsonValue] = {
            "features": math.prod(shape),
            "epsilon": call.get("eps", 1e-5),
            "scale": call.get("weight") is not None,
            "offset": call.get("bias") is not None,
        }

        def slot(value: Any) -> Slot | None:
            if value is None or len(shape) == 1:
                return self._vector(value)
            moved = (*shape[1:], shape[0])
            return value, Layout(shape, (*range(1, len(shape)), 0), moved)

        self._add("LayerNorm", facts, gamma=slot(call.get("weight")), beta=slot(call.get("bias")))

    def _vector(self, value: Any) -> Slot | None:
        return None if value is None else (value, vector_layout(self._order, value.numel()))

    def _note_max_pool(self, call: Call, given: Any, output: Any) -> None:
        self._note_pool("MaxPool", call, given, output)

    def _note_avg_pool(self, call: Call, given: Any, output: Any) -> None:
        self._note_pool("AveragePool", call, given, output)

    def _note_pool(self, kind: str, call: Call, given: Any, output: Any) -> None:
        pooled = output[0] if isinstance(output, tuple) else output
        self._order.restart()
        self._add(kind, pooling_facts(kind, call, given, pooled))

    def _note_adaptive_avg_pool(self, call: Call, given: Any, output: Any) -> None:
        self._note_adaptive("AveragePool", given, output)

    def _note_adaptive_max_pool(self, call: Call, given: Any, output: Any) -> None:
        self._note_adaptive("MaxPool", given, output)

    def _note_adaptive(self, kind: str, given: Any, output: Any) -> None:
        self._order.restart()
        if all(side == 1 for side in output.shape[2:]):
            self._add(f"Global{kind}")
        else:
            self._add(f"Adaptive{kind}", {"output": list(output.shape[2:])})

    def _note_mean(self, call: Call, given: Any, output: Any) -> None:
        dims = call.get("dim")
        if dims is not None and sorted(axis % given.ndim for axis in integers(dims)) == list(range(2, given.ndim)):
            self._add("GlobalAveragePool")

    def _note_leaky_relu(self, call: Call, given: Any, output: Any) -> None:
        self._add("leaky_relu", {"slope": call.get("negative_slope", 0.01)})

    def _note_elu(self, call: Call, given: Any, output: Any) -> None:
        self._add("elu", {"alpha": call.get("alpha", 1.0)})

    def _note_gelu(self, call: Call, given: Any, output: Any) -> None:
        self._add("gelu", {"form": "exact" if call.get("approximate", "none") == "none" else "tanh"})

    def _note_hardtanh(self, call: Call, given: Any, output: Any) -> None:
        low, high = call.get("min_val", -1.0), call.get("max_val", 1.0)
        self._add("relu6") if (low, high) == (0.0, 6.0) else self._add("hard_tanh", {"range": [low, high]})

    def _note_softmax(self, call: Call, given: Any, output: Any) -> None:
        self._add("softmax")

    def _note_log_softmax(self, call: Call, given: Any, output: Any) -> None:
        self._add("log_softmax")

    def _note_pad(self, call: Call, given: Any, output: Any) -> None:
        """Zeros before a convolution are its padding; anything else is a layer of its own."""
        sizes = integers(call["pad"])
        pairs = [[int(sizes[index]), int(sizes[index + 1])] for index in range(0, len(sizes), 2)][::-1]
        if call.get("mode", "constant") == "constant" and not call.get("value"):
            self._padding = pairs
        else:
            self._add(f"Pad ({call.get('mode')})", {"padding": [list(pair) for pair in pairs]})

    def _note_any_dropout(self, kind: str, call: Call) -> None:
        facts: dict[str, JsonValue] = {"rate": float(call.get("p", 0.5))}
        if call.get("training", True) and not self._training:
            facts[AWAKE] = True
        self._add(kind, facts)

    def _note_permutation(self, name: str, values: tuple[Any, ...], arguments: Call, given: Any) -> None:
        """Find the permutation by applying it to a tensor whose sides all differ."""
        import torch

        if given.ndim < 3:
            return
        sides = [index + 2 for index in range(given.ndim)]
        moved = getattr(torch.empty(sides), name)(
            *values[1:], **{key: value for key, value in arguments.items() if key != "input"}
        )
        axes = [sides.index(side) for side in moved.shape]
        if axes[0] == 0:
            self._order.permuted([axis - 1 for axis in axes[1:]])

    def _note_arithmetic(self, family: str, given: Any, values: tuple[Any, ...]) -> None:
        import torch

        if len(values) < 2 or given.ndim < 2 or family not in ("add", "sub", "mul", "div", "cat"):
            return  # a count, or the values of one axis
        other = values[1]
        if isinstance(other, torch.Tensor) and other.ndim > 1 and family == "add":
            self._add("Add")
        elif isinstance(other, int | float):
            kind, value = {
                "mul": ("multiply by", float(other)),
                "div": ("multiply by", 1.0 / other if other else math.inf),
                "add": ("add", float(other)),
                "sub": ("add", -float(other)),
            }.get(family, (family, float(other)))
            self._add("Rescaling", {kind: value})


def _bias(call: Call) -> Slot | None:
    bias = call.get("bias")
    return None if bias is None else (bias, as_it_is(bias.shape))
