"""The result of ``bench diff`` as a document: the two models, the proof, and the facts that differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.equivalence.diff import Diff
from bench.equivalence.diff_layers import NOTHING, LayerDifference
from bench.equivalence.diff_trace import BATCH, Quantity
from bench.report.document import Block, Cell, Column, Facts, Heading, Paragraph, Row, Table

_EFFECTS = {
    "weights": "so that the weights do not pair",
    "unproved": "left out of the proof",
}


def document(found: Diff) -> list[Block]:
    """The two models, the largest differences with their limits, the facts that differ, and the verdict."""
    blocks: list[Block] = [Heading("diff", 1), _head(found)]
    if found.quantities:
        blocks += [_table(found), Paragraph(_legend(found))]
    differing = tuple(_sentences(found))
    if differing:
        blocks += [Heading("what differs", 3), Facts(tuple(("·", (sentence,)) for sentence in differing))]
    aside = tuple(
        f"{sentence(one, found.labels)}: what the frameworks themselves do, a factor of n/(n-1); compared as biased"
        for one in found.set_aside
    )
    blocks.append(Facts((*((("set aside", aside),) if aside else ()), ("verdict", tuple(_verdict(found))))))
    return blocks


def sentence(found: LayerDifference, labels: tuple[str, str]) -> str:
    """``BatchNorm epsilon: 1e-05 (torch_net.py) against 0.001 (keras_net.py), layers 2 and 5``."""
    left = found.left if found.left == NOTHING else f"{found.left} ({labels[0]})"
    right = found.right if found.right == NOTHING else f"{found.right} ({labels[1]})"
    if found.left == NOTHING:
        left = f"{NOTHING} in {labels[0]}"
    if found.right == NOTHING:
        right = f"{NOTHING} in {labels[1]}"
    words = f"{found.subject}: {left} against {right}"
    if found.layers:
        words += f", {'layer' if len(found.layers) == 1 else 'layers'} {_listed(list(map(str, found.layers)))}"
    return words


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _head(found: Diff) -> Block:
    sides = zip(found.labels, found.described, strict=True)
    question = found.question
    shape = " × ".join(map(str, question.shape))
    asked = f"images {shape}, {question.optimizer}, seed {question.seed}, float64, dropout set to 0 in both"
    entries = [(label, (f"{side.framework} · {side.parameters:,} trained parameters",)) for label, side in sides]
    return Facts((*entries, ("asked", (asked,))))


def _table(found: Diff) -> Table:
    columns = (
        Column(("", "quantity"), "left", label=True),
        Column(("largest", "difference")),
        Column(("", "limit")),
        Column(("", "where"), "left", label=True),
        Column(("", ""), "left"),
    )
    return Table("the same weights, images and updates in both", columns, tuple(map(_row, found.quantities)))


def _row(quantity: Quantity) -> Row:
    return Row(
        (
            Cell(quantity.name, word=True),
            Cell(f"{quantity.difference:.1e}" if quantity.difference else "0"),
            Cell(f"{quantity.limit:.0e}"),
            Cell(quantity.where, word=True),
            Cell("agrees" if quantity.holds else "differs", word=True),
        )
    )


def _legend(found: Diff) -> str:
    words = f"Differences are max|a-b| / max|a|; a step takes {BATCH} rows, its update is made by the same numpy code."
    single = [
        f"{label} computes {_listed(list(dict.fromkeys(side.single))[:3])} in float32"
        for label, side in zip(found.labels, found.described, strict=True)
        if side.single
    ]
    return words + (f" {'; '.join(single)}: both are held to float32 limits." if single else "")


def _sentences(found: Diff) -> Iterator[str]:
    if found.outputs_differ and found.kinds is not None:
        one, other = found.kinds
        yield (
            f"output: {one} ({found.labels[0]}) against {other} ({found.labels[1]}); compared as log-probabilities, "
            "each with the loss for its own"
        )
    for difference in found.differences:
        effect = _EFFECTS.get(difference.effect)
        yield sentence(difference, found.labels) + (f" ({effect})" if effect else "")


def _verdict(found: Diff) -> Iterator[str]:
    yield from (f"cannot be judged: the weight {name}: its layout is not known" for name in found.unjudged)
    first = found.first
    if found.verdict == "same":
        yield "the same: they compute the same from the same weights"
    elif found.verdict == "not judged":
        return
    elif first is not None:
        where = f" ({first.where})" if first.where else ""
        known = [one for one in found.differences if one.effect != "unproved"]
        told = "" if known else ", and no fact of the layers says why: compare the rest of forward() or call()"
        yield f"they differ, first in: {first.name}{where}{told}"
    elif found.quantities:
        yield "they differ in what is named above, which the proof does not show"
    else:
        yield "they differ; no proof was run, for their weights cannot be paired"
