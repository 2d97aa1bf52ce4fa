"""Layers of two models are paired in order, and each fact in which they differ is named with both values."""

from pydantic import JsonValue

from bench.adapters.layer_facts import AWAKE, Layer
from bench.equivalence.diff_layers import LayerDifference, compare_layers, shown, title


def conv(filters: int = 64, kernel: int = 3, name: str = "", **facts: JsonValue) -> Layer:
    base: dict[str, JsonValue] = {
        "filters": filters,
        "kernel": [kernel, kernel],
        "padding": [[0, 0], [0, 0]],
        "bias": True,
    }
    weights = {"kernel": (kernel, kernel, 1, filters), "bias": (filters,)}
    return Layer(kind="Conv", name=name, facts={**base, **facts}, weights=weights)


def dense(units: int, inputs: int = 8) -> Layer:
    weights = {"kernel": (inputs, units), "bias": (units,)}
    return Layer(kind="Dense", name="", facts={"units": units, "inputs": inputs, "bias": True}, weights=weights)


def norm(epsilon: float = 1e-3, momentum: float = 0.99, variance: str = "biased") -> Layer:
    facts: dict[str, JsonValue] = {"features": 4, "epsilon": epsilon, "momentum": momentum, "moving variance": variance}
    return Layer(kind="BatchNorm", name="", facts=facts, weights={"gamma": (4,), "moving_variance": (4,)})


def plain(kind: str, **facts: JsonValue) -> Layer:
    return Layer(kind=kind, name="", facts=facts)


RELU, POOL = plain("relu"), plain("MaxPool", size=[2, 2], strides=[2, 2], padding=[[0, 0], [0, 0]])


def subjects(left: list[Layer], right: list[Layer]) -> list[tuple[str, str, str]]:
    return [(found.subject, found.left, found.right) for found in compare_layers(left, right).differences]


def test_the_same_layers_differ_in_nothing_and_pair() -> None:
    layers = [conv(), RELU, POOL, dense(10)]
    compared = compare_layers(layers, layers)
    assert compared.differences == ()
    assert compared.paired


def test_another_kernel_says_which_layer_is_where() -> None:
    compared = compare_layers([conv(32), RELU, conv(name="conv2")], [conv(32), RELU, conv(kernel=5, name="conv2d_1")])
    (found,) = compared.differences
    assert (found.subject, found.left) == ("layer 3", "Conv 64 filters 3x3 [conv2]")
    assert found.right == "Conv 64 filters 5x5 [conv2d_1]"
    assert not compared.paired


def test_a_layer_without_counterpart_stands_against_nothing() -> None:
    compared = compare_layers([conv(), norm(), RELU, dense(10)], [conv(), RELU, dense(10)])
    assert [(found.left, found.right) for found in compared.differences] == [("BatchNorm of 4 features", "nothing")]
    assert not compared.paired


def test_another_activation_stands_in_the_place_of_the_first() -> None:
    left, right = [dense(8), RELU, dense(10)], [dense(8), plain("gelu", form="exact"), dense(10)]
    assert subjects(left, right) == [("layer 2", "ReLU", "GELU")]
    assert compare_layers(left, right).paired


def test_one_fact_of_several_layers_is_one_difference() -> None:
    left, right = [norm(1e-5), RELU, norm(1e-5)], [norm(), RELU, norm()]
    expected = LayerDifference("BatchNorm epsilon", "1e-05", "0.001", "computed", (1, 3))
    assert compare_layers(left, right).differences == (expected,)


def test_a_missing_bias_keeps_the_weights_from_pairing() -> None:
    compared = compare_layers([conv(bias=True)], [conv(bias=False)])
    assert [(found.subject, found.left, found.right) for found in compared.differences] == [("Conv bias", "yes", "no")]
    assert not compared.paired


def test_padding_at_one_end_is_told_from_padding_at_both() -> None:
    found = subjects([conv(padding=[[1, 1], [1, 1]])], [conv(padding=[[0, 1], [0, 1]])])
    assert found == [("Conv padding", "1 on each side", "0 before and 1 after")]


def test_dropout_rates_are_left_to_the_facts_because_the_proof_has_no_dropout() -> None:
    (found,) = compare_layers([plain("Dropout", rate=0.5)], [plain("Dropout", rate=0.25)]).differences
    assert (found.subject, found.left, found.right, found.effect) == ("Dropout rate", "0.5", "0.25", "unproved")


def test_dropout_of_rate_zero_is_no_layer() -> None:
    assert subjects([dense(10), plain("Dropout", rate=0.0)], [dense(10)]) == []


def test_dropout_at_work_in_evaluation_is_named() -> None:
    left, right = plain("Dropout", rate=0.5, **{AWAKE: True}), plain("Dropout", rate=0.5)
    assert subjects([left], [right]) == [("Dropout active in evaluation", "yes", "no")]


def test_a_maximum_commutes_with_a_monotone_activation_and_not_with_another() -> None:
    assert subjects([conv(), RELU, POOL], [conv(), POOL, RELU]) == []
    gelu = plain("gelu", form="exact")
    assert subjects([conv(), gelu, POOL], [conv(), POOL, gelu]) != []


def test_what_the_frameworks_decide_is_set_aside() -> None:
    (found,) = compare_layers([norm(variance="unbiased")], [norm()]).differences
    assert found.effect == "set aside"


def test_numbers_that_differ_by_rounding_are_the_same() -> None:
    factors = [plain("Rescaling", **{"multiply by": value}) for value in (1 / 255, 0.00392156862745098)]
    assert subjects(factors[:1], factors[1:]) == []


def test_values_are_told_in_words() -> None:
    assert shown("kernel", [3, 5]) == "3x5"
    assert shown("padding", [[1, 1], [0, 1]]) == "1 on each side; 0 before and 1 after"
    assert shown("epsilon", 1e-5) == "1e-05"
    assert title(dense(10, 9216)) == "Dense 10 on 9,216 inputs"


def test_shifts_and_factors_in_a_row_are_one() -> None:
    steps = [plain("Rescaling", add=-0.5), plain("Rescaling", **{"multiply by": 4.0})]
    at_once = [plain("Rescaling", **{"multiply by": 4.0, "add": -2.0})]
    assert subjects(steps, at_once) == []
    assert subjects(steps[::-1], at_once) != []
    halves = [plain("Rescaling", **{"multiply by": value}) for value in (8.0, 0.5)]
    assert subjects(halves, [plain("Rescaling", **{"multiply by": 4.0})]) == []
