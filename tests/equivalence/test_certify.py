"""A certificate claims what a proof held of, together, and nothing that no proof made."""

from bench.case import Precision, Training
from bench.certificate import Certificate, Claim, Conditions
from bench.equivalence.certify import certified
from bench.equivalence.compare import Comparison
from bench.equivalence.definition import DEFINITION
from bench.equivalence.proof import STRIDED_SAME, Proof, gradient_proof, proof
from bench.equivalence.recipes import RECIPES
from bench.equivalence.verdict import Miss, Verdict
from bench.models.networks import CNN_NORM, MLP_PLAIN

HERE = Conditions(framework="pytorch")
MLP_ADAM = proof("mlp-plain", "adam")
NORM_NESTEROV = proof("cnn-norm", "nesterov")


def compared(asked: Proof, precision: Precision, *, holds: bool = True) -> Comparison:
    difference = 1e-15 if holds else 1e-3
    return Comparison(asked, precision, "logits", "logits", (DEFINITION, "pytorch"), difference, 1e-12)


def few_steps(asked: Proof) -> Proof:
    """The same in the precision that is timed."""
    return asked.model_copy(update={"rounded": True, "rows": 300, "steps": 4})


def verdict(*asked: Proof, wrong: tuple[Proof, ...] = (), rounded: bool = True) -> Verdict:
    """All of ``asked`` in float64 and, of their networks and optimisers, in float32; ``wrong`` are far off."""
    found = Verdict(HERE, {"torch": "1"})
    for one in asked:
        twins = [gradient_proof(one.model), few_steps(one)] if rounded else []
        for each in (one, *twins):
            result = compared(each, "float32" if each.rounded else "float64", holds=each not in wrong)
            found.comparisons.append(result)
            found.misses += [] if result.holds else [Miss(result)]
    return found


def certificate(found: Verdict, before: Certificate | None = None) -> Certificate | None:
    return certified(found, "source", ["pytorch", "scikit-learn"], before, "2026-11-22")


def claims(made: Certificate | None) -> set[tuple[str, str]]:
    assert made is not None
    return {(one.model, one.optimizer) for one in made.claims}


def test_each_proof_that_held_is_a_claim_but_for_that_of_the_network_made_for_the_proofs() -> None:
    made = certificate(verdict(MLP_ADAM, NORM_NESTEROV, proof(STRIDED_SAME.name, "adamw")))
    assert made is not None
    assert claims(made) == {("mlp-plain", "adam"), ("cnn-norm", "sgd")}
    assert {one.model: one.network for one in made.claims} == {
        "mlp-plain": MLP_PLAIN.digest,
        "cnn-norm": CNN_NORM.digest,
    }
    nesterov = next(one for one in made.claims if one.optimizer == "sgd")
    assert (nesterov.nesterov, nesterov.batch_size, nesterov.shape, nesterov.classes) == (True, 128, (28, 28, 1), 10)
    assert made.compared_with == ("scikit-learn",)


def test_parts_of_two_proofs_are_not_claimed_together() -> None:
    """A recipe of one network and another of another: that the certificate covers neither with the other's."""
    made = certificate(verdict(MLP_ADAM, NORM_NESTEROV))
    assert made is not None
    crossed = proof("cnn-norm", "adam").claim
    assert crossed is not None
    assert not made.holds(crossed)


def test_a_proof_that_missed_is_no_claim_and_refutes_its_own() -> None:
    made = certificate(verdict(MLP_ADAM, NORM_NESTEROV, wrong=(NORM_NESTEROV,)))
    assert claims(made) == {("mlp-plain", "adam")}
    assert made is not None
    assert made.refuted == (NORM_NESTEROV.claim,)


def test_what_one_seed_refutes_no_other_proves() -> None:
    other = NORM_NESTEROV.model_copy(update={"seed": 1})
    made = certificate(verdict(MLP_ADAM, NORM_NESTEROV, other, wrong=(other,)))
    assert claims(made) == {("mlp-plain", "adam")}


def test_float64_alone_certifies_nothing() -> None:
    assert certificate(verdict(MLP_ADAM, rounded=False)) is None


def test_a_gradient_that_missed_in_float32_takes_the_claims_of_its_network() -> None:
    sgd = proof("cnn-norm", "sgd")
    made = certificate(
        verdict(MLP_ADAM, NORM_NESTEROV, proof("cnn-norm", "adam"), sgd, wrong=(gradient_proof("cnn-norm"),))
    )
    assert claims(made) == {("mlp-plain", "adam")}


def test_steps_that_missed_in_float32_take_the_claims_of_their_optimiser_on_that_network() -> None:
    adam = proof("cnn-norm", "adam")
    made = certificate(verdict(MLP_ADAM, NORM_NESTEROV, adam, wrong=(few_steps(adam),)))
    assert claims(made) == {("mlp-plain", "adam"), ("cnn-norm", "sgd")}


def test_whole_claims_of_an_earlier_certificate_stay() -> None:
    before = certificate(verdict(NORM_NESTEROV))
    made = certificate(verdict(MLP_ADAM), before)
    assert claims(made) == {("mlp-plain", "adam"), ("cnn-norm", "sgd")}
    crossed = proof("cnn-norm", "adam").claim
    assert made is not None
    assert crossed is not None
    assert not made.holds(crossed)


def test_an_earlier_claim_that_is_found_wrong_is_withdrawn() -> None:
    before = certificate(verdict(NORM_NESTEROV, MLP_ADAM))
    assert claims(certificate(verdict(NORM_NESTEROV, MLP_ADAM, wrong=(NORM_NESTEROV,)), before)) == {
        ("mlp-plain", "adam")
    }
    later = verdict(MLP_ADAM, NORM_NESTEROV, wrong=(few_steps(NORM_NESTEROV),))
    assert claims(certificate(later, before)) == {("mlp-plain", "adam")}


def test_what_was_found_wrong_before_stays_so_until_it_is_proved() -> None:
    before = certificate(verdict(MLP_ADAM, NORM_NESTEROV, wrong=(NORM_NESTEROV,)))
    after = certificate(verdict(MLP_ADAM), before)
    assert after is not None
    assert after.refuted == (NORM_NESTEROV.claim,)
    mended = certificate(verdict(NORM_NESTEROV), after)
    assert mended is not None
    assert mended.refuted == ()


def test_where_nothing_was_proved_there_is_no_certificate() -> None:
    before = certificate(verdict(MLP_ADAM))
    assert certificate(verdict(MLP_ADAM, wrong=(MLP_ADAM,)), before) is None


def test_a_claim_of_a_proof_is_that_of_the_case_it_stands_for() -> None:
    training: Training = RECIPES["all options"].model_copy(update={"batch_size": 32})
    asked = proof("mlp-plain", "all options", training=training, shape=(8, 8, 3), classes=8)
    assert asked.claim == Claim(
        model="mlp-plain",
        network=MLP_PLAIN.digest,
        optimizer="adamw",
        weight_decay=True,
        schedule="one-cycle",
        label_smoothing=True,
        class_weights=True,
        normalize="given",
        batch_size=32,
        shape=(8, 8, 3),
        classes=8,
    )
