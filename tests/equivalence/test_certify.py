"""A certificate names the networks and the parts of recipes that were shown, and no others."""

from bench.case import Precision
from bench.certificate import Certificate, Conditions
from bench.equivalence.certify import certified
from bench.equivalence.compare import Comparison
from bench.equivalence.definition import DEFINITION
from bench.equivalence.proof import STRIDED_SAME, Proof, gradient_proof, proof
from bench.equivalence.verdict import Miss, Verdict
from bench.models.networks import CNN_NORM, MLP_PLAIN

HERE = Conditions(framework="pytorch")


def compared(asked: Proof, precision: Precision, difference: float = 1e-15) -> Comparison:
    return Comparison(asked, precision, "logits", "logits", (DEFINITION, "pytorch"), difference, 1e-12)


def verdict(models: dict[str, str], missed: tuple[str, ...] = (), *, rounded: bool = True) -> Verdict:
    """By model: the recipe it was shown with; a miss is far beyond its limit."""
    found = Verdict(HERE, {"torch": "1"})
    for model, recipe in models.items():
        one = compared(proof(model, recipe), "float64", 1e-3 if model in missed else 1e-15)
        found.comparisons.append(one)
        if rounded:
            found.comparisons.append(compared(gradient_proof(model), "float32"))
        if model in missed:
            found.misses.append(Miss(one))
    return found


def certificate(found: Verdict, before: Certificate | None = None) -> Certificate | None:
    return certified(found, "source", ["pytorch", "scikit-learn"], before, "2026-11-22")


def names(made: Certificate | None) -> list[str]:
    assert made is not None
    return [network.name for network in made.networks]


def test_the_networks_that_were_shown_are_certified_and_not_the_one_made_for_the_proofs() -> None:
    made = certificate(verdict({"mlp-plain": "adam", "cnn-norm": "nesterov", STRIDED_SAME.name: "adamw"}))
    assert made is not None
    assert {network.name: network.digest for network in made.networks} == {
        "mlp-plain": MLP_PLAIN.digest,
        "cnn-norm": CNN_NORM.digest,
    }
    assert {"adam", "sgd", "sgd momentum", "sgd nesterov", "adamw"} <= set(made.features)
    assert made.compared_with == ("scikit-learn",)


def test_a_network_that_missed_is_left_out_with_its_recipe() -> None:
    made = certificate(verdict({"mlp-plain": "adam", "cnn-norm": "nesterov"}, missed=("cnn-norm",)))
    assert names(made) == ["mlp-plain"]
    assert made is not None
    assert made.features == ("adam",)


def test_float64_alone_certifies_nothing() -> None:
    assert certificate(verdict({"mlp-plain": "adam"}, rounded=False)) is None


def test_what_was_shown_before_stays_until_it_is_found_wrong() -> None:
    before = certificate(verdict({"cnn-norm": "adamw"}))
    assert names(certificate(verdict({"mlp-plain": "adam"}), before)) == ["cnn-norm", "mlp-plain"]
    both = verdict({"mlp-plain": "adam", "cnn-norm": "adam", STRIDED_SAME.name: "rmsprop"}, missed=("cnn-norm",))
    assert names(certificate(both, certificate(verdict({"cnn-norm": "adamw", "mlp-plain": "sgd"})))) == ["mlp-plain"]
