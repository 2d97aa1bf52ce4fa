"""The proofs for a suite: its networks, recipes, batch sizes and kinds of data, in its ways of running."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bench.case import Training
from bench.certificate import Conditions, DataKind
from bench.equivalence.proof import Proof
from bench.equivalence.recipes import exact, words
from bench.equivalence.sizes import sized
from bench.models.model import Network
from bench.runner.expand import Expansion, PlannedCase
from bench.runner.request import Request
from bench.suite import read_suite


def suite_questions(
    request: Request, seeds: Iterable[int], blocked: dict[str, list[str]], say: Callable[[str], None]
) -> dict[Conditions, list[Proof]]:
    """The proofs in float64 for every way in which ``request`` would run a network in the matched track, each once.

    Cases that cannot run here are put into ``blocked``, by reason. Raises BenchError as ``bench run`` does.
    """
    suite = read_suite(request.suite)
    cases = Expansion(suite, request, where=f"suite {suite.name!r}", progress=say).cases()
    found: dict[Conditions, dict[Proof, None]] = {}
    for planned in cases:
        if planned.case.training is None or planned.case.track != "matched" or not isinstance(planned.model, Network):
            continue
        if planned.blocked:
            blocked.setdefault(planned.reason, []).append(planned.case.cell)
            continue
        asked = found.setdefault(Conditions.of(planned.case), {})
        asked |= dict.fromkeys(_proof(planned, planned.case.training, seed) for seed in seeds)
    if not found and not blocked:
        blocked["no case of the suite is a network in the matched track."] = []
    return {way: list(proofs) for way, proofs in found.items()}


def _proof(planned: PlannedCase, training: Training, seed: int) -> Proof:
    """A proof of the case's recipe, with constants rounded to float32 and only the parts a proof uses."""
    assert planned.data is not None
    info = planned.data.info
    parts = ("batch_size", "optimizer", "schedule", "label_smoothing", "class_weights", "normalize")
    recipe = exact(Training(**{name: getattr(training, name) for name in parts}))
    return sized(
        Proof(
            model=planned.model_reference,
            recipe=words(recipe),
            training=recipe,
            dataset=info.name,
            seed=seed,
            **DataKind.of(info).model_dump(),
        )
    )
