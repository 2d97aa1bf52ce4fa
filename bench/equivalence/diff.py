"""The proof of equivalence for two user models: opened, paired, given the same weights, and run side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.adapters.layer_facts import OPENERS, PREFERRED, Described
from bench.equivalence.diff_layers import LayerDifference, compare_layers
from bench.errors import BenchError, UnknownName
from bench.models.model import NativeModel

if TYPE_CHECKING:
    from bench.equivalence.diff_process import Conversation
    from bench.equivalence.diff_trace import Limits, Quantity
    from bench.equivalence.diff_worker import Opening, Reply

Verdict = Literal["same", "differ", "not judged"]


@dataclass(frozen=True)
class Question:
    """A request to compare two models."""

    left: str
    """``torch_net.py:Net``."""
    right: str
    shape: tuple[int, ...] = (28, 28, 1)
    """Shape of an image, channels last."""
    classes: int = 10
    optimizer: str = "adam"
    seed: int = 0
    threads: int = 1


@dataclass(frozen=True)
class Side:
    """One of the two models."""

    label: str
    """Name that differs from the other's: the file's name, and more if both are the same."""
    reference: str
    """``/path/net.py:Net``."""
    builder: str
    framework: str


@dataclass(frozen=True)
class Diff:
    """Result of a comparison."""

    question: Question
    labels: tuple[str, str]
    described: tuple[Described, Described]
    differences: tuple[LayerDifference, ...]
    """Facts that differ, except those that the frameworks decide."""
    set_aside: tuple[LayerDifference, ...]
    quantities: tuple[Quantity, ...]
    """Empty if no proof could be run."""
    kinds: tuple[str, str] | None
    """Kinds of outputs: logits, probabilities, log-probabilities."""
    unjudged: tuple[str, ...]
    """Parts that cannot be compared, which prevent the proof."""

    @property
    def verdict(self) -> Verdict:
        """The verdict; a known difference takes precedence over what could not be judged."""
        if self.differences or any(not quantity.holds for quantity in self.quantities) or self.outputs_differ:
            return "differ"
        return "not judged" if self.unjudged else "same"

    @property
    def outputs_differ(self) -> bool:
        """True if one gives, say, logits and the other probabilities."""
        return self.kinds is not None and self.kinds[0] != self.kinds[1]

    @property
    def first(self) -> Quantity | None:
        """The first quantity that differs."""
        return next((quantity for quantity in self.quantities if not quantity.holds), None)


def diff(question: Question) -> Diff:
    """Compare the two models.

    Raises BenchError if a file or an option is wrong, if a framework is missing, or if a model cannot be built or
    run.
    """
    from bench.equivalence.diff_process import conversation
    from bench.equivalence.diff_trace import OPTIMIZERS
    from bench.equivalence.diff_worker import Opening

    if question.optimizer not in OPTIMIZERS:
        raise UnknownName("optimizer", question.optimizer, OPTIMIZERS)
    sides = choose(question.left, question.right)
    labels = (sides[0].label, sides[1].label)
    with ExitStack() as stack:
        talks = [stack.enter_context(conversation(_opening(side, question, Opening), side.label)) for side in sides]
        one, other = (_described(talk.reply(), side) for talk, side in zip(talks, sides, strict=True))
        compared = compare_layers(one.layers, other.layers)
        differences = [found for found in compared.differences if found.effect != "set aside"]
        set_aside = tuple(found for found in compared.differences if found.effect == "set aside")
        differences += _of_whole(one, other, differences)
        unmapped = tuple(
            f"{label}: {name}" for label, found in zip(labels, (one, other), strict=True) for name in found.unmapped
        )
        quantities: list[Quantity] = []
        kinds = None
        if compared.paired and not unmapped:
            quantities, kinds = _prove(question, (one, other), labels, talks)
    return Diff(question, labels, (one, other), tuple(differences), set_aside, tuple(quantities), kinds, unmapped)


def choose(left: str, right: str) -> tuple[Side, Side]:
    """Choose a builder and a framework for each reference. Of two files for both, the left is taken for PyTorch.

    Raises BenchError if a file has no network or its framework is not installed.
    """
    from bench.models.native import from_file

    models = (from_file(left), from_file(right))
    offered = [sorted(model.builders & OPENERS.keys(), key=list(OPENERS).index) for model in models]
    for builders, reference in zip(offered, (left, right), strict=True):
        if not builders:
            raise BenchError(
                f"{reference} builds no network of PyTorch or Keras",
                "bench diff compares an nn.Module or a keras.Model with another.",
            )
    first = next((builder for builder in offered[0] if builder not in offered[1]), offered[0][0])
    second = next((builder for builder in offered[1] if builder != first), offered[1][0])
    chosen = (first, second)
    labels = _labels((left, right), models, chosen)
    one, other = (
        Side(label, _reference(model), builder, _framework(builder))
        for label, model, builder in zip(labels, models, chosen, strict=True)
    )
    return one, other


def _labels(references: tuple[str, str], models: Sequence[NativeModel], chosen: tuple[str, str]) -> tuple[str, str]:
    """The shortest names that tell the two apart: file; file and attribute; with the builder; as given."""
    files = [model.path.name if model.path else model.name for model in models]
    named = [
        f"{file}:{model.attribute}" if model.attribute else file for file, model in zip(files, models, strict=True)
    ]
    built = [f"{name} ({builder})" for name, builder in zip(named, chosen, strict=True)]
    for one, other in (files, named, built, references):
        if one != other:
            return one, other
    return f"{named[0]} (left)", f"{named[1]} (right)"


def _reference(model: NativeModel) -> str:
    return f"{model.path}:{model.attribute}" if model.attribute else str(model.path)


def _framework(builder: str) -> str:
    """The framework that opens models of ``builder``: the first that is installed. Raises BenchError if none is."""
    from bench.adapters.catalog import ADAPTERS

    known = [name for name in PREFERRED[builder] if name in ADAPTERS]
    for name in known:
        if ADAPTERS.get(name)().installed():
            return name
    missing = ADAPTERS.get(known[0])().installed()
    raise BenchError(f"{known[0]} is not installed", f"To install it: {missing.command}")


def _opening(side: Side, question: Question, request: type[Opening]) -> Opening:
    return request(
        reference=side.reference,
        framework=side.framework,
        builder=side.builder,
        shape=question.shape,
        classes=question.classes,
        seed=question.seed,
        threads=question.threads,
    )


def _described(reply: Reply, side: Side) -> Described:
    assert reply.described is not None
    if reply.described.outputs < 2:
        raise BenchError(f"{side.label} gives one value a sample: a classifier of two classes or more is expected")
    return reply.described


def _of_whole(one: Described, other: Described, found: Sequence[LayerDifference]) -> Iterator[LayerDifference]:
    """Differences of the whole model: in outputs, or in parameters if no layer explains them."""
    if one.outputs != other.outputs:
        yield LayerDifference("classes", f"{one.outputs} outputs", f"{other.outputs} outputs", "weights")
    elif one.parameters != other.parameters and not found:
        yield LayerDifference("parameters", f"{one.parameters:,}", f"{other.parameters:,}", "computed")


def _prove(
    question: Question,
    described: tuple[Described, Described],
    labels: tuple[str, str],
    talks: Sequence[Conversation],
) -> tuple[list[Quantity], tuple[str, str]]:
    """Draw the inputs once, let both models compute from them at the same time, and compare."""
    import numpy as np

    from bench.adapters.layer_facts import output_kind
    from bench.equivalence.diff_trace import OPTIMIZERS, compare_traces, draw, load, named_weights
    from bench.equivalence.diff_worker import Proving

    one = described[0]
    inputs = draw(one.layers, question.shape, one.outputs, question.seed)
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder, "inputs.npz")
        np.savez(given, images=inputs.images, labels=inputs.labels, **inputs.weights)  # type: ignore[arg-type]
        files = (Path(folder, "left.npz"), Path(folder, "right.npz"))
        for talk, file in zip(talks, files, strict=True):
            talk.ask(Proving(inputs=str(given), trace=str(file), optimizer=OPTIMIZERS[question.optimizer]))
        for talk in talks:
            talk.reply()
        left, right = (load(file) for file in files)
    quantities = compare_traces(left, right, _limits(described), labels, dict(named_weights(one.layers)))
    return quantities, (output_kind(left.outputs), output_kind(right.outputs))


def _limits(described: Sequence[Described]) -> Limits:
    from bench.equivalence.diff_trace import DOUBLE, NORMALIZED, SINGLE

    if any(found.single for found in described):
        return SINGLE
    norms = any(layer.kind.endswith("Norm") for found in described for layer in found.layers)
    return NORMALIZED if norms else DOUBLE
