"""An unreproduced result is said to be like something only if it is."""

from dataclasses import replace

import numpy as np
import pytest

from bench.equivalence.deviations import Deviations, Rounding
from bench.equivalence.evidence import Evidence, Observed
from bench.equivalence.explain import explain
from bench.equivalence.quantities import observe
from bench.equivalence.rows_read import rows_of_first_step
from bench.equivalence.search import SINGLE
from bench.models.model import CLASSES, Conv, Dense, Flatten, Layer, MaxPool
from tests.equivalence.planted_departures import (
    ADAM,
    BATCH,
    CONVOLUTIONAL,
    DENSE,
    MOMENTUM,
    RMSPROP,
    ROWS,
    SGD,
    asked,
    with_flags,
    with_rates_times,
)
from tests.equivalence.planted_rows import ROW_PLANTS, Rows, with_order

HALF_PRECISION = 2.0**-53


def jittered(seen: Observed, size: float) -> Observed:
    """Every number off by ``size`` or less, relatively, as by another order of sums."""
    generator = np.random.default_rng(0)

    def of(value: object) -> object:
        if isinstance(value, dict):
            return {name: of(one) for name, one in value.items()}
        if value is None:
            return None
        numbers = np.asarray(value)
        return numbers * (1 + size * generator.uniform(-1, 1, numbers.shape))

    names = ("logits", "losses", "first", "final", "last_logits", "whole")
    return replace(seen, **{name: of(getattr(seen, name)) for name in names})  # type: ignore[arg-type]


@pytest.mark.parametrize("layers", [DENSE, CONVOLUTIONAL], ids=["dense", "convolutional"])
@pytest.mark.parametrize("optimizer", [ADAM, MOMENTUM], ids=["adam", "momentum"])
def test_rounding_of_other_libraries_is_not_explained(layers: tuple[Layer, ...], optimizer: object) -> None:
    evidence = asked(layers, optimizer)  # type: ignore[arg-type]
    seen = observe(evidence)
    assert explain(evidence, jittered(replace(seen, whole=seen.final), 4 * HALF_PRECISION)) == []


@pytest.mark.parametrize(
    "name", ["training images transposed", "batches reversed", "last row of the short batch dropped"]
)
def test_rounding_of_other_libraries_hides_no_cause(name: str) -> None:
    evidence, plant, sentence = ROW_PLANTS[name]
    assert explain(evidence, jittered(observe(plant(evidence)), 4 * HALF_PRECISION)) == [sentence]


FORMATS: tuple[tuple[Rounding, Rounding, str], ...] = (
    ("bfloat16", "", "products in bfloat16"),
    ("bfloat16", "bfloat16", "layers that compute in bfloat16"),
    ("TF32", "", "products in TF32"),
)


@pytest.mark.parametrize(("products", "outputs", "words"), FORMATS)
def test_shorter_formats_are_named_in_float32(products: Rounding, outputs: Rounding, words: str) -> None:
    evidence = replace(asked(DENSE, SGD, order=[np.arange(BATCH)], rates=np.array([1.0])), scale=255.0)
    seen = observe(with_flags(products=products, outputs=outputs)(evidence), np.float32)
    found = explain(evidence, replace(seen, final=None, last_logits=None), digits=SINGLE)
    assert found[0].startswith(f"differs as {words} do (by ")


def test_products_in_float32_are_named_in_float64() -> None:
    evidence = asked()
    seen = observe(with_flags(products="float32")(evidence))
    (found,) = explain(evidence, seen)
    assert found.startswith("differs as products in float32 do")


@pytest.mark.parametrize(("value", "sentence"), [(256.0, "pixels are divided by 256 against 255"), (255.0, None)])
def test_in_float32_a_scale_is_named_and_rounding_is_not(value: float, sentence: str | None) -> None:
    evidence = asked(DENSE, SGD, order=[np.arange(BATCH)], rates=np.array([1.0]), scale=255.0)
    seen = observe(replace(evidence, scale=value), np.float32)
    found = explain(evidence, replace(seen, final=None, last_logits=None), digits=SINGLE)
    assert found == ([] if sentence is None else [sentence])


def in_an_order_of_its_own(evidence: Evidence) -> Evidence:
    generator = np.random.default_rng(5)

    def order(epoch: list[Rows]) -> list[Rows]:
        return np.split(generator.permutation(np.concatenate(epoch)), range(BATCH, ROWS, BATCH))

    return with_order(order)(evidence)


WIDE: tuple[Layer, ...] = (Conv(3, 2, "relu"), MaxPool(2), Flatten(), Dense(8, "relu"), Dense(CLASSES))


@pytest.mark.parametrize("layers", [DENSE, WIDE], ids=["dense", "convolutional"])
@pytest.mark.parametrize("optimizer", [SGD, ADAM, RMSPROP], ids=lambda o: str(o.name))
def test_the_rows_of_a_first_step_are_read_off_its_update(layers: tuple[Layer, ...], optimizer: object) -> None:
    rows = np.array([3, 3, 5, 8, 13, 21, 1, 1])
    evidence = asked(layers, optimizer)  # type: ignore[arg-type]
    other = replace(evidence, order=[rows, *evidence.order[1:]])
    found = rows_of_first_step(evidence, observe(other), rounding=HALF_PRECISION)
    assert found is not None
    assert found.tolist() == sorted(rows.tolist())


def test_a_first_step_on_other_rows_is_named_with_their_number() -> None:
    evidence = asked(DENSE, ADAM)
    other = in_an_order_of_its_own(evidence)
    others = len(set(other.order[0].tolist()) - set(evidence.order[0].tolist()))
    words = f"rows of a step are not those given: the first is trained on 8, of which {others} are not among its 8"
    assert explain(evidence, observe(other)) == [words]


def test_another_order_is_known_by_the_size_of_its_effect_where_rows_cannot_be_read() -> None:
    evidence = asked()
    seen = observe(in_an_order_of_its_own(evidence))
    assert explain(evidence, seen) == ["differs by as much as another order of the rows would"]


def test_an_order_of_its_own_by_whole_epochs_is_known_by_its_size() -> None:
    evidence = asked(DENSE, MOMENTUM)
    seen = replace(observe(evidence), whole=observe(in_an_order_of_its_own(evidence)).final)
    words = "trained by whole epochs: differs by as much as another order of the rows would"
    assert explain(evidence, seen) == [words]


@pytest.mark.parametrize("factor", [1.01, 0.5])
def test_two_causes_at_once_are_not_said_to_be_an_order(factor: float) -> None:
    evidence = asked()
    both = with_rates_times(factor)(replace(evidence, deviations=Deviations(l2=1e-3)))
    assert explain(evidence, observe(both)) == []


def test_a_pooling_that_makes_weights_of_another_shape_is_named() -> None:
    evidence = asked((Conv(3, 2, "relu"), MaxPool(2), Flatten(), Dense(CLASSES)), SGD)
    conv, pool, flatten, dense = evidence.network.layers
    more = (3, 3, 3)
    layers = (
        conv,
        replace(pool, output=more),
        replace(flatten, input=more, output=(27,)),
        replace(dense, input=(27,)),
    )
    kernel = np.random.default_rng(0).uniform(-0.5, 0.5, (27, 4))
    other = replace(evidence, network=replace(evidence.network, layers=layers))
    seen = observe(replace(other, weights={**evidence.weights, "dense_1/kernel": kernel}))
    assert explain(evidence, seen) == ["max pooling keeps what is left over at the end (ceil mode) in pool_1"]
