"""The search for an explanation: candidates in stages, each computed as far as it reproduces what was observed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from bench.equivalence.activation_candidates import activation_candidates
from bench.equivalence.allowance import Allowance
from bench.equivalence.candidate import Candidate, epochs, other, spared
from bench.equivalence.data_candidates import data_candidates
from bench.equivalence.evidence import FINAL_WEIGHTS, FIRST_UPDATE, LOSS, Evidence, Observed
from bench.equivalence.fitted import factor_candidates, fitted_candidates, target
from bench.equivalence.image_candidates import image_candidates
from bench.equivalence.implied import implied_candidates
from bench.equivalence.layer_candidates import layer_candidates, pooling_candidates
from bench.equivalence.loss_candidates import loss_candidates
from bench.equivalence.quantities import Difference, Known, course, differences, first_change
from bench.equivalence.state_candidates import late_candidates, state_candidates
from bench.equivalence.update_candidates import clipping_candidates, update_candidates

GROWTH, GROWN = 2.0, 1e2
"""Growth of the tolerance per step, as rounding grows, and its maximum in all."""
IMPROVEMENT = 10.0
"""Factor by which an explanation must be nearer than the definition."""
ROUNDING = 1e-3
"""Share of the tolerance below which a difference is rounding, for any explanation."""
UNSEEN = 2
"""Steps before the first difference in which its cause may act unseen."""

Family = Callable[[Evidence], Iterator[Candidate]]


@dataclass(frozen=True)
class Digits:
    """Accuracy of a computation in some precision. All values are relative."""

    rounding: float
    """Rounding of one number."""
    tolerance: float
    """Above the rounding of one step, and far below the effect of a wrong constant."""
    update: float
    """The same for the first update."""
    near: float
    """Distance within which a constant counts as a short decimal."""
    as_good: float
    """Explanations whose differences are within this factor of the best's are equally good."""


DOUBLE = Digits(2.0**-53, 1e-11, 1e-9, 1e-6, 100.0)
SINGLE = Digits(2.0**-24, 1e-5, 1e-4, 1e-3, 10.0)
"""For logits, losses and the first update, all that is explained in float32."""


def share(difference: Difference, digits: Digits) -> float:
    """A difference as a share of its tolerance."""
    tolerance = digits.update if difference.quantity == FIRST_UPDATE else digits.tolerance
    grown = GROWN if difference.updates > math.log(GROWN, GROWTH) else GROWTH**difference.updates
    return difference.relative / (tolerance * grown)


LIKELIEST = (
    layer_candidates,
    activation_candidates,
    data_candidates,
    loss_candidates,
    update_candidates,
    image_candidates,
    state_candidates,
)
"""All known departures, the cheapest to try and the likeliest first."""
LIKELIEST_BY_EPOCHS = (
    data_candidates,
    clipping_candidates,
    state_candidates,
    update_candidates,
    loss_candidates,
    layer_candidates,
    activation_candidates,
    image_candidates,
)
"""The same for a run that differs from another of its framework in how it is driven."""


def departures(asked: Evidence, families: Iterable[Family] = LIKELIEST) -> Iterator[Candidate]:
    """All departures that apply to the request, whatever was observed."""
    return chain.from_iterable(family(asked) for family in families)


@dataclass(frozen=True, eq=False)
class Search:
    """The difference to explain, and the limits of the search."""

    asked: Evidence
    observed: Observed
    known: Known
    """Known results of ``asked``."""
    missed: Difference
    """The first observed quantity that is too far from the requested one."""
    digits: Digits
    allowed: Allowance

    def explanations(self) -> list[str]:
        """Sentences of the candidates that reproduce all observations, about as well as the best of them."""
        begun = replace(self, known=replace(self.known, course=course(self.asked, self._begin())))
        for stage in begun._stages():
            scores = begun._scores(stage)
            if scores:
                enough = max(self.digits.as_good * min(scores.values()), ROUNDING)
                return [sentence for sentence, score in scores.items() if score <= enough]
        return []

    def _begin(self) -> int:
        """The step from which most candidates are computed: earlier ones are as requested."""
        if self.missed.quantity == LOSS:
            return max(0, self.missed.computed.number - UNSEEN)
        if self.missed.quantity == FINAL_WEIGHTS:  # a whole run: the likeliest cause ends an epoch
            return next(epochs(self.asked))[-1]
        return 0

    def _stages(self) -> Iterator[Iterable[Candidate]]:
        """Candidates in the order of trial; a later stage is tried only if no earlier one explains anything."""
        asked, observed, near = self.asked, self.observed, self.digits.near
        aim = target(observed, self.missed.computed, self.known, self.allowed)
        late = late_candidates(asked, observed, self.missed.updates - 1)
        if self.missed.quantity == FINAL_WEIGHTS:  # each costs a whole run: the likeliest first, one at a time
            yield iter(()) if aim is None else factor_candidates(asked, aim, near)
            yield from ([one] for one in departures(asked, LIKELIEST_BY_EPOCHS))
            yield iter(()) if aim is None else fitted_candidates(asked, aim, near)
            yield late
            return
        yield chain(_not_loaded(asked, observed), pooling_candidates(asked, observed), departures(asked))
        yield implied_candidates(asked, observed, self.known, near=near, rounding=self.digits.rounding)
        yield late
        yield iter(()) if aim is None else fitted_candidates(asked, aim, near)

    def _scores(self, candidates: Iterable[Candidate]) -> dict[str, float]:
        """The worst difference of each sentence that explains all observations."""
        scores: dict[str, float] = {}
        with np.errstate(all="ignore"):  # departures may diverge: their difference is infinite
            for candidate in candidates:
                if self.allowed.spent():
                    break
                if candidate.sentence not in scores:
                    score = self._score(candidate)
                    if score is not None:
                        scores[candidate.sentence] = score
        return scores

    def _score(self, candidate: Candidate) -> float | None:
        """The worst difference as a share of its tolerance; None as soon as it is too large."""
        if self._comes_late(candidate):
            return None
        limit = min(1.0, share(self.missed, self.digits) / IMPROVEMENT)
        worst = 0.0
        for difference in differences(candidate.evidence, self.observed, spared(self.known, candidate)):
            worst = max(worst, share(difference, self.digits))
            if not worst <= limit:
                return None
        return worst

    def _comes_late(self, candidate: Candidate) -> bool:
        """True if it changes nothing up to the first difference."""
        if self.missed.quantity != LOSS:
            return False
        return first_change(self.asked, candidate.evidence) > self.missed.computed.number


def _not_loaded(asked: Evidence, observed: Observed) -> Iterator[Candidate]:
    """The weights read back before training, if they are not those given."""
    initial = observed.initial
    if initial is None or {name: value.shape for name, value in initial.items()} != asked.network.weight_shapes:
        return
    names = [name for name, value in initial.items() if not np.array_equal(value, asked.weights[name])]
    if names:
        sentence = f"initial weights are not those given: {', '.join(names)}"
        yield other(asked, sentence, "answers", weights=initial)
