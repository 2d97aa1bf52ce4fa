"""Numbers of rows and steps of a proof: drawn from its seed, within what numpy and five frameworks can afford.

Fixed sizes could be recognised, and effects that appear only beyond them would never be seen.
"""

from __future__ import annotations

from random import Random

from bench.case import derive_seed
from bench.equivalence.proof import Proof, network_of
from bench.models.network import place

MOST_SAMPLES = 3000
"""Rows trained on in all epochs of a proof."""
MOST_OPERATIONS = 5e9
"""Floating-point operations of all its forward passes: some seconds of numpy, which computes the definition."""
MOST_FULL_BATCHES = 8
"""Per epoch."""
FEW_STEPS = 6
"""Approximate steps of a proof in the timed precision: after more, rounding hides departures."""

MOST_EVALUATIONS = 3
"""Pauses in an epoch, in which a trial evaluates."""

LONG_BATCH = 32
"""Batch size of long proofs, which a network without convolutions can afford."""
LONG_EPOCHS = (12, 20)
MANY_ROWS = (1500, 4000)


def sized(asked: Proof) -> Proof:
    """``asked`` with at least one full batch and a short one in an epoch, and two or three epochs."""
    size, random = asked.training.batch_size, _random(asked)
    affordable = min(MOST_SAMPLES, MOST_OPERATIONS // _operations(asked))
    most = min(MOST_FULL_BATCHES, int(affordable / 3.5) // size)
    if asked.rounded:
        most = min(most, FEW_STEPS // 3)
    full = random.randint(max(1, most // 2), max(1, most))
    rows = full * size + random.randint(1, max(1, size - 1))
    epochs = 3 if 3 * rows <= affordable and not asked.rounded else 2
    return _with(_evaluated(asked, random), rows, epochs)


def long(asked: Proof, steps: tuple[int, int]) -> Proof:
    """``asked`` with small batches, more than ten epochs, and steps roughly between these two."""
    random = _random(asked)
    training = asked.training.model_copy(update={"batch_size": LONG_BATCH})
    epochs = random.randint(*LONG_EPOCHS)
    batches = random.randint(*steps) // epochs
    rows = batches * LONG_BATCH + random.randint(1, LONG_BATCH - 1)
    return _with(_evaluated(asked.model_copy(update={"training": training}), random), rows, epochs)


def many_rows(asked: Proof) -> Proof:
    """``asked`` with thousands of rows, in two epochs."""
    return _with(asked, _random(asked).randint(*MANY_ROWS), 2)


def _evaluated(asked: Proof, random: Random) -> Proof:
    """``asked`` with a drawn number of evaluations per epoch, between which time is taken."""
    training = asked.training.model_copy(update={"evaluations_per_epoch": random.randint(1, MOST_EVALUATIONS)})
    return asked.model_copy(update={"training": training})


def _with(asked: Proof, rows: int, epochs: int) -> Proof:
    changed = asked.model_copy(update={"rows": rows})
    return changed.model_copy(update={"steps": epochs * changed.batches_per_epoch})


def _operations(asked: Proof) -> int:
    return place(network_of(asked.model), asked.shape, asked.classes).flops


def _random(asked: Proof) -> Random:
    return Random(derive_seed("proof sizes", asked.seed, asked.label))
