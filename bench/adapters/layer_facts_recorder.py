"""Layers noted one by one as a model runs, their weights numbered: the part common to all frameworks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from bench.adapters.layer_facts import FeatureOrder, Layer, Layout

Slot = tuple[Any, Layout]
"""A framework's own weight (parameter, buffer or variable), and how it becomes neutral."""

Slots = Mapping[str, Slot]
"""The weights of one layer by role: ``kernel``, ``bias``, ``gamma``, …"""

Zeros = list[list[int]]
"""Added before and after each spatial axis."""


class LayerRecorder(ABC):
    """The layers in the order in which they ran. A framework's part calls ``_add`` for each call that is a layer."""

    def __init__(self, *, channels_first: bool) -> None:
        self.layers: list[Layer] = []
        self.slots: dict[str, Slot] = {}
        """All weights by ``<number of the layer with weights>/<role>``."""
        self._order = FeatureOrder(channels_first=channels_first)
        self._mapped: dict[int, int] = {}
        """By identity of a weight: the number of its layer."""
        self._padding: Zeros | None = None
        """Zeros added by the layer before: a convolution's own, if one comes next."""

    @abstractmethod
    def _name(self, owner: Any, given: Slots) -> str:
        """The model's own name for a layer with these weights."""

    @abstractmethod
    def _weight_facts(self, owner: Any, given: Slots) -> Mapping[str, JsonValue]:
        """Facts of weights met for the first time: ``dtype``, ``trained``, …"""

    def _add(
        self, kind: str, facts: Mapping[str, JsonValue] | None = None, owner: Any = None, **weights: Slot | None
    ) -> None:
        """Note a layer; ``owner`` is the framework's, where it is known; a role without a weight is None."""
        given = {role: slot for role, slot in weights.items() if slot is not None}
        found: dict[str, JsonValue] = dict(facts or {})
        shapes = {role: layout.shape for role, (_, layout) in given.items()}
        if given:
            first, _ = next(iter(given.values()))
            if id(first) in self._mapped:
                found["weights of"] = f"weighted layer {self._mapped[id(first)] + 1}"
                shapes = {}
            else:
                self._take(given)
                found.update(self._weight_facts(owner, given))
        self._add_pending_padding()
        self.layers.append(Layer(kind=kind, name=self._name(owner, given), facts=found, weights=shapes))

    def _take(self, given: Slots) -> None:
        """Number the weights of a layer that has not run before."""
        number = sum(bool(layer.weights) for layer in self.layers)
        for role, slot in given.items():
            self._mapped[id(slot[0])] = number
            self.slots[f"{number}/{role}"] = slot

    def _padding_before(self, rank: int) -> Zeros:
        """Take the zeros added just before a convolution over ``rank`` axes as its own padding."""
        zeros, self._padding = self._padding or [[0, 0]] * rank, None
        return zeros

    def _add_pending_padding(self) -> None:
        """Note zeros that no convolution took as a layer."""
        if self._padding is not None:
            pairs, self._padding = self._padding, None
            self.layers.append(Layer(kind="ZeroPad", name="", facts={"padding": [list(pair) for pair in pairs]}))
